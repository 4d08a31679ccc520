"""The index of runs: search, filters, pages, one run with all that is known of it, and two compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from importlib.metadata import version
from typing import Any

from sqlalchemy import ColumnElement

from ...core.errors import Bug, Invalid, NotFound, QsecError
from ...core.model import rfc3339
from ...ledger.evidence import StatementStore
from ...ledger.keys import KeyArchive
from ...provenance import envelope
from ...provenance.citation import citation
from ...provenance.difference import difference
from .. import tables
from ..store import Row, Store
from .artefacts import Artefacts

KINDS = ("intent", "completion")
_SEARCHED = 2000  # characters of a run's searchable text


@dataclass(frozen=True, slots=True)
class Query:
    """Which runs are wanted; a field that is ``None`` does not restrict.

    Attributes:
        search: Text that must occur in id, operation, backend, framework, cell, notebook, grant or a
            circuit's hash; case does not matter.
        since: RFC 3339 time or date from which on.
        until: RFC 3339 time, or date that is the last one.
    """

    search: str | None = None
    framework: str | None = None
    backend: str | None = None
    status: str | None = None
    since: str | None = None
    until: str | None = None
    kernel_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the query as conditions on the table.

        Raises:
            Invalid: ``runs.time_malformed``.
        """
        asked = {name: getattr(self, name) for name in ("framework", "backend", "status", "kernel_id")}
        found = [tables.runs.c[name] == value for name, value in asked.items() if value is not None]
        words = (self.search or "").lower().split()
        found += [tables.runs.c.searched.contains(word, autoescape=True) for word in words]
        if self.since:
            found.append(tables.runs.c.started_at >= _moment(self.since))
        if self.until:
            found.append(tables.runs.c.started_at < _moment(self.until, end=True))
        return found


def columns(summary: Row, record: Row) -> Row:
    """Return what the index holds of a run beside its summary."""
    source = record.get("source")
    source = source if isinstance(source, dict) else {}
    execution = record.get("execution")
    circuits = execution.get("circuits") if isinstance(execution, dict) else None
    hashes = (
        [c.get("structural_hash") for c in circuits if isinstance(c, dict)]
        if isinstance(circuits, list)
        else []
    )
    words = [
        *(summary[name] for name in ("run_id", "operation", "backend", "framework", "grant_id", "notebook")),
        source.get("cell_id"),
        *(h.get("value") for h in hashes[:10] if isinstance(h, dict)),
    ]
    return {
        **{name: summary[name] for name in ("framework", "backend", "status", "started_at")},
        "parent": summary["parent_run_id"],
        "searched": " ".join(str(word) for word in words if word).lower()[:_SEARCHED],
    }


