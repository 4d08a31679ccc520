"""Runs: what a kernel says of them, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from ..evidence.runs import Query as RunQuery
from ..gateway.model import JobState
from .edge import Asker, AskingKernel, Control, own_journal, require_kernel
from .findings import Recorded
from .schema import Count, Name, Schema, Text

router = APIRouter(prefix="/v1", tags=["runs"], dependencies=[Depends(own_journal)])

RunStatus = Literal["running", "done", "failed", "unknown"]
Asked = Annotated[str | None, Query(max_length=200)]


class RunJob(Schema):
    """The job of a run as the gateway saw it itself, not as the kernel says."""

    correlation_id: str
    state: JobState
    target: str
    grant_id: str
    backend: str
    shots: int | None
    circuits: int | None
    usage_seconds: float | None
    asserted_by: Literal["control"] = "control"


class RunSummary(Schema):
    """A recorded run, as a line."""

    run_id: str
    kernel_id: str
    framework: str
    operation: str
    backend: str
    circuits: int
    shots: int | None
    status: RunStatus
    started_at: str
    ended_at: str | None
    intent: str | None
    completion: str | None
    ledger_index: int | None
    signed_by: str
    grant_id: str | None
    parent_run_id: str | None
    notebook: str | None
    gaps: list[str]
    job_id: str | None = None
    gateway: RunJob | None = None


class RunPage(Schema):
    """Runs, newest first, and the cursor of the next page."""

    runs: list[RunSummary]
    next: str | None


class RunRecords(Schema):
    """What a kernel says about its runs; see ``docs/formats/statements.md``."""

    records: Annotated[list[dict[str, Any]], Field(max_length=1000)]
    server: dict[str, Any] | None = None


class Problem(Schema):
    """A refusal or failure (RFC 9457)."""

    type: str
    status: int
    code: str
    kind: Literal["invalid", "denied", "not_found", "conflict", "unavailable", "bug"]
    title: str
    detail: str
    remedy: str


class RunResult(Schema):
    """What became of one record."""

    run_id: str
    kind: str
    statement: str | None = None
    index: int | None = None
    error: Problem | None = None


class RunResults(Schema):
    """What became of each record."""

    results: list[RunResult]


class RunDigests(Schema):
    """Ids of a run's statements."""

    intent: str | None
    completion: str | None


class RunIndexes(Schema):
    """Ledger positions of a run's statements."""

    intent: int | None
    completion: int | None


class Citation(Schema):
    """How a run is cited."""

    text: str
    bibtex: str


class Run(Schema):
    """A run with its statements, its nested calls and how it is cited."""

    summary: RunSummary
    intent: dict[str, Any] | None
    completion: dict[str, Any] | None
    envelopes: RunDigests
    ledger: RunIndexes
    children: list[dict[str, Any]]
    citation: Citation


class Change(Schema):
    """A field that differs; ``null`` where a run does not have it."""

    field: str
    a: str | float | int | bool | None
    b: str | float | int | bool | None


class DifferenceGroup(Schema):
    """What differs, of one kind."""

    name: Literal["circuit", "parameters", "backend", "execution", "environment", "source", "result"]
    equal: bool
    changes: list[Change]


class RunDifference(Schema):
    """Two runs, and what changed from the first to the second."""

    a: RunSummary
    b: RunSummary
    groups: list[DifferenceGroup]


class Job(Schema):
    """What a provider calls a run's job."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    session: Name | None = None


class JobRun(Schema):
    """The run that a job belongs to."""

    run_id: str


class RunBackend(Schema):
    """Where a run is about to go, as the kernel says."""

    name: Name
    type: Name | None = None
    provider: Name | None = None


class RunPlan(Schema):
    """A run that asks for permission."""

    run_id: Annotated[str, Field(pattern="^[0-9a-zA-Z]{8,64}$")]
    framework: Name
    operation: Name
    backend: RunBackend
    circuits: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=1000)] = []
    shots: Count | None = None


class Permit(Schema):
    """Permission to submit a run; ``target`` is ``null`` for a local simulator."""

    run_id: str
    target: str | None
    grant_id: str | None
    policies: list[str]


class Untracked(Schema):
    """A submission that no recorded call made."""

    operation: Name
    program: Name
    backend: Name
    cell_id: Name | None = None
    path: Text = ""


class Gap(Schema):
    """Something that could not be recorded."""

    kernel_id: Name | None = None
    run_id: Name | None = None
    what: Text


class GapRecorded(Schema):
    """It is noted."""

    recorded: bool


@router.post("/runs", response_model=RunResults)
def record_runs(body: RunRecords, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record intents and completions; a record that is known already is answered again."""
    results = control.evidence.record(body.records, require_kernel(asking_kernel), body.server)
    control.checkpoints.after_events()
    return {"results": results}


@router.get("/runs", response_model=RunPage)
def list_runs(
    control: Control,
    search: Asked = None,
    framework: Asked = None,
    backend: Asked = None,
    status: RunStatus | None = None,
    since: Asked = None,
    until: Asked = None,
    kernel_id: Asked = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    cursor: Asked = None,
    asking_kernel: AskingKernel = None,
) -> Any:
    """Return a page of runs, newest first; a kernel sees its own."""
    query = RunQuery(search, framework, backend, status, since, until, asking_kernel or kernel_id)
    runs, following = control.runs.search(query, limit, cursor)
    return {"runs": runs, "next": following}


@router.get("/runs/{run_id}", response_model=Run)
def get_run(run_id: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Return a run with its statements, its children and how it is cited."""
    return control.runs.get(run_id, asking_kernel)


@router.get("/runs/{run_id}/diff/{other}", response_model=RunDifference)
def diff_runs(run_id: str, other: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Return what changed from one run to the other."""
    return control.runs.diff(run_id, other, asking_kernel)


@router.post("/runs/{run_id}/job", response_model=JobRun)
def record_job(run_id: str, body: Job, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Note what a provider calls a run's job, so that a later kernel can complete the run."""
    control.evidence.submitted(run_id, body.id, body.session, require_kernel(asking_kernel))
    return {"run_id": run_id}


@router.get("/runs/of-job/{job_id}", response_model=JobRun)
def find_job(job_id: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Return the run that a provider's job belongs to, whichever kernel began it."""
    return {"run_id": control.runs.of_job(job_id)["run_id"]}


@router.post("/permits", response_model=Permit)
def permit_run(body: RunPlan, control: Control, asker: Asker) -> Any:
    """Decide whether a kernel may submit a run."""
    require_kernel(asker.kernel_id)
    return control.permits.decide(body.model_dump(), asker)


@router.post("/untracked", response_model=Recorded)
def record_untracked(body: Untracked, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record a submission that no recorded call made; it is a finding."""
    kernel_id = require_kernel(asking_kernel)
    about = body.model_dump(exclude={"path"})
    control.audit.record("run.untracked", control.principal, kernel=kernel_id, **about)
    return {"recorded": control.findings.record_untracked(body.path, about)}


@router.post("/gaps", response_model=GapRecorded)
def record_gap(body: Gap, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Note that something could not be recorded."""
    control.evidence.gap(asking_kernel or body.kernel_id, body.run_id, body.what)
    return {"recorded": True}
