"""What IBM will see of a job, field by field, and why what it sees cannot be hidden."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ...model import Circuit, Field
from .blobs import Blobs
from .hiding import Hiding, rename_passthrough
from .samplexes import Randomised
from .texts import Texts

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
    "declared": "name in the program",
    "passthrough": "passthrough text",
    "reference": "name of noise, a basis or a box",
    "virtual": "virtual register name",
    "interface": "samplex input or output name",
    "description": "samplex description",
}
_PROGRAM = frozenset({"shots", "items", "circuits", "meas_level", "passthrough_data", "semantic_role"})
_ITEM = frozenset(
    {"item_type", "circuit", "circuit_arguments", "samplex", "samplex_arguments", "shape", "chunk_size"}
)
_SETTINGS = "item_type", "chunk_size"

Named = dict[tuple[str, str], None]
"""What a user named: the kind, and the name."""

OFF = "Hiding is off for this target."
_USUAL = "Qiskit or samplomatic gives this name by itself; it says nothing."


def names(told: dict[str, Any], blobs: Blobs, randomised: list[Randomised], texts: Texts) -> Named:
    """Return what a user named in a job, before any of it is hidden."""
    found: Named = {(place.kind, place.text): None for blob in blobs.all for place in blob.file.places}
    for one in randomised:
        found |= one.names
    found |= texts.names

    def note(kind: str, text: str) -> str:
        found[kind, text] = None
        return text

    rename_passthrough(told, note)
    return found


def fields(
    told: dict[str, Any],
    tags: tuple[str, ...],
    named: Named,
    blobs: Blobs,
    found: list[Circuit],
    shots: int | None,
    hiding: Hiding | None,
) -> tuple[Field, ...]:
    """Return what the vendor sees.

    Args:
        told: The job as it is sent.
        tags: As the user wrote them.
        named: All else that the user named.
        blobs: The QPY in it, as it was submitted.
        found: What is known of its circuits.
        shots: All together.
        hiding: What was hidden; ``None`` where hiding is off.
    """
    return (
        *_named(named, hiding),
        *[Field("tag", hiding.tags[tag], tag) if hiding else Field("tag", tag, tag, OFF) for tag in tags],
        *_bare(blobs),
        *_open(told, found, shots),
    )


def _named(named: Named, hiding: Hiding | None) -> list[Field]:
    seen = hiding.seen if hiding else {}
    listed: list[Field] = []
    more: Counter[tuple[str, str]] = Counter()
    counted: Counter[str] = Counter()
    for kind, text in dict.fromkeys([*named, *seen]):
        if not text or (kind == "metadata" and text in ("{}", "null")):
            continue
        sent = seen.get((kind, text))
        why = "" if sent else OFF if hiding is None else _USUAL
        counted[kind] += 1
        if counted[kind] > MOST:
            more[_KINDS[kind], why] += 1
            continue
        listed.append(Field(_KINDS[kind], _cut(sent or text), _cut(text), why))
    for (kind, why), count in more.items():
        sent = "as written" if why else "as above, opaque"
        listed.append(Field(kind, f"{count} more, {sent}", f"{count} more", why))
    return listed


def _bare(blobs: Blobs) -> list[Field]:
    bare = list(dict.fromkeys(item for blob in blobs.all for item in blob.file.bare))
    listed = [_same(item.what, _cut(item.text), item.why) for item in bare[:MOST]]
    for (what, why), count in Counter((item.what, item.why) for item in bare[MOST:]).items():
        listed.append(_same(what, f"{count} more, as written", why))
    return listed


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
        _same("options", _cut(", ".join(given)) or "none", f"{runs} They are sent as submitted."),
        _same("program", told["program_id"], "It chooses what the vendor runs."),
        _same("backend", told.get("backend") or "", "It chooses where the job runs."),
        _same("session", told.get("session_id") or "none", "The vendor gave it."),
        _same("private", str(bool(told.get("private"))), "It asks the vendor to give results once only."),
        _same(
            "identifiers", "random, of parameters and custom gates", "They tie what is used twice together."
        ),
        _same("client", "version of Qiskit and of QPY", "The vendor reads circuits by them."),
        _same("account and time", "the project's account, when it was sent", "The vendor bills by them."),
        *_quantum(params.get("quantum_program")),
    ]


def _quantum(program: Any) -> list[Field]:
    """Return what is seen of an executor's program only."""
    if not isinstance(program, dict):
        return []
    items = program.get("items") or []
    found = []
    if any("samplex" in item for item in items):
        what = "its graph, tables, numbers and version"
        found.append(_same("samplex", what, "The vendor's service samples from it."))
    settings = [program.get("meas_level"), *[item.get(name) for item in items for name in _SETTINGS]]
    if texts := sorted({text for text in settings if isinstance(text, str)}):
        found.append(_same("program settings", _cut(", ".join(texts)), "They choose how it is run."))
    if program.get("passthrough_data") is not None:
        found.append(_same("passthrough numbers", "as submitted", "They come back as they were given."))
    if role := program.get("semantic_role"):
        found.append(_same("semantic role", _cut(str(role)), "Clients read the results by it."))
    if others := sorted({*program} - _PROGRAM | {key for item in items for key in item} - _ITEM):
        found.append(_same("other fields", _cut(", ".join(others)), "Nobody here knows what they are for."))
    return found


def _same(name: str, sent: str, why: str) -> Field:
    return Field(name, sent, sent, why)


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
