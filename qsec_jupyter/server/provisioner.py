"""Starts kernels with a socket of their own and with our hooks on their command line.

The socket's descriptor number is the only trace in the kernel's environment. A kernel that is not
IPython's gets no hooks and no socket; the panel says so.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from ..core.wire import FD_VARIABLE

if TYPE_CHECKING:
    from jupyter_client import KernelConnectionInfo

    from .kernels import KernelSockets

NAME = "qsec-provisioner"
SETTING = "qsec_kernels"
"""Key in the web application's settings under which the extension leaves its :class:`KernelSockets`."""

KERNEL_ARGUMENTS = (
    "--IPKernelApp.outstream_class=qsec_jupyter.kernel.redaction.RedactingOutStream",
    "--Session.packer=qsec_jupyter.kernel.redaction.pack",
    "--ext=qsec_jupyter.kernel.extension",
)
"""What an IPython kernel needs on its command line to load our hooks before the first cell."""


class QsecProvisioner(LocalProvisioner):
    """The local provisioner, plus one socket pair for each kernel process."""

    _kernel_end: socket.socket | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Add socket and hooks; runs again at each restart, so each process gets a fresh pair."""
        kwargs = await super().pre_launch(**kwargs)
        sockets = self._sockets()
        if sockets is None or not self._is_ipykernel(kwargs["cmd"]):
            return kwargs
        self._kernel_end = sockets.open(self.kernel_id)
        descriptor = self._kernel_end.fileno()
        kwargs["cmd"] = [*kwargs["cmd"], *KERNEL_ARGUMENTS]
        kwargs["env"] = {**kwargs["env"], FD_VARIABLE: str(descriptor)}
        kwargs["pass_fds"] = (*kwargs.get("pass_fds", ()), descriptor)
        return kwargs

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch, then close our copy of the kernel's end: only then does its death show as end of file."""
        try:
            return await super().launch_kernel(cmd, **kwargs)
        finally:
            if self._kernel_end is not None:
                self._kernel_end.close()
                self._kernel_end = None

    async def cleanup(self, restart: bool = False) -> None:
        """Revoke what hangs on the process that just ended; a restart is an end, too."""
        sockets = self._sockets()
        if sockets is not None:
            sockets.close(self.kernel_id)
        await super().cleanup(restart)

    def _is_ipykernel(self, cmd: list[str]) -> bool:
        return self.kernel_spec.language == "python" and any("ipykernel" in word for word in cmd)

    def _sockets(self) -> KernelSockets | None:
        """Return the server's sockets, or None when no qsec extension runs in this process."""
        owner: Any = self.parent
        while owner is not None and not hasattr(owner, "web_app"):
            owner = getattr(owner, "parent", None)
        return owner.web_app.settings.get(SETTING) if owner is not None else None
