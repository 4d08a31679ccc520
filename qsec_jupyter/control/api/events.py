"""What happened, for those whom it concerns; everything for administrators and auditors."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from ...core.errors import Invalid
from ...core.model import moment, rfc3339
from ..events import EventQuery
from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/events", tags=["events"])

Kind = Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+(\.[a-z_]+)?$")]
Text = Annotated[str | None, Query(max_length=40)]


@router.get("", response_model=schemas.EventPage)
def list_events(
    control: Control,
    asker: Asker,
    kind: Kind = None,
    target: Text = None,
    since: Text = None,
    until: Text = None,
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
