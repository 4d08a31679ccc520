"""A digest over every cell that a kernel executed, in order: which code could have had a part in a run.

``h(0)`` is 32 zero bytes; ``h(n)`` is the SHA-256 of ``h(n-1)`` and the SHA-256 of the n-th cell's source.
Cells that a client executes silently are not IPython's to announce, and not in it.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

ALGORITHM = "qsec-source-chain-v1"


class Chain:
    """The chain of one kernel.

    Args:
        complete: Whether it begins with the kernel's first cell.
    """

    def __init__(self, *, complete: bool) -> None:
        self._complete = complete
        self._value = bytes(32)
        self._cells = 0
        self._lock = threading.Lock()  # subshells execute on threads of their own

    def note(self, info: Any) -> None:
        """Add a cell; IPython calls this before each (event ``pre_run_cell``). Never raises."""
        source = getattr(info, "raw_cell", None)
        if not isinstance(source, str):
            return
        cell = hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            self._value = hashlib.sha256(self._value + cell).digest()
            self._cells += 1

    def told(self) -> dict[str, Any]:
        """Return the chain as it is now."""
        with self._lock:
            return {
                "alg": ALGORITHM,
                "sha256": self._value.hex(),
                "cells": self._cells,
                "complete": self._complete,
            }


chain: Chain | None = None
"""This kernel's chain, once the extension is loaded."""


def watch(ip: Any) -> None:
    """Begin the chain of a shell."""
    global chain  # noqa: PLW0603  # one kernel, one chain
    chain = Chain(complete=getattr(ip, "execution_count", 1) <= 1)
    ip.events.register("pre_run_cell", chain.note)
