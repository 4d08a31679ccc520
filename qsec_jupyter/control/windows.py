"""When a target's grants may be active: weekdays and hours in a time zone. Pure; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(r"([a-z,-]+)\s+(\d{2}):(\d{2})-(\d{2}):(\d{2})(?:\s+(\S+))?")
_HORIZON = 8
"""Days to look ahead: every weekday comes within them."""


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some weekdays; ``end`` before ``start`` reaches into the next day."""

    days: frozenset[int]
    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read ``mon-fri 08:00-18:00 Europe/Berlin``; UTC when no zone is named, ``24:00`` for midnight.

        Raises:
            ValueError: For anything else.
        """
        match = _FORM.fullmatch(text.strip().lower() if "/" not in text else _lower_days(text.strip()))
        if match is None:
            raise ValueError("a window is written mon-fri 08:00-18:00 Europe/Berlin")
        days, from_hour, from_minute, to_hour, to_minute, zone = match.groups()
        start = time(int(from_hour), int(from_minute))
        end = time(0, 0) if (to_hour, to_minute) == ("24", "00") else time(int(to_hour), int(to_minute))
        try:
            return cls(_days(days), start, end, ZoneInfo(zone if zone and zone != "utc" else "UTC"))
        except ZoneInfoNotFoundError as error:
            raise ValueError("there is no such time zone") from error

    def around(self, moment: datetime) -> Iterable[tuple[datetime, datetime]]:
        """Yield the periods from the day before ``moment`` to a week after it, in UTC, in order."""
        today = moment.astimezone(self.zone).date()
        for offset in range(-1, _HORIZON):
            day = today + timedelta(days=offset)
            if day.weekday() not in self.days:
                continue
            ends = day if self.end > self.start else day + timedelta(days=1)
            begin = datetime.combine(day, self.start, self.zone).astimezone(timezone.utc)
            yield begin, datetime.combine(ends, self.end, self.zone).astimezone(timezone.utc)


def open_until(windows: Iterable[Window], moment: datetime) -> datetime | None:
    """Return until when it is open at ``moment``, windows that meet taken as one; ``None`` when closed."""
    periods = sorted(period for window in windows for period in window.around(moment))
    until = None
    for begin, end in periods:
        if begin <= (until or moment) < end:
            until = end
    return until


def next_opening(windows: Iterable[Window], moment: datetime) -> datetime | None:
    """Return when it opens next; ``moment`` itself when it is open, ``None`` when there are no windows."""
    windows = list(windows)
    if open_until(windows, moment):
        return moment
    begins = [begin for window in windows for begin, _ in window.around(moment) if begin > moment]
    return min(begins, default=None)


def _lower_days(text: str) -> str:
    days, _, rest = text.partition(" ")
    return f"{days.lower()} {rest}"


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        found |= {number % 7 for number in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)
