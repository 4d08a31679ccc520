"""How many requests a caller may make in a second."""

from __future__ import annotations

from collections.abc import Callable

from .refusals import Refusal


class Rates:
    """Counts requests: a bucket of one second's worth, filled continually.

    Args:
        clock: Returns seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def count(self, caller: str, rate: float | None) -> None:
        """Count one request.

        Raises:
            Refusal: 429 with Retry-After.
        """
        if rate is None:
            return
        now = self._clock()
        left, last = self._buckets.get(caller, (rate, now))
        left = min(rate, left + (now - last) * rate)
        self._buckets[caller] = (left - 1 if left >= 1 else left, now)
        if left < 1:
            wait = max(1, round((1 - left) / rate)) if rate else 1
            raise Refusal(
                429, 1429, "Too many requests.", "Wait, then try again.", {"Retry-After": str(wait)}
            )
