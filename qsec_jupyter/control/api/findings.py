"""What the scanner found. Told by the Jupyter Server; a kernel has no say in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from ...core.errors import Denied
from ...core.model import Severity
from .edge import Asker, AskingKernel, Control, own_journal
from .schema import Count, Name, Schema, Text

router = APIRouter(prefix="/v1/findings", tags=["findings"], dependencies=[Depends(own_journal)])

Asked = Annotated[str | None, Query(max_length=4000)]
Fingerprints = Annotated[list[Name], Field(min_length=1, max_length=1000)]


class Finding(Schema):
    """A secret that was found. Never the value."""

    rule: Name
    title: Text
    severity: Severity
    surface: Name
    path: Text
    cell: Count | None
    cell_id: Name | None
    line: Count
    column: Count
    fingerprint: Name
    remedy: Text
    action: Literal["redacted", "kept", "reported"] = "reported"
    end_column: Count = 0
    confidence: Literal["high", "medium", "low"] = "high"
    target: Annotated[str, Field(max_length=40)] = ""


class RecordedFinding(Finding):
    """A finding as the panel lists it."""

    id: int
    found_at: str
    kept_reason: str | None


class FindingReport(Schema):
    """What a save found in a file."""

    path: Text
    findings: Annotated[list[Finding], Field(max_length=10_000)]


class Recorded(Schema):
    """How many were new, and the grants that ended because their credential was among them."""

    recorded: int
    ended: list[str] = []


class FindingList(Schema):
    """Findings, newest first."""

    findings: list[RecordedFinding]


class Keep(Schema):
    """Which findings may stay, and why."""

    path: Text
    fingerprints: Fingerprints
    reason: Text


class Unkeep(Schema):
    """Which kept findings are taken back."""

    path: Text
    fingerprints: Fingerprints


class Kept(Schema):
    """How many listed findings changed."""

    changed: int


@router.get("", response_model=FindingList)
def list_findings(
    control: Control,
    path: Asked = None,
    severity: Severity | None = None,
    search: Asked = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    asking_kernel: AskingKernel = None,
) -> Any:
    """Return findings, newest first."""
    not_a_kernel(asking_kernel)
    return {"findings": control.findings.listed(path, severity, search, limit)}


@router.post("", response_model=Recorded)
def record_findings(body: FindingReport, control: Control, asker: Asker) -> Any:
    """Record what a save found; an issued credential among it ends what is held, where that is set."""
    not_a_kernel(asker.kernel_id)
    new = control.findings.record(body.path, [finding.model_dump() for finding in body.findings])
    return {"recorded": len(new), "ended": control.upkeep.leaked(asker, new)}


@router.post("/keep", response_model=Kept)
def keep_findings(body: Keep, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record that a person keeps findings of a file, and why."""
    not_a_kernel(asking_kernel)
    return {"changed": control.findings.keep(body.path, body.fingerprints, body.reason)}


@router.post("/unkeep", response_model=Kept)
def unkeep_findings(body: Unkeep, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record that a person takes kept findings back."""
    not_a_kernel(asking_kernel)
    return {"changed": control.findings.unkeep(body.path, body.fingerprints)}


def not_a_kernel(asking_kernel: str | None) -> None:
    """Refuse what a kernel has no say in.

    Raises:
        Denied: ``finding.not_for_kernels``.
    """
    if asking_kernel is not None:
        raise Denied("finding.not_for_kernels", "A kernel does not report findings")
