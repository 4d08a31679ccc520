"""What somebody asks for, and the rules that a request must keep before policy sees it. Pure; no I/O."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..core.classification import DATA_CLASSES, DataClass
from ..core.duration import format_duration
from ..core.errors import Denied, Invalid
from ..core.model import Grant, Payload, Price, Project, Scope, Target, moment, rfc3339
from .callers import Caller
from .catalog import Catalogue
from .grants import check_duration, check_reason, check_ticket

MOST_CIRCUITS = 10_000


@dataclass(frozen=True, slots=True)
class Wish:
    """A request as it came in, unchecked.

    Attributes:
        kernel_id: For which kernel.
        data_class: The class that the notebook names; the project's, else the default, when it names none.
        start: When it shall begin (RFC 3339); at once when not given.
        scope: ``submit``, or ``metadata`` to look at backends and queues only.
        payload: What will run: ``circuits`` (structural hashes), ``backend`` and ``shots``.
    """

    target: str
    kernel_id: str
    reason: str | None = None
    ticket: str | None = None
    duration: str | None = None
    project: str | None = None
    data_class: str | None = None
    start: str | None = None
    break_glass: bool = False
    scope: str = "submit"
    payload: Mapping[str, Any] | None = None


def check(wish: Wish, caller: Caller, catalogue: Catalogue, now: datetime) -> Grant:
    """Return the request that a wish makes.

    Raises:
        NotFound: ``target.unknown`` or ``project.unknown``.
        Denied: ``request.foreign_kernel``.
        Invalid: What the wish lacks, or says wrongly.
    """
    if caller.kernel_id is not None and wish.kernel_id != caller.kernel_id:
        raise Denied(
            "request.foreign_kernel",
            "A kernel asks for itself only",
            "The rule: a grant belongs to the kernel that asks.",
            "Ask from the notebook that needs the grant.",
        )
    target = catalogue.target(wish.target)
    project = catalogue.project(wish.project) if wish.project else None
    scope = check_scope(wish.scope, wish.payload)
    payload = check_payload(wish.payload, target) if scope == "submit" else None
    duration = check_duration(wish.duration, target)
    start = check_start(wish.start, catalogue, now)
    return Grant(
        id=secrets.token_hex(16),
        target=target.name,
        state="requested",
        requester=caller.principal.name,
        requester_subject=caller.principal.subject,
        requester_roles=caller.principal.roles,
        kernel_id=wish.kernel_id,
        reason=check_reason(wish.reason),
        ticket=check_ticket(wish.ticket, target),
        duration=duration,
        requested_at=rfc3339(now),
        pending_until=rfc3339(now + timedelta(seconds=target.pending)),
        project=project.name if project else None,
        data_class=data_class_of(wish.data_class, project, target, catalogue),
        scope=scope,
        start_at=start,
        break_glass=wish.break_glass,
        payload=payload,
        cost=cost_of(payload, target.price),
    )


def data_class_of(
    named: str | None, project: Project | None, target: Target, catalogue: Catalogue
) -> DataClass:
    """Return the class that holds: the strictest of notebook, project and site.

    Raises:
        Invalid: ``request.data_class`` for a class that is not known; ``request.project_target`` for a
            target that the project does not use.
    """
    if named is not None and named not in DATA_CLASSES:
        raise Invalid(
            "request.data_class",
            "There is no such data class",
            f"The classes: {', '.join(DATA_CLASSES)}.",
            "Correct qsec.data_class in the notebook's metadata.",
        )
    if project and project.targets and target.name not in project.targets:
        raise Invalid(
            "request.project_target",
            "The project does not use that target",
            f"{project.name} uses {', '.join(project.targets)}.",
            "Choose one of them, or another project.",
        )
    policy = catalogue.data_policy
    wanted = named or (project.data_class if project else policy.default)
    least = [policy.floor, wanted, *([project.data_class] if project else [])]
    return max(least, key=DATA_CLASSES.index)


def check_start(start: str | None, catalogue: Catalogue, now: datetime) -> str | None:
    """Return the wanted start in UTC; ``None`` for one that is not in the future.

    Raises:
        Invalid: ``request.start`` for what is no time, or too far ahead.
    """
    if not start:
        return None
    ahead = catalogue.caps.start_ahead
    try:
        wanted: datetime | None = moment(start)
    except ValueError:
        wanted = None
    if wanted is None or wanted.tzinfo is None or wanted > now + timedelta(seconds=ahead):
        raise Invalid(
            "request.start",
            "That start is not possible",
            f"The rule: a time with its zone, at most {format_duration(ahead)} ahead.",
            'Write it as "2026-01-31T09:00:00+01:00".',
        )
    return rfc3339(wanted) if wanted > now else None


def check_scope(scope: str, payload: Mapping[str, Any] | None) -> Scope:
    """Return what the grant will be good for.

    Raises:
        Invalid: ``request.scope`` for what nobody can ask for, or not together with a payload.
    """
    if scope == "submit":
        return "submit"
    if scope == "metadata" and payload is None:
        return "metadata"
    raise Invalid(
        "request.scope",
        "That scope cannot be asked for",
        "The rule: submit, or metadata, which runs nothing. A job brings the right to its results.",
        "Leave the scope out to submit, or the payload to look only.",
    )


def check_payload(told: Mapping[str, Any] | None, target: Target) -> Payload | None:
    """Return what will run.

    Raises:
        Invalid: ``request.payload`` when it is malformed, or missing where the target wants it.
    """
    if told is None and not target.bind_payload:
        return None
    try:
        payload = Payload.from_dict(dict(told or {}))
    except (KeyError, TypeError, ValueError):
        payload = Payload((), "", 0)
    named = payload.backend and payload.shots > 0 and 0 < len(payload.circuits) <= MOST_CIRCUITS
    if not named or any(len(circuit) > 200 for circuit in payload.circuits):
        raise Invalid(
            "request.payload",
            "The request does not say what will run",
            f"{target.name} is given out for certain circuits, one backend and a number of shots.",
            "Say in the request which circuits, on which backend, with how many shots.",
        )
    return payload


def cost_of(payload: Payload | None, price: Price | None) -> str | None:
    """Return what a payload costs by the catalogue's prices, such as ``12.40 USD``."""
    if payload is None or price is None:
        return None
    return f"{amount_of(payload, price):.2f} {price.currency}"


def amount_of(payload: Payload, price: Price) -> float:
    """Return what a payload costs, to the last fraction of a cent: many small jobs are no cheap ones."""
    return price.per_job + price.per_circuit * len(payload.circuits) + price.per_shot * payload.shots


def changes(asked: Payload, approved: Payload) -> list[dict[str, Any]]:
    """Return what differs between what is asked and what was approved, field by field."""
    pairs = {
        "circuits": (list(approved.circuits), list(asked.circuits)),
        "backend": (approved.backend, asked.backend),
        "shots": (approved.shots, asked.shots),
    }
    return [{"field": name, "approved": a, "asked": b} for name, (a, b) in pairs.items() if a != b]
