"""What the Jupyter Server's scanner found, kept for the panel and told to the ledger. Never a value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ..core.model import Finding, Principal, rfc3339
from . import tables
from .audit import Audit
from .changes import Changes
from .store import Row, Store

SEARCHED = 10_000
"""How many of the newest findings a search looks through."""


class Findings:
    """Records findings once for each file and value."""

    def __init__(
        self,
        store: Store,
        audit: Audit,
        changes: Changes,
        principal: Principal,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._audit = audit
        self._changes = changes
        self._principal = principal
        self._clock = clock

    def record(self, path: str, findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Record what is new in ``path``, and return that."""
        known = {row["fingerprint"] for row in self._store.rows(tables.findings, {"path": path})}
        new = [finding for finding in findings if finding["fingerprint"] not in known]
        for finding in new:
            about = {key: finding[key] for key in ("rule", "severity", "surface", "fingerprint", "action")}
            self._audit.record("finding.detected", self._principal, **about)
            row = {"path": path, "fingerprint": finding["fingerprint"], "finding": finding}
            self._store.add(tables.findings, {**row, "found_at": rfc3339(self._clock()), "kept_reason": None})
        if new:
            self._changes.bump()
        return new

    def record_untracked(self, path: str, about: dict[str, Any]) -> int:
        """Record a submission to a provider that no recorded call made; the same one again is one finding.

        Args:
            path: The notebook, where the server knows it.
            about: ``operation``, ``program``, ``backend`` and ``cell_id``.
        """
        finding = Finding(
            rule="run-without-intent",
            title=f"Submitted to {about['backend']} past the record: {about['program']}",
            severity="high",
            surface="run",
            path=path,
            cell=None,
            cell_id=about["cell_id"],
            line=1,
            column=1,
            fingerprint=hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest(),
            remedy="Run circuits by a sampler, an estimator or a backend: then what ran is recorded.",
        )
        return len(self.record(path, [asdict(finding)]))

    def keep(self, path: str, fingerprints: list[str], reason: str) -> int:
        """Record that a person keeps findings of a file, and why; return how many were listed."""
        who = self._principal
        pseudonymous = self._audit.reason_hmac(who, reason)
        for fingerprint in fingerprints:
            self._audit.record("finding.kept", who, fingerprint=fingerprint, reason_hmac=pseudonymous)
        return self._note(path, fingerprints, reason[:500])

    def unkeep(self, path: str, fingerprints: list[str]) -> int:
        """Record that a person takes kept findings back; return how many were listed."""
        for fingerprint in fingerprints:
            self._audit.record("finding.unkept", self._principal, fingerprint=fingerprint)
        return self._note(path, fingerprints, None)

    def _note(self, path: str, fingerprints: list[str], reason: str | None) -> int:
        where = {"path": path, "fingerprint": fingerprints}
        changed = self._store.change(tables.findings, where, {"kept_reason": reason})
        self._changes.bump()
        return changed

    def listed(
        self, path: str | None = None, severity: str | None = None, search: str | None = None, limit: int = 20
    ) -> list[Row]:
        """Return findings, newest first.

        Args:
            path: Only those of this file.
            severity: Only those of this severity.
            search: Only those whose rule, title or path holds this text, whatever its case.
            limit: How many at most.
        """
        where = {"path": path} if path else {}
        read = SEARCHED if severity or search else limit
        found = map(_shown, self._store.rows(tables.findings, where, newest=read))
        return [one for one in found if _matches(one, severity, (search or "").casefold())][:limit]


def _shown(row: Row) -> Row:
    return {
        **row["finding"],
        "path": row["path"],
        "id": row["id"],
        "found_at": row["found_at"],
        "kept_reason": row["kept_reason"],
        "action": "kept" if row["kept_reason"] else row["finding"]["action"],
    }


def _matches(finding: Row, severity: str | None, search: str) -> bool:
    if severity and finding["severity"] != severity:
        return False
    return any(search in str(finding[key]).casefold() for key in ("rule", "title", "path"))
