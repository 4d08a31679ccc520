"""Calls of the broker that are offered in the place of secrets in a cell."""

import ast

import pytest

from qsec_jupyter.core.model import Finding
from qsec_jupyter.server.save.broker import broker_source, offer

SECRET = "s3cret-value-0123456789"
TARGETS = [{"name": "sandbox", "provider": "simulator"}, {"name": "eagle", "provider": "ibm-quantum"}]
FUTURE = """from __future__ import annotations
import qsec_jupyter as qsec
é = qsec.credential("eagle").reveal(); b = qsec.credential("eagle").reveal()"""


def spans(source, target="eagle"):
    found, at = [], source.find(SECRET)
    while at >= 0:
        found.append((at, at + len(SECRET), target))
        at = source.find(SECRET, at + 1)
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (f"x = '{SECRET}'", 'import qsec_jupyter as qsec\nx = qsec.credential("eagle").reveal()'),
        (
            f'import qsec_jupyter as qsec\nf(token="{SECRET}", n=1)  # why',
            'import qsec_jupyter as qsec\nf(token=qsec.credential("eagle").reveal(), n=1)  # why',
        ),
        (f"from __future__ import annotations\né = r'{SECRET}'; b = '''{SECRET}'''", FUTURE),
        (f"%time\nx = '{SECRET}'", None),
        (f"x = f'{SECRET}{{1}}'", None),
        (f"x = 'Bearer {SECRET}'", None),
        (f"x = b'{SECRET}'", None),
        (f"# {SECRET}\nx = 1", None),
        (f"x = {{'{SECRET}'", None),
        (f"match x:\n    case '{SECRET}': pass", None),
    ],
)
def test_call_takes_the_place_of_a_whole_literal_or_nothing_is_offered(source, expected) -> None:
    assert broker_source(source, spans(source)) == expected
    if expected:
        ast.parse(expected)


def test_target_that_is_no_name_is_never_written_into_code() -> None:
    source = f"x = '{SECRET}'"
    assert broker_source(source, spans(source, '"); import os; ("')) is None


def finding(rule, line, column, cell=0):
    return Finding(rule, "t", "high", "source", "a", cell, None, line, column, "f", "r", "redacted")


@pytest.mark.parametrize(
    ("rule", "target"), [("ibm-quantum-token", "eagle"), ("ionq", "sandbox"), ("issued-credential", "pilot")]
)
def test_family_of_the_rule_chooses_the_target(rule, target) -> None:
    source = f"a = 1\nx = '{SECRET}'\ny = '{SECRET}'\n"
    notebook = {"cells": [{"cell_type": "code", "source": source.splitlines(keepends=True)}]}
    cells = {"0": {"source": source.replace(SECRET, "[redacted: pilot]")}}
    offered = offer(cells, notebook, [finding(rule, 2, 6), finding(rule, 3, 6)], TARGETS)
    assert offered["0"]["broker"].count(f'qsec.credential("{target}").reveal()') == 2
    assert SECRET not in offered["0"]["broker"]


def test_nothing_is_offered_without_a_catalogue_or_beside_an_older_marker() -> None:
    source = f"x = '{SECRET}'\ny = '[redacted: x]'"
    notebook = {"cells": [{"cell_type": "code", "source": source}]}
    cells = {"0": {"source": source.replace(SECRET, "[redacted: ibm]")}}
    assert offer(cells, notebook, [finding("ibm", 1, 6)], TARGETS) == cells
    clean = {"0": {"source": "x = '[redacted: ibm]'"}}
    alone = {"cells": [{"cell_type": "code", "source": f"x = '{SECRET}'"}]}
    assert offer(clean, alone, [finding("ibm", 1, 6)], []) == clean


def test_markdown_gets_no_call() -> None:
    source = f"x = '{SECRET}'"
    cells = {"0": {"source": "x = '[redacted: ibm]'"}}
    notebook = {"cells": [{"cell_type": "markdown", "source": source}]}
    assert offer(cells, notebook, [finding("ibm", 1, 6)], TARGETS) == cells
