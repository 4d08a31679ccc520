"""What the scanner found. Told by the Jupyter Server; a kernel has no say in it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from ...core.errors import Denied
from ...core.model import Severity
from . import schemas
from .edge import Asker, AskingKernel, Control, own_journal

router = APIRouter(prefix="/v1/findings", tags=["findings"], dependencies=[Depends(own_journal)])

Text = Annotated[str | None, Query(max_length=4000)]


@router.get("", response_model=schemas.FindingList)
def list_findings(
    control: Control,
    path: Text = None,
    severity: Severity | None = None,
    search: Text = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    asking_kernel: AskingKernel = None,
) -> Any:
    """Return findings, newest first."""
    not_a_kernel(asking_kernel)
    return {"findings": control.findings.listed(path, severity, search, limit)}


@router.post("", response_model=schemas.Recorded)
def record_findings(body: schemas.FindingReport, control: Control, asker: Asker) -> Any:
    """Record what a save found; an issued credential among it ends what is held, where that is set."""
    not_a_kernel(asker.kernel_id)
    new = control.findings.record(body.path, [finding.model_dump() for finding in body.findings])
    return {"recorded": len(new), "ended": control.upkeep.leaked(asker, new)}


@router.post("/keep", response_model=schemas.Kept)
def keep_findings(body: schemas.Keep, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record that a person keeps findings of a file, and why."""
    not_a_kernel(asking_kernel)
    return {"changed": control.findings.keep(body.path, body.fingerprints, body.reason)}


@router.post("/unkeep", response_model=schemas.Kept)
def unkeep_findings(body: schemas.Unkeep, control: Control, asking_kernel: AskingKernel = None) -> Any:
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
