"""What every route has in common: the control plane behind it, and the kernel that asks, if one does."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Request

from ...core.errors import Denied
from ..callers import Caller
from ..control_plane import ControlPlane

LONG_POLL_SECONDS = 25.0


def control_plane(request: Request) -> ControlPlane:
    """Return the control plane of this application."""
    plane: ControlPlane = request.app.state.control
    return plane


Control = Annotated[ControlPlane, Depends(control_plane)]
AskingKernel = Annotated[str | None, Header(alias="Qsec-Kernel", max_length=200)]


def caller(request: Request, asking_kernel: AskingKernel = None) -> Caller:
    """Return whose bearer came with the request, and for which of their kernels."""
    known: Caller = request.scope["qsec.caller"]
    return known.by(asking_kernel)


Asker = Annotated[Caller, Depends(caller)]


def own_journal(request: Request, control: Control, asker: Asker) -> None:
    """Keep runs, findings and shares to the server whose journal this is; auditors may read them.

    Raises:
        Denied: ``journal.other_server``.
    """
    reads = request.method == "GET" and control.events.sees_all(asker)
    if not (control.keeps_for(asker) or reads):
        raise Denied(
            "journal.other_server",
            "That is the record of another server",
            "The rule: runs, findings and shares are recorded and read by the server whose they are.",
            "Ask at your own server, or have an auditor look.",
        )


def require_kernel(kernel_id: str | None) -> str:
    """Return the asking kernel.

    Raises:
        Denied: ``record.kernel_only`` when a person asks.
    """
    if kernel_id is None:
        raise Denied(
            "record.kernel_only", "Only a kernel records runs", remedy="Run the circuit in a notebook."
        )
    return kernel_id
