"""What the scanner found. Told by the Jupyter Server; a kernel has no say in it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ...core.errors import Denied
from . import schemas
from .edge import AskingKernel, Control

router = APIRouter(prefix="/v1/findings", tags=["findings"])


@router.post("", response_model=schemas.Recorded)
def record_findings(body: schemas.FindingReport, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record what a save found."""
    _not_a_kernel(asking_kernel)
    findings = [finding.model_dump() for finding in body.findings]
    return {"recorded": control.findings.record(body.path, findings)}


@router.post("/{fingerprint}/keep", response_model=schemas.Kept)
def keep_finding(
    fingerprint: str, body: schemas.Keep, control: Control, asking_kernel: AskingKernel = None
) -> Any:
    """Record that a person keeps a finding, and why."""
    _not_a_kernel(asking_kernel)
    control.findings.keep(body.path, fingerprint, body.reason)
    return {"kept": True}


def _not_a_kernel(asking_kernel: str | None) -> None:
    if asking_kernel is not None:
        raise Denied("finding.not_for_kernels", "A kernel does not report findings")
