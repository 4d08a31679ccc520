"""Feeds the scanner with bytes that reach new code, by atheris: ``coverage_guided.py TARGET [OPTIONS]``.

Options are libFuzzer's, such as ``-max_total_time=60``.

Targets: ``units`` (trees of JSON as notebooks), ``redaction`` (an issued value in any encoding between drawn
texts) and ``rules`` (rule files and expressions of gitleaks). Whatever raises is a finding.
"""

import copy
import json
import re
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["qsec_jupyter.scan"]):
    from qsec_jupyter.core.secret import Secret
    from qsec_jupyter.scan.baseline import Baseline
    from qsec_jupyter.scan.known import KnownValues, encodings
    from qsec_jupyter.scan.ruleset import load_rules
    from qsec_jupyter.scan.scanner import Scanner

ISSUED = "an-issued/value+0123456789 \u00e4bcdef"
FORMS = sorted(encodings(ISSUED))
FOLDER = Path(tempfile.mkdtemp())
RULES = load_rules(FOLDER)
MARKER = re.compile(r"\[redacted: [\w./ -]+\]")


def scanner() -> Scanner:
    """Return a scanner that remembers nothing of the last input."""
    known = KnownValues()
    known.add("sandbox", Secret(ISSUED, "sandbox"))
    return Scanner(known, Baseline(FOLDER / "kept.json"), b"k" * 32, RULES)


def units(data: bytes) -> None:
    """Scan whatever is JSON as a notebook: it stays as it was, and what comes out is clean."""
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(tree, dict):
        tree = {"nbformat": 4, "metadata": {}, "cells": tree if isinstance(tree, list) else [tree]}
    before = copy.deepcopy(tree)
    result = scanner().scan_notebook(tree, "a.ipynb")
    assert repr(tree) == repr(before)
    if result.redacted is not None:
        assert scanner().scan_notebook(result.redacted, "a.ipynb").redacted is None


def redaction(data: bytes) -> None:
    """Hide an encoding of the issued value in a text: it is gone, and everything else is as it was."""
    provider = atheris.FuzzedDataProvider(data)
    form = FORMS[provider.ConsumeIntInRange(0, len(FORMS) - 1)]
    before = provider.ConsumeUnicode(provider.ConsumeIntInRange(0, 200))
    text = f"{before}\n{form}\n{provider.ConsumeUnicode(200)}"
    for name in ("a.log", "a.py"):
        result = scanner().scan_text(text, name)
        assert result.redacted is not None
        assert not any(one in result.redacted for one in FORMS)
        pieces = MARKER.split(result.redacted)
        assert re.fullmatch(".*?".join(map(re.escape, pieces)), text, re.DOTALL)
        assert scanner().scan_text(result.redacted, name).redacted is None


def rules(data: bytes) -> None:
    """Read whatever it is as a rule file: its rules are used or refused, and scanning with them ends."""
    file = FOLDER / "fuzzed.toml"
    file.write_bytes(data)
    from qsec_jupyter.scan.foreign import collect

    found = collect([str(file)])
    for rule in found.rules:
        rule.find(b"key = abcdef0123456789" + data, 0, len(data))


TARGETS = {"units": units, "redaction": redaction, "rules": rules}

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
