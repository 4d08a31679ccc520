"""Locks: set at once, lifted by hand."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter

from .edge import Asker, Control
from .schema import Name, Schema, Text

router = APIRouter(prefix="/v1/locks", tags=["locks"])


class Lock(Schema):
    """What is locked, by whom and why."""

    id: str
    kind: Literal["user", "role", "server", "target", "site"]
    name: str
    reason: str
    locked_by: str
    locked_at: str
    lifted_by: str | None
    lifted_at: str | None


class LockRequest(Schema):
    """Lock something; a lock of the site needs no name."""

    kind: Name
    name: Name = ""
    reason: Text


class Locked(Schema):
    """A lock that was set, and the grants that it ended."""

    lock: Lock
    ended: list[str]


@router.get("", response_model=list[Lock])
def list_locks(control: Control) -> Any:
    """Return what is locked."""
    return control.locks.listed()


@router.post("", response_model=Locked, status_code=201)
def set_lock(body: LockRequest, control: Control, asker: Asker) -> Any:
    """Lock a user, role, server, target or the site; what it holds for ends."""
    lock, ended = control.ending.lock(asker, body.kind, body.name, body.reason)
    return {"lock": lock, "ended": ended}


@router.post("/{lock_id}/lift", response_model=Lock)
def lift_lock(lock_id: str, control: Control, asker: Asker) -> Any:
    """Lift a lock."""
    return control.ending.lift(asker, lock_id)
