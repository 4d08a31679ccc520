"""Kernels: who shares them, and that they ended. Told by the Jupyter Server, which owns their sockets."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from ...core.errors import Denied
from ..callers import Caller
from .edge import Asker, Control
from .schema import Name, Schema

router = APIRouter(prefix="/v1/kernels", tags=["kernels"])


class Present(Schema):
    """Who is present at a shared kernel."""

    names: Annotated[list[Name], Field(max_length=200)]


class Shared(Schema):
    """The grants that a newcomer's lesser rights ended."""

    ended: list[str]


class Ended(Schema):
    """The grants that ended with a kernel."""

    revoked: list[str]


class SharedKernel(Schema):
    """A kernel at which others are present: it gets the least that they and its owner may do."""

    kernel_id: str
    present: list[str]
    roles: list[str]


@router.post("/{kernel_id}/ended", response_model=Ended)
def end_kernel(kernel_id: str, control: Control, asker: Asker) -> Any:
    """Revoke what hangs on a kernel that has ended."""
    _not_a_kernel(asker)
    return {"revoked": control.ending.kernel_ended(asker, kernel_id)}


@router.post("/{kernel_id}/shared", response_model=Shared)
def share_kernel(kernel_id: str, body: Present, control: Control, asker: Asker) -> Any:
    """Note who is present at a kernel beside its owner; it gets the least of what they may."""
    _not_a_kernel(asker)
    return {"ended": control.share(asker.by(kernel_id), body.names)}


def _not_a_kernel(asker: Caller) -> None:
    if asker.kernel_id is not None:
        raise Denied("kernel.not_for_kernels", "A kernel does not report about itself")
