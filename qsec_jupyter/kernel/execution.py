"""The one place that every hooked ``run`` goes through.

Rules, in this order: the user's call happens exactly once, with its own arguments, and returns or raises
what it always did; whatever goes wrong in recording becomes a gap; a call made by a recorded call is its
child, not a run of its own. In *enforce* mode one more comes first: what is not permitted is not called.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

from . import capture, channel as channels, evidence, hooking
from .channel import Channel
from .coroutines import Within
from .health import Check
from .recorder import Record, Recorder
from .run import Run, Step


class Finish:
    """Records the end of one run, once; what comes second is ignored."""

    __slots__ = ("_run", "_to")

    def __init__(self, run: Run, to: Recorder) -> None:
        self._run = run
        self._to = to

    def __call__(
        self,
        status: str,
        *,
        result: dict[str, Any] | None = None,
        error_type: str | None = None,
        gaps: tuple[str, ...] = (),
        later: tuple[Step, ...] = (),
    ) -> None:
        """Record that the run has ended now, and how; ``later`` are steps for the sending thread."""
        if self._run.end():
            make = functools.partial(self._run.completion, status, result, error_type, gaps, later)
            self._to.add_later(self._run.run_id, make)

    def submitted(self, job: dict[str, Any]) -> None:
        """Record what the provider calls the job, ``{"id": ..., "session": ...}``: it can be found again."""
        self._run.job = job
        self._to.note("submitted", run_id=self._run.run_id, job=job)


class Framework(Protocol):
    """What the dispatcher needs of a quantum framework; one module or folder each in :mod:`.frameworks`."""

    name: str
    method: str
    """The method whose calls are runs."""

    def operation(self, instance: Any) -> str:
        """Return how the operation is called, such as ``qiskit_aer.AerSimulator.run``."""

    def settle(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments so that they can be read twice; never raises, never changes what they say."""

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        """Fill in backend and execution.

        What takes time is left to a step in ``run.later``, which works on copies: the user may change
        everything meanwhile.
        """

    def summarise(self, instance: Any, args: tuple[Any, ...], options: dict[str, Any]) -> dict[str, Any]:
        """Return a short description of a nested call."""

    def observe(self, job: Any, finish: Finish) -> None:
        """Have ``finish`` called once when the job ends; never fetch its result."""


MOST_HELD = 256
"""Records that may wait and hold on to results; beyond this a result is not kept as evidence."""

recorder: Recorder | None = None
"""Where records go; ``None`` without a channel: runs are then not recorded, and status says so."""

running: ContextVar[Run | None] = ContextVar("qsec_run", default=None)
"""The recorded call that is going on in this context."""

_OFF = "switched off with %qsec off"
_on = True
_shell: Any = None


def start(channel: Channel, ip: Any) -> None:
    """Record runs from now on; called when the first framework is imported."""
    global recorder, _shell  # noqa: PLW0603  # one kernel, one recorder
    _shell = ip
    recorder = Recorder(channel, _finish)


def stop(limit: float) -> None:
    """Wait for records that are on their way, at most ``limit`` seconds."""
    if recorder is not None:
        recorder.flush(limit)
        evidence.stop(limit)


def has_room() -> bool:
    """Say whether a record may hold on to something large until it is sent: few others wait."""
    return recorder is not None and recorder.waiting < MOST_HELD


def switch(*, on: bool) -> None:
    """Stop or resume recording, as the user asked; that itself is recorded."""
    global _on  # noqa: PLW0603  # one kernel, one switch
    if recorder is not None and on != _on:
        recorder.gap(f"the user switched recording {'on' if on else 'off'}")
    _on = on


def checks() -> list[Check]:
    """Say whether runs are recorded, which hooks are gone, and what could not be recorded."""
    if recorder is None:
        armed = channels.mine is not None and _on
        why = "no framework is imported yet" if armed else "this kernel has no channel"
        return [Check("Recording of runs", ok=armed, detail=why if _on else _OFF)]
    removed = hooking.removed()
    detail = "" if _on else _OFF
    if removed:
        detail = f"hooks removed from {', '.join(removed)}"
    found = [Check("Recording of runs", _on and not removed, detail)]
    if recorder.waiting:
        found.append(
            Check("Records on their way", ok=True, detail=f"{recorder.waiting} not acknowledged yet")
        )
    if recorder.gaps:
        found.append(Check("Gaps", ok=False, detail=f"{recorder.gaps}; the last: {recorder.last_gap}"))
    return found


