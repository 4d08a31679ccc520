"""Reads a job of IBM's runtime, as a worker does it: decode, check, measure, hide."""

from __future__ import annotations

import hashlib
from typing import Any

from ...model import Circuit, Submission
from .. import circuits, qpy, refusals, text
from ..names import Names
from ..openqasm import Program
from ..reading import Reading
from . import exposure, program, samplexes
from .blobs import Blob, Blobs
from .hiding import Hiding
from .texts import Texts

_TEXTS = ("program_id", "backend", "session_id", "runtime", "log_level", "calibration_id")
_KNOWN = frozenset({*_TEXTS, "params", "tags", "cost", "start_session", "session_time", "private"})
MAX_TAGS = 32
_HASHED = frozenset({"parameter", "vector", "variable", "label"})
"""Kinds of names that are in the structural hash."""


def read(body: bytes, how: Reading) -> Submission:
    """Read a job.

    Raises:
        Invalid: ``payload.`` and ``too_large``, ``malformed``, ``too_costly`` or ``unsupported``.
    """
    limits = how.limits
    if len(body) > limits.body:
        raise refusals.too_large("As submitted", f"{limits.body // (1024 * 1024)} MB")
    told = text.read(body, limits.nesting)
    _check(told)
    params: dict[str, Any] = told["params"]
    blobs = Blobs(limits)
    blobs.find(params)
    randomised = samplexes.find(params, blobs, limits)
    texts = Texts(limits)
    run = program.circuits_of(told["program_id"], params, blobs, texts)
    shots = program.shots_of(told["program_id"], params, blobs.room)
    tags = tuple(told.get("tags") or ())
    named = exposure.names(told, blobs, randomised, texts)
    names = Names(how.key)
    hiding = Hiding(names, told, blobs, randomised, texts) if how.hide else None
    renamed = hiding.hide() if hiding is not None else {}
    found = _measure(run, renamed, limits.circuits, limits.instructions)
    return Submission(
        provider="ibm",
        program=told["program_id"],
        backend=told.get("backend") or "",
        region="",
        shots=shots,
        execution_seconds=told.get("cost"),
        tags=tags,
        session=told.get("session_id"),
        circuits=tuple(found),
        body=text.write(told) if names.originals else body,
        digest=hashlib.sha256(body).hexdigest(),
        names=dict(names.originals),
        pulses=any(one.pulses for one in texts.all),
        fields=exposure.fields(told, tags, named, blobs, found, shots, hiding),
    )


def _check(told: dict[str, Any]) -> None:
    """Refuse a job with anything in it that the runtime's own client does not write."""
    if unknown := set(told) - _KNOWN:
        del unknown
        raise refusals.unsupported("a field that the provider's client does not write")
    if any(told.get(name) is not None and not isinstance(told[name], str) for name in _TEXTS):
        raise refusals.malformed("a field that should be text is none")
    if not told.get("program_id") or not isinstance(told.get("params"), dict):
        raise refusals.malformed("a job needs a program and what it is given")
    tags = told.get("tags")
    if tags is not None and (not isinstance(tags, list) or any(not isinstance(tag, str) for tag in tags)):
        raise refusals.malformed("tags are not a list of texts")
    if len(tags or ()) > MAX_TAGS:
        raise refusals.too_large("Tags", str(MAX_TAGS))
    for name in ("cost", "session_time"):
        if told.get(name) is not None and (type(told[name]) is not int or told[name] < 0):
            raise refusals.malformed("a time is no whole number of seconds")


def _measure(
    run: list[Blob | Program], renamed: dict[bytes, bytes], most: int, instructions: int
) -> list[Circuit]:
    """Return what is known of each circuit that is run; what was renamed must be the same but for names."""
    known: dict[bytes, list[Circuit]] = {}
    found: list[Circuit] = []
    for one in run:
        if isinstance(one, Program):
            found.append(one.circuit())
            continue
        data = one.file.data
        if data not in known:
            loaded = zip(_load(one.file, renamed.pop(data, data)), one.file.listings, strict=True)
            known[data] = [circuits.describe(circuit, listing) for circuit, listing in loaded]
        found += known[data]
        if len(found) > most:
            raise refusals.too_costly(f"more than {most} circuits")
    if sum(circuit.size for circuit in found) > instructions:
        raise refusals.too_costly(f"more than {instructions} instructions")
    for before, after in renamed.items():  # what is none of those that run
        _load_both(before, after)
    return found


def _load(file: qpy.QpyFile, sent: bytes) -> list[Any]:
    """Return the circuits of a file as they are sent; with the user's names where a hash has some of them."""
    if sent == file.data or _HASHED.isdisjoint(place.kind for place in file.places):
        return circuits.load(sent)
    return _load_both(file.data, sent)


def _load_both(before: bytes, after: bytes) -> list[Any]:
    """Return what was submitted, which must be the same as what is sent but for names."""
    loaded = circuits.load(before)
    if not circuits.same(loaded, circuits.load(after)):
        raise refusals.unsupported("a circuit whose names cannot be hidden")
    return loaded
