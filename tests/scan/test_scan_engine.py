"""Both engines find the same, and compiled rules are cached safely."""

import logging
import random
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.scan import engine as engines, ruleset
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.engine import PatternEngine, Re2Engine
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.rules.loader import load
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.ruleset import RuleSet, load_rules, triggers
from qsec_jupyter.scan.scanner import Scanner


def sample_text(seed):
    source = random.Random(seed)
    lines = []
    for rule in load():
        for template in (*rule.positive, *rule.negative):
            lines += [fill(template, source)[0], "some words between = 1\n"]
    source.shuffle(lines)
    return "\n".join(lines)


def re2_engine(patterns):
    return Re2Engine(patterns, pytest.importorskip("re2", reason="the extra re2 is not installed"))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", [PatternEngine, re2_engine], ids=["re", "re2"])
def test_fallback_finds_what_hyperscan_finds(rules, tmp_path, seed, make):
    plain = RuleSet(rules.rules, rules.version, make(triggers(rules.rules)))
    results = []
    for rule_set in (rules, plain):
        scanner = Scanner(KnownValues(), Baseline(tmp_path / "kept.json"), b"k", rule_set)
        results.append(scanner.scan_text(sample_text(seed), "a.txt"))
    assert rules.engine.name == "hyperscan"
    assert len(results[0].findings) > 60
    assert results[0] == results[1]


@pytest.mark.parametrize("name", ["re", "re2"])
def test_missing_hyperscan_is_said_once_and_scanning_goes_on(monkeypatch, caplog, tmp_path, name):
    monkeypatch.setattr(ruleset, "hyperscan_module", lambda: None)
    monkeypatch.setattr(ruleset, "_said", set())
    if name == "re":
        monkeypatch.setattr(engines, "re2_module", lambda: None)
    else:
        pytest.importorskip("re2")
    with caplog.at_level(logging.WARNING, "qsec.scan"):
        rules = load_rules(tmp_path)
        load_rules(tmp_path)
    assert rules.engine.name == name
    assert caplog.text.count("hyperscan is not installed") == 1
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


@pytest.mark.parametrize("count", [1, 16, 17, 48, 99, 100, 300])
def test_each_of_many_texts_is_found_and_nothing_else(count):
    source = random.Random(count)
    texts = [source.randbytes(8).hex().encode() for _ in range(count)]
    every_character = "".join(map(chr, range(0x20, 0x3000))).encode() + "\U0010ffff".encode()
    hits = engines.literals(texts).scan(b" ".join([every_character, *texts, every_character]))
    assert sorted(index for index, _ in hits) == list(range(count))


@pytest.mark.parametrize("when", ["compiling", "scanning"])
def test_re2_that_runs_out_of_memory_asks_each_expression(monkeypatch, when):
    re2 = pytest.importorskip("re2")
    patterns = [f"(?i)[a-f]{{{n}}}.{{0,9}}[0-9]{{{n},40}}x" for n in range(1, 40)]
    data = random.Random(1).randbytes(20_000).hex().replace("00", "x").encode()
    if when == "compiling":
        monkeypatch.setattr(engines, "_RE2_MEMORY", 1 << 16)
    small = Re2Engine(patterns, re2)
    if when == "scanning":
        small._set = SimpleNamespace(Match=lambda _: None)  # how the module says so
    else:
        assert small._set is None
    assert sorted(small.scan(data)) == sorted(PatternEngine(patterns).scan(data)) != []
    assert small.scan(b"nothing of that kind") == []


def test_value_that_a_window_would_cut_is_judged_whole(scanner):
    # 45 characters are no IBM-style token, also where a window ends behind the 44th.
    value = fill("{random:44}", random.Random(3))[0]
    other = fill("{random:45}", random.Random(4))[0]
    for gap in range(20, 90):
        text = f'"{value}" ' + " " * gap + other
        assert [f.column for f in scanner.scan_text(text, "a").findings] == [2], gap


@pytest.mark.parametrize("size", [43, 44, 45])
@pytest.mark.parametrize("around", ["{}", '"{}"', "token={},", "x {}\n", "\u00e4{}\u00e4"])
def test_a_rule_of_one_length_is_asked_of_runs_of_that_length_alone(size, around):
    rules = load_rules()
    text = around.format(("aB1xYz9Q" * 6)[:size]).encode()
    asked = {rule.id for rule, _, _ in rules.windows(text)}
    assert ("ibm-style-token" in asked) == (size == 44)
