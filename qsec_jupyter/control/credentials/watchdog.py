"""Runs one command and ends it when the parent is gone, however the parent went.

Started as a script of its own (``python -I -S watchdog.py COMMAND ...``), so it uses the standard
library only and starts in some 20 ms. Its standard input is a pipe whose other end only the
parent holds: the kernel closes it even after ``kill -9``, and the end of file is the signal. It
exits with the command's exit status.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

GRACE = 3.0
"""Seconds between asking the command to end and killing it."""


def run(command: list[str]) -> int:
    """Run ``command`` until it ends or standard input does."""
    child = subprocess.Popen(  # noqa: S603  # our parent chose the command; no shell
        command,
        stdin=subprocess.DEVNULL,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # one thread so far
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _end(child))
    threading.Thread(target=_wait_for_parent, args=(child,), daemon=True).start()
    return child.wait()


def _wait_for_parent(child: subprocess.Popen[bytes]) -> None:
    """Read until end of file; nothing is ever written to this pipe."""
    # Not sys.stdin: its lock, held by this thread at the interpreter's end, would abort the process.
    while os.read(0, 1024):
        pass
    _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    killer = threading.Timer(GRACE, child.kill)
    killer.daemon = True
    killer.start()


def _die_with_parent() -> None:
    """Ask Linux to kill the command should this watchdog itself be killed (prctl(2), PR_SET_PDEATHSIG)."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


if __name__ == "__main__":
    status = run(sys.argv[1:])
    sys.exit(status if status >= 0 else 128 - status)
