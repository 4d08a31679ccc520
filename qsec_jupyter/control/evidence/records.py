"""Turns what a kernel says about a run into signed statements, and puts their digests in the ledger."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from typing import Any

from ...core.errors import Invalid, NotFound, QsecError
from ...core.model import Grant, Principal, rfc3339
from ...core.signing import Signer
from ...ledger.evidence import StatementStore
from ...ledger.keys import KeyArchive
from ...ledger.log import Ledger
from ...provenance import envelope, statement
from .. import tables
from ..audit import Audit
from ..callers import Caller
from ..changes import Changes
from ..lookup import Lookup
from ..retrieval import Retrieval
from ..signing import Signing
from ..store import Row, Store
from .artefacts import Artefacts
from .runs import Runs, columns

Record = dict[str, Any]
_EVENT = {"intent": "run.intent", "completion": "run.completion"}
_STATUS = frozenset({"done", "failed", "unknown"})


class Evidence:
    """Records runs, exactly once for each run and kind."""

    def __init__(
        self,
        *,
        statements: StatementStore,
        artefacts: Artefacts,
        runs: Runs,
        ledger: Ledger,
        keys: KeyArchive,
        store: Store,
        audit: Audit,
        lookup: Lookup,
        retrieval: Retrieval,
        signing: Signing,
        changes: Changes,
        targets_of: Callable[[str], list[str]],
        principal: Principal,
        policy: Callable[[], str],
        server_id: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._statements = statements
        self._artefacts = artefacts
        self._runs = runs
        self._keys = keys
        self._store = store
        self._audit = audit
        self._lookup = lookup
        self._retrieval = retrieval
        self._signing = signing
        self._changes = changes
        self._principal = principal
        self._caller = Caller(principal, server_id)
        self._targets_of = targets_of
        self._policy = policy
        self._recorder = {"name": "qsec-jupyter", "version": version("qsec-jupyter"), "server": server_id}
        self._clock = clock
        self._ledger = ledger
        self._unlisted = True  # until recover() has looked
        self._lock = threading.Lock()
        self._owed_gaps: list[Row] = []
        self._gaps_not_listed = 0
        self._missed: set[tuple[str, str]] = set()

    def record(
        self, records: list[Record], kernel_id: str, server: Record | None = None
    ) -> list[dict[str, Any]]:
        """Record each run record; one that fails says why, and the others go on.

        Args:
            records: What the kernel says.
            kernel_id: Which kernel.
            server: What the Jupyter Server adds that it knows itself, such as the notebook's digest.
        """
        results = []
        for record in records:
            about = {"run_id": str(record.get("run_id")), "kind": str(record.get("kind"))}
            try:
                with self._lock:
                    results.append({**about, **self._record(record, kernel_id, server or {})})
            except QsecError as error:
                results.append({**about, "error": error.to_problem()})
                missed = (about["run_id"], about["kind"])
                # A kernel sends a record again until it is recorded; that is one gap, not many.
                if error.kind in {"unavailable", "bug"} and missed not in self._missed:
                    self._missed.add(missed)
                    self.gap(kernel_id, about["run_id"], f"{about['kind']} not recorded: {error.code}")
        self._changes.bump()
        return results

    def _record(self, record: Record, kernel_id: str, server: Record) -> dict[str, Any]:
        if self._unlisted:
            self.recover()
        kind, run_id = record.get("kind"), str(record.get("run_id") or "")
        if kind not in _EVENT or not 8 <= len(run_id) <= 64 or not run_id.isalnum():
            raise Invalid("record.malformed", "A run record is malformed", "It needs a run_id and a kind.")
        row = self._store.one(tables.runs, {"run_id": run_id})
        if row is not None and row["kernel_id"] != kernel_id and not _completes_later(record, row["summary"]):
            raise Invalid("record.foreign_run", "That run belongs to another kernel")
        summary = row["summary"] if row else _summary(record, kernel_id, server)
        done = summary[kind]
        if done is not None:
            index = summary["ledger_index"] if kind == "intent" or row is None else row["completion_index"]
            return {"statement": done, "index": index}
        return self._write(record, kind, row, {**summary, "kernel_id": kernel_id}, server)

    def _write(
        self, record: Record, kind: str, row: Row | None, summary: Row, server: Record
    ) -> dict[str, Any]:
        kernel_id = summary["kernel_id"]
        grant = self._lookup.active(self._caller.by(kernel_id))
        signed, signer, gaps = self._sign(record, kind, summary, grant, server)
        identity = self._statements.put(signed)
        data = {"run": record["run_id"], "kernel": kernel_id, "statement": identity}
        try:
            index = self._audit.record(_EVENT[kind], self._principal, **data)
        except QsecError:
            self._statements.discard(identity)
            raise
        self._unlisted = True
        summary = {**summary, kind: identity, "signed_by": signer.name, "gaps": [*summary["gaps"], *gaps]}
        if row is not None:
            summary["kernel_id"] = row[
                "kernel_id"
            ]  # a later kernel completes a run; it stays the first one's
        self._keep(
            row, _after(summary, record, kind, index, grant.id if grant else None), record, kind, index
        )
        self._unlisted = False
        return {"statement": identity, "index": index}

    def submitted(self, run_id: str, job_id: str, session: str | None, kernel_id: str) -> None:
        """Note what a provider calls a run's job.

        Raises:
            NotFound: ``run.unknown``: this kernel has recorded no such run.
        """
        with self._lock:
            if self._unlisted:
                self.recover()
            row = self._store.one(tables.runs, {"run_id": run_id})
            if row is None or row["kernel_id"] != kernel_id:
                raise NotFound("run.unknown", "There is no such run")
            if row["summary"].get("job_id") == job_id:
                return
            data = {"run": run_id, "kernel": kernel_id, "job": job_id, "session": session}
            self._audit.record("run.submitted", self._principal, **data)
            self._unlisted = True
            self._keep_job(row, job_id)
            self._unlisted = False
        self._let_retrieve(row, job_id)
        self._changes.bump()

    def _let_retrieve(self, row: Row, job_id: str) -> None:
        """Let the job's result be read when its submit grant is over, where the target allows that."""
        caller = self._caller.by(row["kernel_id"])
        for target in self._targets_of(row["backend"]):
            if self._retrieval.submitted(caller, target, job_id):
                return

    def _keep_job(self, row: Row, job_id: str) -> None:
        values = {
            "summary": {**row["summary"], "job_id": job_id},
            "searched": f"{row['searched']} {job_id.lower()}",
        }
        self._store.change(tables.runs, {"run_id": row["run_id"]}, values)

    def account(self) -> None:
        """After a crash: enter statements that were stored and not entered, and list what was entered."""
        self._statements.account(self._ledger)
        self._artefacts.discard_unentered(self._ledger)
        self.recover()

    def recover(self) -> None:
        """List what the ledger holds and the database does not, after a crash or a full disk between the two.

        The ledger is the record and the database its index; this is what keeps a record that is sent again
        from being recorded twice.
        """
        known = self._store.highest(tables.runs.c.position, tables.runs.c.completion_index)
        for event in self._ledger.read(known + 1):
            kind = next((kind for kind, name in _EVENT.items() if name == event["type"]), None)
            if kind is None and event["type"] != "run.submitted":
                continue
            data = event["data"]
            row = self._store.one(tables.runs, {"run_id": data["run"]})
            if kind is None:
                if row is not None and row["summary"].get("job_id") != data["job"]:
                    self._keep_job(row, data["job"])
                continue
            predicate = self._runs.statement(data["statement"])["predicate"]
            grant_id, record = (
                predicate["authority"]["grant"],
                {**predicate["run"], "gaps": predicate["gaps"]},
            )
            summary = (
                row["summary"] if row else _summary(record, data["kernel"], predicate.get("server") or {})
            )
            summary = {
                **summary,
                kind: data["statement"],
                "signed_by": summary["signed_by"] or "see statement",
            }
            index = event["index"]
            self._keep(row, _after(summary, record, kind, index, grant_id), record, kind, index)
        self._unlisted = False

    def _sign(
        self, record: Record, kind: str, summary: Row, grant: Grant | None, server: Record
    ) -> tuple[bytes, Signer, list[str]]:
        """Sign with the store's key; with this machine's, and a gap that says so, while it does not."""

        def work(signer: Signer, by_store: bool) -> tuple[bytes, Signer, list[str]]:
            gaps = [] if by_store else ["signed with this machine's key: the store did not sign"]
            return self._envelope(record, kind, summary, grant, server, signer, gaps), signer, gaps

        return self._signing.run(work)

    def _envelope(
        self,
        record: Record,
        kind: str,
        summary: Row,
        grant: Grant | None,
        server: Record,
        signer: Signer,
        gaps: list[str],
    ) -> bytes:
        self._keys.add(signer, self._clock())
        record = {**record, "gaps": [*(record.get("gaps") or []), *gaps]}
        authority = self._authority(grant)
        recorder = {**self._recorder, "recorded_at": rfc3339(self._clock()), "kernel": summary["kernel_id"]}
        if kind == "intent":
            return envelope.sign(statement.intent(record, authority, recorder, server), signer)
        reference = None
        if summary["intent"] is not None:
            reference = {"statement": summary["intent"], "index": summary["ledger_index"]}
        return envelope.sign(statement.completion(record, reference, authority, recorder, server), signer)

    def _authority(self, grant: Grant | None) -> dict[str, Any]:
        """Return who acts by what right, with pseudonyms in the place of persons."""
        approvals = []
        if grant is not None and grant.decided_by:
            last = grant.votes[-1] if grant.votes else None
            by = "policy" if last is None else self._audit.pseudonym(last.person)
            approvals.append({"by": by, "at": grant.decided_at, "bound_to": None})
        return {
            "principal": self._audit.pseudonym(self._principal),
            "identity_provider": self._principal.identity_provider,
            "mfa": self._principal.mfa,
            "grant": grant.id if grant else None,
            "target": grant.target if grant else None,
            "policy": {"digest": self._policy(), "allowed_by": list(grant.policies) if grant else []},
            "approvals": approvals,
        }

    def _keep(self, row: Row | None, summary: Row, record: Record, kind: str, index: int) -> None:
        values: Row = {"summary": summary, "status": summary["status"]}
        if kind == "completion":
            values["completion_index"] = index
        if row is None:
            values |= {"run_id": summary["run_id"], "kernel_id": summary["kernel_id"], "position": index}
            self._store.add(tables.runs, {**values, **columns(summary, record)})
        else:
            self._store.change(tables.runs, {"run_id": summary["run_id"]}, values)

    # -- gaps -------------------------------------------------------------------------------------

    def gap(self, kernel_id: str | None, run_id: str | None, what: str) -> None:
        """Note that something could not be recorded; written as soon as the disk takes it."""
        with self._lock:
            row = {
                "kernel_id": kernel_id,
                "run_id": run_id,
                "what": what[:500],
                "time": rfc3339(self._clock()),
            }
            self._owed_gaps.append(row)
        self.settle()

    def settle(self) -> None:
        """Write the gaps that are owed."""
        with self._lock:
            while self._owed_gaps:
                row = self._owed_gaps[0]
                try:
                    data = {"kernel": row["kernel_id"], "run": row["run_id"], "what": row["what"]}
                    self._audit.record("run.gap", self._principal, **data)
                except QsecError:
                    return
                self._owed_gaps.pop(0)
                try:
                    self._store.add(tables.gaps, row)
                except QsecError:  # the ledger has it; the list is only for the health line
                    self._gaps_not_listed += 1
        self._changes.bump()

    def gap_count(self) -> int:
        """Count the gaps of this journal, those not written yet included."""
        return len(self._owed_gaps) + self._gaps_not_listed + len(self._store.rows(tables.gaps))


