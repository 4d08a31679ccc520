"""A value that a rule named is found again without its name, in any encoding, at little cost."""

import random

import pytest
from work import calls

from qsec_jupyter.scan import engine
from qsec_jupyter.scan.known import encodings
from qsec_jupyter.scan.literals import nested
from qsec_jupyter.scan.rules.samples import fill

_SOURCE = random.Random(23)
VALUES = [fill("{alnum:32}", _SOURCE)[0], fill("{base64:60}", _SOURCE)[0]]
TOKENS = [fill("{alnum:32}", _SOURCE)[0] for _ in range(800)]


def named(values):
    return "".join(f"token = {value}\n" for value in values)


@pytest.mark.parametrize("value", VALUES, ids=["alphanumeric", "base64"])
def test_value_is_redacted_in_every_encoding_once_something_names_it(scanner, value):
    for form in encodings(value) | nested(value):
        redacted = scanner.scan_text(f"token = {value}\n\nand \u00e9\n {form}\n", "a.log").redacted
        assert form not in redacted


def test_each_of_very_many_values_is_found_again(scanner):
    again = "".join(f"\n{value[::-1]}" for value in TOKENS)
    redacted = scanner.scan_text(named(TOKENS) + "\n" * 9 + again, "a.log").redacted
    assert not any(value in redacted or value[::-1] in redacted for value in TOKENS)


def test_more_findings_cost_no_more_each(scanner):
    scanner.scan_text(named(TOKENS[:1]), "a.log")
    few, many = (calls(scanner.scan_text, named(TOKENS[:count]), "a.log") for count in (200, 800))
    assert many < 4.4 * few
    assert many < 3000 * len(TOKENS)


def test_nothing_is_compiled_for_values_of_one_text(scanner, monkeypatch):
    monkeypatch.setattr(engine, "literals", None)
    assert scanner.scan_text(named(TOKENS[:2]) + TOKENS[0][::-1], "a.log").redacted.count("redacted") == 3
