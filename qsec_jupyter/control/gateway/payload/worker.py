"""The process in which jobs are decoded: what they do to it, they do to nothing else.

It is started with a bare environment, warms up, and then gives up what it does not need: no new file or
socket can be opened, nothing written, no process started. What it says is data, never a pickle.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ....core.errors import QsecError
from . import braket, circuits, frames, ibm, qpy, refusals
from .limits import Limits
from .reading import Reading

_READERS = {"braket": braket, "ibm": ibm}
_USUAL_SPACE = 2 * 1024**3
_GARBAGE = 200_000
"""Objects between two looks for garbage; a job makes hardly any that needs one."""


def main() -> None:
    """Answer frames until there are none."""
    limits = Limits(**json.loads(sys.argv[1]))
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _silence()
    _warm()
    held = _give_up(limits)
    answers.write(frames.pack({"ready": True, "limited": held}, b""))
    answers.flush()
    _serve(requests, answers, limits)


def _serve(requests: BinaryIO, answers: BinaryIO, limits: Limits) -> None:
    while True:
        try:
            asked, body = frames.read(requests)
        except EOFError:
            return
        _allow_seconds(limits.seconds)
        answers.write(_answer(asked, body, limits))
        answers.flush()


def _answer(asked: Mapping[str, Any], body: bytes, limits: Limits) -> bytes:
    """Return the answer to one frame. Whatever happens, nothing of the job is in what a refusal says."""
    try:
        provider = _READERS[asked["provider"]]
        if asked["what"] == "restore":
            return frames.pack({}, provider.restore(body, asked["names"], limits))
        how = Reading(asked["hide"], bytes.fromhex(asked["key"]), limits)
        return frames.pack(*frames.of_submission(provider.read(body, how)))
    except QsecError as error:
        return frames.pack({"refused": error.to_problem()}, b"")
    except (MemoryError, RecursionError):
        return frames.pack({"refused": refusals.too_costly("it takes too much memory").to_problem()}, b"")
    except Exception:  # noqa: BLE001  # a job that surprises us is refused; its text may be in the exception
        return frames.pack({"refused": refusals.malformed("it is not built as jobs are").to_problem()}, b"")


def _silence() -> None:
    """Have nothing that libraries print reach the gateway or its log: it may quote a job."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _warm() -> None:
    """Load all that reading takes, since nothing can be opened later."""
    from .warming import warm

    circuits.known_operations()
    circuits.known_gates()
    for version in qpy.VERSIONS:
        qpy.gates(version)
    warm()
    gc.collect()
    gc.freeze()  # what is loaded stays; a large job is read a quarter faster when it is not looked through
    gc.set_threshold(_GARBAGE)


def _give_up(limits: Limits) -> bool:
    """Give up what reading does not take. Return whether this system lets a process do so."""
    try:
        import resource
    except ImportError:  # not POSIX
        return False
    most = _address_space() + limits.memory
    for name, size in (("CORE", 0), ("FSIZE", 0), ("NPROC", 0), ("NOFILE", 0), ("AS", most)):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (size, size))
    return True


def _address_space() -> int:
    """Return how much address space this process has (bytes); a usual size where that cannot be known."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return _USUAL_SPACE
    return pages * os.sysconf("SC_PAGE_SIZE")


def _allow_seconds(seconds: int) -> None:
    """Let the next job have this much of the processor."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(
        resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, resource.RLIM_INFINITY)
    )


if __name__ == "__main__":
    main()
