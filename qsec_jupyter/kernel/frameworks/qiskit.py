"""Qiskit: every backend, sampler and estimator, by the classes they must derive from.

Nothing here imports qiskit. The hooks are put on the modules that DEFINE the base classes, right after
the user's own import has executed them.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextvars import copy_context
from types import ModuleType
from typing import Any

from .. import execution
from ..capture import Run
from . import qiskit_details as details, qiskit_results
from .fetching import when_fetched
from .keeping import keep_measured, keep_values
from .values import VALUES, digest, number

Json = dict[str, Any]

BACKEND_RESULT = "qsec.dev/result/qiskit-backend/v1"
PRIMITIVE_RESULT = "qsec.dev/result/qiskit-primitive/v1"

_SEEDS = ("seed_simulator", "seed_transpiler", "seed")
_INPUTS = ("pubs", "circuits", "run_input")
_VALUES = ("observables", "parameter_values")
_MOST_CIRCUITS = 1000


def hook(module: ModuleType) -> None:
    """Hook what this module of qiskit defines."""
    _HOOKS[module.__name__](module)


def _roots(module: ModuleType, framework: execution.Framework, *names: str) -> None:
    for name in names:
        root = getattr(module, name, None)
        if isinstance(root, type):
            execution.hook(root, framework)


def _carry_context(module: ModuleType) -> None:
    """Run a primitive's work in the context of the call that submitted it: nested calls know their parent.

    ``PrimitiveJob._submit`` hands its function to a thread pool, which starts in an empty context (see
    qiskit issue 12989). The function is put back before anybody can look: a job stays picklable.
    """
    job_class = module.PrimitiveJob
    submit = job_class._submit
    if getattr(submit, "__qsec__", False):
        return

    @functools.wraps(submit)
    def _submit(self: Any) -> Any:
        if execution.running.get() is None or not hasattr(self, "_function"):
            return submit(self)
        function = self._function
        self._function = functools.partial(copy_context().run, function)
        try:
            return submit(self)
        finally:
            self._function = function

    _submit.__qsec__ = True  # type: ignore[attr-defined]
    job_class._submit = _submit


_HOOKS: dict[str, Callable[[ModuleType], None]] = {
    "qiskit.providers.backend": lambda module: _roots(module, Backends(), "BackendV2"),
    "qiskit.primitives.base.base_sampler": lambda module: _roots(
        module, Primitives("sampler"), "BaseSamplerV2", "BaseSamplerV1"
    ),
    "qiskit.primitives.base.base_estimator": lambda module: _roots(
        module, Primitives("estimator"), "BaseEstimatorV2", "BaseEstimatorV1"
    ),
    "qiskit.primitives.primitive_job": _carry_context,
}


class Qiskit:
    """What backends and primitives have in common."""

    name = "qiskit"
    method = "run"

    def operation(self, instance: Any) -> str:
        """Return package, class and method, such as ``qiskit_aer.AerSimulator.run``."""
        cls = type(instance)
        return f"{cls.__module__.partition('.')[0]}.{cls.__qualname__}.run"

    def settle(self, args: tuple[Any, ...], options: Json) -> tuple[Any, ...]:
        """Return the arguments in a form that can be read twice: an iterator of pubs is read here, once."""
        name = next((name for name in _INPUTS if name in options), None)
        given = args[0] if args else options.get(name or "")
        if not isinstance(given, Iterator):
            return args
        if args:
            return (_read(given), *args[1:])
        options[str(name)] = _read(given)
        return args

    def observe(self, job: Any, finish: execution.Finish) -> None:
        """Learn of the end from the job's own future, or when the user fetches the result; never fetch it."""
        future = getattr(job, "_future", None)
        if isinstance(future, Future):
            future.add_done_callback(lambda done: _of_future(done, finish))
        else:
            when_fetched(job, "result", lambda result: _of_result(result, finish))


class Backends(Qiskit):
    """``BackendV2.run(circuits, **options)``."""

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Fill in backend, circuits, shots and seeds."""
        circuits = _circuits(args, options)
        run.backend = describe_backend(instance)
        defaults = getattr(instance, "options", None)
        binds = args[1] if len(args) > 1 else options.get("parameter_binds")
        run.execution |= {
            "type": "backend",
            "circuits": _describe_circuits(circuits, run.gaps),
            "parameters": _kept(_parameters(binds, run.gaps), {"binds": binds}, run.gaps),
            "shots": number(options.get("shots", getattr(defaults, "shots", None))),
            "options": _options(options, run.gaps),
            "seeds": _seeds(options, defaults),
        }
        details.note(run, instance, instance, options, circuits)

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return backend, number of circuits and shots of a nested call."""
        shots = options.get("shots", getattr(getattr(instance, "options", None), "shots", None))
        backend = describe_backend(instance)["name"]
        return {"backend": backend, "circuits": len(_circuits(args, options)), "shots": number(shots)}


