"""How many planted secrets leave a notebook, and how many innocent texts are flagged.

Two tables: what the scanner must reach, and what it had reached when the table was last raised. Nothing may fall
below the second; each promise that is not kept yet is reported as an expected failure, by name.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from measure import Share, false_alarms, real_notebooks, recall
from planting.files import texts
from planting.notebooks import clean, samples
from product import product

PROMISED = {"overall": 0.97, "structured": 0.99, "opaque": 0.95, "issued": 1.0, "files": 0.97}
"""Smallest shares of secrets of which nothing may be left after redaction."""

REACHED = {"overall": 0.985, "structured": 0.99, "opaque": 0.965, "issued": 0.99, "files": 0.97}
"""The same, as far as we are; raise it with the detection."""

FEW, FEW_REACHED = 0.002, 0.002
"""Largest share of innocent texts that may be flagged, and as far as we are."""

REAL = 0.02
"""Most findings per MB of clean real notebooks."""


@pytest.fixture(scope="module")
def notebooks():
    return list(samples())


@pytest.fixture(scope="module")
def scan(notebooks, tmp_path_factory):
    return product(notebooks, tmp_path_factory.mktemp("accuracy"))


@pytest.fixture(scope="module")
def found(notebooks, scan):
    in_notebooks, _ = recall(notebooks, scan)
    in_files, _ = recall(texts(), scan)
    return {"overall": in_notebooks.overall, **in_notebooks.by_class, "files": in_files.overall}


@pytest.fixture(scope="module")
def flagged(notebooks, scan):
    among, alone = recall(notebooks, scan)[1].overall, false_alarms(clean(), scan).overall
    return Share(among.hits + alone.hits, among.total + alone.total)


@pytest.mark.parametrize("name", REACHED)
def test_secrets_are_gone_as_far_as_reached(found, name):
    assert found[name].rate >= REACHED[name], str(found[name])


@pytest.mark.parametrize("name", PROMISED)
def test_secrets_are_gone_as_promised(found, name):
    if found[name].rate < PROMISED[name]:
        pytest.xfail(f"{name}: {found[name]} found, {PROMISED[name]:.0%} promised")


def test_innocent_texts_are_not_flagged_as_far_as_reached(flagged):
    assert flagged.rate <= FEW_REACHED, str(flagged)


def test_innocent_texts_are_not_flagged_as_promised(flagged):
    if flagged.rate > FEW:
        pytest.xfail(f"{flagged} flagged, {FEW:.1%} promised")


@pytest.mark.skipif(
    "QSEC_REAL_NOTEBOOKS" not in os.environ, reason="QSEC_REAL_NOTEBOOKS names no folder of clean notebooks"
)
def test_real_clean_notebooks_are_not_flagged(scan):
    alarms, size = real_notebooks(Path(os.environ["QSEC_REAL_NOTEBOOKS"]), scan)
    assert size > 1
    assert alarms / size <= REAL
