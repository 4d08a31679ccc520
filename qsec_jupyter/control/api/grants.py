"""Requests, decisions, extensions and endings."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from ...core.classification import DataClass
from ...core.errors import Invalid, QsecError
from ...core.model import GrantState, Scope
from ..asking import Wish
from .edge import LONG_POLL_SECONDS, Asker, Control
from .schema import Name, Schema, Text

router = APIRouter(prefix="/v1/grants", tags=["grants"])


class Payload(Schema):
    """What will run: structural hashes of the circuits, one backend, shots of all circuits together."""

    circuits: Annotated[list[Name], Field(min_length=1, max_length=10_000)]
    backend: Name
    shots: Annotated[int, Field(ge=1, le=10**9)]


class Vote(Schema):
    """One reviewer's word on a request."""

    reviewer: str
    subject: str
    verdict: Literal["approve", "deny"]
    round: int
    at: str
    comment: str | None


class Grant(Schema):
    """A kernel's right to a target, for a time."""

    id: str
    target: str
    state: GrantState
    requester: str
    kernel_id: str
    reason: str
    ticket: str | None
    duration: int
    requested_at: str
    decided_by: str | None
    decided_at: str | None
    decision_comment: str | None
    activated_at: str | None
    expires_at: str | None
    ended_at: str | None
    policies: list[str]
    requester_subject: str
    requester_roles: list[str]
    project: str | None
    data_class: DataClass
    scope: Scope
    start_at: str | None
    pending_until: str | None
    break_glass: bool
    payload: Payload | None
    cost: str | None
    extends: str | None
    parent: str | None
    jobs: list[str]
    votes: list[Vote]
    reviewed_by: str | None


class PayloadChange(Schema):
    """One thing that differs between what was approved and what is asked."""

    field: Literal["circuits", "backend", "shots"]
    approved: list[str] | str | int
    asked: list[str] | str | int


class AwaitedGrant(Grant):
    """A request that the asker may decide, with what is to be looked at."""

    payload_digest: str | None
    changes: list[PayloadChange]


class GrantRequest(Schema):
    """Ask for a target."""

    target: Name
    reason: Text | None = None
    ticket: Name | None = None
    duration: Name | None = None
    kernel_id: Name | None = None
    project: Name | None = None
    data_class: Name | None = None
    start: Name | None = None
    break_glass: bool = False
    scope: Literal["submit", "metadata"] = "submit"
    payload: Payload | None = None


class Approval(Schema):
    """What a person says to an approval, and which payload they looked at."""

    comment: Text | None = None
    payload_digest: Name | None = None


class Comment(Schema):
    """What a person says to a decision."""

    comment: Text | None = None


class Extension(Schema):
    """Ask for more time."""

    duration: Name
    reason: Text | None = None


class BulkDenial(Schema):
    """Deny several requests at once."""

    ids: Annotated[list[Name], Field(min_length=1, max_length=200)]
    comment: Text | None = None


class Denials(Schema):
    """Which requests were denied, and why the others were not."""

    denied: list[str]
    refused: dict[str, str]


@router.post("", response_model=Grant, status_code=201)
def request_grant(body: GrantRequest, control: Control, asker: Asker) -> Any:
    """Ask for a target on behalf of a kernel."""
    kernel_id = body.kernel_id or asker.kernel_id
    if not kernel_id:
        raise Invalid(
            "request.no_kernel", "A grant belongs to a kernel", remedy="Open a notebook and ask again."
        )
    return control.access.request(asker, Wish(**{**body.model_dump(), "kernel_id": kernel_id}))


@router.post("/deny", response_model=Denials)
def deny_grants(body: BulkDenial, control: Control, asker: Asker) -> Any:
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


@router.get("/{grant_id}", response_model=Grant)
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


@router.post("/{grant_id}/approve", response_model=Grant)
def approve_grant(grant_id: str, body: Approval, control: Control, asker: Asker) -> Any:
    """Approve a request; its clock starts when no more approvals are needed and its start has come."""
    return control.access.decide(asker, grant_id, "approve", body.comment, body.payload_digest)


@router.post("/{grant_id}/deny", response_model=Grant)
def deny_grant(grant_id: str, body: Comment, control: Control, asker: Asker) -> Any:
    """Deny a request."""
    return control.access.decide(asker, grant_id, "deny", body.comment)


@router.post("/{grant_id}/extend", response_model=Grant, status_code=201)
def extend_grant(grant_id: str, body: Extension, control: Control, asker: Asker) -> Any:
    """Ask for more time; the answer is a request of its own."""
    return control.access.extend(asker, grant_id, body.duration, body.reason)


@router.post("/{grant_id}/review", response_model=Grant)
def review_grant(grant_id: str, body: Comment, control: Control, asker: Asker) -> Any:
    """Note that a use of break-glass was looked at."""
    return control.access.review(asker, grant_id, body.comment)


@router.post("/{grant_id}/cancel", response_model=Grant)
def cancel_grant(grant_id: str, body: Comment, control: Control, asker: Asker) -> Any:
    """Withdraw a request before it is decided."""
    return control.ending.end(asker, grant_id, "cancel", body.comment)


@router.post("/{grant_id}/revoke", response_model=Grant)
def revoke_grant(grant_id: str, body: Comment, control: Control, asker: Asker) -> Any:
    """End a grant early."""
    return control.ending.end(asker, grant_id, "revoke", body.comment)
