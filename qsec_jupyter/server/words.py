"""What people type into requests: masked where it quotes a value that was issued, before it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_TYPED = ("reason", "comment", "ticket", "label")
"""Free text that the control plane keeps and shows to others."""


def masked(args: dict[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    """Return a request with the values in its free text masked; all else stays as it is."""
    typed = {name: redact(args[name]) for name in _TYPED if isinstance(args.get(name), str)}
    return {**args, **typed}
