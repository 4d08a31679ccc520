"""What the frameworks beside Qiskit have in common: programs with a text form, results at once or on a task.

Cirq, Braket and PennyLane each have a serialised form of their own for what they execute. Its digest names
the program as it was given, and the text is what a later run can be made from. It says nothing about
equality: the same circuit written otherwise, or by another version, may have another digest.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import Any

from .. import evidence
from ..execution import Finish
from .values import digest

Json = dict[str, Any]

MOST_PROGRAMS = 1000
"""How many programs of one call are described; that there were more is a gap."""


class Programs:
    """A framework with one method that takes programs and returns results, or tasks that will have some.

    Args:
        method: The method that is recorded.
    """

    name = ""

    def __init__(self, method: str) -> None:
        self.method = method

    def operation(self, instance: Any) -> str:
        """Return package, class and method, such as ``cirq.Simulator.run_sweep``."""
        cls = type(instance)
        return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}.{self.method}"

    def settle(self, args: tuple[Any, ...], options: Json) -> tuple[Any, ...]:
        """Return the arguments; none of these methods takes an iterator that could be read only once."""
        return args

    def given(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return the call's arguments by name, the method's defaults included."""
        bound = _signature(getattr(type(instance), self.method)).bind_partial(instance, *args, **options)
        bound.apply_defaults()
        return dict(bound.arguments)


def describe_programs(programs: list[Any], describe: Callable[[Any], Json], gaps: list[str]) -> list[Json]:
    """Return one entry for each program; what cannot be read is named by its type."""
    if len(programs) > MOST_PROGRAMS:
        gaps.append(f"only {MOST_PROGRAMS} of {len(programs)} circuits are described")
    found: list[Json] = []
    for program in programs[:MOST_PROGRAMS]:
        try:
            found.append(describe(program))
        except Exception as error:  # noqa: BLE001  # one odd program must not hide the others
            gaps.append(f"a circuit could not be described ({type(error).__name__})")
            found.append({"type": type(program).__qualname__})
    return found


def artefact(text: str, media_type: str) -> Json:
    """Return the digest that names a program's text, and have the text kept as evidence."""
    data = text.encode("utf-8", "surrogatepass")
    sha256 = hashlib.sha256(data).hexdigest()
    evidence.offer(sha256, media_type, data)
    return {"sha256": sha256, "media_type": media_type, "bytes": len(data)}


def finish_with(finish: Finish, result: Any, encoding: str) -> None:
    """Record a result that is there; what is not in its digest is a gap."""
    unknown: list[str] = []
    try:
        found = digest(result, encoding, unknown)
    except Exception as error:  # noqa: BLE001  # fail open: the result is the user's
        finish("done", gaps=(f"the result could not be digested ({type(error).__name__})",))
        return
    finish("done", result=found, gaps=tuple(f"{name} is not in the result's digest" for name in unknown))


def options_of(given: Json, leave_out: frozenset[str], gaps: list[str]) -> Json:
    """Return what was set for this call; objects are named by their type alone."""
    found: Json = {}
    for name, value in given.items():
        if name in leave_out or value is None or value in ((), {}):
            continue
        if isinstance(value, (bool, int, float, str)):
            found[name] = value
        else:
            found[name] = {"type": type(value).__qualname__}
            gaps.append(f"option {name} is recorded by its type only")
    return found


@functools.lru_cache(maxsize=256)
def _signature(method: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(method)
