"""What was put in place of somebody else's function, and whether it still is there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Hook:
    """One attribute, or one entry of a table, that holds our function now."""

    name: str
    owner: Any
    key: str
    ours: Any

    def in_place(self) -> bool:
        """Say whether it still does."""
        return _get(self.owner, self.key) is self.ours


_hooks: list[Hook] = []


def wrap(name: str, owner: Any, key: str, make: Callable[[Any], Callable[..., Any]]) -> None:
    """Put ``make(original)`` in place of what ``owner`` has as ``key``; ``name`` is what status calls it."""
    original = _get(owner, key)
    put(name, owner, key, functools.wraps(original)(make(original)))


def put(name: str, owner: Any, key: str, ours: Any) -> None:
    """Put ``ours`` in place of what ``owner`` has as ``key``."""
    if isinstance(owner, dict):
        owner[key] = ours
    else:
        setattr(owner, key, ours)
    _hooks.append(Hook(name, owner, key, ours))


def state() -> dict[str, bool]:
    """Return, for each name, whether everything that belongs to it is in place."""
    found: dict[str, bool] = {}
    for hook in _hooks:
        found[hook.name] = hook.in_place() and found.get(hook.name, True)
    return found


def _get(owner: Any, key: str) -> Any:
    return owner.get(key) if isinstance(owner, dict) else getattr(owner, key, None)
