"""Jobs that went through the gateway, and whether their providers say the same of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ...core.errors import Denied
from ..gateway.model import JobState
from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1", tags=["jobs"])

Text = Annotated[str | None, Query(max_length=200)]


@router.get("/jobs", response_model=schemas.JobList)
def list_jobs(
    control: Control,
    asker: Asker,
    target: Text = None,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Any:
    """Return jobs, newest first: a kernel's or person's own; all of them for administrators and auditors."""
    return {"jobs": control.office.listing.listed(asker, target, state, limit)}


@router.get("/jobs/{name}", response_model=schemas.GatewayJob)
def get_job(name: str, control: Control, asker: Asker) -> Any:
    """Return a job, by its correlation id or the provider's id."""
    return control.office.listing.get(asker, name)


@router.get("/jobs/{name}/exposure", response_model=schemas.Exposure)
def get_exposure(name: str, control: Control, asker: Asker) -> Any:
    """Return what the vendor sees of a job of one's own, field by field."""
    return control.office.listing.exposure(asker, name)


@router.post("/jobs/{name}/cancel", response_model=schemas.GatewayJob)
def cancel_job(name: str, control: Control, asker: Asker) -> Any:
    """Have a job of one's own cancelled at its provider, also while it runs."""
    return control.office.cancel(asker, name)


@router.post("/targets/{name}/reconciliations", response_model=schemas.Reconciliation)
def reconcile(name: str, body: schemas.ReconciliationRequest, control: Control, asker: Asker) -> Any:
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
