"""Rules compiled once, and a scanner with nothing known and nothing kept."""

import pytest

from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner


@pytest.fixture(scope="session")
def rules(tmp_path_factory):
    return load_rules(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def known():
    return KnownValues()


@pytest.fixture
def baseline(tmp_path):
    return Baseline(tmp_path / "kept.json")


@pytest.fixture
def scanner(rules, known, baseline):
    return Scanner(known, baseline, b"k" * 32, rules)
