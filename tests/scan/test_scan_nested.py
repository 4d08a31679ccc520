"""A column, a key further up or an alias names a value; literals in parts are read as one."""

import json
import random

import pytest

from qsec_jupyter.scan.nested import aliased, tables
from qsec_jupyter.scan.rules.samples import fill

_SOURCE = random.Random(11)
VALUE, OTHER = (fill("{alnum:32}", _SOURCE)[0] for _ in range(2))
TOKEN = fill("glpat-{random:20}", _SOURCE)[0]
INNOCENT = "ibm_fez-4b2a91c07d8e"

# What pandas' to_json and to_dict write, by their name for it.
SPLIT = {"columns": ["device", "api_token", "n"], "data": [[INNOCENT, VALUE, 1], ["b", OTHER, 2]]}
TABLES = {
    "split": SPLIT,
    "data in front": {"data": SPLIT["data"], "columns": SPLIT["columns"]},
    "columns": {"device": {"0": INNOCENT, "1": "b"}, "api_token": {"0": VALUE, "1": OTHER}},
    "list": {"device": [INNOCENT, "b"], "api_token": [VALUE, OTHER]},
}
WRITTEN = {
    "json": json.dumps,
    "json without spaces": lambda table: json.dumps(table, separators=(",", ":")),
    "json in lines": lambda table: json.dumps(table, indent=2),
    "python": repr,
    "json in source": lambda table: f"frame = read('''{json.dumps(table)}''')",
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("table", TABLES)
def test_cells_of_a_named_column_are_redacted(scanner, table, written):
    text = WRITTEN[written](TABLES[table])
    redacted = scanner.scan_text(text, "a.log").redacted
    assert VALUE not in redacted
    assert OTHER not in redacted
    assert INNOCENT in redacted
    if "json" in written and written != "json in source":
        assert json.loads(redacted).keys() == TABLES[table].keys()


@pytest.mark.parametrize("table", TABLES)
def test_the_same_holds_for_json_in_an_output(scanner, table):
    output = {"output_type": "display_data", "metadata": {}, "data": {"application/json": TABLES[table]}}
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "", "outputs": [output]}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    text = json.dumps(scanner.scan_notebook(notebook, "a.ipynb").redacted)
    assert VALUE not in text
    assert OTHER not in text
    assert INNOCENT in text


@pytest.mark.parametrize("table", TABLES)
def test_cells_of_other_columns_are_left(scanner, table):
    text = json.dumps(TABLES[table]).replace("api_token", "job")
    assert scanner.scan_text(text, "a.log").redacted is None


@pytest.mark.parametrize(
    "text",
    [
        f"df = pd.DataFrame([['a', '{VALUE}']], columns=['user', 'token'])",
        json.dumps([["user", "api_token"], ["a", VALUE]]),
        f"shared: &t1 {VALUE}\nibm:\n  token: *t1\n",
        f'defaults:\n  - &id001 "{VALUE}"\nibm: {{api_key: *id001}}\n',
        f"x: &t !!str {VALUE}\nibm_token: *t\n",
        f"x: &t >-\n  {VALUE}\ntoken: *t\n",
    ],
    ids=range(6),
)
def test_name_in_another_place_counts(scanner, text):
    redacted = scanner.scan_text(text, "a.txt").redacted
    assert VALUE not in redacted
    assert "[redacted: secret]" in redacted


def test_alias_under_another_key_is_left(scanner):
    assert scanner.scan_text(f"x: &t {INNOCENT}\njob: *t\n", "a.yaml").redacted is None


PARTS = ", ".join(f'"{VALUE[at : at + 8]}"' for at in range(0, 32, 8))
TOKEN_PARTS = (TOKEN[:12], TOKEN[12:19], TOKEN[19:])


@pytest.mark.parametrize(
    "text",
    [
        f'token = "".join([{PARTS}])',
        f"api_key = ''.join(({PARTS}))",
        f'Use `token = "".join([{PARTS}])` first',
        f'```python\ntoken = "".join([{PARTS}])\n```',
        'token = "".join([\n    ' + PARTS.replace(", ", ",\n    ") + ",\n])",
    ],
    ids=range(5),
)
def test_joined_parts_are_redacted_outside_of_source(scanner, text):
    redacted = scanner.scan_text(text, "a.log").redacted
    assert not any(VALUE[at : at + 8] in redacted for at in range(0, 32, 8))


@pytest.mark.parametrize("between", ['" "', '" + "', "' + b'"])
@pytest.mark.parametrize("path", ["a.log", "a.py"])
def test_token_in_parts_needs_no_name(scanner, between, path):
    text = f"f({between[-1]}{between.join(TOKEN_PARTS)}{between[-1]})"
    redacted = scanner.scan_text(text, path).redacted
    assert not any(part in redacted for part in TOKEN_PARTS)


def test_parts_that_are_no_token_are_left(scanner):
    assert scanner.scan_text('f("glpat-runner-1", "npm_config_2", "v1.0-rc3")', "a.log").redacted is None


@pytest.mark.parametrize(
    "text", ["]}{[", '{"token": [', "[" * 3000, '"columns": ["a"], "data": [[1, 2], [3]', "&a &a *a"]
)
def test_broken_text_is_read_as_far_as_it_goes(text):
    list(tables(text, range(1, len(text) + 1)))
    list(aliased(text))
