"""The product's scanner behind the measure's interface."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from measure import Scan
from planting.model import Sample

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.scanner import Scanner


def product(samples: Iterable[Sample], folder: Path) -> Scan:
    """Return the scanner with the issued values of ``samples`` registered and nothing kept.

    An alarm is a finding above ``info``: a CRN may be pointed out.
    """
    known = KnownValues()
    for sample in samples:
        for planted in sample.planted:
            if planted.kind == "issued":
                known.add(planted.label, Secret(planted.value, planted.label))
    scanner = Scanner(known, Baseline(folder / "kept.json"), b"accuracy")

    def scan(document: Any, path: str) -> tuple[Any, int]:
        result = (
            scanner.scan_text(document, path)
            if isinstance(document, str)
            else scanner.scan_notebook(document, path)
        )
        redacted = document if result.redacted is None else result.redacted
        return redacted, sum(finding.severity != "info" for finding in result.findings)

    return scan
