"""Source is read where a literal that looks drawn can reach, and what is read says what all of it says."""

import random

import pytest

from qsec_jupyter.scan.glance import spots
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.source import SourceReader
from qsec_jupyter.scan.source.names import facts
from qsec_jupyter.scan.source.pieces import Lines
from qsec_jupyter.scan.source.reach import Reach
from qsec_jupyter.scan.source.tree import statements

VALUE = fill("{alnum:32}", random.Random(12))[0]
A, B = VALUE[:16], VALUE[16:]

IDLE = [f"model_{number} = fit(data, 'mean', shots={number})" for number in range(20)]
REACHED = {
    "alias": [f'x = "{VALUE}"', "y = x.strip()", "api_key = y"],
    "prefix": ['prefix = "hf_"', f'body = "{VALUE}"', "token = prefix + body"],
    "prefix in a tuple": ['user, prefix = "me", "hf_"', f'token = prefix + "{VALUE}"'],
    "prefix by a loop": ['for prefix in ["hf_"]:\n    pass', f'token = prefix + "{VALUE}"'],
    "template": ['TEMPLATE = "Bearer {}"', f'authorization = TEMPLATE.format("{VALUE}")'],
    "list": [f'parts = ["{A}"]', f'parts.append("{B}")', 'token = "".join(parts)'],
    "key": [f'cfg = {{"api": "{VALUE}"}}', 'save_account(token=cfg["api"])'],
    "method": [f'class C:\n    def secret(self):\n        return "{VALUE}"', "api_key = C().secret()"],
    "logger": [f'x = "{VALUE}"', 'log.info("token=%s", x)'],
}


def readings(sources, places):
    cells = dict(enumerate(sources))
    found = SourceReader().readings(cells, places)
    return {reading.text for reading in found if A in reading.text or B in reading.text}


@pytest.mark.parametrize("sources", REACHED.values(), ids=REACHED)
def test_what_is_read_says_the_same_of_drawn_values(sources):
    sources = [*IDLE, *sources, *IDLE]
    found = readings(sources, list(spots("\n".join(sources))))
    assert found
    assert found == readings(sources, None)


@pytest.mark.parametrize("sources", REACHED.values(), ids=REACHED)
def test_cells_that_no_drawn_literal_reaches_are_not_read(sources):
    cells = dict(enumerate([*IDLE, *sources, *IDLE]))
    read = []

    def reading(text):
        read.append(text)
        return facts(statements(text)), Lines(text)

    Reach(cells, list(spots("\n".join(cells.values()))), reading)
    assert sorted(read) == sorted(sources)
