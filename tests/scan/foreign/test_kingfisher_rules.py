"""Kingfisher's rules through its SDK, where the extra is installed; otherwise it is said what is missing."""

import random

import pytest

from qsec_jupyter.scan import ruleset
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.foreign import collect, kingfisher
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.scanner import Scanner

TEXT = fill(
    "first\npeer = 'https://hooks.slack.com/services/T0{upper36:8}/B0{upper36:8}/{alnum:24}'\n",
    random.Random(8),
)[0]


def test_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr(kingfisher, "find_spec", lambda _: None)
    (refused,) = collect(["kingfisher"]).refused
    assert "qsec-jupyter[kingfisher]" in refused.why


def test_its_findings_are_ours_with_their_place(tmp_path, monkeypatch):
    pytest.importorskip("kingfisher_sdk", reason="the extra kingfisher is not installed")
    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    rules = ruleset.load_rules(tmp_path, ["kingfisher"])
    only = ruleset.RuleSet([], "", rules.close, rules.close, finders=rules.finders)
    found = list(only.confirm([], TEXT.encode(), ruleset.Where("a.py")))
    (rule, start, end) = found[0]
    assert rule.id.startswith("kingfisher/")
    assert TEXT[start:end].startswith("https://hooks.slack.com/")
    assert len(rules.finders[0].rules) > 300
    scanner = Scanner(KnownValues(), Baseline(tmp_path / "kept.json"), b"k" * 32, rules)
    result = scanner.scan_text(TEXT, "a.py")
    assert "hooks.slack.com/services/T0" not in (result.redacted or TEXT)


def test_word_stands_for_the_sdk_and_a_path_for_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (refused,) = collect(["./kingfisher"]).refused
    assert "cannot be read" in refused.why
