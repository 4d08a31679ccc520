"""What a data class makes of a scan: markers, a refusal with the ways out, or a report only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ...core.classification import Classified, Treatment
from ...core.model import Finding
from ...scan.literals import ISSUED
from ...scan.scanner import ScanResult

_PARTS = {"source": "source", "output": "outputs", "metadata": "metadata", "attachment": "attachments"}
"""Surface of a finding to the key of the cell that holds it."""


@dataclass(frozen=True)
class Refused(ScanResult):
    """A scan whose findings may not be written at all.

    Attributes:
        message: What the user is told.
        lenient: The same scan for a file that is on disk already: all that can be is redacted.
    """

    message: str = ""
    lenient: ScanResult = field(default_factory=lambda: ScanResult([]))


def treat(result: ScanResult, notebook: dict[str, Any] | None, classified: Classified) -> ScanResult:
    """Return what is to be done with what was found.

    Args:
        result: The scan; every secret that nobody keeps is redacted in it.
        notebook: The notebook that was scanned, or ``None`` for another file.
        classified: The data class that holds.
    """
    lenient = _shown(result, notebook, classified) if notebook is not None else _only_reported(result)
    blocked = [one for one in result.findings if _blocks(one, classified, notebook is not None)]
    if not blocked:
        return lenient
    # Nothing is written, so nothing was redacted; the cells are what a tab can be offered.
    findings = [replace(one, action="reported") for one in result.findings]
    return Refused(
        findings,
        None,
        result.cells,
        result.unscanned,
        message=_message(blocked, classified, notebook is not None),
        lenient=lenient,
    )


def _treatment(finding: Finding, classified: Classified) -> Treatment:
    return classified.rule.source if finding.surface == "source" else classified.rule.outputs


def _blocks(finding: Finding, classified: Classified, in_notebook: bool) -> bool:
    if finding.action == "kept":
        return not classified.rule.keep
    if finding.action != "redacted":
        return False  # an identifier that is shown, not a secret
    return (_treatment(finding, classified) if in_notebook else classified.rule.files) == "block"


def _only_reported(result: ScanResult) -> ScanResult:
    findings = result.findings
    shown = [replace(one, action="reported") if one.action == "redacted" else one for one in findings]
    return replace(result, redacted=None, findings=shown)


def _shown(result: ScanResult, notebook: dict[str, Any], classified: Classified) -> ScanResult:
    """Return the scan with those parts of cells as they were that are only shown.

    A part that holds an issued credential is redacted whatever policy says.
    """
    rule = classified.rule
    if result.redacted is None or "show" not in {rule.source, rule.outputs}:
        return result
    issued = {(one.cell, _PARTS.get(one.surface)) for one in result.findings if one.rule == ISSUED}
    shown: set[tuple[int | None, str | None]] = set()
    cells = list(result.redacted.get("cells", []))
    changed: dict[str, dict[str, Any]] = {}
    for index, parts in result.cells.items():
        restored = dict(cells[int(index)])
        for part in parts:
            treatment = rule.source if part == "source" else rule.outputs
            if treatment == "show" and (int(index), part) not in issued:
                restored[part] = notebook["cells"][int(index)][part]
                shown.add((int(index), part))
        cells[int(index)] = restored
        left = {part: value for part, value in parts.items() if (int(index), part) not in shown}
        if left:
            changed[index] = left
    findings = [
        replace(one, action="reported")
        if one.action == "redacted" and (one.cell, _PARTS.get(one.surface)) in shown
        else one
        for one in result.findings
    ]
    return replace(result, redacted={**result.redacted, "cells": cells}, cells=changed, findings=findings)


def _message(blocked: list[Finding], classified: Classified, in_notebook: bool) -> str:
    count = len(blocked)
    what = f"{count} secret{'s' if count > 1 else ''} {_places(blocked) if in_notebook else _lines(blocked)}"
    ways = ["replace it by a call of qsec.credential()", "redact it in the qsec panel"]
    if classified.rule.keep:
        ways.append("keep it there with a reason")
    if not in_notebook:
        ways = ["take it out of the file and read it with qsec.credential()"]
    if classified.why != "named by the notebook":
        ways.append("ask who runs this server for another data class")
    return (
        f"Nothing was saved: this file counts as {classified.name} ({classified.why}), and holds {what}. "
        f"Your work is still in this tab. To save it, {', or '.join(ways)}."
    )


def _places(findings: list[Finding]) -> str:
    cells = sorted({one.cell + 1 for one in findings if one.cell is not None})
    if not cells:
        return "in its metadata"
    return f"in cell{'s' if len(cells) > 1 else ''} {', '.join(map(str, cells[:10]))}"


def _lines(findings: list[Finding]) -> str:
    lines = sorted({one.line for one in findings})
    return f"in line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines[:10]))}"
