"""What this kernel can say about its own hooks: in place, or removed since."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is on or off."""

    name: str
    ok: bool
    detail: str = ""


def checks() -> list[Check]:
    """Return the state of every hook as it is now, not as it was at the start."""
    from . import execution, redaction
    from .extension import loaded_into

    shell = loaded_into()
    if shell is None:
        return [Check("Extension", ok=False, detail="not loaded in this process")]
    return [*redaction.checks(shell, sys.stdout, sys.stderr), *execution.checks()]
