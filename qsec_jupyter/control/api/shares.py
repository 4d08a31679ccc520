"""Copies that were made to be given away. Told by the Jupyter Server, or by `qsec share`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from ...core.classification import DataClass
from .edge import AskingKernel, Control, own_journal
from .findings import not_a_kernel
from .schema import Count, Schema, Text

router = APIRouter(prefix="/v1/shares", tags=["shares"], dependencies=[Depends(own_journal)])


class SharedParts(Schema):
    """What a shared copy still holds."""

    outputs: bool
    execution_counts: bool
    metadata: bool


class Removed(Schema):
    """How much was taken out of a shared copy."""

    outputs: Count
    metadata: Count
    secrets: Count


class Share(Schema):
    """A copy that was made to be given away."""

    source: Text
    path: Text
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Count
    data_class: DataClass
    keep: SharedParts
    removed: Removed
    findings: Count


class ShareRecorded(Schema):
    """The share's id and its position in the ledger."""

    share_id: str
    ledger_index: int


@router.post("", response_model=ShareRecorded, status_code=201)
def record_share(body: Share, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Record a copy by its digest before it is given away."""
    not_a_kernel(asking_kernel)
    return control.shares.record(body.model_dump())
