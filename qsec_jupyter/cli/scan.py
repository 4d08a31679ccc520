"""``qsec scan``: find secrets in notebooks and text files, and redact them when told to."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..core.model import Finding
from ..scan import report
from ..scan.baseline import Baseline, fingerprint_key, write_atomically
from ..scan.known import KnownValues
from ..scan.scanner import Scanner, ScanResult

_SKIPPED = {
    ".git",
    ".hg",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".tox",
}
_SERIOUS = {"medium", "high", "critical"}


class Format(str, Enum):
    """How findings are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"


def scan(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders to go through.")],
    format: Annotated[Format, typer.Option(help="How findings are printed.")] = Format.text,  # noqa: A002
    redact: Annotated[bool, typer.Option("--redact", help="Put markers in place, in the files.")] = False,
) -> None:
    """Find secrets in notebooks and text files.

    Exit status: 0 nothing serious, 1 a finding of severity medium or higher that is neither kept nor
    redacted, 2 a file could not be read (and nothing worse).
    """
    scanner = Scanner(KnownValues(), Baseline(), fingerprint_key())
    findings: list[Finding] = []
    unscanned: list[dict[str, str]] = []
    failed = False
    for path in _files(paths):
        try:
            result = _scan_file(scanner, path, redact)
        except OSError as error:
            failed = True
            print(f"qsec: {path}: {error.strerror or type(error).__name__}", file=sys.stderr)
            continue
        findings += result.findings
        unscanned += [{"path": str(path), **entry} for entry in result.unscanned]
    _print(findings, unscanned, format)
    if any(finding.severity in _SERIOUS and finding.action == "reported" for finding in findings):
        raise typer.Exit(1)
    if failed:
        raise typer.Exit(2)


def _files(paths: list[Path]) -> Iterator[Path]:
    """Yield each file once: what is named as it is, and folders without tools' own folders."""
    seen: set[Path] = set()
    for path in paths:
        candidates = sorted(_below(path)) if path.is_dir() else [path]
        for candidate in candidates:
            if (real := candidate.resolve()) not in seen:
                seen.add(real)
                yield candidate


def _below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_symlink() and entry.is_dir():
            continue  # a loop would never end, and its target is scanned where it lies
        if entry.is_dir():
            if entry.name not in _SKIPPED:
                yield from _below(entry)
        elif entry.is_file():
            yield entry


def _scan_file(scanner: Scanner, path: Path, redact: bool) -> ScanResult:
    """Return the result for one file; findings say ``redacted`` only when the file was rewritten."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return ScanResult([], unscanned=[{"surface": "file", "why": "not a text in UTF-8"}])
    result, content = _scan_text(scanner, text, str(path))
    if redact and content is not None:
        write_atomically(path, content.encode("utf-8", "surrogatepass"), path.stat().st_mode & 0o7777)
        return result
    return ScanResult([_only_reported(finding) for finding in result.findings], unscanned=result.unscanned)


def _scan_text(scanner: Scanner, text: str, path: str) -> tuple[ScanResult, str | None]:
    if not path.endswith(".ipynb"):
        result = scanner.scan_text(text, path)
        return result, result.redacted
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        notebook = None
    if isinstance(notebook, dict):
        result = scanner.scan_notebook(notebook, path)
        if result.redacted is None:
            return result, None
        return result, json.dumps(result.redacted, indent=1, ensure_ascii=False) + "\n"
    result = scanner.scan_text(text, path)
    result.unscanned.append(
        {"surface": "notebook", "why": "the notebook is not valid JSON and was read as plain text"}
    )
    return result, result.redacted


def _only_reported(finding: Finding) -> Finding:
    import dataclasses

    return dataclasses.replace(finding, action="reported") if finding.action == "redacted" else finding


def _print(findings: list[Finding], unscanned: list[dict[str, str]], chosen: Format) -> None:
    if chosen is Format.json:
        print(report.as_json(findings, unscanned))
    elif chosen is Format.sarif:
        print(report.as_sarif(findings, importlib.metadata.version("qsec-jupyter")))
    else:
        if findings:
            print(report.as_text(findings))
        for entry in unscanned:
            print(f"{entry['path']}: not scanned: {entry['surface']}: {entry['why']}", file=sys.stderr)
        print(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}", file=sys.stderr)
