"""Properties of the scanner on drawn input; ``make fuzz`` draws a hundred times as much.

The generator is the rules' own samples, put into notations and surfaces at random.
"""

import copy
import json
import os
import random
import re
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues, encodings
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.scanner import Scanner

MANY = int(os.environ.get("QSEC_FUZZ", "1"))
drawn = settings(
    max_examples=40 * MANY,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=MANY == 1,
)
MARKER = re.compile(r"\[redacted: [\w./ -]+\]")
SLOTS = ["{alnum:24}", "{random:44}", "{hex:40}", "{base64:60}", "{jwt}", "{uuid}"]
values = st.builds(
    lambda slot, seed: fill(slot, random.Random(seed))[0], st.sampled_from(SLOTS), st.integers(0, 10**6)
)
prose = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=200)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture
def issuing(rules, tmp_path):
    def make(*issued):
        known = KnownValues()
        for value in issued:
            known.add("sandbox", Secret(value, "sandbox"))
        return Scanner(known, Baseline(tmp_path / "kept.json"), b"k" * 32, rules)

    return make


def notebook(*texts):
    cells = []
    for text in texts:
        outputs = [
            {"output_type": "stream", "name": "stdout", "text": text},
            {"output_type": "display_data", "metadata": {}, "data": {"application/json": {"a": [text]}}},
        ]
        cells.append(
            {"cell_type": "code", "source": text, "metadata": {}, "outputs": outputs, "execution_count": None}
        )
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


@drawn
@given(values, prose, prose, st.integers(0, 10**6))
def test_issued_value_is_gone_in_every_encoding_and_nothing_else(issuing, value, before, behind, pick):
    forms = sorted(encodings(value))
    form = forms[pick % len(forms)]
    text = f"{before}\n{form}\n{behind}"
    result = issuing(value).scan_text(text, "a.log")
    assert result.redacted is not None
    assert not any(one in result.redacted for one in forms if not MARKER.search(one))
    pieces = MARKER.split(result.redacted)
    assert re.fullmatch(".*?".join(map(re.escape, pieces)), text, re.DOTALL)
    assert issuing(value).scan_text(result.redacted, "a.log").redacted is None


@drawn
@given(values, prose)
def test_redacted_notebook_is_valid_and_stays_as_it_is(issuing, value, text):
    original = notebook(f"{text} {value} {text}", text)
    before = copy.deepcopy(original)
    scanner = issuing(value)
    result = scanner.scan_notebook(original, "a.ipynb")
    assert original == before
    assert value not in json.dumps(result.redacted, ensure_ascii=False)
    assert [list(cell) for cell in result.redacted["cells"]] == [list(cell) for cell in before["cells"]]
    assert result.redacted["cells"][1] == before["cells"][1] or value in text
    assert scanner.scan_notebook(result.redacted, "a.ipynb").redacted is None


@drawn
@given(json_values)
def test_any_tree_is_scanned(issuing, tree):
    document = tree if isinstance(tree, dict) else {"cells": tree}
    before = repr(document)
    issuing().scan_notebook(document, "a.ipynb")
    assert repr(document) == before


@drawn
@given(json_values, st.sampled_from(["source", "outputs", "metadata", "attachments", "cell_type"]))
def test_any_cell_is_scanned(issuing, tree, key):
    base = notebook("x = 1")
    base["cells"][0][key] = tree
    issuing("a-value-of-usual-length-1234").scan_notebook(base, "a.ipynb")


@drawn
@given(st.text(max_size=300))
def test_any_text_is_scanned_as_any_kind_of_file(issuing, text):
    scanner = issuing("a-value-of-usual-length-1234")
    for name in ("a.py", "a.md", "a.env", "a.toml", "a.log", "a"):
        scanner.scan_text(text, name)


PUMPED = [
    "token = ",
    "key",
    "a",
    "A1b",
    '"',
    "'",
    "\\x41",
    "&#65;",
    "%41",
    "<td>",
    "Zm9v",
    "://a:",
    "(",
    "=",
    "a.b",
    "\n",
    "key,",
]


@pytest.mark.skipif(MANY == 1, reason="measures time: make fuzz")
@pytest.mark.parametrize("part", PUMPED, ids=range(len(PUMPED)))
@pytest.mark.parametrize("end", ["", '"', "z9", "\n"], ids=["bare", "quote", "value", "line"])
def test_time_grows_with_the_length_and_no_faster(issuing, part, end):
    def seconds(count):
        text = part * count + end
        best = 9.0
        for _ in range(3):
            scanner = issuing()
            scanner.scan_text("warm", "a.log")
            started = time.process_time()
            scanner.scan_text(text, "a.py")
            best = min(best, time.process_time() - started)
        return best

    count = 40_000 // len(part)
    assert seconds(4 * count) < 8 * seconds(count) + 0.05
