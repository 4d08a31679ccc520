"""A report as SARIF 2.1.0 (OASIS), with what GitHub's code scanning reads of it."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from typing import Any
from urllib.parse import quote

from ...core.finding import Finding
from ..files.model import Found, Place, Problem
from .model import Report, place, plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
"""Schema of OASIS SARIF 2.1.0, as code hosts ask for it."""

_LEVEL = {"info": "note", "low": "note", "medium": "warning", "high": "error", "critical": "error"}
_SCORE = {"info": "0.0", "low": "3.0", "medium": "5.5", "high": "8.0", "critical": "9.5"}
_PRECISION = {"high": "very-high", "medium": "high", "low": "medium"}
_ROOT = "SRCROOT"


def as_sarif(report: Report, version: str) -> str:
    """Return a SARIF log with one run.

    A finding in a notebook has two places: cell and surface for a reader, and its line in the stored JSON
    for a host that shows files. A kept finding is a suppressed result.
    """
    rules = {one.finding.rule: one.finding for one in report.found}
    order = {rule: index for index, rule in enumerate(rules)}
    seen: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "qsec",
                "semanticVersion": version,
                "rules": [_rule(finding) for finding in rules.values()],
            }
        },
        "automationDetails": {"id": "qsec/scan/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder in which the scan was started."}}},
        "invocations": [
            {
                "executionSuccessful": not report.problems,
                "exitCode": report.status,
                "toolExecutionNotifications": [
                    *map(_notification, report.problems),
                    *map(_gap, report.unscanned),
                    *_images(report.images),
                ],
            }
        ],
        "results": [_result(one, order[one.finding.rule], seen) for one in report.found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.rule,
        "name": finding.rule,
        "shortDescription": {"text": finding.title},
        "fullDescription": {"text": f"{finding.title}. {finding.remedy}"},
        "help": {"text": finding.remedy, "markdown": finding.remedy},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
        "properties": {
            "security-severity": _SCORE[finding.severity],
            "precision": _PRECISION[finding.confidence],
            "tags": ["security", "secret"],
        },
    }


def _result(one: Found, index: int, seen: Counter[str]) -> dict[str, Any]:
    finding = one.finding
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": _artifact(finding.path), "region": _region(one.place)}
    }
    if finding.surface != "text":
        cell = f"cells/{finding.cell}/" if finding.cell is not None else ""
        name = f"{cell}{finding.surface}/{finding.line}:{finding.column}"
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "element"}]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVEL[finding.severity],
        "message": {"text": f"{finding.title} ({plain(place(finding))}). {finding.remedy}"},
        "locations": [location],
        "partialFingerprints": {
            "primaryLocationLineHash": _where(finding, seen),
            "qsecFingerprint/v1": finding.fingerprint,
        },
    }
    if one.commit:
        result["properties"] = {"commit": one.commit}
    if finding.action == "kept":
        kind = "inSource" if one.kept == "pragma" else "external"
        result["suppressions"] = [{"kind": kind, "justification": one.kept}]
    return result


def _region(found: Place | None) -> dict[str, int]:
    if found is None:  # a host shows nothing without a line
        return {"startLine": 1}
    return {
        "startLine": found.line, "startColumn": found.column,
        "endLine": found.end_line, "endColumn": found.end_column,
    }  # fmt: skip


def _where(finding: Finding, seen: Counter[str]) -> str:
    """Return what a host takes a finding of a later scan for the same by: its place without line numbers.

    GitHub would use a plain digest of the line, which is one of the secret.
    """
    where = "\0".join((finding.rule, finding.path, finding.surface, finding.cell_id or str(finding.cell)))
    digest = hashlib.sha256(where.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _notification(problem: Problem) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": problem.why},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(problem.path)}}],
    }


def _gap(entry: dict[str, str]) -> dict[str, Any]:
    return {
        "level": "warning",
        "message": {"text": f"{entry['surface']}: {entry['why']}"},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(entry["path"])}}],
    }


def _images(count: int) -> list[dict[str, Any]]:
    text = f"Images in notebooks that were passed over: {count}"
    return [{"level": "note", "message": {"text": text}}] if count else []


def _artifact(path: str) -> dict[str, str]:
    """Return a path as a URI below the folder of the scan where it is one (RFC 3986)."""
    here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118  # a path as text, links as they are named
    name = path.split("!/", 1)[0].removeprefix(here)
    uri = quote(os.fsencode(name.removeprefix("./")), safe="/")
    return {"uri": f"file://{uri}"} if uri.startswith("/") else {"uri": uri, "uriBaseId": _ROOT}
