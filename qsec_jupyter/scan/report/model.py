"""What a scan of files has to say, before it is put into a form."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.finding import Finding
from ..files.model import Found, Problem
from ..settings import Allow

RANK = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}
"""Severities in order."""


@dataclass(slots=True)
class Report:
    """Everything that a scan found.

    Attributes:
        fail_on: Least severity that counts as a failure.
        unscanned: What was not read: ``{"path": ..., "surface": ..., "why": ...}``.
        expired: Entries of the allowlist that no longer count.
        paths: What was read.
        files: How many files, blobs or archives were read.
        size: Their bytes.
        binary: How many of them hold no text.
        images: How many images in notebooks were passed over.
        fixed: How many were rewritten.
        excluded: How many the settings left out.
    """

    fail_on: str = "medium"
    found: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unscanned: list[dict[str, str]] = field(default_factory=list)
    expired: list[Allow] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    files: int = 0
    size: int = 0
    binary: int = 0
    images: int = 0
    fixed: int = 0
    excluded: int = 0

    def fails(self, finding: Finding) -> bool:
        """Tell whether a finding makes the scan fail: serious, and neither kept nor redacted."""
        return finding.action == "reported" and RANK[finding.severity] >= RANK[self.fail_on]

    @property
    def status(self) -> int:
        """The exit status: 1 for a finding that fails, else 2 for a problem, else 0."""
        if any(self.fails(one.finding) for one in self.found):
            return 1
        return 2 if self.problems else 0


def place(finding: Finding) -> str:
    """Return where a finding is, e.g. ``a.ipynb, cell 3, output, 2:14`` (cells as shown, from 1)."""
    cell = f", cell {finding.cell + 1}" if finding.cell is not None else ""
    surface = "" if finding.surface == "text" else f", {finding.surface}"
    return f"{finding.path}{cell}{surface}, {finding.line}:{finding.column}"


def plain(text: str) -> str:
    """Return a text without what a terminal would obey (ECMA-48 C0, DEL and C1) or cannot show."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "\ufffd" for one in text)
