"""The two in-toto statements about a run: the intent before it, the completion after it.

Format: in-toto Statement v1 (https://in-toto.io/Statement/v1) with predicates of our own, whose JSON
Schemas lie in ``schemas/`` and whose fields ``docs/formats/statements.md`` explains. What a kernel claimed
stands under ``run`` with ``assertedBy: kernel``; what the control plane saw itself under ``authority``
and ``recorder`` with ``assertedBy: control``. Nothing is moved from one to the other.
"""

from __future__ import annotations

import math
from typing import Any

from ..core.canonical import canonical_bytes, digest
from ..core.errors import Invalid
from .missing import missing
from .schema import fit
from .withheld import withhold

Json = dict[str, Any]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
INTENT_TYPE = "https://qsec-jupyter.dev/provenance/intent/v1"
COMPLETION_TYPE = "https://qsec-jupyter.dev/provenance/completion/v1"

_LARGEST = 2**53 - 1  # RFC 8785 knows only numbers that an IEEE double holds
_KERNEL, _SERVER, _CONTROL = ({"assertedBy": who} for who in ("kernel", "server", "control"))


def intent(record: Json, authority: Json, recorder: Json, server: Json | None = None) -> bytes:
    """Return the payload to sign before a run: who is about to run what, allowed by what.

    Args:
        record: The kernel's record, ``kind: intent``.
        authority: Principal, grant and policies, as the control plane knows them.
        recorder: Which control plane writes this, for which server and kernel.
        server: What the Jupyter Server knows itself, such as the notebook's digest.

    Raises:
        Invalid: ``record.malformed`` when the record is not a JSON object with ``run_id`` and ``kind``.
    """
    record, gaps = _claimed(record, "intent")
    gaps += missing(record)
    subjects = _inputs(record)
    return _statement(INTENT_TYPE, subjects, record, {**_seen(authority, recorder, server), "gaps": gaps})


def completion(
    record: Json, intent_ref: Json | None, authority: Json, recorder: Json, server: Json | None = None
) -> bytes:
    """Return the payload to sign after a run: how it ended, with which result.

    Args:
        record: The kernel's record, ``kind: completion``.
        intent_ref: ``{"statement": id, "index": ledger index}`` of the run's intent; ``None`` when none
            was recorded, which becomes a gap.
        authority: As in :func:`intent`.
        recorder: As in :func:`intent`.
        server: As in :func:`intent`.

    Raises:
        Invalid: ``record.malformed``.
    """
    record, gaps = _claimed(record, "completion")
    if intent_ref is None:
        gaps.append("no intent of this run was recorded")
    subjects = []
    result = record.get("result")
    if isinstance(result, dict) and _is_sha256(result.get("sha256")):
        subjects.append({"name": "result", "digest": {"sha256": result["sha256"]}})
    else:
        gaps.append("the result has no digest")
    reference = {**intent_ref, **_CONTROL} if intent_ref else None
    seen = {**_seen(authority, recorder, server), "intent": reference, "gaps": gaps}
    return _statement(COMPLETION_TYPE, subjects, record, seen)


def _seen(authority: Json, recorder: Json, server: Json | None) -> Json:
    return {
        "authority": {**_plain(authority), **_CONTROL},
        "recorder": {**_plain(recorder), **_CONTROL},
        "server": {**_plain(server or {}), **_SERVER},
    }


def _statement(kind: str, subjects: list[Json], record: Json, seen: Json) -> bytes:
    # A statement needs a subject (in-toto v1); the run itself is one that is always there.
    subjects.append({"name": f"run/{record['run_id']}", "digest": {"sha256": digest(record)}})
    predicate = {**seen, "run": {**record, **_KERNEL}, "gaps": list(dict.fromkeys(seen["gaps"]))}
    return canonical_bytes(
        {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": kind, "predicate": predicate}
    )


def _claimed(record: Json, kind: str) -> tuple[Json, list[str]]:
    """Return the record in a form that has canonical JSON, and what it says is missing."""
    record = _plain(record)
    run_id = record.get("run_id") if isinstance(record, dict) else None
    if not isinstance(run_id, str) or not run_id or record.get("kind") != kind:
        raise Invalid(
            "record.malformed",
            "A run record is malformed",
            f"A record of kind {kind} needs a run_id.",
            "Use matching versions of kernel and control plane.",
        )
    gaps = record.pop("gaps", None) or []
    gaps = [str(gap) for gap in gaps] if isinstance(gaps, list) else [str(gaps)]
    record, names = withhold(record)
    gaps += [f"the value of {name!r} is withheld: it is called a secret" for name in names]
    record, unfit = fit(record, kind)
    gaps += unfit
    for position, circuit in enumerate(_circuits(record)):
        gaps += [f"circuit {position}: {gap}" for gap in circuit.get("gaps") or ()]
    return record, gaps


def _inputs(record: Json) -> list[Json]:
    """Return circuits and parameters as subjects, by every digest that is known of them."""
    subjects = []
    for position, circuit in enumerate(_circuits(record)):
        structure = circuit.get("structural_hash")
        artefact = circuit.get("qpy") or circuit.get("program")
        digests = {}
        if isinstance(structure, dict) and _is_sha256(structure.get("value")):
            digests[str(structure.get("alg"))] = structure["value"]
        if isinstance(artefact, dict) and _is_sha256(artefact.get("sha256")):
            digests["sha256"] = artefact["sha256"]
        if digests:
            subjects.append({"name": f"circuit/{position}", "digest": digests})
    execution = record.get("execution")
    parameters = execution.get("parameters") if isinstance(execution, dict) else None
    if isinstance(parameters, dict) and _is_sha256(parameters.get("sha256")):
        subjects.append({"name": "parameters", "digest": {"sha256": parameters["sha256"]}})
    return subjects


def _circuits(record: Json) -> list[Json]:
    execution = record.get("execution")
    circuits = execution.get("circuits") if isinstance(execution, dict) else None
    return (
        [circuit for circuit in circuits if isinstance(circuit, dict)] if isinstance(circuits, list) else []
    )


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64 and not value.strip("0123456789abcdef")


def _plain(value: Any) -> Any:
    """Return ``value`` so that RFC 8785 can write it and nothing is lost.

    Integers beyond 2**53 - 1 (64-bit seeds) become decimal strings, NaN and infinities their names,
    lone surrogates the text of their escape.
    """
    if isinstance(value, dict):
        return {_text(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return str(value)
    return value


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()
