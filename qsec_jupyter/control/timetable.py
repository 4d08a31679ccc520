"""When grants begin and end by themselves: by their own times, and by their targets' windows. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from ..core.model import Grant, moment
from .policy.live import LivePolicy
from .windows import next_opening, open_until


class Reserved(Protocol):
    """Knows when a provider has reserved something for us."""

    def wanted(self, target: str) -> bool:
        """Say whether a target's grants are bound to reservations."""
        ...

    def open_until(self, target: str, now: datetime) -> datetime | None:
        """Return until when a reservation lasts that has begun."""
        ...

    def next_start(self, target: str, now: datetime) -> datetime | None:
        """Return when the next one begins, ``now`` within one; ``None`` when none is known."""
        ...

    def is_over(self, target: str, now: datetime) -> bool:
        """Say whether it is known that nothing is reserved now."""
        ...


class Timetable:
    """Reads the times of grants.

    Args:
        policy: Its catalogue says when targets are open.
    """

    def __init__(self, policy: LivePolicy) -> None:
        self._policy = policy
        self._reserved: Reserved | None = None

    def keep_to(self, reserved: Reserved) -> None:
        """Let grants of some targets be active only while something is reserved."""
        self._reserved = reserved

    def due(self, grant: Grant, now: datetime) -> datetime:
        """Return when something happens to a grant by itself."""
        if grant.state == "approved":
            return min(self.deadline(grant), self.starts(grant, now))
        return self.deadline(grant)

    def deadline(self, grant: Grant) -> datetime:
        """Return when a grant or request ends by itself."""
        if grant.expires_at is not None:
            return moment(grant.expires_at)
        if grant.state == "approved":  # a start that nothing made happen
            begin = max(
                moment(grant.start_at or grant.requested_at), moment(grant.decided_at or grant.requested_at)
            )
            return begin + timedelta(days=8, seconds=grant.duration)
        return moment(grant.pending_until or grant.requested_at)

    def starts(self, grant: Grant, now: datetime) -> datetime:
        """Return when an approved grant begins, at the earliest ``now``."""
        earliest = max(now, moment(grant.start_at)) if grant.start_at else now
        windows = self._policy.catalogue.windows.get(grant.target, ())
        opens = (next_opening(windows, earliest) or earliest) if windows else earliest
        if self._reserved is None or not self._reserved.wanted(grant.target):
            return opens
        begins = self._reserved.next_start(grant.target, opens)
        # Nothing is reserved, as far as is known: it is looked again when something changes.
        return self.deadline(grant) if begins is None else begins

    def is_unreserved(self, grant: Grant, now: datetime) -> bool:
        """Say whether a grant needs a reservation and there is none now."""
        if self._reserved is None or not self._reserved.wanted(grant.target):
            return False
        return self._reserved.is_over(grant.target, now)

    def closes(self, grant: Grant, now: datetime) -> datetime | None:
        """Return when the window closes that a grant lies in; ``None`` where its target has none."""
        windows = self._policy.catalogue.windows.get(grant.target, ())
        closes = open_until(windows, now) if windows else None
        if self._reserved is None or not self._reserved.wanted(grant.target):
            return closes
        ends = self._reserved.open_until(grant.target, now) or now
        return ends if closes is None else min(ends, closes)
