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

    def record(self, path: str, findings: list[dict[str, Any]]) -> int:
        """Record what is new in ``path``; return how many findings that were."""
        known = {row["fingerprint"] for row in self._store.rows(tables.findings, {"path": path})}
        new = [finding for finding in findings if finding["fingerprint"] not in known]
        for finding in new:
            about = {key: finding[key] for key in ("rule", "severity", "surface", "fingerprint", "action")}
            self._audit.record("finding.detected", self._principal.name, **about)
            row = {"path": path, "fingerprint": finding["fingerprint"], "finding": finding}
            self._store.add(tables.findings, {**row, "found_at": rfc3339(self._clock()), "kept_reason": None})
        if new:
            self._changes.bump()
        return len(new)

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
        return self.record(path, [asdict(finding)])

    def keep(self, path: str, fingerprint: str, reason: str) -> None:
        """Record that a person keeps a finding, and why."""
        who = self._principal.name
        pseudonymous = self._audit.reason_hmac(who, reason)
        self._audit.record("finding.kept", who, fingerprint=fingerprint, reason_hmac=pseudonymous)
        where = {"path": path, "fingerprint": fingerprint}
        self._store.change(tables.findings, where, {"kept_reason": reason[:500]})
        self._changes.bump()

    def listed(self) -> list[Row]:
        """Return the last 20 findings, newest first."""
        return [
            {
                **row["finding"],
                "path": row["path"],
                "id": row["id"],
                "found_at": row["found_at"],
                "kept_reason": row["kept_reason"],
                "action": "kept" if row["kept_reason"] else row["finding"]["action"],
            }
            for row in self._store.rows(tables.findings, newest=20)
        ]
