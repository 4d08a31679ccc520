"""Runs a hook right after a module is first executed, and never imports one by itself.

A kernel that never imports the module pays one dictionary look-up for each import.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Hook = Callable[[ModuleType], None]


class PostImport:
    """A finder for ``sys.meta_path`` that lets the others find, and wraps how what they found is executed.

    The module keeps its own loader and spec; only that one loader's ``exec_module`` is shadowed until
    it has run.
    """

    def __init__(self) -> None:
        self._hooks: dict[str, list[Hook]] = {}
        self._busy = threading.local()

    def on(self, name: str, hook: Hook) -> None:
        """Have ``hook`` called after each execution of module ``name``; at once if it is loaded already."""
        self._hooks.setdefault(name, []).append(hook)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        module = sys.modules.get(name)
        if module is not None:
            hook(module)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the other finders' spec, prepared to call our hooks; ``None`` for other modules."""
        if name not in self._hooks or getattr(self._busy, "name", None) == name:
            return None
        self._busy.name = name
        try:
            spec = next(filter(None, (_ask(finder, name, path, target) for finder in sys.meta_path)), None)
        finally:
            self._busy.name = None
        if spec is not None and hasattr(spec.loader, "exec_module"):
            self._shadow(spec.loader, self._hooks[name])
        return spec

    def _shadow(self, loader: Any, hooks: list[Hook]) -> None:
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            vars(loader).pop("exec_module", None)
            execute(module)
            for hook in hooks:
                hook(module)

        loader.exec_module = exec_module


def _ask(finder: Any, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    found: ModuleSpec | None = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
    return found
