"""All that the sandbox remembers, in memory: settings, accounts, devices, jobs, sessions, reservations."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar

from .accounts import Accounts, Instance
from .devices import DEVICES, Device, all_devices
from .jobs import Job, Session, new_id, stamp
from .refusals import forbidden, unknown
from .settings import Settings

_Held = TypeVar("_Held", Job, Session)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A time in which a device is one instance's alone.

    Attributes:
        id: Given by the sandbox.
        instance: Cloud resource name.
        backend: The device.
        start: Seconds since 1970.
        end: The first moment that is no longer reserved.
    """

    id: str
    instance: str
    backend: str
    start: float
    end: float

    def holds(self, now: float) -> bool:
        """Whether it is on."""
        return self.start <= now < self.end

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "id": self.id,
            "instance": self.instance,
            "backend": self.backend,
            "start": stamp(self.start),
            "end": stamp(self.end),
        }


class Book:
    """The sandbox's memory. It is used from one thread: the event loop's.

    Args:
        settings: How the sandbox behaves at first.
        clock: Returns the time in seconds since 1970.
        models: Devices, and the model that each has.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        models: Mapping[str, str] = DEVICES,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.accounts = Accounts(clock)
        self.devices: dict[str, Device] = all_devices(models, datetime.fromtimestamp(clock(), timezone.utc))
        self.jobs: dict[str, Job] = {}
        self.sessions: dict[str, Session] = {}
        self.reservations: dict[str, Reservation] = {}

    def now(self) -> datetime:
        """Return the time as the devices' calibrations count it."""
        return datetime.fromtimestamp(self.clock(), timezone.utc)

    def device(self, name: str) -> Device:
        """Return a device.

        Raises:
            Refusal: 404.
        """
        if (found := self.devices.get(name)) is None:
            raise unknown(f"Backend {name[:60]}")
        return found

    def job(self, job_id: str, instance: Instance) -> Job:
        """Return an instance's job; one of another instance is not there.

        Raises:
            Refusal: 404.
        """
        return _own(self.jobs.get(job_id), instance, "Job")

    def session(self, session_id: str, instance: Instance) -> Session:
        """Return an instance's session.

        Raises:
            Refusal: 404.
        """
        return _own(self.sessions.get(session_id), instance, "Session")

    def open_session(
        self, instance: Instance, user: str, backend: str, mode: str, longest: int | None
    ) -> Session:
        """Open a session or batch."""
        most = self.settings.session_seconds
        session = Session(
            id=new_id(),
            instance=instance.crn,
            user=user,
            backend=backend,
            mode=mode,
            longest=min(longest or most, most),
            idle=self.settings.interactive_seconds,
            opened=self.clock(),
        )
        session.move("open", session.opened)
        self.sessions[session.id] = session
        return session

    def jobs_of(self, crn: str) -> Iterator[Job]:
        """Yield an instance's jobs, oldest first."""
        return (job for job in self.jobs.values() if job.instance == crn)

    def unfinished(self, jobs: Iterable[Job] | None = None) -> Iterator[Job]:
        """Yield the jobs that have not ended."""
        return (job for job in (self.jobs.values() if jobs is None else jobs) if not job.final)

    def waiting(self, backend: str) -> int:
        """Return how many jobs wait for a device, those that it claims others to have among them."""
        queued = sum(1 for job in self.jobs.values() if job.backend == backend and job.status == "Queued")
        return queued + self.settings.queue_length

    def consumed(self, crn: str) -> float:
        """Return what an instance has used, in seconds: its jobs, and its sessions' idle time."""
        batches = {each.id for each in self.sessions.values() if each.mode == "batch"}
        jobs = sum(job.seconds for job in self.jobs_of(crn) if not job.session or job.session in batches)
        now = self.clock()
        sessions = (each for each in self.sessions.values() if each.instance == crn and each.mode != "batch")
        return jobs + sum(each.elapsed(now) for each in sessions)

    def refuse_if_used_up(self, instance: Instance) -> None:
        """Make sure that an instance may run another job.

        Raises:
            Refusal: 403.
        """
        limit, most = self.settings.usage_limit_seconds, self.settings.max_pending_jobs
        if limit is not None and self.consumed(instance.crn) >= limit:
            raise forbidden("The instance has met its usage limit.", "Wait for the next period, or buy time.")
        if most is not None and sum(1 for _ in self.unfinished(self.jobs_of(instance.crn))) >= most:
            raise forbidden(
                f"The instance has {most} unfinished jobs, which is its most.", "Wait for one to end."
            )

    def reserved_for(self, backend: str) -> str | None:
        """Return the instance that has a device for itself now."""
        now = self.clock()
        return next(
            (
                each.instance
                for each in self.reservations.values()
                if each.backend == backend and each.holds(now)
            ),
            None,
        )


def _own(found: _Held | None, instance: Instance, what: str) -> _Held:
    if found is None or found.instance != instance.crn:
        raise unknown(what)
    return found
