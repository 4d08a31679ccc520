"""Requests, decisions, extensions and endings."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ...core.errors import Invalid, QsecError
from ..asking import Wish
from . import schemas
from .edge import LONG_POLL_SECONDS, Asker, Control

router = APIRouter(prefix="/v1/grants", tags=["grants"])


@router.post("", response_model=schemas.Grant, status_code=201)
def request_grant(body: schemas.GrantRequest, control: Control, asker: Asker) -> Any:
    """Ask for a target on behalf of a kernel."""
    kernel_id = body.kernel_id or asker.kernel_id
    if not kernel_id:
        raise Invalid(
            "request.no_kernel", "A grant belongs to a kernel", remedy="Open a notebook and ask again."
        )
    return control.access.request(asker, Wish(**{**body.model_dump(), "kernel_id": kernel_id}))


@router.post("/deny", response_model=schemas.Denials)
def deny_grants(body: schemas.BulkDenial, control: Control, asker: Asker) -> Any:
    """Deny several requests; each is answered for itself."""
    denied: list[str] = []
    refused: dict[str, str] = {}
    for grant_id in dict.fromkeys(body.ids):
        try:
            control.access.decide(asker, grant_id, "deny", body.comment)
            denied.append(grant_id)
        except QsecError as error:
            refused[grant_id] = error.code
    return {"denied": denied, "refused": refused}


@router.get("/{grant_id}", response_model=schemas.Grant)
async def get_grant(
    grant_id: str,
    control: Control,
    asker: Asker,
    unless: str | None = None,
    wait: Annotated[float, Query(ge=0, le=LONG_POLL_SECONDS)] = 0,
) -> Any:
    """Return a grant; with ``unless``, as soon as its state is another one."""
    deadline = asyncio.get_running_loop().time() + wait
    while True:
        version = control.changes.version
        grant = await asyncio.to_thread(control.lookup.get, grant_id, asker)
        left = deadline - asyncio.get_running_loop().time()
        if grant.state != unless or left <= 0:
            return grant
        await control.changes.beyond(version, left)


@router.post("/{grant_id}/approve", response_model=schemas.Grant)
def approve_grant(grant_id: str, body: schemas.Approval, control: Control, asker: Asker) -> Any:
    """Approve a request; its clock starts when no more approvals are needed and its start has come."""
    return control.access.decide(asker, grant_id, "approve", body.comment, body.payload_digest)


@router.post("/{grant_id}/deny", response_model=schemas.Grant)
def deny_grant(grant_id: str, body: schemas.Comment, control: Control, asker: Asker) -> Any:
    """Deny a request."""
    return control.access.decide(asker, grant_id, "deny", body.comment)


@router.post("/{grant_id}/extend", response_model=schemas.Grant, status_code=201)
def extend_grant(grant_id: str, body: schemas.Extension, control: Control, asker: Asker) -> Any:
    """Ask for more time; the answer is a request of its own."""
    return control.access.extend(asker, grant_id, body.duration, body.reason)


@router.post("/{grant_id}/review", response_model=schemas.Grant)
def review_grant(grant_id: str, body: schemas.Comment, control: Control, asker: Asker) -> Any:
    """Note that a use of break-glass was looked at."""
    return control.access.review(asker, grant_id, body.comment)


@router.post("/{grant_id}/cancel", response_model=schemas.Grant)
def cancel_grant(grant_id: str, body: schemas.Comment, control: Control, asker: Asker) -> Any:
    """Withdraw a request before it is decided."""
    return control.ending.end(asker, grant_id, "cancel", body.comment)


@router.post("/{grant_id}/revoke", response_model=schemas.Grant)
def revoke_grant(grant_id: str, body: schemas.Comment, control: Control, asker: Asker) -> Any:
    """End a grant early."""
    return control.ending.end(asker, grant_id, "revoke", body.comment)
