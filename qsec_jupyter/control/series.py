"""Series: an approver approves, once, a number of like requests to come."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from ..core.errors import Invalid, NotFound
from ..core.model import Grant, Principal, rfc3339
from . import tables
from .audit import Audit
from .store import Row, Store

MOST_TIMES, MOST_DAYS = 1000, 366


@dataclass(frozen=True, slots=True)
class Series:
    """What was approved in advance: requests of one person that are like one that was looked at.

    Attributes:
        terms: What a request must have in common: duration at most, data class, project and payload.
        left: How many more requests it approves.
    """

    id: str
    subject: str
    target: str
    terms: dict[str, Any]
    left: int
    until: str
    approved_by: str
    grant_id: str
    ended_at: str | None = None


class AllSeries:
    """Approves series, finds the one that a request belongs to, and counts it down."""

    def __init__(self, store: Store, audit: Audit, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock

    def approve(self, approver: Principal, grant: Grant, times: int, days: int) -> Series:
        """Approve that many requests like ``grant``, within so many days.

        Raises:
            Invalid: ``series.limits``.
        """
        if not (1 <= times <= MOST_TIMES and 1 <= days <= MOST_DAYS):
            raise Invalid(
                "series.limits",
                "A series has limits",
                f"At most {MOST_TIMES} requests within {MOST_DAYS} days.",
                "Ask for fewer.",
            )
        series = Series(
            id=secrets.token_hex(16),
            subject=grant.requester_subject,
            target=grant.target,
            terms=_terms(grant),
            left=times,
            until=rfc3339(self._clock() + timedelta(days=days)),
            approved_by=approver.name,
            grant_id=grant.id,
        )
        about = {"series": series.id, "grant": grant.id, "target": grant.target, "times": times}
        self._audit.record("series.approved", approver, **about, until=series.until)
        self._store.add(tables.series, asdict(series))
        return series

    def of(self, grant: Grant) -> Series | None:
        """Return the series that a request belongs to."""
        where = {"subject": grant.requester_subject, "target": grant.target, "ended_at": None}
        now = rfc3339(self._clock())
        fits = (
            Series(**row)
            for row in self._store.rows(tables.series, where)
            if row["left"] > 0 and row["until"] > now and _fits(grant, row["terms"])
        )
        return min(fits, key=lambda series: series.until, default=None)

    def use(self, series: Series) -> bool:
        """Count one request; say whether the series still had one."""
        changed = self._store.change(
            tables.series, {"id": series.id, "left": series.left}, {"left": series.left - 1}
        )
        return changed == 1

    def end(self, approver: Principal, series_id: str) -> None:
        """End a series early.

        Raises:
            NotFound: ``series.unknown``.
        """
        ended: Row = {"ended_at": rfc3339(self._clock())}
        if not self._store.rows(tables.series, {"id": series_id, "ended_at": None}):
            raise NotFound("series.unknown", "There is no such series")
        self._audit.record("series.ended", approver, series=series_id)
        self._store.change(tables.series, {"id": series_id}, ended)

    def listed(self) -> list[Series]:
        """Return the series that still approve something."""
        now = rfc3339(self._clock())
        rows = self._store.rows(tables.series, {"ended_at": None})
        return [Series(**row) for row in rows if row["left"] > 0 and row["until"] > now]


def _terms(grant: Grant) -> dict[str, Any]:
    return {
        "duration": grant.duration,
        "data_class": grant.data_class,
        "project": grant.project,
        "scope": grant.scope,
        "payload": None if grant.payload is None else grant.payload.digest,
    }


def _fits(grant: Grant, terms: dict[str, Any]) -> bool:
    asked = _terms(grant)
    same = all(asked[name] == terms.get(name) for name in ("data_class", "project", "scope", "payload"))
    return same and grant.duration <= terms["duration"] and not grant.break_glass and grant.extends is None
