"""Jobs, as far as whoever asks may see them: for panel and command line."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ....core.errors import NotFound
from ... import tables
from ...callers import Caller
from ...policy.context import Situation
from ...policy.live import LivePolicy
from ...store import Row, Store
from .book import JobBook

_NOT_SHOWN = frozenset({"sealed", "details", "position", "body_digest"})
_FACTS = ("provider", "program", "region", "shots", "execution_seconds", "circuits", "cost")
_MORE = ("project", "ticket", "tag", "status", "policies")


class JobListing:
    """Finds jobs. Changes nothing."""

    def __init__(self, book: JobBook, store: Store, policy: LivePolicy) -> None:
        self._book = book
        self._store = store
        self._policy = policy

    def listed(
        self, caller: Caller, target: str | None = None, state: str | None = None, limit: int = 50
    ) -> list[Row]:
        """Return jobs, newest first: a kernel's or person's own, or all where policy lets one read them."""
        where = self._theirs(caller)
        where |= {name: value for name, value in (("target", target), ("state", state)) if value}
        return [self._shown(row) for row in self._book.recent(where, limit)]

    def get(self, caller: Caller, name: str) -> Row:
        """Return a job by its correlation id or the provider's id.

        Raises:
            NotFound: ``job.unknown``, also for one that the caller may not see.
        """
        return self._shown(self._row(caller, name))

    def exposure(self, caller: Caller, name: str) -> Row:
        """Return what the vendor sees of a job of one's own, field by field, beside what one wrote.

        Raises:
            NotFound: ``job.unknown``.
            Unavailable: The key that opens it cannot be had.
        """
        row = self.own(caller, name)  # an auditor reads what happened, not what somebody wrote
        hidden = self._book.hidden(row["correlation_id"])
        fields = [asdict(one) for one in hidden.fields]
        return {**self._shown(row), "fields": fields, "labels": list(hidden.tags)}

    def own(self, caller: Caller, name: str) -> Row:
        """Return the row of a job of the caller's own.

        Raises:
            NotFound: ``job.unknown``.
        """
        row = self._row(caller, name)
        if row["requester_subject"] != caller.principal.subject:
            raise _unknown_job()
        return row

    def _row(self, caller: Caller, name: str) -> Row:
        for column in ("correlation_id", "job_id"):
            for row in self._book.rows({**self._theirs(caller), column: name}):
                return row
        raise _unknown_job()

    def _theirs(self, caller: Caller) -> dict[str, Any]:
        if caller.kernel_id is not None:
            return {"kernel_id": caller.kernel_id, "requester_subject": caller.principal.subject}
        sees_all = self._policy.decide(caller.principal, "audit", "site", Situation()).allowed
        return {} if sees_all else {"requester_subject": caller.principal.subject}

    def _shown(self, row: Row) -> Row:
        kept = {name: value for name, value in row.items() if name not in _NOT_SHOWN}
        facts = {name: row["details"].get(name) for name in (*_FACTS, *_MORE)}
        return {**kept, **facts, "run_id": self._run_of(row)}

    def _run_of(self, row: Row) -> str | None:
        """Return the run that says it made a job: the word of the kernel that the gateway saw make it."""
        if not row["job_id"]:
            return None
        words = tables.runs.c.searched.contains(row["job_id"].lower(), autoescape=True)
        mine = [words, tables.runs.c.kernel_id == row["kernel_id"]]
        runs = self._store.newest(tables.runs, mine, 5)
        return next((run["run_id"] for run in runs if run["summary"].get("job_id") == row["job_id"]), None)


def _unknown_job() -> NotFound:
    return NotFound("job.unknown", "There is no such job", remedy="`qsec jobs` lists yours.")
