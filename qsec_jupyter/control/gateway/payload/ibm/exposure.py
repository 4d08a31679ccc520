"""What IBM will see of a job, field by field, and why what it sees cannot be hidden."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...model import Circuit, Field
from ..names import is_automatic
from .blobs import Blobs
from .hiding import Hiding

MOST = 100
"""Fields of one kind that are listed one by one."""

_SHOWN = 200
_KINDS = {
    "circuit": "circuit name",
    "register": "register name",
    "parameter": "parameter name",
    "vector": "parameter name",
    "variable": "variable name",
    "gate": "custom gate name",
    "label": "label",
    "metadata": "circuit metadata",
    "passthrough": "passthrough text",
}
OFF = "Hiding is off for this target."
_USUAL = "Qiskit gives this name by itself; it says nothing."


def fields(
    told: dict[str, Any],
    tags: tuple[str, ...],
    blobs: Blobs,
    found: list[Circuit],
    shots: int | None,
    hiding: Hiding | None,
) -> tuple[Field, ...]:
    """Return what the vendor sees.

    Args:
        told: The job as it is sent.
        tags: As the user wrote them.
        blobs: The QPY in it, as it was submitted.
        found: What is known of its circuits.
        shots: All together.
        hiding: What was hidden; ``None`` where hiding is off.
    """
    return (
        *_named(blobs, hiding),
        *[Field("tag", hiding.tags[tag], tag) if hiding else Field("tag", tag, tag, OFF) for tag in tags],
        *_bare(blobs),
        *_open(told, found, shots),
    )


def _named(blobs: Blobs, hiding: Hiding | None) -> list[Field]:
    seen = hiding.seen if hiding else {}
    texts = {(place.kind, place.text): None for blob in blobs.all for place in blob.file.places if place.text}
    listed: list[Field] = []
    more: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for kind, text in dict.fromkeys([*texts, *seen]):
        if kind == "metadata" and text in ("{}", "null"):
            continue
        counted[kind] += 1
        if counted[kind] > MOST:
            more[_KINDS[kind]] += 1
            continue
        sent = seen.get((kind, text))
        why = "" if sent else OFF if hiding is None or not is_automatic(text) else _USUAL
        listed.append(Field(_KINDS[kind], _cut(sent or text), _cut(text), why))
    for kind, count in more.items():
        sent = "as above, opaque" if hiding else "as written"
        listed.append(Field(kind, f"{count} more, {sent}", f"{count} more", "" if hiding else OFF))
    return listed


def _bare(blobs: Blobs) -> list[Field]:
    bare = dict.fromkeys(item for blob in blobs.all for item in blob.file.bare)
    return [Field(item.what, _cut(item.text), _cut(item.text), item.why) for item in list(bare)[:MOST]]


def _open(told: dict[str, Any], found: list[Circuit], shots: int | None) -> list[Field]:
    params = told["params"]
    given = sorted(set(params) - {"pubs", "quantum_program", "circuits", "instructions"})
    shapes = Counter(f"{c.width} qubits, depth {c.depth}, {c.size} instructions" for c in found)
    told_shapes = "; ".join(f"{count} x {shape}" for shape, count in list(shapes.items())[:5]) or "none"
    runs = "The vendor's machine carries it out."
    return [
        _same("circuit structure", told_shapes, f"{runs} Gates, connectivity and angles are what it runs."),
        _same("values and observables", "as submitted", f"{runs} Numbers stand by position."),
        _same("shots", "the vendor's default" if shots is None else str(shots), runs),
        _same("options", _cut(", ".join(given)) or "none", runs),
        _same("program", told["program_id"], "It chooses what the vendor runs."),
        _same("backend", told.get("backend") or "", "It chooses where the job runs."),
        _same("session", told.get("session_id") or "none", "The vendor gave it."),
        _same("private", str(bool(told.get("private"))), "It asks the vendor to give results once only."),
        _same(
            "identifiers", "random, of parameters and custom gates", "They tie what is used twice together."
        ),
        _same("client", "version of Qiskit and of QPY", "The vendor reads circuits by them."),
        _same("account and time", "the project's account, when it was sent", "The vendor bills by them."),
        *_samplex(params),
    ]


def _samplex(params: dict[str, Any]) -> list[Field]:
    items = (params.get("quantum_program") or {}).get("items") or []
    if not any("samplex" in item for item in items):
        return []
    return [_same("samplex", "names of registers in it", "The vendor's service samples from it by them.")]


def _same(name: str, sent: str, why: str) -> Field:
    return Field(name, sent, sent, why)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
