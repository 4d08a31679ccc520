"""One top-level call as it goes on: begun, perhaps with nested calls, submitted, ended once.

What may change after the call is noted on the caller's thread; what takes time is left to *steps*, which
the sending thread carries out, from copies.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from ..core.model import rfc3339

Json = dict[str, Any]

Step = Callable[[Json], None]
"""Adds to a record what is slow to find out; on the sending thread. A step that fails is a gap."""

LATER = "later"
"""Where a record that is still in this process holds its steps; never sent."""

CHILDREN = 100
"""How many nested calls are described; all are counted."""


class Run:
    """A recorded call.

    Args:
        framework: Such as ``qiskit``.
        operation: Such as ``qiskit_aer.AerSimulator.run``.
    """

    def __init__(self, framework: str, operation: str) -> None:
        self.run_id = os.urandom(16).hex()
        self.framework = framework
        self.operation = operation
        self.source: Json = {}
        self.backend: Json = {"name": None}
        self.execution: Json = {
            "type": None, "circuits": [], "parameters": None, "shots": None, "options": {}, "seeds": {},
        }  # fmt: skip
        self.job: Json = {}
        self.gaps: list[str] = []
        self.later: list[Step] = []
        self.permitted: frozenset[str] = frozenset()
        """Backends that the control plane has permitted this run, in enforce mode."""
        self._began = time.time()
        self._children: list[Json] = []
        self._nested = 0
        self._lock = threading.Lock()
        self._ended: float | None = None

    def child(self, description: Json) -> None:
        """Note a call that this run made itself."""
        with self._lock:
            self._nested += 1
            if len(self._children) < CHILDREN:
                self._children.append(description)

    def end(self) -> bool:
        """Note that the run has ended; say whether this is the first to say so."""
        with self._lock:
            first = self._ended is None
            self._ended = self._ended or time.time()
            return first

    def intent(self) -> Json:
        """Return the record of what is about to be submitted."""
        return {**self._base("intent", self._began), "gaps": list(self.gaps), LATER: self.later}

    def completion(
        self,
        status: str,
        result: Json | None = None,
        error_type: str | None = None,
        gaps: tuple[str, ...] = (),
        later: tuple[Step, ...] = (),
    ) -> Json:
        """Return the record of the end."""
        with self._lock:
            children, more = list(self._children), self._nested - len(self._children)
        record = self._base("completion", self._ended or time.time())
        record |= {"status": status, "gaps": list(gaps), "children": children, LATER: list(later)}
        if more:
            record["gaps"].append(f"{more} more nested calls are not described")
        if self.job:
            record["job"] = self.job
        if result is not None:
            record["result"] = result
        if error_type is not None:
            record["error_type"] = error_type
        return record

    def _base(self, kind: str, moment: float) -> Json:
        return {
            "run_id": self.run_id,
            "kind": kind,
            "time": rfc3339(datetime.fromtimestamp(moment, timezone.utc)),
            "framework": self.framework,
            "operation": self.operation,
            "backend": self.backend,
            "execution": self.execution,
            "source": self.source,
            "parent_run_id": None,
        }
