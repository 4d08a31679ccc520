"""The reservations of a provider, for targets whose grants are active only within one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ....core.errors import QsecError
from ...changes import Changes
from ...policy.live import LivePolicy
from ..model import Reservation
from .account import OpenAccount

STALE_AFTER = timedelta(hours=1)
"""How long what a provider said holds while it does not answer; afterwards there is no reservation."""

_log = logging.getLogger("qsec.gateway")


@dataclass(frozen=True, slots=True)
class _Seen:
    at: datetime
    reservations: tuple[Reservation, ...]


class Reservations:
    """Knows the reservations of each target that wants them. Thread-safe; reads come from memory."""

    def __init__(
        self,
        policy: LivePolicy,
        changes: Changes,
        open_account: OpenAccount,
        clock: Callable[[], datetime],
    ) -> None:
        self._policy = policy
        self._changes = changes
        self._open = open_account
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def wanted(self, target: str) -> bool:
        """Say whether a target's grants are bound to reservations."""
        known = self._policy.catalogue.targets.get(target)
        return known is not None and known.reservations

    def open_until(self, target: str, now: datetime) -> datetime | None:
        """Return until when a reservation lasts that has begun; ones that meet count as one."""
        until = None
        for one in self._current(target, now):
            if one.start <= (until or now) < one.end:
                until = one.end
        return until

    def of(self, target: str, backend: str, now: datetime) -> list[Reservation]:
        """Return the reservations in which a device can be used now."""
        here = (one for one in self._current(target, now) if one.backend in {"", backend})
        return [one for one in here if one.start <= now < one.end]

    def next_start(self, target: str, now: datetime) -> datetime | None:
        """Return when the next reservation begins; ``now`` within one, ``None`` when none is known."""
        if self.open_until(target, now):
            return now
        return min((one.start for one in self._current(target, now) if one.start > now), default=None)

    def is_over(self, target: str, now: datetime) -> bool:
        """Say whether it is known that nothing is reserved now; after a start nothing is known yet."""
        return target in self._seen and self.open_until(target, now) is None

    def refresh(self) -> bool:
        """Ask providers anew; say whether something is other than before."""
        changed = False
        for name, target in list(self._policy.catalogue.targets.items()):
            if target.reservations:
                changed = self._refresh(name) or changed
        if changed:
            self._changes.rights.bump()
        return changed

    def _refresh(self, target: str) -> bool:
        try:
            with self._open(target) as account:
                found = tuple(sorted(account.reservations(), key=lambda one: one.start))
        except QsecError as error:
            _log.warning("reservations of %s could not be read (%s)", target, error.code)
            return False
        with self._lock:
            before = self._seen.get(target)
            self._seen[target] = _Seen(self._clock(), found)
        return before is None or before.reservations != found

    def _current(self, target: str, now: datetime) -> tuple[Reservation, ...]:
        seen = self._seen.get(target)
        if seen is None or seen.at + STALE_AFTER < now:
            return ()
        return seen.reservations
