"""The program ``sampler``: how often each outcome was measured."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from .programs import Done, Unsupported
from .simulator import Machine, read_texts, twirled

_SHOTS = 4096  # what the provider takes where nothing is said


def run(request: dict[str, Any], machine: Machine, seed: int | None) -> Done:
    """Run the pubs of a request.

    Raises:
        Unsupported: For results that are not bits.
    """
    from qiskit.primitives.containers import PrimitiveResult, SamplerPubResult
    from qiskit.primitives.containers.sampler_pub import SamplerPub
    from qiskit_ibm_runtime.execution_span import ExecutionSpans, SliceSpan
    from qiskit_ibm_runtime.json import RuntimeDecoder, RuntimeEncoder

    params = json.loads(json.dumps(request["params"]), cls=RuntimeDecoder)
    options = params.get("options") or {}
    if (kind := (options.get("execution") or {}).get("meas_type", "classified")) != "classified":
        raise Unsupported(f"The sandbox measures bits; it has no {kind} data.")
    default = params.get("shots") or twirled(options, usual=False) or options.get("default_shots") or _SHOTS
    pubs = [_pub(SamplerPub, pub, default) for pub in read_texts(params["pubs"])]
    circuits = [pub.circuit for pub in pubs]
    started = datetime.now(timezone.utc)
    raw = machine.sampler(circuits, seed if seed is not None else _seed(options)).run(pubs).result()
    ended = datetime.now(timezone.utc)
    results = [
        SamplerPubResult(item.data, {"circuit_metadata": pub.circuit.metadata or {}})
        for item, pub in zip(raw, pubs, strict=True)
    ]
    span = SliceSpan(
        started,
        ended,
        {i: ((*pub.shape, pub.shots), slice(0, pub.size * pub.shots)) for i, pub in enumerate(pubs)},
    )
    metadata = {"execution": {"execution_spans": ExecutionSpans([span])}, "version": 2, "sandbox": True}
    result = json.dumps(PrimitiveResult(results, metadata=metadata), cls=RuntimeEncoder).encode()
    return Done(result, circuits, sum(pub.shots * pub.size for pub in pubs))


def _pub(kind: Any, given: Any, default: int) -> Any:
    circuit, values, shots = (*given, None, None)[:3]
    if values is not None and getattr(values, "size", len(values)) == 0 and not circuit.parameters:
        values = None
    return kind.coerce((circuit, values, shots), default)


def _seed(options: dict[str, Any]) -> int | None:
    found = (options.get("simulator") or {}).get("seed_simulator")
    return int(found) if found is not None else None
