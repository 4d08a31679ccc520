"""Both engines find the same, and compiled rules are cached safely."""

import logging
import random

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.scan import engine as engines
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.engine import PatternEngine, RuleSet, load_rules, triggers
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.rules.loader import load
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.scanner import Scanner


def sample_text(seed):
    source = random.Random(seed)
    lines = []
    for rule in load():
        for template in (*rule.positive, *rule.negative):
            lines += [fill(template, source)[0], "some words between = 1\n"]
    source.shuffle(lines)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(3))
def test_fallback_finds_what_hyperscan_finds(rules, tmp_path, seed):
    plain = RuleSet(rules.rules, rules.version, PatternEngine(t.encode() for t in triggers(rules.rules)))
    results = []
    for rule_set in (rules, plain):
        scanner = Scanner(KnownValues(), Baseline(tmp_path / "kept.json"), b"k", rule_set)
        results.append(scanner.scan_text(sample_text(seed), "a.txt"))
    assert rules.engine.name == "hyperscan"
    assert len(results[0].findings) > 60
    assert results[0] == results[1]


def test_missing_hyperscan_is_announced_and_scanning_goes_on(monkeypatch, caplog, tmp_path):
    monkeypatch.setattr(engines, "hyperscan_module", lambda: None)
    with caplog.at_level(logging.WARNING, "qsec.scan"):
        rules = load_rules(tmp_path)
    assert rules.engine.name == "re"
    assert "hyperscan is not installed" in caplog.text
    source = random.Random(1)
    text = fill('token = "{random:44}"', source)[0]
    assert Scanner(KnownValues(), Baseline(tmp_path / "k"), b"k", rules).scan_text(text, "a").findings


@given(
    st.lists(st.text("ab\u00e9", min_size=1, max_size=4), min_size=1, max_size=4, unique=True),
    st.text("ab\u00e9", max_size=30),
)
def test_literal_engines_cover_the_same_places(texts, haystack):
    data = haystack.encode()
    encoded = [text.encode() for text in texts]
    covered = []
    for module in (engines.hyperscan_module(), None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engines, "hyperscan_module", lambda module=module: module)
            hits = engines.literals(encoded).scan(data)
        covered.append({at for index, end in hits for at in range(end - len(encoded[index]), end)})
    assert covered[0] == covered[1]


def test_value_that_a_window_would_cut_is_judged_whole(scanner):
    # 45 characters are no IBM-style token, also where a window ends behind the 44th.
    value = fill("{random:44}", random.Random(3))[0]
    other = fill("{random:45}", random.Random(4))[0]
    for gap in range(20, 90):
        text = f'"{value}" ' + " " * gap + other
        assert [f.column for f in scanner.scan_text(text, "a").findings] == [2], gap
