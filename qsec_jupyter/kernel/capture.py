"""What is written down about a run: who asked, what ran where, in which environment.

A record holds what is known. What is not known is named under ``gaps``, never invented.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import sys
import threading
import uuid
from datetime import datetime, timezone
from typing import Any

from ..core.model import rfc3339

Json = dict[str, Any]

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
        return {**self._base("intent"), "gaps": list(self.gaps)}

    def completion(
        self, status: str, result: Json | None, error_type: str | None, gaps: list[str]
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
    return found


def environment() -> Json:
    """Return interpreter, system and installed packages; cached until a folder of ``sys.path`` changes."""
    return _environment(tuple((place, _changed(place)) for place in dict.fromkeys(sys.path)))


def _changed(place: str) -> int:
    try:
        return os.stat(place or ".").st_mtime_ns  # noqa: PTH116  # on the sending path; pathlib is slower
    except OSError:
        return 0


@functools.lru_cache(maxsize=1)
def _environment(places: tuple[tuple[str, int], ...]) -> Json:
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "os": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "packages": _packages([place for place, _ in places]),
    }


def _packages(places: list[str]) -> dict[str, str]:
    """Return name and version of what is installed, from the names of ``.dist-info`` folders.

    Reading them is a hundred times faster than importlib.metadata; the names are normalised as the
    packaging standard for recorded projects says (``{name}-{version}.dist-info``).
    """
    found: dict[str, str] = {}
    for place in places:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208
        except OSError:
            continue  # a zip, or a folder that is not there
        for name in names:
            if name.endswith(".dist-info"):
                project, _, version = name[: -len(".dist-info")].partition("-")
                found.setdefault(project.replace("_", "-").lower(), version)
    return dict(sorted(found.items()))
