"""How the sandbox behaves, all of it changeable while it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from .refusals import malformed

Execution = Literal["aer", "random", "none"]
"""``aer`` simulates with the device's noise; ``random`` reads the circuits and answers random bits of the
right shape; ``none`` reads nothing and answers an empty result at once, for measuring what lies around it."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a job costs, in ``currency``."""

    per_job: float = 0.0
    per_shot: float = 0.0
    per_second: float = 1.6
    currency: str = "EUR"

    def cost(self, shots: int, seconds: float) -> float:
        """Return what a job of so many shots and seconds costs."""
        return round(self.per_job + self.per_shot * shots + self.per_second * seconds, 6)


@dataclass(frozen=True, slots=True)
class Settings:
    """The sandbox's behaviour.

    Attributes:
        execution: What happens to a job's circuits.
        token_seconds: How long a bearer lives.
        queue_seconds: How long a job waits at least before it runs.
        queue_length: How many jobs of others each device claims to have waiting.
        run_seconds: How long a job runs at least.
        overhead_seconds: Charged for every job, whatever its shots.
        usage_limit_seconds: What an instance may use; ``None`` for no limit.
        max_execution_seconds: The longest that a job may run.
        max_pending_jobs: How many unfinished jobs an instance may have; ``None`` for no limit.
        requests_per_second: How many requests an API key may make; ``None`` for no limit.
        interactive_seconds: How long a session may idle before it goes inactive.
        session_seconds: The longest that a session may last.
        prices: What jobs cost.
        seed: Makes the simulator's randomness the same every time; ``None`` for fresh randomness.
    """

    execution: Execution = "aer"
    token_seconds: float = 3600.0
    queue_seconds: float = 0.0
    queue_length: int = 0
    run_seconds: float = 0.0
    overhead_seconds: float = 1.0
    usage_limit_seconds: float | None = None
    max_execution_seconds: int = 10_800
    max_pending_jobs: int | None = None
    requests_per_second: float | None = None
    interactive_seconds: float = 60.0
    session_seconds: int = 28_800
    prices: Prices = field(default_factory=Prices)
    seed: int | None = None

    def changed(self, given: Any) -> Settings:
        """Return these settings with what is given in the place of what was.

        Raises:
            Refusal: 400, for a name that is none or a value of the wrong kind.
        """
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in _table(given, values).items():
            values[name] = _prices(self.prices, value) if name == "prices" else _checked(name, value)
        return Settings(**values)

    def document(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["prices"] = {each.name: getattr(self.prices, each.name) for each in fields(Prices)}
        return values


_OPTIONAL = {"usage_limit_seconds", "max_pending_jobs", "requests_per_second", "seed"}
_WHOLE = {"queue_length", "max_execution_seconds", "max_pending_jobs", "session_seconds", "seed"}


def _table(given: Any, known: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise malformed("Settings are a table.")
    if strange := sorted(set(given) - set(known)):
        raise malformed(f"There is no setting {strange[0]}.", f"There are: {', '.join(sorted(known))}.")
    return given


def _checked(name: str, value: Any) -> Any:
    if name == "execution":
        if value not in get_args(Execution):
            raise malformed(f"execution is one of {', '.join(get_args(Execution))}.")
        return value
    if value is None and name in _OPTIONAL:
        return None
    number = isinstance(value, int) or (isinstance(value, float) and name not in _WHOLE)
    if not number or isinstance(value, bool) or not 0 <= value < math.inf:
        raise malformed(f"{name} is a number of at least 0.")
    return value


def _prices(now: Prices, given: Any) -> Prices:
    values: dict[str, Any] = {each.name: getattr(now, each.name) for each in fields(now)}
    for name, value in _table(given, values).items():
        amount = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        if not (isinstance(value, str) if name == "currency" else amount):
            raise malformed(f"prices.{name} is a {'text' if name == 'currency' else 'number of at least 0'}.")
        values[name] = value
    return Prices(**values)
