"""The envelope of a target: what any job there must keep to, whoever submits it. Pure; no I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from ...core.duration import parse_duration
from ...core.errors import Denied
from .model import Submission

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@+-]{0,199}")
"""What names of backends, regions and reservations consist of, Amazon's resource names included. No other
letter looks like one of these and is another."""
_PATTERN = re.compile(r"[A-Za-z0-9_.:/@+*?-]{1,200}")
_LIMITS = ("max_shots", "max_circuits", "max_width", "max_depth", "max_execution_time")
_KEYS = frozenset({*_LIMITS, "backends", "regions", "reservations", "labels", "quota", "on_end", "pulses"})
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:=-]{0,99}")

OnEnd = Literal["cancel", "close", "leave"]
"""``cancel``: queued jobs are cancelled and sessions closed; ``close``: sessions only; ``leave``: neither."""
Ending = Literal["expired", "kernel", "revoked", "lock"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
ON_END: Mapping[str, OnEnd] = {
    "expired": "close",
    "kernel": "close",
    "revoked": "cancel",
    "lock": "cancel",
}
"""What is done when the catalogue says nothing: a job that waits in a queue outlives the notebook."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much may be used in a calendar month (UTC); ``None`` for any."""

    jobs: int | None = None
    shots: int | None = None
    execution_seconds: int | None = None
    cost: float | None = None

    @classmethod
    def parse(cls, told: Any) -> Allowance:
        """Read one table of ``quota``.

        Raises:
            ValueError, TypeError: It holds something else.
        """
        _refuse_unknown(told, {one.name for one in fields(cls)})
        numbers: dict[str, Any] = {name: _amount(name, value) for name, value in told.items()}
        return cls(**numbers)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What jobs at a target must keep to.

    Attributes:
        backends: Patterns of the backends' names: ``*`` for anything but ``/`` and ``:``, ``?`` for one
            such character. ``None`` where the target's own ``backends`` say it.
        regions: Where devices may stand; empty for anywhere.
        max_shots: Of all circuits together.
        max_execution_time: In seconds; a job must then name a limit of its own that is no higher.
        pulses: Whether a job may play pulses: what they do to a machine, no width or depth tells.
        reservations: Patterns of the reservations that a job may name, as of the backends.
        labels_required: A job carries at least one of these.
        labels_allowed: A job carries no others; ``None`` for any.
        quota: By whom it is counted: ``user``, ``project`` or ``target`` (everybody together).
        on_end: What becomes of queued jobs and open sessions, by how their grant ended.
    """

    backends: tuple[str, ...] | None = None
    regions: tuple[str, ...] = ()
    max_shots: int | None = None
    max_circuits: int | None = None
    max_width: int | None = None
    max_depth: int | None = None
    max_execution_time: int | None = None
    pulses: bool = False
    reservations: tuple[str, ...] = ()
    labels_required: tuple[str, ...] = ()
    labels_allowed: tuple[str, ...] | None = None
    quota: Mapping[str, Allowance] = field(default_factory=dict)
    on_end: Mapping[str, OnEnd] = field(default_factory=lambda: dict(ON_END))

    @classmethod
    def parse(cls, told: Any) -> Envelope:
        """Read ``[targets.NAME.envelope]``.

        Raises:
            ValueError, TypeError, QsecError: It holds something that no envelope has.
        """
        _refuse_unknown(told, _KEYS)
        labels, values = told.get("labels", {}), {key: told[key] for key in _LIMITS if key in told}
        _refuse_unknown(labels, {"required", "allowed"})
        limit = values.pop("max_execution_time", None)
        return cls(
            backends=_texts(told["backends"], _PATTERN) if "backends" in told else None,
            regions=_texts(told.get("regions", ()), NAME),
            reservations=_texts(told.get("reservations", ()), _PATTERN),
            max_execution_time=None if limit is None else parse_duration(limit),
            pulses=_yes_or_no(told.get("pulses", False)),
            labels_required=_texts(labels.get("required", ()), _LABEL),
            labels_allowed=_texts(labels["allowed"], _LABEL) if "allowed" in labels else None,
            quota=_quota(told.get("quota", {})),
            on_end=_on_end(told.get("on_end", {})),
            **{name: _whole(value) for name, value in values.items()},
        )

    def check(self, job: Submission, permitted: Callable[[str], bool]) -> None:
        """Make sure that a job keeps to it.

        Args:
            job: As its provider's module read it.
            permitted: Whether the target's own patterns take in a backend, for an envelope without any.

        Raises:
            Denied: ``envelope.*``, naming the limit.
        """
        self._backend(job.backend, permitted)
        if self.regions and job.region not in self.regions:
            where = job.region or "a place that its provider does not name"
            said = f"It stands in {where}; allowed: {', '.join(self.regions)}."
            raise _outside("region", said, "Choose a backend in one of them.")
        if job.reservation and not self.takes_reservation(job.reservation):
            raise _outside(
                "reservation_named",
                "The target takes no job in the reservation that it names.",
                "Leave it out, or have it put into the envelope's reservations.",
            )
        if job.pulses and not self.pulses:
            raise _outside(
                "pulses",
                "It plays pulses (cal, defcal), which the target does not take.",
                "Write it in gates, or have pulses = true put into the target's envelope.",
            )
        self._sizes(job)
        self.check_labels(job.tags)

    def takes_reservation(self, name: str) -> bool:
        """Say whether a job may name a reservation."""
        return bool(NAME.fullmatch(name)) and any(matches(name, one) for one in self.reservations)

    def _backend(self, name: str, permitted: Callable[[str], bool]) -> None:
        if not NAME.fullmatch(name):
            raise _outside(
                "backend", "That is not the name of a backend.", "Name it in plain letters and digits."
            )
        known = permitted(name) if self.backends is None else any(matches(name, one) for one in self.backends)
        if not known:
            raise _outside(
                "backend",
                f"No pattern of this target takes in {name}.",
                "Choose another backend, or have it added to the target's backends in catalog.toml.",
            )

    def _sizes(self, job: Submission) -> None:
        width = max((circuit.width for circuit in job.circuits), default=0)
        depth = max((circuit.depth for circuit in job.circuits), default=0)
        _within("circuits", len(job.circuits), self.max_circuits, "circuits in one job")
        _within("width", width, self.max_width, "qubits in a circuit")
        _within("depth", depth, self.max_depth, "of a circuit's depth")
        _within("shots", job.shots, self.max_shots, "shots in one job")
        _within("execution_time", job.execution_seconds, self.max_execution_time, "seconds of execution")

    def check_labels(self, labels: tuple[str, ...]) -> None:
        """Make sure that a job is labelled as it must be.

        Raises:
            Denied: ``envelope.labels``.
        """
        if self.labels_required and not set(labels) & set(self.labels_required):
            raise _outside(
                "labels",
                f"A job here is labelled with one of {', '.join(self.labels_required)}.",
                "Add it to the job's tags.",
            )
        if self.labels_allowed is not None and set(labels) - {*self.labels_allowed, *self.labels_required}:
            raise _outside(
                "labels",
                f"Labels here: {', '.join(self.labels_allowed) or 'none'}.",
                "Take the others away from the job's tags.",
            )


def matches(name: str, pattern: str) -> bool:
    """Say whether a pattern takes in a name; a ``*`` reaches over no ``/`` or ``:``."""
    parts = re.split(r"([*?])", pattern)
    wild = {"*": "[^/:]*", "?": "[^/:]"}
    return re.fullmatch("".join(wild.get(part) or re.escape(part) for part in parts), name) is not None


def _within(what: str, asked: int | None, most: int | None, unit: str) -> None:
    if asked is not None and asked < 0:  # it would give back what others used
        raise _outside(what, f"{asked} {unit} are no number of them.", "Ask for one that is not negative.")
    if most is None:
        return
    if asked is None:
        raise unstated(what, f"The rule: at most {most} {unit}.")
    if asked > most:
        raise _outside(what, f"{asked} {unit}; at most {most} are allowed.", "Submit a smaller job.")


def unstated(what: str, rule: str) -> Denied:
    """Return the refusal of a job that leaves open what a limit is about."""
    options = {"shots": "shots", "execution_time": "max_execution_time"}
    return Denied(
        f"envelope.{what}_unstated",
        "This job was not submitted: it does not say how much it asks for",
        rule,
        f"Set the option {options.get(what, what)} of the job.",
    )


def _outside(what: str, detail: str, remedy: str) -> Denied:
    return Denied(
        f"envelope.{what}",
        "This job was not submitted: it is outside of what the target takes",
        detail,
        remedy,
    )


# -- reading --------------------------------------------------------------------------------------


def _refuse_unknown(told: Any, known: Set[str]) -> None:
    if not isinstance(told, Mapping):
        raise TypeError("a table is wanted")
    if unknown := set(told) - known:
        raise ValueError(f"{min(unknown)} does not exist")


def _texts(told: Any, form: re.Pattern[str]) -> tuple[str, ...]:
    if not isinstance(told, (list, tuple)):
        raise TypeError("a list is wanted")
    for one in told:
        if not isinstance(one, str) or not form.fullmatch(one):
            raise ValueError("a name or pattern holds something else than plain letters and digits")
    return tuple(told)


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a limit is a whole number")
    return value


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("pulses is true or false")
    return value


def _amount(name: str, value: Any) -> float | int:
    if name == "execution_seconds" and isinstance(value, str):
        return parse_duration(value)
    if name == "cost" and type(value) in {int, float} and value >= 0:
        return float(value)
    return _whole(value)


def _quota(told: Any) -> dict[str, Allowance]:
    _refuse_unknown(told, {"user", "project", "target"})
    return {by: Allowance.parse(table) for by, table in told.items()}


def _on_end(told: Any) -> dict[str, OnEnd]:
    table = dict.fromkeys(ENDINGS, told) if isinstance(told, str) else told
    _refuse_unknown(table, set(ENDINGS))
    if wrong := set(table.values()) - set(get_args(OnEnd)):
        raise ValueError(f"on_end: {min(map(str, wrong))} does not exist")
    return {**ON_END, **table}
