"""Faults that can be asked for: what a provider does on a bad day, at will."""

from __future__ import annotations

import asyncio
import fnmatch
import json
from dataclasses import dataclass, replace
from typing import Any

from .calls import Answer, Call
from .jobs import new_id
from .refusals import Refusal, malformed, unauthenticated

KINDS: dict[str, str] = {
    "status": "Answer with `status` and, where given, Retry-After `seconds`; the request has no effect.",
    "slow": "Wait `seconds`, then answer as usual.",
    "trickle": "Answer as usual, but at `bytes` a second.",
    "hold": "Never answer; keep the connection open for `seconds`.",
    "drop-before": "Cut the connection before the request has an effect.",
    "drop-after": "Do what is asked, then cut the connection without an answer.",
    "cut": "Do what is asked, promise the whole answer, cut the connection half-way.",
    "expired-token": "Answer 401 as to an expired bearer, and forget that bearer.",
    "html": "Do what is asked, answer with a page of HTML and status 200.",
    "truncated": "Do what is asked, answer with the first half of the JSON.",
    "wrong-types": "Do what is asked, answer with JSON in which every value has another type.",
    "redirect": "Answer 302 to `location`; the request has no effect.",
    "job-failure": "Let the next job fail with `reason` and `code`.",
}
"""Kinds of faults, with what each does. A number is short for ``status``."""


@dataclass(slots=True)
class Fault:
    """One fault that is armed.

    Attributes:
        id: Names it.
        kind: One of :data:`KINDS`.
        method: Only requests with this method; empty for all.
        path: Only requests to paths of this pattern (``*`` for anything).
        times: How often it strikes; 0 for ever.
        after: How many requests that fit are spared first.
        status: For ``status``.
        seconds: For ``slow``, ``hold`` and Retry-After.
        bytes: For ``trickle``, a second.
        location: For ``redirect``.
        reason: For ``job-failure``.
        code: For ``job-failure``.
        struck: How often it has struck.
    """

    kind: str
    id: str = ""
    method: str = ""
    path: str = "*"
    times: int = 1
    after: int = 0
    status: int = 500
    seconds: float = 0.0
    bytes: int = 65_536
    location: str = "http://169.254.169.254/latest/meta-data/"
    reason: str = "The sandbox was told to let this job fail."
    code: int = 9700
    struck: int = 0

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


def read_fault(given: Any) -> Fault:
    """Return the fault that a table or a line describes.

    Args:
        given: ``{"kind": "status", "status": 429, …}`` or ``"429 path=/api/v1/jobs method=POST times=2"``.

    Raises:
        Refusal: 400.
    """
    values = _words(given) if isinstance(given, str) else given
    if not isinstance(values, dict):
        raise malformed("A fault is a table or a line.")
    values = dict(values)
    if str(values.get("kind", "")).isdigit():
        values |= {"status": int(values["kind"]), "kind": "status"}
    if values.get("kind") not in KINDS:
        raise malformed("There is no such kind of fault.", f"There are: a status, {', '.join(KINDS)}.")
    blank = Fault(str(values["kind"]))
    for name, value in values.items():
        if name in ("id", "struck") or name not in Fault.__slots__:
            raise malformed(f"A fault has no {name}.", f"It has: {', '.join(Fault.__slots__)}.")
        values[name] = _as(type(getattr(blank, name)), name, value)
    return replace(Fault(**values), id=new_id())


def _words(line: str) -> dict[str, Any]:
    kind, *words = line.split() or [""]
    return {"kind": kind, **{name: value for name, _, value in (word.partition("=") for word in words)}}


def _as(kind: type, name: str, value: Any) -> Any:
    if kind is str:
        return str(value)
    try:
        found = kind(value)
    except (TypeError, ValueError):
        found = -1
    if found < 0 or isinstance(value, bool):
        raise malformed(f"A fault's {name} is a number of at least 0.")
    return found


class Faults:
    """The faults that are armed, oldest first."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that strikes this request, and count it."""
        for fault in self.armed:
            fits = fault.method in ("", method) and fnmatch.fnmatchcase(path, fault.path)
            if not fits or fault.kind == "job-failure":
                continue
            if fault.after:
                fault.after -= 1
                continue
            return self._strike(fault)
        return None

    def take_failure(self) -> Fault | None:
        """Return the failure that is due to the next job, and count it."""
        return next((self._strike(fault) for fault in self.armed if fault.kind == "job-failure"), None)

    def _strike(self, fault: Fault) -> Fault:
        fault.struck += 1
        if fault.times and fault.struck >= fault.times:
            self.armed.remove(fault)
        return fault


async def before(fault: Fault, call: Call) -> Answer | None:
    """Do what a fault does before the request has an effect.

    Returns:
        The answer, where there is one already; ``None`` to go on.

    Raises:
        Refusal: As the provider would refuse.
        ConnectionAbortedError: When the connection is to be cut.
    """
    if fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "hold":
        with_end = asyncio.create_task(call.gone())
        await asyncio.wait({with_end}, timeout=fault.seconds or None)
        with_end.cancel()
        raise ConnectionAbortedError
    elif fault.kind == "drop-before":
        raise ConnectionAbortedError
    elif fault.kind == "expired-token":
        raise unauthenticated("The bearer has expired.")
    elif fault.kind == "redirect":
        return Answer(302, b"", headers={"Location": fault.location})
    elif fault.kind == "status":
        wait = {"Retry-After": str(int(fault.seconds))} if fault.seconds or fault.status == 429 else {}
        raise Refusal(
            fault.status, 1429 if fault.status == 429 else 9000, "The sandbox was told to refuse.", "", wait
        )
    return None


def after(fault: Fault, given: Answer) -> Answer:
    """Return what a fault makes of the answer.

    Raises:
        ConnectionAbortedError: When the connection is to be cut.
    """
    if fault.kind == "drop-after":
        raise ConnectionAbortedError
    if fault.kind == "html":
        return Answer(200, b"<html><body><h1>Sandbox</h1><p>It works!</p></body></html>", "text/html")
    if fault.kind == "truncated" and isinstance(given.body, bytes):
        return Answer(given.status, given.body[: len(given.body) // 2], given.kind)
    if fault.kind == "wrong-types" and isinstance(given.body, bytes):
        try:
            return Answer(given.status, json.dumps(_twisted(json.loads(given.body))).encode(), given.kind)
        except ValueError:
            return Answer(given.status, b"[[[42]]]", given.kind)
    return given


def _twisted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _twisted(item) for name, item in value.items()}
    if isinstance(value, list):
        return {str(index): _twisted(item) for index, item in enumerate(value)}
    return [value] if isinstance(value, str) else str(value)
