"""The snapshot that the panel shows, with a long poll; health."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query

from . import schemas
from .edge import LONG_POLL_SECONDS, Asker, Control

router = APIRouter(prefix="/v1", tags=["state"])

Wait = Annotated[float, Query(ge=0, le=LONG_POLL_SECONDS)]


@router.get("/state", response_model=schemas.State)
async def get_state(control: Control, asker: Asker, since: int = 0, wait: Wait = 0) -> Any:
    """Return everything the panel shows; with ``since``, as soon as something has changed."""
    if wait and since <= control.changes.version:
        await control.changes.beyond(since, wait)
    return await asyncio.to_thread(control.panel.snapshot, asker)


@router.get("/health", response_model=schemas.Health)
def get_health(control: Control) -> Any:
    """Return what is right and wrong."""
    return control.health.report()
