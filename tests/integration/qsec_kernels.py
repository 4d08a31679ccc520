"""Real kernels with a socket of ours, for integration and attack tests and for benchmarks."""

from __future__ import annotations

import os
import queue
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

sys.path.insert(0, str(Path(__file__).parent.parent / "kernel"))

from qsec_peer import Peer  # lies beside the kernel's unit tests

ARGUMENTS = (
    "--IPKernelApp.outstream_class=qsec_jupyter.kernel.redaction.RedactingOutStream",
    "--Session.packer=qsec_jupyter.kernel.redaction.pack",
    "--ext=qsec_jupyter.kernel.extension",
)


class Kernel:
    """One ipykernel process; with a peer it starts the way the provisioner starts it."""

    def __init__(
        self, peer: Peer | None, folder: Path, python: str = sys.executable, more: tuple[str, ...] = ()
    ) -> None:
        self.log = folder / f"kernel-{time.monotonic_ns()}.log"
        self._log = self.log.open("wb")
        env = {**os.environ, "IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(folder)}
        env.pop("PYTEST_CURRENT_TEST", None)  # ipykernel leaves descriptors alone when it sees it
        options: dict[str, Any] = {"stdout": self._log, "stderr": self._log, "env": env}
        arguments = list(more)
        if peer is not None:
            descriptor = peer.kernel_end.fileno()
            env["QSEC_CHANNEL_FD"] = str(descriptor)
            options["pass_fds"] = (descriptor,)
            arguments += ARGUMENTS
        self.manager = KernelManager(connection_file=str(folder / f"kernel-{time.monotonic_ns()}.json"))
        self.manager.kernel_spec.argv[0] = python
        self.manager.start_kernel(extra_arguments=arguments, **options)
        if peer is not None:
            peer.kernel_end.close()
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)
        self._log.close()

    def restart(self, peer: Peer, *, now: bool = False) -> None:
        """End the process and start another in its place, as a server does: with a socket of its own."""
        descriptor = peer.kernel_end.fileno()
        env = {
            **os.environ,
            "IPYTHONDIR": str(self.log.parent / "ipython"),
            "QSEC_CHANNEL_FD": str(descriptor),
        }
        env.pop("PYTEST_CURRENT_TEST", None)
        self.manager.restart_kernel(now=now, env=env, pass_fds=(descriptor,))
        peer.kernel_end.close()
        self.client.wait_for_ready(timeout=60)

    def run(self, code: str, seconds: float = 60, **options: Any) -> list[dict[str, Any]]:
        """Run a cell; return all its messages, the reply last, up to and including idle.

        For a moment after a cell that failed ipykernel drops what waits: such a cell is sent again.
        """
        end = time.monotonic() + seconds
        while True:
            messages = self._run(code, end, options)
            if messages[-1]["content"]["status"] != "aborted":
                return messages

    def _run(self, code: str, end: float, options: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = self.client.execute(code, **options)
        messages: list[dict[str, Any]] = []
        while time.monotonic() < end:
            try:
                message = self.client.get_iopub_msg(timeout=max(0.1, end - time.monotonic()))
            except queue.Empty:
                break
            if message["parent_header"].get("msg_id") != wanted:
                continue
            messages.append(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return [*messages, self.reply(wanted)]
        raise TimeoutError("a cell did not end in time")

    def reply(self, wanted: str) -> dict[str, Any]:
        """Return the reply to one request, passing over those to earlier ones."""
        while True:
            message: dict[str, Any] = self.client.get_shell_msg(timeout=60)
            if message["parent_header"].get("msg_id") == wanted:
                return message

    def text(self, code: str, name: str = "stdout", seconds: float = 60) -> str:
        """Run a cell and return what it printed."""
        return printed(self.run(code, seconds), name)

    def stray(self, seconds: float) -> list[dict[str, Any]]:
        """Return messages that arrive within ``seconds`` whatever they belong to."""
        found, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                found.append(self.client.get_iopub_msg(timeout=left))
            except queue.Empty:
                break
        return found


def printed(messages: list[dict[str, Any]], name: str = "stdout") -> str:
    return "".join(
        m["content"]["text"] for m in messages if m["msg_type"] == "stream" and m["content"]["name"] == name
    )
