"""How often jobs are looked at: counted, and written down together, for polling would drown all else."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

from ...audit import Audit

MOST = 200
"""Jobs in one entry of the ledger."""


class Polls:
    """Counts looks at jobs. Thread-safe."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, grant_id: str, target: str, job_id: str) -> None:
        """Count one look."""
        with self._lock:
            self._counts[grant_id, target, job_id] += 1

    def settle(self) -> None:
        """Write down what was counted since the last time, one entry a grant."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        entries: dict[tuple[str, str], dict[str, int]] = {}
        for (grant_id, target, job_id), times in counts.items():
            entries.setdefault((grant_id, target), {})[job_id] = times
        for (grant_id, target), jobs in entries.items():
            self._write(grant_id, target, jobs)

    def _write(self, grant_id: str, target: str, jobs: dict[str, int]) -> None:
        about: dict[str, Any] = {"grant": grant_id, "target": target, "times": sum(jobs.values())}
        shown = dict(sorted(jobs.items(), key=lambda job: -job[1])[:MOST])
        self._audit.record_ending("job.polled", **about, jobs=shown)