def hook(root: type, framework: Framework) -> None:
    """Record the framework's method of ``root`` and of each of its subclasses, those to come included."""
    hooking.hook(root, framework.method, functools.partial(_wrap, framework=framework), _not_hooked)


def _not_hooked(what: str) -> None:
    if recorder is not None:
        recorder.gap(what)


def _wrap(original: Callable[..., Any], framework: Framework) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(original):
        return _wrap_coroutine(original, framework)

    @functools.wraps(original)
    def run(self: Any, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        if not _on or recorder is None:
            return original(self, *args, **options)
        return _dispatch(framework, recorder, original, self, args, options)

    return run


def _wrap_coroutine(original: Callable[..., Any], framework: Framework) -> Callable[..., Any]:
    @functools.wraps(original)
    async def run(self: Any, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        to, parent = recorder, running.get()
        if not _on or to is None:
            return await original(self, *args, **options)
        if parent is not None:
            _note_child(parent, framework, to, self, args, options)
            return await original(self, *args, **options)
        begun, args = _begin(framework, to, self, args, options)
        try:
            job = await Within(running, begun, original(self, *args, **options))
        except BaseException as error:
            Finish(begun, to)("failed", error_type=type(error).__name__)
            raise
        _observe(framework, to, begun, job)
        return job

    return run


# -- one call ----------------------------------------------------------------------------------


def _dispatch(
    framework: Framework,
    to: Recorder,
    original: Callable[..., Any],
    instance: Any,
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> Any:
    __tracebackhide__ = True
    parent = running.get()
    if parent is not None:
        _note_child(parent, framework, to, instance, args, options)
        return original(instance, *args, **options)
    run, args = _begin(framework, to, instance, args, options)
    token = running.set(run)
    try:
        job = original(instance, *args, **options)
    except BaseException as error:
        Finish(run, to)("failed", error_type=type(error).__name__)
        raise
    finally:
        running.reset(token)
    _observe(framework, to, run, job)
    return job


def _observe(framework: Framework, to: Recorder, run: Run, job: Any) -> None:
    try:
        framework.observe(job, Finish(run, to))
    except Exception as error:  # noqa: BLE001  # the job is the user's, whatever happens to its record
        to.gap(f"the end of the run cannot be observed ({type(error).__name__})", run.run_id)


def _begin(
    framework: Framework, to: Recorder, instance: Any, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Run, tuple[Any, ...]]:
    """Queue the intent and return the run, with the arguments to go on with."""
    run = Run(framework.name, framework.operation(instance))
    args = framework.settle(args, options)
    try:
        run.source = capture.source(_shell)
        framework.describe(run, instance, args, options)
    except Exception as error:  # noqa: BLE001  # fail open: a run is never lost to its record
        run.gaps.append(f"not all of the call could be described ({type(error).__name__})")
    to.add_later(run.run_id, run.intent)
    return run, args


def _note_child(
    parent: Run,
    framework: Framework,
    to: Recorder,
    instance: Any,
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> None:
    try:
        parent.child(
            {"operation": framework.operation(instance), **framework.summarise(instance, args, options)}
        )
    except Exception as error:  # noqa: BLE001  # fail open
        to.gap(f"a nested call could not be described ({type(error).__name__})", parent.run_id)


def _finish(record: Record) -> Record:
    """Carry out what was left for later, add surroundings, take known values out; on the sending thread."""
    from .redaction import masker

    capture.complete(record)
    record = capture.surroundings(record)
    if masker:
        packed = json.dumps(record, ensure_ascii=False, default=_type_name)
        if masker.in_packed(packed.encode("utf-8", "surrogatepass")):
            record = masker.redact_tree(json.loads(packed))
    return record


def _type_name(value: Any) -> str:
    return f"<{type(value).__qualname__}>"
