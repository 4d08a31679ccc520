"""Copies that were made to be given away. Told by the Jupyter Server, or by `qsec share`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends

from . import schemas
from .edge import AskingKernel, Control, own_journal
from .findings import not_a_kernel

router = APIRouter(prefix="/v1/shares", tags=["shares"], dependencies=[Depends(own_journal)])


@router.post("", response_model=schemas.ShareRecorded, status_code=201)
def record_share(body: schemas.Share, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record a copy by its digest before it is given away."""
    not_a_kernel(asking_kernel)
    return control.shares.record(body.model_dump())
