"""What is written down about a run: who asked, what ran where, in which environment.

A record holds what is known. What is not known is named under ``gaps``, never invented.
"""

from __future__ import annotations

import hashlib
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..core.model import rfc3339
from ..provenance import repository
from ..provenance.environment import environment
from . import evidence, sources

Json = dict[str, Any]

Step = Callable[[Json], None]
"""Adds to a record what is slow to find out; on the sending thread. A step that fails is a gap."""

LATER = "later"
"""Where a record that is still in this process holds its steps; never sent."""

CHILDREN = 100
"""How many nested calls are described; all are counted."""


class Run:
    """One top-level call as it goes on: begun, perhaps with nested calls, ended once.

    Args:
        framework: Such as ``qiskit``.
        operation: Such as ``qiskit_aer.AerSimulator.run``.
        source: Where in the notebook it was asked for.
    """

    def __init__(self, framework: str, operation: str, source: Json) -> None:
        self.run_id = uuid.uuid4().hex
        self.framework = framework
        self.operation = operation
        self.source = source
        self.backend: Json = {"name": None}
        self.execution: Json = {
            "type": None, "circuits": [], "parameters": None, "shots": None, "options": {}, "seeds": {},
        }  # fmt: skip
        self.gaps: list[str] = []
        self.later: list[Step] = []
        self._children: list[Json] = []
        self._nested = 0
        self._lock = threading.Lock()
        self._ended = False

    def child(self, description: Json) -> None:
        """Note a call that this run made itself."""
        with self._lock:
            self._nested += 1
            if len(self._children) < CHILDREN:
                self._children.append(description)

    def intent(self) -> Json:
        """Return the record to send before anything is submitted."""
        return {**self._base("intent"), "gaps": list(self.gaps), LATER: self.later}

    def completion(
        self, status: str, result: Json | None, error_type: str | None, gaps: list[str], later: list[Step]
    ) -> Json | None:
        """Return the record of the end; ``None`` when the end has been recorded already."""
        with self._lock:
            if self._ended:
                return None
            self._ended = True
            children, more = list(self._children), self._nested - len(self._children)
        if more:
            gaps = [*gaps, f"{more} more nested calls are not described"]
        record = {**self._base("completion"), "status": status, "gaps": gaps, "children": children}
        record[LATER] = later
        if result is not None:
            record["result"] = result
        if error_type is not None:
            record["error_type"] = error_type
        return record

    def _base(self, kind: str) -> Json:
        return {
            "run_id": self.run_id,
            "kind": kind,
            "time": rfc3339(datetime.now(timezone.utc)),
            "framework": self.framework,
            "operation": self.operation,
            "backend": self.backend,
            "execution": self.execution,
            "source": self.source,
            "parent_run_id": None,
        }


def complete(record: Json) -> None:
    """Carry out a record's steps, once; on the sending thread. What fails is named among the gaps."""
    for step in record.pop(LATER, ()):
        try:
            step(record)
        except Exception as error:  # noqa: BLE001  # what is missing is said, and the record goes on
            name = getattr(step, "func", step).__name__.strip("_").replace("_", " ")
            record["gaps"].append(f"a part of the record is missing: {name} ({type(error).__name__})")


def source(shell: Any) -> Json:
    """Return the running cell's id and the digest of what was executed, as the client sent them."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    found: Json = {"execution_count": getattr(shell, "execution_count", None)}
    cell = (parent.get("metadata") or {}).get("cellId")
    code = (parent.get("content") or {}).get("code")
    if cell:
        found["cell_id"] = str(cell)
    if isinstance(code, str):
        found["cell_digest"] = hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
    if sources.chain is not None:
        found["chain"] = sources.chain.told()
    return found


def surroundings(record: Json) -> Json:
    """Return a record with the environment and the git repository added; slow, for the sending thread.

    A completion refers to its intent, which says it in full.
    """
    if record["kind"] != "intent":
        return {**record, "environment": {"see": "intent"}}
    told, manifest = environment()
    evidence.offer(told["packages"]["sha256"], told["packages"]["media_type"], manifest)
    git, missing = repository.state(str(Path.cwd()))
    return {
        **record,
        "environment": told,
        "source": {**record["source"], "git": git},
        "gaps": [*record["gaps"], *missing],
    }