class Primitives(Qiskit):
    """``BaseSamplerV2.run(pubs)``, ``BaseEstimatorV2.run(pubs)`` and their first versions.

    Args:
        kind: ``sampler`` or ``estimator``.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def describe(self, run: Run, instance: Any, args: tuple[Any, ...], options: Json) -> None:
        """Fill in backend, circuits, parameters, and shots of a sampler."""
        run.backend = _behind(instance)
        parts = [_parts(pub) for pub in _circuits(args, options)]
        values = [part[1:] for part in parts if len(part) > 1]
        # First versions take observables and values beside the circuits.
        more = [*args[1:], *(options[name] for name in _VALUES if options.get(name) is not None)]
        given = {"pubs": [part[1:] for part in parts], "more": more}
        circuits = [circuit for part in parts for circuit in part[:1]]
        run.execution |= {
            "type": self._kind,
            "circuits": _describe_circuits(circuits, run.gaps),
            "parameters": _kept(_parameters([*values, *more] or None, run.gaps), given, run.gaps),
            "shots": self._shots(instance, parts, options, run.gaps),
            "options": _options(options, run.gaps),
            "seeds": _seeds(options, instance),
        }
        details.note(run, instance, _doing_the_work(instance), options, circuits)

    def summarise(self, instance: Any, args: tuple[Any, ...], options: Json) -> Json:
        """Return backend and number of pubs of a nested call."""
        return {"backend": _behind(instance)["name"], "circuits": len(_circuits(args, options))}

    def _shots(self, instance: Any, parts: list[list[Any]], options: Json, gaps: list[str]) -> int | None:
        if self._kind == "estimator":
            return None  # estimators are told a precision
        own = {number(part[2]) for part in parts if len(part) > 2 and part[2] is not None}
        asked = options.get("shots") or getattr(instance, "default_shots", None)
        if asked is None:
            asked = getattr(getattr(instance, "options", None), "default_shots", None)
        if not own:
            return number(asked)
        if len(own) == 1 and all(len(part) > 2 for part in parts):
            return own.pop()
        gaps.append("shots differ between pubs")
        return None


# -- what was asked ----------------------------------------------------------------------------


def _is_circuit(value: Any) -> bool:
    module = sys.modules.get("qiskit.circuit.quantumcircuit")
    return module is not None and isinstance(value, module.QuantumCircuit)


def _circuits(args: tuple[Any, ...], options: Json) -> list[Any]:
    """Return circuits or pubs, whether one or many were given."""
    given = args[0] if args else next((options[name] for name in _INPUTS if name in options), ())
    return [given] if _is_circuit(given) or not isinstance(given, Iterable) else list(given)


def _read(given: Iterator[Any]) -> list[Any] | _Replay:
    """Read an iterator to its end, or to the error it raises; the framework then meets the same error."""
    items: list[Any] = []
    try:
        items.extend(given)  # keeps what came before an error
    except Exception as error:  # noqa: BLE001  # the user's own; raised again where the framework reads on
        return _Replay(items, error)
    return items


class _Replay(list[Any]):
    """What an iterator gave before it raised, and then the same error."""

    def __init__(self, items: list[Any], error: Exception) -> None:
        super().__init__(items)
        self._error = error

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        raise self._error


def _parts(pub: Any) -> list[Any]:
    """Return circuit, values and the rest of one pub, in whichever of the allowed forms it comes."""
    if _is_circuit(pub):
        return [pub]
    if isinstance(pub, (list, tuple)):
        return list(pub)
    fields = ("observables", "parameter_values", "shots", "precision")
    return [pub.circuit, *(getattr(pub, field) for field in fields if hasattr(pub, field))]


def _describe_circuits(circuits: list[Any], gaps: list[str]) -> list[Json]:
    from qsec_jupyter.provenance.circuit import describe

    if len(circuits) > _MOST_CIRCUITS:
        gaps.append(f"only {_MOST_CIRCUITS} of {len(circuits)} circuits are described")
    found = []
    for circuit in circuits[:_MOST_CIRCUITS]:
        try:
            found.append(describe(circuit))
        except Exception as error:  # noqa: BLE001  # one odd circuit must not hide the others
            gaps.append(f"a circuit could not be described ({type(error).__name__})")
            found.append({"type": type(circuit).__qualname__})
    return found


def _parameters(given: Any, gaps: list[str]) -> Json | None:
    """Return the digest of parameter values and observables, or ``None`` when there are none."""
    if given is None:
        return None
    unknown: list[str] = []
    found = digest(given, VALUES, unknown)
    if unknown:
        gaps.append(f"parameters hold values that have no fixed form: {', '.join(sorted(set(unknown)))}")
    return found


def _kept(found: Json | None, given: Any, gaps: list[str]) -> Json | None:
    """Have the values themselves kept, too: a replay gives them again, in their places."""
    kept = keep_values(given, gaps) if found is not None else None
    return {**found, "evidence": kept} if found is not None and kept else found


def _options(options: Json, gaps: list[str]) -> Json:
    """Return what was set for this call; objects are named by their type alone."""
    found: Json = {}
    for name, value in options.items():
        if name in {*_INPUTS, *_VALUES, "parameter_binds"}:
            continue
        if value is None or isinstance(value, (bool, int, float, str)):
            found[name] = value
        else:
            found[name] = {"type": type(value).__qualname__}
            gaps.append(f"option {name} is recorded by its type only")
    return found


def _seeds(options: Json, holder: Any) -> Json:
    found = {name: options.get(name, getattr(holder, name, None)) for name in _SEEDS}
    return {name: seed for name, seed in found.items() if isinstance(seed, int)}


def describe_backend(backend: Any) -> Json:
    """Return what a backend is called and which version it is; no calls to its provider."""
    cls = type(backend)
    name = getattr(backend, "name", None)
    version = getattr(backend, "backend_version", None)
    return {
        "name": name if isinstance(name, str) else cls.__qualname__,
        "version": None if version is None else str(version),
        "type": f"{cls.__module__}.{cls.__qualname__}",
        "provider": cls.__module__.partition(".")[0],
    }


def _behind(primitive: Any) -> Json:
    """Return the backend that a primitive runs on; the primitive itself when it simulates."""
    return describe_backend(_doing_the_work(primitive))


def _doing_the_work(primitive: Any) -> Any:
    backend = getattr(primitive, "_backend", None)
    return primitive if backend is None or isinstance(backend, str) else backend


# -- how it ended ------------------------------------------------------------------------------


def _of_future(future: Future[Any], finish: execution.Finish) -> None:
    """Record the end of a local job; on the thread that did the work."""
    if future.cancelled():
        finish("failed", error_type="CancelledError")
        return
    error = future.exception()
    if error is not None:
        finish("failed", error_type=type(error).__name__)
    else:
        _of_result(future.result(), finish)


def _of_result(result: Any, finish: execution.Finish) -> None:
    status = "failed" if getattr(result, "success", True) is False else "done"
    try:
        found, gaps = digest_result(result)
    except Exception as error:  # noqa: BLE001  # fail open: the result is the user's
        found, gaps = None, [f"the result could not be digested ({type(error).__name__})"]
    later = (functools.partial(_keep_result, result, found),) if execution.has_room() else ()
    missing = () if later else ("the result is not kept as evidence: too many records wait",)
    finish(status, result=found, gaps=(*gaps, *missing), later=later)


def _keep_result(result: Any, found: Json | None, record: Json) -> None:
    """Keep counts or estimates as evidence; on the sending thread, when the user may have the result."""
    if found is None or digest_result(result)[0] != found:
        record["gaps"].append("the result is not kept as evidence: it was changed before it could be")
    else:
        keep_measured(record, qiskit_results.parts(result))


def digest_result(result: Any) -> tuple[Json, list[str]]:
    """Return the digest of what was measured, and what is not in it. Times and ids of the run are left out.

    Backend results count by shots and data of each experiment, primitive results by the named arrays of
    each pub. Arrays enter as type, shape and the SHA-256 of their bytes in C order.
    """
    unknown: list[str] = []
    if hasattr(result, "results"):
        encoding = BACKEND_RESULT
        measured: Any = [[e.shots, e.data.to_dict()] for e in result.results]
    else:
        encoding = PRIMITIVE_RESULT
        measured = [_fields(pub) for pub in _each(result)]
    found = digest(measured, encoding, unknown)
    return found, [f"{name} is not in the result's digest" for name in unknown]


def _each(result: Any) -> Iterable[Any]:
    return (result,) if hasattr(result, "quasi_dists") or hasattr(result, "values") else result


def _fields(pub: Any) -> Json:
    data = getattr(pub, "data", None)
    if data is not None:
        return {str(name): data[name] for name in data}
    return {name: getattr(pub, name) for name in ("quasi_dists", "values") if hasattr(pub, name)}
