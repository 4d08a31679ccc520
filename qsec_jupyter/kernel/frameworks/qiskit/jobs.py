"""How jobs of Qiskit end: by their own future, or when their owner reads the result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextvars import copy_context
from types import ModuleType
from typing import Any

from ... import execution, hooking
from ...run import Json, Step
from .. import values
from ..fetching import when_fetched
from ..keeping import keep_measured
from . import results

BACKEND_RESULT = "qsec.dev/result/qiskit-backend/v1"
PRIMITIVE_RESULT = "qsec.dev/result/qiskit-primitive/v1"

_ENDINGS = frozenset({"RuntimeJobFailureError", "RuntimeJobMaxTimeoutError", "RuntimeInvalidStateError"})
"""What a remote job's ``result()`` raises for a job that failed, ran too long or was cancelled."""


def observe(job: Any, finish: execution.Finish) -> None:
    """Have the end of a job recorded; its result is never fetched for that."""
    future = getattr(job, "_future", None)
    if isinstance(future, Future):
        future.add_done_callback(lambda done: _of_future(done, finish))
        return
    when_fetched(job, "result", lambda result: of_result(result, finish), lambda error: failed(error, finish))
    known = named(job)
    if known:
        finish.submitted(known)


def named(job: Any) -> Json:
    """Return the ids that a provider gave a job and its session; it is not asked again."""
    held = getattr(job, "_job_id", None)
    found = {"id": held if held is not None else _asked_id(job), "session": getattr(job, "_session_id", None)}
    return {name: value for name, value in found.items() if isinstance(value, str) and value}


def _asked_id(job: Any) -> Any:
    return job.job_id() if callable(getattr(job, "job_id", None)) else None


def failed(error: BaseException, finish: execution.Finish) -> bool:
    """Record the end of a job whose result raised, if that says that it has ended; say whether it does."""
    kind = type(error).__name__
    if kind in _ENDINGS:
        finish("failed", error_type=kind)
    return kind in _ENDINGS


def carry_context(module: ModuleType) -> None:
    """Run a primitive's work in the context of the call that submitted it: nested calls know their parent.

    ``PrimitiveJob._submit`` hands its function to a thread pool, which starts in an empty context (see
    qiskit issue 12989). The function is put back before anybody can look: a job stays picklable.
    """
    hooking.hook_method(module.PrimitiveJob, "_submit", _in_context)


def _in_context(submit: Callable[..., Any]) -> Callable[..., Any]:
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

    return _submit


def _of_future(future: Future[Any], finish: execution.Finish) -> None:
    """Record the end of a local job; on the thread that did the work, while its owner wakes."""
    if future.cancelled():
        finish("failed", error_type="CancelledError")
        return
    error = future.exception()
    if error is not None:
        finish("failed", error_type=type(error).__name__)
    else:
        of_result(future.result(), finish)


def of_result(result: Any, finish: execution.Finish) -> None:
    """Read now what is measured, which its owner may change from now on; digest and keep it later."""
    status = "failed" if getattr(result, "success", True) is False else "done"
    unknown: list[str] = []
    try:
        encoding, measured = _measured(result)
        read = values.Read(measured, unknown)
    except Exception as error:  # noqa: BLE001  # fail open: the result is the user's
        finish(status, gaps=(f"the result could not be digested ({type(error).__name__})",))
        return
    gaps = [f"{name} is not in the result's digest" for name in unknown]
    later: list[Step] = [functools.partial(_add_digest, read, encoding)]
    if execution.has_room():
        later.append(functools.partial(_keep_result, result))
    else:
        gaps.append("the result is not kept as evidence: too many records wait")
    finish(status, gaps=tuple(gaps), later=tuple(later))


def _add_digest(read: values.Read, encoding: str, record: Json) -> None:
    record["result"] = read.digest(encoding)


def _keep_result(result: Any, record: Json) -> None:
    """Keep counts or estimates as evidence, when the user has the result already."""
    if digest_result(result)[0] != record["result"]:
        record["gaps"].append("the result is not kept as evidence: it was changed before it could be")
    else:
        keep_measured(record, results.parts(result))


def digest_result(result: Any) -> tuple[Json, list[str]]:
    """Return the digest of what was measured, and what is not in it. Times and ids of the run are left out.

    Backend results count by shots and data of each experiment, primitive results by the named arrays of
    each pub. Arrays enter as type, shape and the SHA-256 of their bytes in C order.
    """
    unknown: list[str] = []
    encoding, measured = _measured(result)
    found = values.digest(measured, encoding, unknown)
    return found, [f"{name} is not in the result's digest" for name in unknown]


def _measured(result: Any) -> tuple[str, Any]:
    if hasattr(result, "results"):
        return BACKEND_RESULT, [[e.shots, e.data.to_dict()] for e in result.results]
    return PRIMITIVE_RESULT, [_fields(pub) for pub in _each(result)]


def _each(result: Any) -> Iterable[Any]:
    return (result,) if hasattr(result, "quasi_dists") or hasattr(result, "values") else result


def _fields(pub: Any) -> Json:
    data = getattr(pub, "data", None)
    if data is not None:
        return {str(name): data[name] for name in data}
    return {name: getattr(pub, name) for name in ("quasi_dists", "values") if hasattr(pub, name)}
