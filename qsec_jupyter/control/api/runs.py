"""Runs: what a kernel says of them, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from . import schemas
from .edge import AskingKernel, Control, require_kernel

router = APIRouter(prefix="/v1", tags=["runs"])


@router.post("/runs", response_model=schemas.RunResults, response_model_exclude_none=True)
def record_runs(body: schemas.RunRecords, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record intents and completions; a record that is known already is answered again."""
    results = control.evidence.record(body.records, require_kernel(asking_kernel))
    control.after_events()
    return {"results": results}


@router.get("/runs", response_model=list[schemas.RunSummary])
def list_runs(
    control: Control,
    kernel_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    asking_kernel: AskingKernel = None,
) -> Any:
    """Return runs, newest first; a kernel sees its own."""
    return control.evidence.runs(asking_kernel or kernel_id, limit)


@router.get("/runs/{run_id}", response_model=schemas.Run)
def get_run(run_id: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Return a run with its statements."""
    return control.evidence.run(run_id, asking_kernel)


@router.post("/gaps", response_model=schemas.GapRecorded)
def record_gap(body: schemas.Gap, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Note that something could not be recorded."""
    control.evidence.gap(asking_kernel or body.kernel_id, body.run_id, body.what)
    return {"recorded": True}
