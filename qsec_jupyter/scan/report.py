"""Findings as text, JSON and SARIF 2.1.0. None of them holds a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from ..core.model import Finding

_LEVEL = {"info": "note", "low": "note", "medium": "warning", "high": "error", "critical": "error"}
_SCORE = {"info": "0.0", "low": "3.0", "medium": "5.5", "high": "8.0", "critical": "9.5"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
"""Schema of OASIS SARIF 2.1.0, as code hosts ask for it."""


def place(finding: Finding) -> str:
    """Return where a finding is, e.g. ``a.ipynb, cell 3, output, 2:14`` (cells as shown, from 1)."""
    cell = f", cell {finding.cell + 1}" if finding.cell is not None else ""
    surface = "" if finding.surface == "text" else f", {finding.surface}"
    return f"{finding.path}{cell}{surface}, {finding.line}:{finding.column}"


def as_text(findings: Iterable[Finding]) -> str:
    """Return one line a finding: place, severity, title, rule, what happened to it."""
    return "\n".join(
        f"{place(finding)}: {finding.severity}: {finding.title} [{finding.rule}] ({finding.action})"
        for finding in findings
    )


def as_json(findings: Iterable[Finding], unscanned: Iterable[dict[str, str]] = ()) -> str:
    """Return ``{"findings": [...], "unscanned": [...]}``."""
    content = {"findings": [asdict(finding) for finding in findings], "unscanned": list(unscanned)}
    return json.dumps(content, indent=1, ensure_ascii=False)


def as_sarif(findings: Sequence[Finding], version: str) -> str:
    """Return a SARIF 2.1.0 log with one run.

    A place inside a notebook is a logical location (cell and surface): its line in the file would
    mean nothing to a reader. A kept finding is a suppressed result.
    """
    rules = {finding.rule: finding for finding in findings}
    order = list(rules)
    driver = {
        "name": "qsec",
        "version": version,
        "rules": [_rule(rules[identifier]) for identifier in order],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, order.index(finding.rule)) for finding in findings],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.rule,
        "shortDescription": {"text": finding.title},
        "help": {"text": finding.remedy},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
        "properties": {"security-severity": _SCORE[finding.severity], "tags": ["security", "secret"]},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path)}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.surface == "text":
        physical["region"] = {"startLine": finding.line, "startColumn": finding.column}
    else:
        cell = f"cells/{finding.cell}/" if finding.cell is not None else ""
        name = f"{cell}{finding.surface}/{finding.line}:{finding.column}"
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "element"}]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVEL[finding.severity],
        "message": {"text": f"{finding.title} ({place(finding)}). {finding.remedy}"},
        "locations": [location],
        "partialFingerprints": {"qsecFingerprint/v1": finding.fingerprint},
    }
    if finding.action == "kept":
        result["suppressions"] = [{"kind": "external"}]
    return result


def _uri(path: str) -> str:
    return quote(path.removeprefix("./"), safe="/")
