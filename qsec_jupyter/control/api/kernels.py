"""Kernels: who shares them, and that they ended. Told by the Jupyter Server, which owns their sockets."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ...core.errors import Denied
from ..callers import Caller
from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/kernels", tags=["kernels"])


@router.post("/{kernel_id}/ended", response_model=schemas.Ended)
def end_kernel(kernel_id: str, control: Control, asker: Asker) -> Any:
    """Revoke what hangs on a kernel that has ended."""
    _not_a_kernel(asker)
    return {"revoked": control.ending.kernel_ended(asker, kernel_id)}


@router.post("/{kernel_id}/shared", response_model=schemas.Shared)
def share_kernel(kernel_id: str, body: schemas.Present, control: Control, asker: Asker) -> Any:
    """Note who is present at a kernel beside its owner; it gets the least of what they may."""
    _not_a_kernel(asker)
    return {"ended": control.share(asker.by(kernel_id), body.names)}


def _not_a_kernel(asker: Caller) -> None:
    if asker.kernel_id is not None:
        raise Denied("kernel.not_for_kernels", "A kernel does not report about itself")
