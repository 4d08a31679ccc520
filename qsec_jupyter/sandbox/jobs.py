"""Jobs and sessions as the sandbox keeps them, and what the client is told about them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from .refusals import Refusal, conflict, malformed

Status = Literal["Queued", "Running", "Completed", "Failed", "Cancelled"]
FINAL: frozenset[Status] = frozenset({"Completed", "Failed", "Cancelled"})
RAN_TOO_LONG = 1305
"""The reason code by which the client tells a job that ran into its time limit from a cancelled one."""


def new_id() -> str:
    """Return an id of the kind that the provider gives: twenty characters of base 32."""
    alphabet = "0123456789abcdefghijklmnopqrstuv"
    return "".join(secrets.choice(alphabet) for _ in range(20))


def stamp(moment: float | None) -> str | None:
    """Return a time as the client reads it."""
    if moment is None:
        return None
    return (
        datetime.fromtimestamp(moment, timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )


@dataclass(frozen=True, slots=True)
class Planted:
    """A result of a given size that is made while it is sent.

    Attributes:
        size: Its length in bytes; a JSON document from 16 bytes on.
    """

    size: int

    def __len__(self) -> int:
        return self.size

    def chunks(self, size: int = 256 * 1024) -> Iterator[bytes]:
        """Yield the result piece by piece."""
        head, tail = b'{"planted": "', b'"}'
        rest = self.size - len(head) - len(tail)
        yield head
        filling = b"A" * size
        while rest > 0:
            yield filling[: min(rest, size)]
            rest -= size
        yield tail


@dataclass(slots=True, eq=False)
class Job:
    """One job.

    Attributes:
        id: Given by the sandbox.
        instance: Cloud resource name of the instance that it belongs to.
        user: Whose API key submitted it.
        program: ``sampler``, ``estimator``, ``executor``, ``noise-learner``.
        backend: The device.
        body: The request as it came; the parameters are read from it when they are asked for.
        created: Seconds since 1970.
        tags: The user's labels.
        session: The session or batch that it runs in.
        limit: The longest that it may run, in seconds.
        private: Whether its result is read once and its parameters never.
        calibration: Name of the calibration it was made for.
        image: Asked runtime image; kept and told, without effect.
        result: What it gave, or the text of its failure.
        caller: What the client said that it is.
        seconds: What it is charged for.
        shots: How often circuits were run, all together.
        described: What the worker told of the circuits.
        log: What the worker wrote.
    """

    id: str
    instance: str
    user: str
    program: str
    backend: str
    body: bytes
    created: float
    tags: list[str] = field(default_factory=list)
    session: str | None = None
    limit: int | None = None
    private: bool = False
    calibration: str | None = None
    image: str | None = None
    status: Status = "Queued"
    reason: str | None = None
    reason_code: int | None = None
    started: float | None = None
    ended: float | None = None
    result: bytes | Planted = b""
    caller: str = ""
    seconds: float = 0.0
    shots: int = 0
    cost: float = 0.0
    currency: str = ""
    described: dict[str, Any] = field(default_factory=dict)
    log: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self.status in FINAL

    def end(self, status: Status, now: float, reason: str | None = None, code: int | None = None) -> None:
        """Note how the job ended. What has ended stays as it is."""
        if not self.final:
            self.status, self.ended, self.reason, self.reason_code = status, now, reason, code

    def document(self) -> dict[str, Any]:
        """Return what the client is told, without the parameters."""
        state: dict[str, Any] = {"status": self.status}
        if self.reason:
            state |= {"reason": self.reason, "reason_code": self.reason_code, "reasonCode": self.reason_code}
        told = {
            "id": self.id,
            "backend": self.backend,
            "state": state,
            "status": self.status,
            "program": {"id": self.program},
            "created": stamp(self.created),
            "ended": stamp(self.ended),
            "runtime": self.image,
            "cost": self.limit,
            "tags": self.tags,
            "session_id": self.session,
            "user_id": self.user,
            "usage": {"seconds": self.seconds},
            "estimated_running_time_seconds": self.described.get("seconds", self.seconds),
            "private": self.private,
            "calibration_id": self.calibration,
        }
        return {name: value for name, value in told.items() if value is not None}

    def metrics(self, position: int | None) -> dict[str, Any]:
        """Return what the job took.

        Args:
            position: How many wait before it, where it waits.
        """
        qiskit = re.search(r"\bqiskit-(\d+[\d.]*)", self.caller)
        usage = {
            "status": "final" if self.final else "pending",
            "seconds": self.seconds,
            "quantum_seconds": self.seconds,
            "qpu_charge_time_seconds": self.seconds,
        }
        return {
            "timestamps": {
                "created": stamp(self.created),
                "running": stamp(self.started),
                "finished": stamp(self.ended),
            },
            "bss": {"seconds": self.seconds},
            "usage": usage,
            "executions": self.shots,
            "num_circuits": self.described.get("circuits", 0),
            "num_qubits": self.described.get("qubits", []),
            "circuit_depths": self.described.get("depths", []),
            "position_in_queue": position,
            "caller": self.caller,
            "qiskit_version": qiskit.group(1) if qiskit else "",
            "sandbox": {"cost": self.cost, "currency": self.currency},
        }


@dataclass(slots=True, eq=False)
class Session:
    """A session (``dedicated``) or a batch.

    Attributes:
        id: Given by the sandbox.
        instance: Cloud resource name.
        user: Whose API key opened it.
        backend: The device it is for.
        mode: ``dedicated`` or ``batch``.
        longest: How long it lasts at most after its first job started, in seconds.
        idle: How long it may idle before it goes inactive.
        opened: Seconds since 1970.
    """

    id: str
    instance: str
    user: str
    backend: str
    mode: str
    longest: int
    idle: float
    opened: float
    accepting: bool = True
    activated: float | None = None
    closed: float | None = None
    last_started: float | None = None
    last_ended: float | None = None
    charged: float = 0.0
    timestamps: list[dict[str, Any]] = field(default_factory=list)
    state: str = "open"

    def move(self, state: str, now: float) -> None:
        """Change the state and note when."""
        if self.state != state or not self.timestamps:
            self.state = state
            self.timestamps.append({"status": state.upper(), "timestamp": stamp(now)})
        if state == "closed":
            self.closed, self.accepting = now, False

    def refuse_if_closed(self, backend: str) -> None:
        """Make sure that another job may join.

        Raises:
            Refusal: 400.
        """
        if not self.accepting or self.state == "closed":
            raise Refusal(400, 1217, "Session has been closed.", "Open a new session.")
        if backend != self.backend:
            raise malformed(f"The session is for {self.backend}.", "Submit to the session's backend.")

    def started(self, now: float) -> None:
        """Note that one of its jobs starts."""
        self.last_started = now
        self.activated = self.activated or now
        self.move("active", now)

    def tick(self, now: float, busy: bool) -> None:
        """Let time pass: an idle session goes inactive, one that was closed or is over ends.

        Args:
            now: Seconds since 1970.
            busy: Whether it has jobs that have not ended.
        """
        if self.state == "closed":
            return
        begun = self.activated or self.opened
        if now - begun > self.longest or (not self.accepting and not busy):
            self.move("closed", now)
        elif self.state == "active" and not busy and now - (self.last_ended or begun) > self.idle:
            self.move("inactive", now)

    def elapsed(self, now: float) -> float:
        """Return what it is charged for: a session's wall clock, a batch's jobs."""
        if self.mode == "batch":
            return self.charged
        if self.activated is None:
            return 0.0
        return (
            self.closed or (self.last_ended if self.state == "inactive" else None) or now
        ) - self.activated

    def document(self, now: float) -> dict[str, Any]:
        """Return what the client is told."""
        return {
            "id": self.id,
            "backend_name": self.backend,
            "mode": self.mode,
            "state": self.state,
            "accepting_jobs": self.accepting,
            "interactive_ttl": self.idle,
            "max_ttl": self.longest,
            "active_ttl": self.longest,
            "started_at": stamp(self.opened),
            "activated_at": stamp(self.activated),
            "closed_at": stamp(self.closed),
            "last_job_started": stamp(self.last_started),
            "last_job_completed": stamp(self.last_ended),
            "elapsed_time": self.elapsed(now),
            "usage_time": self.elapsed(now),
            "timestamps": self.timestamps,
            "user_id": self.user,
        }


def refuse_if_final(job: Job) -> None:
    """Make sure that a job can be cancelled.

    Raises:
        Refusal: 409.
    """
    if job.final:
        raise conflict(f"Job is already in the state {job.status}.", "Only unfinished jobs can be cancelled.")
