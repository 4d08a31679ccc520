"""The measure's reader sees a value in every notation, and sees none where there is none."""

from __future__ import annotations

from random import Random

import pytest
from leaks import View
from measure import Recall, Share, found
from planting.formats import FORMATS
from planting.model import Planted
from planting.notebooks import fragments
from planting.placing.issued import ENCODINGS

VALUE = "Zk3-uT9_qL7.wX2yB8nM4vC6"


@pytest.mark.parametrize("name", ENCODINGS)
def test_value_is_seen_in_each_encoding(name):
    text = ENCODINGS[name](Random(1), VALUE)
    assert View({"cells": [{"source": ["x = 1\n", text]}]}).shows(VALUE)


@pytest.mark.parametrize("name", ENCODINGS)
def test_another_value_in_the_same_encoding_is_not_mistaken_for_it(name):
    text = ENCODINGS[name](Random(1), VALUE[::-1].swapcase())
    assert not View({"cells": [{"source": text}]}).shows(VALUE)


def test_half_of_a_secret_that_stays_counts_as_not_found():
    planted = Planted(FORMATS[0], VALUE, "opaque", fragments=fragments(VALUE))
    assert not found(View({"source": f"token = '[redacted]{VALUE[12:]}'"}), planted)
    assert found(View({"source": "token = '[redacted: ibm]'"}), planted)


def test_shares_count_and_missed_classes_hold_no_value():
    result = Recall()
    planted = Planted(FORMATS[0], VALUE, "opaque", surface="source: call", shape="literal in a call")
    result.add(planted, True)
    result.add(planted, False)
    assert (result.overall.hits, result.overall.total) == (1, 2)
    assert Share().rate == 1.0
    assert VALUE not in repr(result.missed)
