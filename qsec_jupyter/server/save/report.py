"""What the last scan of each file found. No report holds a secret that was redacted."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ...core.model import Finding

REPORTS = 200
"""How many files' last reports are remembered."""

Place = tuple[int, int]
"""Device and inode: they stay when a file is renamed."""


@dataclass(frozen=True)
class ScanReport:
    """What the last save of a file found.

    Attributes:
        path: As the contents manager names the file.
        saved_at: RFC 3339.
        findings: In the order of the file.
        cells: Index of each changed cell to its redacted ``source`` (text), ``outputs``, ``metadata``
            and ``attachments``, so that an open tab can be brought in step. Where possible, ``broker``
            is the source with calls of the broker in the place of the secrets.
        unscanned: What was not read, and why.
        data_class: The class that held for the file.
        blocked: Nothing was written, because the data class does not allow it.
    """

    path: str
    saved_at: str
    findings: tuple[Finding, ...] = ()
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    unscanned: tuple[dict[str, str], ...] = ()
    data_class: str = "internal"
    blocked: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "path": self.path,
            "saved_at": self.saved_at,
            "findings": [asdict(finding) for finding in self.findings],
            "cells": self.cells,
            "unscanned": list(self.unscanned),
            "data_class": self.data_class,
            "blocked": self.blocked,
        }

    def acted(self, action: Any, fingerprints: set[str]) -> ScanReport:
        """Return this report with another action for some values."""
        findings = tuple(
            replace(one, action=action) if one.fingerprint in fingerprints else one for one in self.findings
        )
        return replace(self, findings=findings)


class Reports:
    """The last report of each file; thread-safe, bounded, and it follows files that are renamed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reports: OrderedDict[str, ScanReport] = OrderedDict()
        self._places: dict[Place, str] = {}  # of a saved file -> its path

    def get(self, path: str) -> ScanReport | None:
        """Return the last report of ``path``."""
        return self._reports.get(path)

    def remember(self, report: ScanReport) -> ScanReport:
        """Put a report in the place of the last one."""
        with self._lock:
            self._reports[report.path] = report
            self._reports.move_to_end(report.path)
            while len(self._reports) > REPORTS:
                old, _ = self._reports.popitem(last=False)
                self._places = {key: name for key, name in self._places.items() if name != old}
        return report

    def lies_at(self, path: str, here: Place | None) -> None:
        """Note where a file with a report lies on disk."""
        if here and path in self._reports and self._places.get(here) != path:
            with self._lock:
                self._places = {key: name for key, name in self._places.items() if name != path}
                self._places[here] = path

    def former(self, path: str, locate: Callable[[str], str]) -> str | None:
        """Return under which path the file at ``path`` was last saved, when it was moved since."""
        here = None if path in self._reports else place(locate(path))
        old = self._places.get(here) if here else None
        return None if old is None or place(locate(old)) == here else old

    def move(self, old: str, new: str) -> None:
        """Let the reports of a file, or of a folder's files, follow it."""
        with self._lock:
            moved = [path for path in self._reports if path == old or path.startswith(old + "/")]
            reports = [(new + path[len(old) :], self._reports.pop(path)) for path in moved]
            self._places = {
                key: new + name[len(old) :] if name in moved else name for key, name in self._places.items()
            }
        for path, report in reports:
            self.remember(replace(report, path=path))


def place(os_path: str) -> Place | None:
    """Return where a file lies, or ``None`` when there is none."""
    try:
        status = Path(os_path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
