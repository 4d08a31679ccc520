"""What a decision depends on beside who and what: one set of circumstances for each kind of action."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Action = Literal[
    "request",
    "auto_approve",
    "approve",
    "deny",
    "issue",
    "revoke",
    "cancel",
    "run",
    "extend",
    "view",
    "lock",
    "audit",
    "rotate",
    "submit",
]


@dataclass(frozen=True, slots=True)
class Situation:
    """Of an action on a grant or a run; the schema's ``Situation``."""

    from_kernel: bool = False
    own_request: bool = False
    own_kernel: bool = False
    single_user: bool = False
    granted: bool = False
    local: bool = False
    reviewer: bool = True
    voted: bool = False
    member: bool = True
    locked: bool = False
    standing: bool = False
    break_glass: bool = False
    data_class: str = "internal"
    scope: str = "submit"


@dataclass(frozen=True, slots=True)
class Job:
    """Of a job at the gateway, which has read it itself; the schema's ``Job``.

    Attributes:
        shots: Of all circuits together; where the client names none, rules find no such attribute.
        execution_seconds: The limit that the client asks for; as ``shots``.
    """

    backend: str = ""
    region: str = ""
    circuits: int = 1
    width: int = 1
    depth: int = 1
    shots: int | None = None
    execution_seconds: int | None = None
    labels: tuple[str, ...] = ()
    session: bool = False
    scope: str = "submit"
    data_class: str = "internal"
    own_grant: bool = True
    member: bool = True
    payload_bound: bool = False
    within_envelope: bool = True
    within_quota: bool = True
    locked: bool = False


Context = Situation | Job


def kind_of(action: Action) -> type[Context]:
    """Return which circumstances an action is decided by."""
    return Job if action == "submit" else Situation


def to_cedar(context: Context) -> dict[str, Any]:
    """Return circumstances as Cedar reads them; what is not known is left out."""
    values = {name: getattr(context, name) for name in type(context).__slots__}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None
    }


def from_table(action: Action, told: dict[str, Any]) -> Context:
    """Return circumstances as a table of cases or a question gives them; what is left out is the usual.

    Raises:
        ValueError: There is no such circumstance, or it has another type.
    """
    kind = kind_of(action)
    usual = {field.name: field.default for field in fields(kind)}
    values = {}
    for name, value in told.items():
        if name not in usual:
            raise ValueError(f"context.{name} does not exist for {action}")
        values[name] = _typed(name, value, usual[name])
    return kind(**values)


def _typed(name: str, value: Any, usual: Any) -> Any:
    wanted = int if usual is None else type(usual)  # what may be unknown is a number
    if wanted is int and isinstance(value, str) and value.isdecimal():
        return int(value)  # from a command line
    if wanted is tuple and isinstance(value, (list, str)):
        return tuple(value) if isinstance(value, list) else tuple(filter(None, value.split(",")))
    if type(value) is not wanted:
        raise ValueError(f"context.{name} is not a {wanted.__name__}")
    return value


ACTIONS: tuple[Action, ...] = get_args(Action)
