"""A table is read to its end, in whatever it is written, at a cost in proportion to its length."""

import json
import random

import pytest
from work import calls

from qsec_jupyter.scan.rules.samples import fill

_SOURCE = random.Random(31)
ROWS = [(f"device-{number:04d}", fill("{alnum:32}", _SOURCE)[0], number) for number in range(400)]
NAMES = ["device", "api_token", "n"]
WARM = "token = a1b2c3d4e5f6g7"  # what is needed only once is loaded


def plotly(rows, names=NAMES):
    columns = [list(column) for column in zip(*rows, strict=True)]
    table = {"cells": {"align": "left", "values": columns}, "header": {"values": names}, "type": "table"}
    return {"data": [table], "layout": {}}


def custom(rows):
    template = "device=%{customdata[0]}<br>api_token=%{customdata[1]}<extra></extra>"
    return {"data": [{"customdata": [list(row) for row in rows], "hovertemplate": template}]}


TREES = {
    "split": lambda rows: {
        "columns": NAMES,
        "index": list(range(len(rows))),
        "data": [list(row) for row in rows],
    },
    "data in front": lambda rows: {"data": [list(row) for row in rows], "columns": NAMES},
    "columns": lambda rows: {
        name: {str(row[2]): row[place] for row in rows} for place, name in enumerate(NAMES)
    },
    "list": lambda rows: {name: [row[place] for row in rows] for place, name in enumerate(NAMES)},
    "names in front": lambda rows: [NAMES, *[list(row) for row in rows]],
    "plotly": plotly,
    "plotly in bold": lambda rows: plotly(rows, [f"<b>{name}</b>" for name in NAMES]),
    "plotly's custom data": custom,
}
TEXTS = {
    "frame": lambda rows: f"pd.DataFrame({rows!r}, columns={NAMES!r})",
    "insert": lambda rows: f"INSERT INTO t ({', '.join(NAMES)}) VALUES {', '.join(map(repr, rows))};",
    "csv": lambda rows: "".join("{},{},{}\n".format(*row) for row in [NAMES, *rows]),
    "markdown": lambda rows: "".join(
        "| {} | {} | {} |\n".format(*row) for row in [NAMES, ["---"] * 3, *rows]
    ),
    "aligned": lambda rows: "".join("{:>12}  {:>32}  {:>6}\n".format(*row) for row in [NAMES, *rows]),
    "latex": lambda rows: "".join("{} & {} & {} \\\\\n\\hline\n".format(*row) for row in [NAMES, *rows]),
    "html": lambda rows: (
        "<table>\n<tr>"
        + "".join(f"<th>{name}</th>" for name in NAMES)
        + "</tr>\n"
        + "".join("<tr>\n  <td>{}</td>\n  <td>{}</td>\n  <td>{}</td>\n</tr>\n".format(*row) for row in rows)
        + "</table>"
    ),
    **{f"{name} as text": lambda rows, tree=tree: json.dumps(tree(rows)) for name, tree in TREES.items()},
    **{
        f"{name} in lines": lambda rows, tree=tree: json.dumps(tree(rows), indent=1)
        for name, tree in TREES.items()
    },
}


def left(text, rows):
    """Return how many values are left in ``text``, and how many innocent cells."""
    return sum(row[1] in text for row in rows), sum(row[0] in text for row in rows)


@pytest.mark.parametrize("form", TEXTS)
def test_all_rows_of_a_text_are_read(scanner, form):
    text = f"Here it is:\n\n{TEXTS[form](ROWS)}\n\nand so on\n"
    assert left(scanner.scan_text(text, "a.log").redacted, ROWS) == (0, len(ROWS))


@pytest.mark.parametrize("form", TREES)
def test_all_rows_of_an_output_in_json_are_read(scanner, form):
    data = {"application/json": {"it": TREES[form](ROWS)}}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "", "outputs": [output]}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    assert left(json.dumps(scanner.scan_notebook(notebook, "a.ipynb").redacted), ROWS) == (0, len(ROWS))


@pytest.mark.parametrize("form", TEXTS)
def test_more_rows_cost_no_more_each(scanner, form):
    few, many = (TEXTS[form](ROWS[:count]) for count in (60, 240))
    scanner.scan_text(WARM, "a.log")
    few, many = (calls(scanner.scan_text, text, "a.log") for text in (few, many))
    assert many < 4.6 * few


def test_a_table_below_another_has_names_of_its_own(scanner):
    first, second = ROWS[0], ROWS[1]
    text = f"api_key,user\n{first[1]},ann\nuser,token\nbob,{second[1]}\n"
    assert left(scanner.scan_text(text, "a.log").redacted, [first, second])[0] == 0


def test_a_header_in_front_names_its_row_and_nothing_below(scanner):
    text = f"<table><tr><th>Key</th><td>token</td></tr><tr><th>Job</th><td>{ROWS[0][1]}</td></tr></table>"
    assert scanner.scan_text(text, "a.html").redacted is None


def test_a_table_ends_where_its_rows_do(scanner):
    text = "user,api_token\nann,none\n" + "And this is how it goes on.\n" * 9 + f"job,{ROWS[0][1]}\n"
    assert scanner.scan_text(text, "a.log").redacted is None


HOSTILE = [
    '"columns": ["key", "abc-123-def-45"], ',
    '"token": [{"a": ',
    '"token": {"0": "abc-123-def-45", ',
    '["a", "api_token"], ["b", "abc-123-def-45"], ',
    "], columns=['token','abc-123-def-45'], [[",
    '"values": ["token"], "header": {"values": ["token"], ',
    '[["a"]], "hovertemplate": "token=%{customdata[0]}" ',
    "token: *t ",
    " &t abcdefgh1234 token: *t",
    "a,token,b\nabc-123-def-45,x\n",
    "a,token,b,abc-123-def-45\n",
    "a,token,",
    "<tr><th>token</th><td>abc-123-def-45",
    "token</th> ",
    "<table><tr><th>token</th></tr>",
    "(a, api_key) values (('abc-123-def-45', ",
    "token,token values (",
    '"columns": ["a", ',
    '"columns": [',
    "\u00e9 token = a1b2c3d4e5f6g7\n",
    "\x1b[31mtoken\x1b[0m = a1b2c3d4e5f6g7 ",
]


@pytest.mark.parametrize("part", HOSTILE, ids=range(len(HOSTILE)))
def test_text_made_to_be_slow_costs_its_proportion(scanner, part):
    few, many = (part * (size // len(part)) + "\nabc-123-def-45,x\n" for size in (10_000, 40_000))
    scanner.scan_text(WARM, "a.log")
    few, many = (calls(scanner.scan_text, text, "a.log") for text in (few, many))
    assert many < 4.6 * few + 10_000


def test_what_follows_a_named_list_is_not_read(scanner):
    numbers = ", ".join(f"[{number}, 0.5]" for number in range(2000))
    few, many = (f'{{"token": ["{ROWS[0][1]}"], "losses": [{part}]}}' for part in ("", numbers))
    scanner.scan_text(WARM, "a.log")
    few, many = (calls(scanner.scan_text, text, "a.log") for text in (few, many))
    assert many < few + 2000


def test_lists_in_lists_without_end_are_read(scanner):
    text = f'"token": ["{ROWS[0][1]}", ' * 2500
    assert ROWS[0][1] not in scanner.scan_text(text, "a.log").redacted
