"""Feeds the scanner with bytes that reach new code, by atheris.

Arguments are libFuzzer's, such as ``-max_total_time=60``. Whatever raises is a finding.
"""

import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["qsec_jupyter.scan"]):
    from qsec_jupyter.core.secret import Secret
    from qsec_jupyter.scan.baseline import Baseline
    from qsec_jupyter.scan.engine import load_rules
    from qsec_jupyter.scan.known import KnownValues
    from qsec_jupyter.scan.scanner import Scanner

ISSUED = "an-issued-value-0123456789abcdef"
FOLDER = Path(tempfile.mkdtemp())
RULES = load_rules(FOLDER)


def scan(data: bytes) -> None:
    """Scan ``data`` as a text and as a notebook; the issued value may not come out."""
    known = KnownValues()
    known.add("sandbox", Secret(ISSUED, "sandbox"))
    scanner = Scanner(known, Baseline(FOLDER / "kept.json"), b"k" * 32, RULES)
    text = data.decode("utf-8", "surrogatepass" if data[:1] == b"\xed" else "replace") + ISSUED
    assert ISSUED not in str(scanner.scan_text(text, "a.py").redacted)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(tree, dict):
        scanner.scan_notebook(tree, "a.ipynb")


atheris.Setup(sys.argv, scan)
atheris.Fuzz()
