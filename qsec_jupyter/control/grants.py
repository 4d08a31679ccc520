"""A grant's life: one table of transitions, and the rules that a request must keep. Pure; no I/O."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from ..core.duration import format_duration, parse_duration
from ..core.errors import Conflict, Invalid
from ..core.model import Grant, GrantState, Target, rfc3339

GrantEvent = Literal["approve", "deny", "cancel", "activate", "expire", "revoke", "extend"]

TRANSITIONS: dict[tuple[GrantState, GrantEvent], GrantState] = {
    ("requested", "approve"): "approved",
    ("requested", "deny"): "denied",
    ("requested", "cancel"): "cancelled",
    ("requested", "expire"): "expired",
    ("approved", "activate"): "active",
    ("approved", "cancel"): "cancelled",
    ("approved", "revoke"): "revoked",
    ("approved", "expire"): "expired",
    ("active", "revoke"): "revoked",
    ("active", "expire"): "expired",
    ("active", "extend"): "active",
}
"""Everything that can happen to a grant. What is not here cannot."""

REASON_LENGTH = 500


def step(grant: Grant, event: GrantEvent, moment: datetime, until: datetime | None = None) -> Grant:
    """Return the grant after ``event``.

    The clock of a grant starts when it is activated, not while it waits for a decision.

    Args:
        grant: As it was.
        event: What happens.
        moment: When.
        until: An activated or extended grant ends then at the latest, whatever its duration.

    Raises:
        Conflict: ``grant.wrong_state`` when the table has no such transition.
    """
    state = TRANSITIONS.get((grant.state, event))
    if state is None:
        raise Conflict(
            "grant.wrong_state",
            "That is not possible any more",
            f"The grant is {grant.state}; it cannot be changed by {event}.",
            "Look at its present state, and make a new request if you need one.",
        )
    if event == "extend":
        assert until is not None  # its new end
        return replace(grant, expires_at=rfc3339(until))
    if state == "active":
        ends = moment + timedelta(seconds=grant.duration)
        ends = ends if until is None else min(ends, until)
        return replace(grant, state=state, activated_at=rfc3339(moment), expires_at=rfc3339(ends))
    if state == "approved":
        return replace(grant, state=state)
    return replace(grant, state=state, ended_at=rfc3339(moment))


def check_reason(reason: str | None) -> str:
    """Return the reason without surrounding blanks.

    Raises:
        Invalid: ``request.reason_missing`` or ``request.reason_too_long``.
    """
    text = (reason or "").strip()
    if not text:
        raise Invalid(
            "request.reason_missing",
            "A request needs a reason",
            "The rule: every request says what it is for.",
            'Add one, e.g. reason="first run".',
        )
    if len(text) > REASON_LENGTH:
        raise Invalid(
            "request.reason_too_long",
            "That reason is too long",
            f"The rule: at most {REASON_LENGTH} characters.",
            "Shorten it, and put the rest in the ticket.",
        )
    return text


def check_ticket(ticket: str | None, target: Target) -> str | None:
    """Return the ticket, or ``None`` where the target needs none.

    Raises:
        Invalid: ``request.ticket_missing`` or ``request.ticket_malformed``, naming the pattern.
    """
    text = (ticket or "").strip() or None
    if text is None:
        if target.ticket_required:
            raise Invalid(
                "request.ticket_missing",
                "This target needs a ticket",
                f"The rule: {target.name} is given out for a ticket of the form {target.ticket_pattern}.",
                "Add the ticket to the request.",
            )
        return None
    if len(text) > 100 or (target.ticket_pattern and not re.fullmatch(target.ticket_pattern, text)):
        raise Invalid(
            "request.ticket_malformed",
            "That is not a ticket of this target",
            f"The rule: a ticket for {target.name} has the form {target.ticket_pattern}.",
            "Correct the ticket.",
        )
    return text


def check_duration(text: str | None, target: Target) -> int:
    """Return the wanted duration in seconds; the target's default when none is given.

    Raises:
        Invalid: ``duration.malformed`` or ``duration.over_cap``.
    """
    if text is None or not text.strip():
        return target.default_duration
    seconds = parse_duration(text)
    if seconds > target.max_duration:
        raise Invalid(
            "duration.over_cap",
            "That is longer than this target allows",
            f"The rule: {target.name} is given out for at most {format_duration(target.max_duration)}.",
            "Ask for less time; you can ask again when it is over.",
        )
    return seconds
