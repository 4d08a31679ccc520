"""Jobs that went through the gateway: what vendors see of them, and whether they say the same of them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from ...core.errors import Denied
from ..gateway.model import JobState
from .edge import Asker, Control
from .schema import Schema

router = APIRouter(prefix="/v1", tags=["jobs"])

Asked = Annotated[str | None, Query(max_length=200)]
Written = Annotated[str, Field(max_length=16_000_000)]


class GatewayJob(Schema):
    """A job that went through the gateway; everything here the control plane saw itself but ``run_id``."""

    correlation_id: str
    job_id: str | None
    state: JobState
    target: str
    grant_id: str
    kernel_id: str
    requester: str
    provider: str | None
    program: str | None
    backend: str
    region: str | None
    session: str | None
    shots: int | None
    execution_seconds: int | None
    circuits: int | None
    cost: float | None
    project: str | None
    ticket: str | None
    tag: str | None
    status: int | None
    policies: list[str] | None
    intended_at: str
    sent_at: str | None
    ended_at: str | None
    usage_seconds: float | None
    ending: str | None
    run_id: str | None


class JobList(Schema):
    """Jobs, newest first."""

    jobs: list[GatewayJob]


class ExposedField(Schema):
    """One thing that a vendor sees, beside what the user wrote; ``why`` says why it is not hidden."""

    name: str
    sent: str
    original: str
    why: str


class Exposure(GatewayJob):
    """What the vendor sees of a job."""

    fields: list[ExposedField]
    labels: list[str]


class PreviewRequest(Schema):
    """Circuits as they stand in a job: for IBM compressed QPY in base64, for Braket the JSON of a program."""

    circuits: Annotated[list[Written], Field(min_length=1, max_length=100)]


class Preview(Schema):
    """What a vendor would see."""

    target: str
    fields: list[ExposedField]


class ReconciliationRequest(Schema):
    """How far back to look."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class Discrepancy(Schema):
    """One job of which provider and ledger say different things."""

    kind: Literal["foreign", "lost", "usage", "untagged", "unresolved"]
    job_id: str
    correlation_id: str | None
    detail: str
    meaning: str


class Reconciliation(Schema):
    """What comparing a provider's list with the ledger found."""

    target: str
    since: str
    until: str
    at_provider: int
    in_ledger: int
    findings: list[Discrepancy]


class Quota(Schema):
    """How much may be used in a month, by whom it is counted, and what was; ``None`` where that depends."""

    by: Literal["user", "project", "target"]
    unit: Literal["jobs", "shots", "execution_seconds", "cost"]
    allowed: float
    used: float | None


class Limits(Schema):
    """What jobs at a target with a gateway must keep to; ``None``, or no backend, for any."""

    target: str
    backends: list[str]
    max_shots: int | None
    max_circuits: int | None
    max_width: int | None
    max_depth: int | None
    max_execution_time: int | None
    quotas: list[Quota]


@router.get("/jobs", response_model=JobList)
def list_jobs(
    control: Control,
    asker: Asker,
    target: Asked = None,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Any:
    """Return jobs, newest first: a kernel's or person's own; all of them for administrators and auditors."""
    return {"jobs": control.office.listing.listed(asker, target, state, limit)}


@router.get("/jobs/{name}", response_model=GatewayJob)
def get_job(name: str, control: Control, asker: Asker) -> Any:
    """Return a job, by its correlation id or the provider's id."""
    return control.office.listing.get(asker, name)


@router.get("/jobs/{name}/exposure", response_model=Exposure)
def get_exposure(name: str, control: Control, asker: Asker) -> Any:
    """Return what the vendor sees of a job of one's own, field by field."""
    return control.office.listing.exposure(asker, name)


@router.post("/targets/{name}/exposures", response_model=Preview)
async def preview(name: str, body: PreviewRequest, control: Control, asker: Asker) -> Any:
    """Return what the target's vendor would see of circuits, field by field. Nothing is sent."""
    found = await control.gateway.preview(name, body.circuits)
    return {"target": name, "fields": [asdict(one) for one in found]}


@router.post("/jobs/{name}/cancel", response_model=GatewayJob)
def cancel_job(name: str, control: Control, asker: Asker) -> Any:
    """Have a job of one's own cancelled at its provider, also while it runs."""
    return control.office.cancel(asker, name)


@router.post("/targets/{name}/reconciliations", response_model=Reconciliation)
def reconcile(name: str, body: ReconciliationRequest, control: Control, asker: Asker) -> Any:
    """Compare the provider's list of jobs with the ledger."""
    control.catalogue.target(name)
    if not control.events.sees_all(asker):
        raise Denied(
            "reconcile.not_yours",
            "Only administrators and auditors compare job lists",
            "The list holds everybody's jobs.",
            "Ask one of them.",
        )
    report = control.office.reconciliation.run(name, timedelta(days=body.days), asker.principal)
    return report.to_dict()
