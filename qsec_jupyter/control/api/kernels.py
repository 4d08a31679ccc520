"""Kernels that ended. Told by the Jupyter Server, which owns their sockets."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ...core.errors import Denied
from . import schemas
from .edge import AskingKernel, Control

router = APIRouter(prefix="/v1/kernels", tags=["kernels"])


@router.post("/{kernel_id}/ended", response_model=schemas.Ended)
def end_kernel(kernel_id: str, control: Control, asking_kernel: AskingKernel = None) -> Any:
    """Revoke what hangs on a kernel that has ended."""
    if asking_kernel is not None:
        raise Denied("kernel.not_for_kernels", "A kernel does not report ends")
    return {"revoked": control.access.kernel_ended(kernel_id)}
