"""Series of like requests that are approved once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ..callers import Caller
from ..control_plane import ControlPlane
from .edge import Asker, Control
from .schema import Count, Name, Schema

router = APIRouter(prefix="/v1/series", tags=["series"])


class Series(Schema):
    """Like requests that were approved once."""

    id: str
    subject: str
    target: str
    terms: dict[str, Any]
    left: int
    until: str
    approved_by: str
    grant_id: str


class SeriesRequest(Schema):
    """Approve requests like one."""

    grant_id: Name
    times: Count
    days: Count


@router.get("", response_model=list[Series])
def list_series(control: Control, asker: Asker) -> Any:
    """Return the series that still approve something, as far as the caller may see what they began with."""
    return _visible(control, asker)


@router.post("", response_model=Series, status_code=201)
def approve_series(body: SeriesRequest, control: Control, asker: Asker) -> Any:
    """Approve requests like one that was looked at, a number of times, for some days."""
    return control.access.approve_series(asker, body.grant_id, body.times, body.days)


@router.post("/{series_id}/end", response_model=list[Series])
def end_series(series_id: str, control: Control, asker: Asker) -> Any:
    """End a series early; return those that are left."""
    control.access.end_series(asker, series_id)
    return _visible(control, asker)


def _visible(control: ControlPlane, asker: Caller) -> list[Any]:
    return [one for one in control.series.listed() if control.lookup.sees(one.grant_id, asker)]
