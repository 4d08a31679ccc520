"""What happened, for those whom it concerns; everything for administrators and auditors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from ...core.errors import Invalid
from ...core.model import moment, rfc3339
from ..events import EventQuery
from .edge import Asker, Control
from .schema import Schema

router = APIRouter(prefix="/v1/events", tags=["events"])


class Event(Schema):
    """What happened: an entry of the ledger, with names in the place of pseudonyms.

    ``actor`` is who did it (``None``: time or policy), ``requester`` whose grant or token it is about; both
    are ``None`` for persons who were forgotten. ``details`` is what else the entry says, by ``kind``.
    """

    position: int
    time: str
    kind: str
    meaning: str
    asserted_by: Literal["control", "server", "kernel"]
    actor: str | None
    requester: str | None
    target: str | None
    grant_id: str | None
    details: dict[str, Any]


class EventPage(Schema):
    """Events, newest first; ``next`` is the ``before`` of the page that follows, if one does."""

    events: list[Event]
    next: int | None
    all: bool


Kind = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+(\.[a-z_]+)?$")]
Asked = Annotated[str | None, Query(max_length=40)]


@router.get("", response_model=EventPage)
def list_events(
    control: Control,
    asker: Asker,
    kind: Kind = None,
    target: Asked = None,
    since: Asked = None,
    until: Asked = None,
    before: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Any:
    """Return a page of events, newest first. ``kind`` is a type, or a family such as ``grant``."""
    query = EventQuery(kind, target, _utc(since), _utc(until))
    events, following = control.events.listed(asker, query, before, limit)
    return {"events": events, "next": following, "all": control.events.sees_all(asker)}


def _utc(time: str | None) -> str | None:
    if not time:
        return None
    try:
        told = moment(time)
    except ValueError:
        told = None
    if told is None or told.tzinfo is None:
        raise Invalid(
            "event.time", "That is no time", "A time has its zone.", 'Such as "2026-01-31T09:00:00Z".'
        )
    return rfc3339(told)
