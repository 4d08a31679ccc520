"""A second scan of what was redacted finds nothing more."""

import random

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.settle import _back
from qsec_jupyter.scan.units import splice


def drawn(seed, slot="{alnum:24}"):
    return fill(slot, random.Random(seed))[0]


@pytest.mark.parametrize("count", [2, 3, 6])
@pytest.mark.parametrize("name", ["a.txt", "a.py"])
def test_values_that_hide_behind_each_other_are_all_found(scanner, count, name):
    text = "token = '" + " token = '".join(drawn(seed) for seed in range(count)) + "'\n"
    result = scanner.scan_text(text, name)
    assert not any(drawn(seed) in result.redacted for seed in range(count))
    assert scanner.scan_text(result.redacted, name).redacted is None


def test_finding_behind_a_marker_names_its_place_in_the_text(scanner):
    text = f"token = '{drawn(1)} token = '{drawn(2)}'\n"
    columns = {one.column for one in scanner.scan_text(text, "a.txt").findings}
    assert 1 + text.index(drawn(2)) in columns


@given(st.text("abc", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6)), max_size=4))
def test_offsets_behind_markers_are_those_of_the_text(text, drawn_spans):
    spans, at = [], 0
    for gap, length in drawn_spans:
        if at + gap + length <= len(text):
            spans.append((at + gap, at + gap + length, "<<>>"))
            at += gap + length
    shown = splice(text, spans)
    inside = [(shift_of(spans, start), shift_of(spans, start) + 4) for start, _, _ in spans]
    begins = [start for start, _ in inside]
    for offset, character in enumerate(shown):
        back = _back(spans, begins, offset, last=False)
        if character in "<>":
            number = next(n for n, (a, b) in enumerate(inside) if a <= offset < b)
            assert back == spans[number][0]
            assert _back(spans, begins, offset + 1, last=True) == spans[number][1]
        else:
            assert text[back] == character
            assert _back(spans, begins, offset + 1, last=True) == back + 1


def shift_of(spans, start):
    return start - sum((b - a) - 4 for a, b, _ in spans if b <= start)
