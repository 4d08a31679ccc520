"""Hyperscan, RE2 and ``re`` give the same findings over the planted set, its negatives and a drawn corpus."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from planting.files import texts
from planting.notebooks import clean, samples

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.engine import PatternEngine, Re2Engine
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.rules.loader import load
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.ruleset import CLOSE, DRAWN, RuleSet, load_rules, triggers
from qsec_jupyter.scan.scanner import Scanner


def re2_engine(patterns):
    return Re2Engine(patterns, pytest.importorskip("re2", reason="the extra re2 is not installed"))


ENGINES = {"re2": (re2_engine, 60), "re": (PatternEngine, 4)}  # `re` takes seconds for a notebook
PIECES = [
    "token = ",
    "key: ",
    "\\x41",
    "&#65;",
    "%41",
    "<td>",
    "Zm9vYmFy",
    "://a:b@",
    "'",
    '"',
    "\n",
    "\u00e4",
    " ",
]


def corpus(count):
    """Yield rules' samples, torn to pieces and put together again with signs between."""
    source = random.Random(5)
    templates = [template for rule in load() for template in (*rule.positive, *rule.negative)]
    for _ in range(count):
        parts = []
        for template in source.choices(templates, k=6):
            text = fill(template, source)[0]
            cut = source.randrange(len(text) + 1)
            parts += [text[:cut] if source.random() < 0.3 else text, *source.choices(PIECES, k=3)]
        yield "".join(parts)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    found = load_rules(tmp_path_factory.mktemp("cache"))
    assert found.engine.name == "hyperscan"
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ENGINES)
def test_engines_find_the_same(rules, tmp_path, name):
    make, count = ENGINES[name]
    other = RuleSet(rules.rules, rules.version, make(triggers(rules.rules)), make(CLOSE), make(DRAWN))
    planted = [*islice(samples(), count), *islice(texts(), count), *islice(clean(), count)]
    known = KnownValues()
    for sample in planted:
        for value in sample.planted:
            if value.kind == "issued":
                known.add(value.label, Secret(value.value, value.label))
    scanners = [Scanner(known, Baseline(tmp_path / "kept.json"), b"k", one) for one in (rules, other)]
    documents = [(sample.content, sample.path) for sample in planted]
    documents += [(text, name) for text in corpus(4 * count) for name in ("a.log", "a.py")]
    found = 0
    for document, path in documents:
        results = [
            one.scan_text(document, path) if isinstance(document, str) else one.scan_notebook(document, path)
            for one in scanners
        ]
        assert results[0] == results[1]
        found += len(results[0].findings)
    assert found > 5 * count
