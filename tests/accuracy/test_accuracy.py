"""How many planted secrets leave a notebook, and how many innocent texts, held to the numbers we promise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from measure import false_alarms, real_notebooks, recall
from planting.files import texts
from planting.notebooks import clean, samples
from product import product

AT_LEAST = {"overall": 0.57, "structured": 0.60, "opaque": 0.48, "issued": 0.62, "files": 0.75}
"""Smallest shares of secrets of which nothing is left after redaction."""

AT_MOST = {"negatives": 0.025}
"""Largest shares of innocent texts that are flagged."""


@pytest.fixture(scope="module")
def notebooks():
    return list(samples())


@pytest.fixture(scope="module")
def scan(notebooks, tmp_path_factory):
    return product(notebooks, tmp_path_factory.mktemp("accuracy"))


def test_planted_secrets_are_gone_from_redacted_notebooks(notebooks, scan):
    result, alarms = recall(notebooks, scan)
    rates = {"overall": result.overall.rate, **{kind: share.rate for kind, share in result.by_class.items()}}
    assert not {name: rate for name, rate in rates.items() if rate < AT_LEAST[name]}, (
        result.missed.most_common(20)
    )
    assert alarms.overall.rate <= AT_MOST["negatives"], alarms.by_kind


def test_planted_secrets_are_gone_from_redacted_text_files(scan):
    result, _ = recall(texts(), scan)
    assert result.overall.rate >= AT_LEAST["files"], result.missed.most_common(20)


def test_innocent_texts_are_not_flagged(scan):
    alarms = false_alarms(clean(), scan)
    assert alarms.overall.rate <= AT_MOST["negatives"], alarms.by_kind


@pytest.mark.skipif(
    "QSEC_REAL_NOTEBOOKS" not in os.environ, reason="QSEC_REAL_NOTEBOOKS names no folder of clean notebooks"
)
def test_real_clean_notebooks_are_not_flagged(scan):
    alarms, size = real_notebooks(Path(os.environ["QSEC_REAL_NOTEBOOKS"]), scan)
    assert size > 1
    assert alarms / size <= 0.02
