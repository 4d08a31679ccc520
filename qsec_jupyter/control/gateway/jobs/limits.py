"""What jobs at each target must keep to, and what was used of its quotas: for the panel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from ....core.model import rfc3339
from ...policy.live import LivePolicy
from ..envelope import Allowance, Envelope
from .quotas import Quotas

_UNITS = ("jobs", "shots", "execution_seconds", "cost")
_LIMITS = ("max_shots", "max_circuits", "max_width", "max_depth", "max_execution_time")


class Limits:
    """Says what holds. Changes nothing.

    Args:
        policy: Whose catalogue names the limits.
        quotas: What was used of them.
    """

    def __init__(self, policy: LivePolicy, quotas: Quotas, clock: Callable[[], datetime]) -> None:
        self._policy = policy
        self._quotas = quotas
        self._clock = clock

    def listed(self, subject: str) -> list[dict[str, Any]]:
        """Return the limits of each target that has some, as they are for one person."""
        return [
            self._of(name, envelope, subject)
            for name, envelope in self._policy.catalogue.envelopes.items()
            if envelope != Envelope()
        ]

    def _of(self, target: str, envelope: Envelope, subject: str) -> dict[str, Any]:
        quotas = [
            quota
            for by, allowance in envelope.quota.items()
            for quota in self._left(target, by, allowance, subject)
        ]
        return {
            "target": target,
            "backends": list(envelope.backends or ()),
            "quotas": quotas,
            **{name: getattr(envelope, name) for name in _LIMITS},
        }

    def _left(self, target: str, by: str, allowance: Allowance, subject: str) -> Iterator[dict[str, Any]]:
        """Yield a line for each unit that is limited; what a project used depends on the project."""
        month = rfc3339(self._clock())[:7]
        used = self._quotas.used(target, month, by, subject) if by != "project" else {}
        for unit in _UNITS:
            allowed = getattr(allowance, unit)
            if allowed is not None:
                yield {"by": by, "unit": unit, "allowed": allowed, "used": used.get(unit)}
