"""Locks: set at once, lifted by hand."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/locks", tags=["locks"])


@router.get("", response_model=list[schemas.Lock])
def list_locks(control: Control) -> Any:
    """Return what is locked."""
    return control.locks.listed()


@router.post("", response_model=schemas.Locked, status_code=201)
def set_lock(body: schemas.LockRequest, control: Control, asker: Asker) -> Any:
    """Lock a user, role, server, target or the site; what it holds for ends."""
    lock, ended = control.ending.lock(asker, body.kind, body.name, body.reason)
    return {"lock": lock, "ended": ended}


@router.post("/{lock_id}/lift", response_model=schemas.Lock)
def lift_lock(lock_id: str, control: Control, asker: Asker) -> Any:
    """Lift a lock."""
    return control.ending.lift(asker, lock_id)
