"""How a circuit was compiled: level, seed and duration, noted where Qiskit's pass managers are made and run.

Transpiling gives no record of its own. What is noted hangs on the compiled circuit, weakly, and is told by
the record of a run of just that circuit. One that was changed into another object has lost it: a gap.
"""

from __future__ import annotations

import functools
import sys
import threading
import time
import weakref
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from ... import hooking
from ...run import Json

_made: weakref.WeakKeyDictionary[Any, Json] = weakref.WeakKeyDictionary()
_compiled: dict[int, tuple[weakref.ref[Any], Json]] = {}
_running = threading.local()
_NAMES = ("optimization_level", "seed_transpiler")


def hook_maker(module: ModuleType) -> None:
    """Note level and seed of each pass manager that ``generate_preset_pass_manager`` returns.

    Only where nobody has the function yet: one that was imported before is left as it is, because it could
    not be pickled once its module held another. Level and seed are then a gap.
    """
    make = module.generate_preset_pass_manager
    package = sys.modules.get(module.__name__.rpartition(".")[0])
    if getattr(make, hooking.MARK, False) or callable(getattr(package, make.__name__, None)):
        return

    @hooking.unseen
    @functools.wraps(make)
    def generate_preset_pass_manager(*args: Any, **options: Any) -> Any:
        made = make(*args, **options)
        asked = {name: options.get(name) for name in _NAMES}
        if args and isinstance(args[0], int):
            asked["optimization_level"] = args[0]
        level = asked["optimization_level"]
        # Without a level Qiskit takes the user's configuration's, which is not for us to guess.
        _note(lambda: _made.__setitem__(made, {"level": level, "seed": asked["seed_transpiler"]}))
        return made

    setattr(generate_preset_pass_manager, hooking.MARK, True)
    module.generate_preset_pass_manager = generate_preset_pass_manager  # type: ignore[attr-defined]


def hook_runner(module: ModuleType) -> None:
    """Note what each run of a pass manager returned, and how long it took."""
    hooking.hook(module.PassManager, "run", _wrap, lambda _: None)


def of(circuit: Any) -> Json | None:
    """Return what is known of how this very object was compiled."""
    found = _compiled.get(id(circuit))
    return found[1] if found is not None and found[0]() is circuit else None


def _wrap(original: FunctionType) -> Callable[..., Any]:
    @hooking.unseen
    @functools.wraps(original)
    def run(self: Any, *args: Any, **options: Any) -> Any:
        if getattr(_running, "inside", False):
            return original(self, *args, **options)
        _running.inside = True
        began = time.perf_counter()
        try:
            given = original(self, *args, **options)
        finally:
            _running.inside = False
        _note(lambda: _remember(self, given, time.perf_counter() - began))
        return given

    setattr(run, hooking.MARK, True)
    return run


def _remember(manager: Any, given: Any, seconds: float) -> None:
    known = _made.get(manager, {"level": None, "seed": None})
    circuits = given if isinstance(given, list) else [given]
    told = {**known, "duration": round(seconds, 6) if len(circuits) == 1 else None}
    for circuit in circuits:
        _compiled[id(circuit)] = (weakref.ref(circuit, functools.partial(_forget, id(circuit))), told)


def _forget(identity: int, _: Any) -> None:
    _compiled.pop(identity, None)


def _note(work: Callable[[], None]) -> None:
    """Do what only the record needs; the user's call has its answer already."""
    try:
        work()
    except Exception:  # noqa: BLE001  # the record then says that level and seed are not known
        return
