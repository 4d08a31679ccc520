"""What is written down about a run: who asked, what ran where, in which environment.

A record holds what is known. What is not known is named under ``gaps``, never invented.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..provenance import repository
from ..provenance.environment import environment
from . import evidence, hooking, permission, sources
from .run import LATER, Json


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
        "hooks": _hooks(),
        "gaps": [*record["gaps"], *missing],
    }


def _hooks() -> Json:
    """Return the kernel's own check of its hooks; code in the kernel can undo them, and then this, too."""
    removed = hooking.removed()
    mode = "enforce" if permission.enforcing() else "record"
    return {"mode": mode, "ok": not removed, "removed": removed}
