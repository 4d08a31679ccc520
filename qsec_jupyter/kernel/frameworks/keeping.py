"""What a replay needs and a digest cannot give: parameter values, results, calibrations, as evidence."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from qsec_jupyter.provenance import measured

from .. import evidence

Json = dict[str, Any]

VALUES_TYPE = "application/vnd.qsec.values+json"
"""Parameter values and observables; ``docs/formats/evidence.md`` writes the form down."""


def keep(media_type: str, data: bytes) -> Json:
    """Offer an artefact to the store of evidence and return what the record says of it."""
    sha256 = hashlib.sha256(data).hexdigest()
    evidence.offer(sha256, media_type, data)
    return {"sha256": sha256, "media_type": media_type, "bytes": len(data)}


def keep_json(media_type: str, value: Any) -> Json:
    """Offer a JSON value as an artefact, in one fixed form."""
    return keep(media_type, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def read_values(given: Any, gaps: list[str]) -> Any:
    """Read parameter values and observables so that they can be given again; ``None`` when they cannot."""
    try:
        return _tagged(given)
    except Exception as error:  # noqa: BLE001  # fail open: the run goes on without
        gaps.append(f"parameter values are not kept ({type(error).__name__})")
        return None


def _tagged(value: Any) -> Any:  # noqa: PLR0911  # one return for each kind of value
    """Return a value as JSON in which each object says what it is; raises for what cannot be given again."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return value.item() if hasattr(value, "item") else value
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, dict):
        return {"map": [[_name(key), _tagged(item)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        return [_tagged(item) for item in value]
    kind = type(value).__qualname__
    if kind == "BindingsArray":
        return {"bindings": [[list(names), _array(held)] for names, held in value.data.items()]}
    if kind == "ObservablesArray":
        return {"observables": value.tolist()}
    if kind == "SparsePauliOp":
        return {"sparse_pauli": [[label, [c.real, c.imag]] for label, c in value.to_list()]}
    if kind == "Pauli":
        return {"pauli": value.to_label()}
    if hasattr(value, "__array__"):
        return _array(value)
    raise TypeError(kind)


def _name(key: Any) -> Any:
    """Return a parameter's name, or those of several; QPY keeps the names, which find it again."""
    if isinstance(key, (list, tuple)):
        return [_name(item) for item in key]
    name = key if isinstance(key, str) else getattr(key, "name", None)
    if not isinstance(name, str):
        raise TypeError(type(key).__qualname__)
    return name


def _array(value: Any) -> Json:
    import numpy  # every framework has imported it

    held = numpy.ascontiguousarray(value)
    if held.dtype == object:
        return {"list": [_tagged(item) for item in held.tolist()]}
    shape = list(numpy.shape(value))
    return {"array": [held.dtype.str, shape, base64.b64encode(held.tobytes()).decode()]}


def keep_measured(record: Json, parts: list[measured.Part]) -> None:
    """Keep what a run measured, and have the record's result refer to it."""
    outcomes = sum(len(part.counts) + len(part.values) for part in parts)
    if not parts or outcomes > measured.MOST_OUTCOMES:
        why = f"{outcomes} outcomes are too many" if parts else "it holds neither counts nor estimates"
        record["gaps"].append(f"the result is not kept as evidence: {why}")
    elif isinstance(record.get("result"), dict):
        kept = keep(measured.MEDIA_TYPE, measured.encode(parts))
        record["result"] = {**record["result"], "evidence": kept}
