"""Submissions on their way: the same body from the same grant is one job, however often a client sends it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from ....core.errors import QsecError
from ..model import Admission, Outcome

KEPT = 1000
"""How many submissions of unknown outcome are remembered; the oldest is forgotten for a newer one."""

Key = tuple[str, str]
"""A grant's id, and the SHA-256 of the body."""


@dataclass(slots=True)
class Flight:
    """One submission.

    Attributes:
        first: The admission that may be sent; ``None`` until it is decided.
        refusal: Why it was not admitted.
        outcome: What became of it so far.
        landed: Set when something is known, and when nothing can be known for now.
    """

    first: Admission
    refusal: QsecError | None = None
    outcome: Outcome = field(default_factory=lambda: Outcome("sent"))
    landed: threading.Event = field(default_factory=threading.Event)


class Flights:
    """Knows what is on its way. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[Key, Flight] = {}
        self._by_id: dict[str, tuple[Key, Flight]] = {}

    def begin(self, key: Key, admission: Admission) -> Flight | None:
        """Note that a body is on its way; return the flight that the same body has already."""
        with self._lock:
            known = self._open.get(key)
            if known is not None:
                return known
            self._note(key, Flight(admission))
            return None

    def resume(self, key: Key, admission: Admission, outcome: Outcome) -> None:
        """Note, after a restart, a submission of which nothing more is known."""
        flight = Flight(admission, outcome=outcome)
        flight.landed.set()
        with self._lock:
            self._note(key, flight)

    def _note(self, key: Key, flight: Flight) -> None:
        while len(self._open) >= KEPT:
            oldest = next(iter(self._open))
            self._by_id.pop(self._open.pop(oldest).first.correlation_id, None)
        self._open[key] = flight
        self._by_id[flight.first.correlation_id] = (key, flight)

    def refuse(self, correlation_id: str, refusal: QsecError) -> None:
        """End a flight that was not admitted; who waits for it learns why."""
        flight = self._end(correlation_id)
        if flight is not None:
            flight.refusal = refusal
            flight.landed.set()

    def land(self, correlation_id: str, outcome: Outcome, *, keep: bool = False) -> None:
        """Say what became of a submission.

        Args:
            correlation_id: Which.
            outcome: What is known.
            keep: Whether a client that sends the same body again is to be told this, once.
        """
        with self._lock:
            _, flight = self._by_id.get(correlation_id, (None, None))
        if flight is None:
            return
        known_late = flight.landed.is_set() and outcome.state == "accepted"
        flight.outcome = outcome
        flight.landed.set()
        if not keep and not known_late:
            self._end(correlation_id)

    def outcome(self, correlation_id: str, seconds: float) -> Outcome | None:
        """Wait until something is known of a submission; ``None`` when it is no flight (any more).

        Raises:
            QsecError: What the first was refused by.
        """
        with self._lock:
            _, flight = self._by_id.get(correlation_id, (None, None))
        if flight is None:
            return None
        flight.landed.wait(seconds)
        if flight.refusal is not None:
            raise flight.refusal
        if flight.landed.is_set() and flight.outcome.state not in {"sent", "unknown"}:
            self._end(correlation_id)
        return flight.outcome

    def _end(self, correlation_id: str) -> Flight | None:
        with self._lock:
            key, flight = self._by_id.pop(correlation_id, (None, None))
            if key is not None and self._open.get(key) is flight:
                del self._open[key]
            return flight
