"""Source is worth a syntax tree when a literal looks drawn, alone or together with its neighbours."""

import random

import pytest

from qsec_jupyter.scan.glance import spots
from qsec_jupyter.scan.rules.samples import fill

IDLE = [
    'open(x, "utf8", "ignore")',
    'size = "Standard_DS3_v2"\nbig = "STANDARD_NC48ADS_A100_V4"',
    'columns = ["BILL_AMT1", "BILL_AMT2", "PAY_0"]',
    'metrics=["RootMeanSquaredError", "tags.rootRunId="]',
    'time.strftime("%Y%m%d-%H%M%S")',
    'plot(color="#fafab0")',
    'get("https://example.org/a4b8c2d9e1f7/file.zip")',
]


def worthwhile(source):
    return any(True for _ in spots(source))


@pytest.mark.parametrize("source", IDLE)
def test_words_with_numbers_are_passed_over(source):
    assert not worthwhile(source)


@pytest.mark.parametrize("kind", ["alnum", "hex", "random", "base64"])
def test_drawn_values_are_not_passed_over(kind):
    drawn = random.Random(5)
    values = [fill(f"{{{kind}:32}}", drawn)[0] for _ in range(200)]
    assert all(worthwhile(f"# don't\nx = '{value}'\n") for value in values)
    halves = [f"a = '{value[:16]}'\nb = '{value[16:]}'" for value in values]
    assert all(map(worthwhile, halves))


def test_many_short_pieces_are_taken_together():
    value = fill("{alnum:32}", random.Random(6))[0]
    pieces = ", ".join(repr(value[at : at + 2]) for at in range(0, 32, 2))
    assert worthwhile(f'x = "".join([{pieces}])')
