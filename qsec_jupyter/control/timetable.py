"""When grants begin and end by themselves: by their own times, and by their targets' windows. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..core.model import Grant, moment
from .policy.live import LivePolicy
from .windows import next_opening, open_until


class Timetable:
    """Reads the times of grants.

    Args:
        policy: Its catalogue says when targets are open.
    """

    def __init__(self, policy: LivePolicy) -> None:
        self._policy = policy

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
        return (next_opening(windows, earliest) or earliest) if windows else earliest

    def closes(self, grant: Grant, now: datetime) -> datetime | None:
        """Return when the window closes that a grant lies in; ``None`` where its target has none."""
        windows = self._policy.catalogue.windows.get(grant.target, ())
        return open_until(windows, now) if windows else None
