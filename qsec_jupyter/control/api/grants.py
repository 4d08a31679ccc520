"""Requests, decisions and endings."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ...core.errors import Invalid
from . import schemas
from .edge import LONG_POLL_SECONDS, AskingKernel, Control

router = APIRouter(prefix="/v1/grants", tags=["grants"])


@router.post("", response_model=schemas.Grant, status_code=201)
def request_grant(body: schemas.GrantRequest, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Ask for a target on behalf of a kernel."""
    kernel_id = body.kernel_id or asking_kernel
    if not kernel_id:
        raise Invalid(
            "request.no_kernel", "A grant belongs to a kernel", remedy="Open a notebook and ask again."
        )
    return control.access.request(
        body.target, body.reason, body.ticket, body.duration, kernel_id, asking_kernel
    )


@router.get("/{grant_id}", response_model=schemas.Grant)
async def get_grant(
    grant_id: str,
    control: Control,
    unless: str | None = None,
    wait: Annotated[float, Query(ge=0, le=LONG_POLL_SECONDS)] = 0,
    asking_kernel: AskingKernel = None,
) -> Any:
    """Return a grant; with ``unless``, as soon as its state is another one."""
    deadline = asyncio.get_running_loop().time() + wait
    while True:
        version = control.changes.version
        grant = await asyncio.to_thread(control.access.get, grant_id, asking_kernel)
        left = deadline - asyncio.get_running_loop().time()
        if grant.state != unless or left <= 0:
            return grant
        await control.changes.beyond(version, left)


@router.post("/{grant_id}/approve", response_model=schemas.Grant)
def approve_grant(
    grant_id: str, body: schemas.Comment, control: Control, asking_kernel: AskingKernel = None
) -> Any:
    """Approve a request; its clock starts."""
    return control.access.decide(grant_id, "approve", body.comment, asking_kernel)


@router.post("/{grant_id}/deny", response_model=schemas.Grant)
def deny_grant(
    grant_id: str, body: schemas.Comment, control: Control, asking_kernel: AskingKernel = None
) -> Any:
    """Deny a request."""
    return control.access.decide(grant_id, "deny", body.comment, asking_kernel)


@router.post("/{grant_id}/cancel", response_model=schemas.Grant)
def cancel_grant(
    grant_id: str, body: schemas.Comment, control: Control, asking_kernel: AskingKernel = None
) -> Any:
    """Withdraw a request before it is decided."""
    return control.access.end(grant_id, "cancel", body.comment, asking_kernel)


@router.post("/{grant_id}/revoke", response_model=schemas.Grant)
def revoke_grant(
    grant_id: str, body: schemas.Comment, control: Control, asking_kernel: AskingKernel = None
) -> Any:
    """End a grant early."""
    return control.access.end(grant_id, "revoke", body.comment, asking_kernel)