def _completes_later(record: Record, summary: Row) -> bool:
    """Say whether another kernel may end this run: it read the result of the job that the run submitted."""
    job = record.get("job")
    known = summary.get("job_id")
    return (
        record.get("kind") == "completion"
        and isinstance(job, dict)
        and known is not None
        and job.get("id") == known
    )


def _summary(record: Record, kernel_id: str, server: Record) -> Row:
    execution = record.get("execution")
    execution = execution if isinstance(execution, dict) else {}
    circuits, backend = execution.get("circuits"), record.get("backend")
    shots, parent = execution.get("shots"), record.get("parent_run_id")
    notebook = server.get("notebook")
    path = notebook.get("path") if isinstance(notebook, dict) else None
    return {
        "run_id": record["run_id"],
        "kernel_id": kernel_id,
        "framework": str(record.get("framework") or "unknown")[:40],
        "operation": str(record.get("operation") or "unknown")[:200],
        "backend": str((backend.get("name") if isinstance(backend, dict) else backend) or "unknown")[:100],
        "circuits": len(circuits) if isinstance(circuits, list) else 0,
        "shots": shots if isinstance(shots, int) else None,
        "status": "running",
        "started_at": str(record.get("time"))[:40],
        "ended_at": None,
        "intent": None,
        "completion": None,
        "ledger_index": None,
        "signed_by": "",
        "grant_id": None,
        "parent_run_id": parent[:64] if isinstance(parent, str) else None,
        "notebook": str(path)[:500] if path else None,
        "gaps": [],
    }


def _after(summary: Row, record: Record, kind: str, index: int, grant_id: str | None) -> Row:
    gaps = [str(gap)[:200] for gap in record.get("gaps") or []]
    summary = {**summary, "gaps": list(dict.fromkeys([*summary["gaps"], *gaps]))[:20]}
    if kind == "intent":
        return {**summary, "ledger_index": index, "grant_id": grant_id}
    status = record.get("status")
    return {
        **summary,
        "status": status if status in _STATUS else "unknown",
        "ended_at": str(record.get("time"))[:40],
    }
