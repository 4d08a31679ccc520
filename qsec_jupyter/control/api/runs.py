"""Runs: what a kernel says of them, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from ..evidence.runs import Query as RunQuery
from . import schemas
from .edge import Asker, AskingKernel, Control, own_journal, require_kernel
from .schemas import RunStatus

router = APIRouter(prefix="/v1", tags=["runs"], dependencies=[Depends(own_journal)])

Text = Annotated[str | None, Query(max_length=200)]


@router.post("/runs", response_model=schemas.RunResults)
def record_runs(body: schemas.RunRecords, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record intents and completions; a record that is known already is answered again."""
    results = control.evidence.record(body.records, require_kernel(asking_kernel), body.server)
    control.checkpoints.after_events()
    return {"results": results}


@router.get("/runs", response_model=schemas.RunPage)
def list_runs(
    control: Control,
    search: Text = None,
    framework: Text = None,
    backend: Text = None,
    status: RunStatus | None = None,
    since: Text = None,
    until: Text = None,
    kernel_id: Text = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    cursor: Text = None,
    asking_kernel: AskingKernel = None,
) -> Any:
    """Return a page of runs, newest first; a kernel sees its own."""
    query = RunQuery(search, framework, backend, status, since, until, asking_kernel or kernel_id)
    runs, following = control.runs.search(query, limit, cursor)
    return {"runs": runs, "next": following}


@router.get("/runs/{run_id}", response_model=schemas.Run)
def get_run(run_id: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Return a run with its statements, its children and how it is cited."""
    return control.runs.get(run_id, asking_kernel)


@router.get("/runs/{run_id}/diff/{other}", response_model=schemas.RunDifference)
def diff_runs(run_id: str, other: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Return what changed from one run to the other."""
    return control.runs.diff(run_id, other, asking_kernel)


@router.post("/runs/{run_id}/job", response_model=schemas.JobRun)
def record_job(run_id: str, body: schemas.Job, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Note what a provider calls a run's job, so that a later kernel can complete the run."""
    control.evidence.submitted(run_id, body.id, body.session, require_kernel(asking_kernel))
    return {"run_id": run_id}


@router.get("/runs/of-job/{job_id}", response_model=schemas.JobRun)
def find_job(job_id: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Return the run that a provider's job belongs to, whichever kernel began it."""
    return {"run_id": control.runs.of_job(job_id)["run_id"]}


@router.post("/permits", response_model=schemas.Permit)
def permit_run(body: schemas.RunPlan, control: Control, asker: Asker) -> Any:
    """Decide whether a kernel may submit a run."""
    require_kernel(asker.kernel_id)
    return control.permits.decide(body.model_dump(), asker)


@router.post("/untracked", response_model=schemas.Recorded)
def record_untracked(body: schemas.Untracked, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record a submission that no recorded call made; it is a finding."""
    kernel_id = require_kernel(asking_kernel)
    about = body.model_dump(exclude={"path"})
    control.audit.record("run.untracked", control.principal, kernel=kernel_id, **about)
    return {"recorded": control.findings.record_untracked(body.path, about)}


@router.post("/gaps", response_model=schemas.GapRecorded)
def record_gap(body: schemas.Gap, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Note that something could not be recorded."""
    control.evidence.gap(asking_kernel or body.kernel_id, body.run_id, body.what)
    return {"recorded": True}
