"""Whether a provider's own list of jobs says what the ledger says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from ....core.model import Principal, moment, rfc3339
from ....ledger.entries import read_events
from ....ledger.log import Ledger
from ...audit import Audit
from .account import OVER, OpenAccount, RemoteJob
from .jobs import TAG, Jobs

Kind = Literal["foreign", "lost", "usage", "untagged", "unresolved"]

MEANING: dict[Kind, str] = {
    "foreign": "no ledger knows this job: it did not come through the gateway",
    "lost": "the provider took this job and does not list it any more",
    "usage": "the provider says another usage than it said when the job ended",
    "untagged": "the job came through the gateway, and its tag was taken away at the provider",
    "unresolved": "the provider has a job with this tag, of which the ledger does not know the outcome",
}

LOOK_BACK = timedelta(days=30)
SHORTEST = timedelta(minutes=2)
"""A job younger than this may not be listed yet, or not be recorded yet."""
TOLERANCE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One job of which the two sides say different things.

    Attributes:
        job_id: As the provider calls it.
        correlation_id: Of the ledger, where there is one.
        detail: What each side says, without names of the user's.
    """

    kind: Kind
    job_id: str
    correlation_id: str | None
    detail: str

    @property
    def meaning(self) -> str:
        """What the kind means."""
        return MEANING[self.kind]


@dataclass(frozen=True, slots=True)
class Report:
    """What a comparison found."""

    target: str
    since: str
    until: str
    at_provider: int
    in_ledger: int
    findings: tuple[Discrepancy, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        rows = [{**asdict(one), "meaning": one.meaning} for one in self.findings]
        return {**asdict(self), "findings": rows}


@dataclass(slots=True)
class Entry:
    """What the ledgers of this state folder say of one job."""

    correlation_id: str
    target: str
    time: str
    job_id: str | None = None
    state: str = "intended"
    usage_seconds: float | None = None


class Reconciliation:
    """Compares a provider's list with the ledgers of a state folder: of all its control planes.

    Args:
        home: The state folder.
        ledger: Our own.
        jobs: Told of usage that it did not know.
        open_account: Opens the account behind a target.
    """

    def __init__(
        self,
        *,
        home: Path,
        ledger: Ledger,
        jobs: Jobs,
        audit: Audit,
        open_account: OpenAccount,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._ledger = ledger
        self._jobs = jobs
        self._audit = audit
        self._open = open_account
        self._clock = clock

    def run(self, target: str, look_back: timedelta = LOOK_BACK, actor: Principal | None = None) -> Report:
        """Compare, and write down what was found.

        Args:
            target: Which.
            look_back: From when on.
            actor: Who asked; ``None`` for the time.

        Raises:
            Unavailable: The provider does not answer; nothing is recorded then.
        """
        until = self._clock() - SHORTEST
        since = until - look_back
        with self._open(target) as account:
            remote = account.jobs(since)
        known = read_entries(self._events(), target)
        for job in remote:
            if job.state in OVER:
                self._jobs.done(job.id, job.usage_seconds, cancelled=job.state == "cancelled")
        found = tuple(compare(remote, known, since, until))
        report = Report(target, rfc3339(since), rfc3339(until), len(remote), len(known), found)
        counts: dict[str, int] = {kind: sum(one.kind == kind for one in found) for kind in MEANING}
        about: dict[str, Any] = {"target": target, "since": report.since, "jobs": len(remote), **counts}
        foreign = [one.job_id for one in found if one.kind == "foreign"][:50]
        self._audit.record("target.reconciled", actor, **about, foreign_jobs=foreign)
        return report

    def _events(self) -> Iterable[dict[str, Any]]:
        yield from self._ledger.read()
        for folder in sorted(self._home.glob("journal-*/ledger")):
            if folder.resolve() != self._ledger.folder.resolve():
                yield from read_events(folder)


def read_entries(events: Iterable[dict[str, Any]], target: str) -> list[Entry]:
    """Return what ledgers say of a target's jobs."""
    entries: dict[str, Entry] = {}
    for event in events:
        name, data = event["type"], event["data"]
        if not name.startswith("job.") or data.get("target") != target or "correlation" not in data:
            continue
        correlation_id = data["correlation"]
        if name == "job.intended":
            entries[correlation_id] = Entry(correlation_id, target, event["time"])
        elif correlation_id in entries:
            _read(entries[correlation_id], name.removeprefix("job."), data)
    return list(entries.values())


def _read(entry: Entry, step: str, data: dict[str, Any]) -> None:
    if step in {"sent", "accepted", "rejected", "unknown", "lost", "cancelled", "done"}:
        entry.state = step
    if step == "accepted":
        entry.job_id = data.get("job")
    if data.get("usage_seconds") is not None:
        entry.usage_seconds = float(data["usage_seconds"])


def compare(
    remote: list[RemoteJob], known: list[Entry], since: datetime, until: datetime
) -> Iterable[Discrepancy]:
    """Yield what the two sides say differently of jobs between two times."""
    by_id = {entry.job_id: entry for entry in known if entry.job_id}
    by_tag = {TAG + entry.correlation_id: entry for entry in known}
    for job in remote:
        entry = by_id.get(job.id)
        if entry is None:
            if job.created_at is None or job.created_at <= until:
                yield _unknown(job, by_tag)
            continue
        if TAG + entry.correlation_id not in job.tags:
            yield Discrepancy("untagged", job.id, entry.correlation_id, "Its tags at the provider lack ours.")
        if _differs(job, entry):
            said = f"The ledger has {entry.usage_seconds:g} s, the provider {job.usage_seconds:g} s."
            yield Discrepancy("usage", job.id, entry.correlation_id, said)
    listed = {job.id for job in remote}
    for entry in known:
        recent = since <= moment(entry.time) <= until
        if recent and entry.job_id and entry.state != "lost" and entry.job_id not in listed:
            yield Discrepancy("lost", entry.job_id, entry.correlation_id, f"Submitted at {entry.time}.")


def _unknown(job: RemoteJob, by_tag: dict[str, Entry]) -> Discrepancy:
    """Return what a job is that no ledger knows by its id. A tag makes no job ours: anybody can set one."""
    entry = next((by_tag[tag] for tag in job.tags if tag in by_tag), None)
    if entry is not None and entry.job_id is None:
        return Discrepancy("unresolved", job.id, entry.correlation_id, f"In the ledger it is {entry.state}.")
    when = f" at {rfc3339(job.created_at)}" if job.created_at else ""
    tagged = " It carries a tag of ours that belongs to another job." if entry is not None else ""
    return Discrepancy("foreign", job.id, None, f"On {job.backend or 'a backend'}{when}.{tagged}")


def _differs(job: RemoteJob, entry: Entry) -> bool:
    if job.usage_seconds is None or entry.usage_seconds is None:
        return False
    return abs(job.usage_seconds - entry.usage_seconds) > TOLERANCE_SECONDS