class Runs:
    """Reads the runs of one journal.

    Args:
        store: The journal's database.
        statements: The signed statements.
        keys: The archive of public keys.
        journal: The journal's id.
        artefacts: To read package manifests for a comparison; ``None`` compares their digests.
    """

    def __init__(
        self,
        store: Store,
        statements: StatementStore,
        keys: KeyArchive,
        journal: str,
        artefacts: Artefacts | None = None,
    ) -> None:
        self._store = store
        self._statements = statements
        self._keys = keys
        self._journal = journal
        self._artefacts = artefacts

    def newest(self, kernel_id: str | None, limit: int) -> list[Row]:
        """Return run summaries, newest first."""
        return self.search(Query(kernel_id=kernel_id), limit)[0]

    def search(self, query: Query, limit: int, cursor: str | None = None) -> tuple[list[Row], str | None]:
        """Return a page of run summaries, newest first, and the cursor of the next page, if there is one.

        Raises:
            Invalid: ``runs.cursor_malformed`` or ``runs.time_malformed``.
        """
        conditions = query.conditions()
        if cursor is not None:
            if not cursor.isdecimal() or len(cursor) > 18:
                raise Invalid("runs.cursor_malformed", "That is not the cursor of a page")
            conditions.append(tables.runs.c.position < int(cursor))
        found = self._store.newest(tables.runs, conditions, limit + 1)
        more = str(found[limit - 1]["position"]) if len(found) > limit else None
        return self._with_jobs([row["summary"] for row in found[:limit]]), more

    def _with_jobs(self, summaries: list[Row]) -> list[Row]:
        """Add to runs what the gateway itself saw of their jobs.

        A run's job id is a kernel's word: it counts where the gateway saw the same kernel make that job.
        """
        ids = [summary["job_id"] for summary in summaries if summary.get("job_id")]
        rows = self._store.rows(tables.jobs, {"job_id": ids}) if ids else []
        seen = {(row["job_id"], row["kernel_id"]): row for row in rows}
        return [
            {**summary, "gateway": _gateway(seen.get((summary.get("job_id"), summary.get("kernel_id"))))}
            for summary in summaries
        ]

    def get(self, run_id: str, asking_kernel: str | None = None) -> Row:
        """Return a run with its statements, its children and how it is cited.

        Raises:
            NotFound: ``run.unknown``; a kernel sees only its own runs.
            Bug: ``statements.damaged``.
        """
        row = self._store.one(tables.runs, {"run_id": run_id})
        if row is None or (asking_kernel is not None and row["kernel_id"] != asking_kernel):
            raise NotFound("run.unknown", "There is no such run", "", "`qsec runs` lists the runs.")
        (summary,) = self._with_jobs([row["summary"]])
        ids = {kind: summary[kind] for kind in KINDS}
        run: Row = {
            "summary": summary,
            **{kind: self.statement(identity) for kind, identity in ids.items()},
            "envelopes": ids,
            "ledger": {"intent": summary["ledger_index"], "completion": row["completion_index"]},
        }
        run["children"] = self._children(run)
        run["citation"] = citation(run, self._journal, version("qsec-jupyter"))
        return run

    def of_job(self, job_id: str) -> Row:
        """Return the summary of the run that submitted a provider's job.

        Raises:
            NotFound: ``run.unknown_job``: no run of this journal did.
        """
        conditions = [tables.runs.c.searched.contains(job_id.lower(), autoescape=True)]
        for row in self._store.newest(tables.runs, conditions, 100):
            summary: Row = row["summary"]
            if summary.get("job_id") == job_id:
                return summary
        raise NotFound("run.unknown_job", "No recorded run has submitted that job")

    def diff(self, a: str, b: str, asking_kernel: str | None = None) -> Row:
        """Return what changed from run ``a`` to run ``b``.

        Raises:
            NotFound: ``run.unknown``.
        """
        first, second = self.get(a, asking_kernel), self.get(b, asking_kernel)
        groups = difference(first, second, self.packages)
        return {"a": first["summary"], "b": second["summary"], "groups": groups}

    def packages(self, sha256: str) -> dict[str, str] | None:
        """Return the package manifest with that digest; ``None`` where it is not kept or cannot be opened."""
        if self._artefacts is None:
            return None
        try:
            return {str(k): str(v) for k, v in json.loads(self._artefacts.get(sha256).data).items()}
        except (QsecError, ValueError, AttributeError):
            return None  # the digests are compared then

    def statement(self, identity: str | None) -> Any:
        """Return a statement whose signature verifies, parsed; ``None`` for none.

        Raises:
            Bug: ``statements.damaged``.
        """
        if identity is None:
            return None
        try:
            return json.loads(envelope.verify(self._statements.get(identity), self._keys.public_keys()))
        except QsecError as error:
            raise Bug(
                "statements.damaged",
                "A statement is missing or was altered",
                f"Statement {identity[:12]}.",
                "Run `qsec verify`.",
            ) from error

    def _children(self, run: Row) -> list[Any]:
        """Return nested calls: those that the run told of, and runs of their own that name it as parent."""
        claims = ((run["completion"] or {}).get("predicate") or {}).get("run") or {}
        told = claims.get("children")
        own = self._store.rows(tables.runs, {"parent": run["summary"]["run_id"]})
        return [*(told if isinstance(told, list) else []), *(row["summary"] for row in own)]


def _moment(text: str, *, end: bool = False) -> str:
    """Return a time in the one form that the index holds; a date means its first or its last moment."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
            return rfc3339(datetime(day.year, day.month, day.day, tzinfo=timezone.utc))
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError) as error:
        raise Invalid(
            "runs.time_malformed", "That is not a time", "", "Write 2026-01-31 or 2026-01-31T09:30:00Z."
        ) from error
    return rfc3339(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))


def _gateway(row: Row | None) -> Row | None:
    if row is None:
        return None
    kept = ("correlation_id", "state", "target", "grant_id", "backend", "usage_seconds")
    facts = {name: row["details"].get(name) for name in ("shots", "circuits")}
    return {**{name: row[name] for name in kept}, **facts, "asserted_by": "control"}
