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

from ..core.errors import Denied
from . import capture, channel as channels, evidence, hooking, permission
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
            make = functools.partial(self._make, status, result, error_type, gaps, later)
            self._to.add_later(self._run.run_id, make)

    def submitted(self, job: dict[str, Any]) -> None:
        """Record what the provider calls the job, ``{"id": ..., "session": ...}``: it can be found again."""
        self._run.job = job
        self._to.note("submitted", run_id=self._run.run_id, job=job)

    def _make(self, *outcome: Any) -> Record:
        return self._run.completion(*outcome)


class _FinishFoundAgain(Finish):
    """Records the end of a run that another kernel began; which run that was, the job's id tells."""

    __slots__ = ()

    def _make(self, *outcome: Any) -> Record:
        self._run.run_id = self._to.ask("job", id=self._run.job["id"])["run_id"]
        return super()._make(*outcome)


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
    permission.start(channel)


def stop(limit: float) -> None:
    """Wait for records that are on their way, at most ``limit`` seconds."""
    if recorder is not None:
        recorder.flush(limit)
        evidence.stop(limit)


def has_room() -> bool:
    """Say whether a record may hold on to something large until it is sent: few others wait."""
    return recorder is not None and recorder.waiting < MOST_HELD


def switch(*, on: bool) -> None:
    """Stop or resume recording, as the user asked; that itself is recorded.

    Raises:
        Denied: ``run.enforced``: where runs need permission, they are not switched off.
    """
    global _on  # noqa: PLW0603  # one kernel, one switch
    if not on and recorder is not None and permission.enforcing():
        raise Denied(
            "run.enforced",
            "Recording cannot be switched off here",
            "Runs need permission in this installation.",
            "Ask whoever keeps the catalogue.",
        )
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


def untracked(operation: str, told: Callable[[], dict[str, Any]]) -> None:
    """Report a submission to a provider that no recorded call made; with enforcement, refuse it.

    Args:
        operation: Where it was noticed.
        told: Returns what is submitted: ``program`` and ``backend``.

    Raises:
        Denied: ``run.untracked``, in enforce mode.
    """
    if not _on or recorder is None or running.get() is not None:
        return
    if permission.enforcing():
        raise Denied(
            "run.untracked",
            "This submission was refused: no recorded call made it",
            f"{operation} was called by itself.",
            "Run circuits by a sampler, an estimator or a backend.",
        )
    try:
        recorder.note("untracked", operation=operation, source=capture.source(_shell), **told())
    except Exception as error:  # noqa: BLE001  # fail open
        recorder.gap(
            f"a submission that no recorded call made could not be reported ({type(error).__name__})"
        )


def found_again(framework: str, operation: str, job: dict[str, Any]) -> Finish | None:
    """Return what records the end of a run of an earlier kernel, whose job is read in this one.

    Args:
        framework: Such as ``qiskit``.
        operation: What reads the result.
        job: The provider's ids; ``id`` at least.

    Returns:
        ``None`` when nothing is recorded here.
    """
    if not _on or recorder is None or "id" not in job:
        return None
    run = Run(framework, operation)
    run.job = job
    return _FinishFoundAgain(run, recorder)


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


@hooking.unseen
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
    if permission.enforcing():
        to.add(_permitted(run))
    else:
        to.add_later(run.run_id, run.intent)
    return run, args


def _permitted(run: Run) -> Record:
    """Describe a run in full and return its intent, once the control plane permits it.

    Raises:
        Denied: The run must not be submitted.
    """
    record = run.intent()
    capture.complete(record)
    hashes = [_hash_of(circuit) for circuit in record["execution"]["circuits"]]
    if None in hashes or run.gaps:
        raise Denied(
            "run.undescribed",
            "This run was not submitted: it could not be described",
            "; ".join(record["gaps"])[:500],
            "Permission is given for known circuits; build them from gates that Qiskit can look into.",
        )
    backend = record["backend"]
    _ask(run, backend, [str(found) for found in hashes], record["execution"].get("shots"))
    return record


def _ask(run: Run, backend: dict[str, Any], hashes: list[str], shots: int | None) -> None:
    about = {name: backend.get(name) for name in ("name", "type", "provider")}
    permission.ask(
        {
            "run_id": run.run_id,
            "framework": run.framework,
            "operation": run.operation,
            "backend": about,
            "circuits": hashes,
            "shots": shots,
        }
    )
    run.permitted |= {str(backend.get("name"))}


def _hash_of(circuit: dict[str, Any]) -> str | None:
    """Return what names a circuit: its structural hash, else the digest of its program."""
    structure, program = circuit.get("structural_hash"), circuit.get("program")
    found = (structure or {}).get("value") or (program or {}).get("sha256")
    return str(found) if found else None


def _note_child(
    parent: Run,
    framework: Framework,
    to: Recorder,
    instance: Any,
    args: tuple[Any, ...],
    options: dict[str, Any],
) -> None:
    summary: dict[str, Any] = {}
    try:
        summary = framework.summarise(instance, args, options)
        parent.child({"operation": framework.operation(instance), **summary})
    except Exception as error:  # noqa: BLE001  # fail open
        to.gap(f"a nested call could not be described ({type(error).__name__})", parent.run_id)
    if permission.enforcing() and summary.get("backend") not in parent.permitted:
        # A call that was permitted for one backend must not carry another one in.
        cls = type(instance)
        kind = f"{cls.__module__}.{cls.__qualname__}"
        _ask(parent, {"name": summary.get("backend"), "type": kind}, [], summary.get("shots"))


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
