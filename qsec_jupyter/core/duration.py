"""Durations as people write them: ``30m``, ``8h``, ``1h30m``, ``90s``, ``2d``."""

from __future__ import annotations

import re

from .errors import Invalid

_UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")


def parse_duration(text: str) -> int:
    """Return the number of seconds that ``text`` names.

    Raises:
        Invalid: ``duration.malformed`` when the text is not of the form above or is zero.
    """
    match = _DURATION.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    seconds = (
        sum(int(n or 0) * s for n, s in zip(match.groups(), _UNIT_SECONDS.values(), strict=True))
        if match
        else 0
    )
    if seconds <= 0:
        raise Invalid(
            "duration.malformed",
            "That is not a duration",
            "A duration is a number and a unit, largest unit first.",
            "Write it as 30m, 8h, 1h30m or 2d.",
        )
    return seconds


def format_duration(seconds: int) -> str:
    """Return ``seconds`` the way :func:`parse_duration` reads it, e.g. ``1h30m``."""
    parts = []
    for unit, size in _UNIT_SECONDS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
