"""Series of like requests that are approved once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/series", tags=["series"])


@router.get("", response_model=list[schemas.Series])
def list_series(control: Control) -> Any:
    """Return the series that still approve something."""
    return control.series.listed()


@router.post("", response_model=schemas.Series, status_code=201)
def approve_series(body: schemas.SeriesRequest, control: Control, asker: Asker) -> Any:
    """Approve requests like one that was looked at, a number of times, for some days."""
    return control.access.approve_series(asker, body.grant_id, body.times, body.days)


@router.post("/{series_id}/end", response_model=list[schemas.Series])
def end_series(series_id: str, control: Control, asker: Asker) -> Any:
    """End a series early; return those that are left."""
    control.access.end_series(asker, series_id)
    return control.series.listed()
