"""The program ``estimator``: expectation values of observables."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .programs import Done
from .simulator import Machine, read_texts, touched, twirled

_PRECISION = 1 / 64  # 4096 shots, what the provider takes where nothing is said


def run(request: dict[str, Any], machine: Machine, seed: int | None) -> Done:
    """Run the pubs of a request. Error mitigation has no effect here, and the metadata say so."""
    from qiskit.primitives.containers import DataBin, PrimitiveResult, PubResult
    from qiskit.primitives.containers.estimator_pub import EstimatorPub
    from qiskit_ibm_runtime.json import RuntimeDecoder, RuntimeEncoder

    params = json.loads(json.dumps(request["params"]), cls=RuntimeDecoder)
    options = params.get("options") or {}
    default = params.get("precision") or _precision(options)
    pubs = [_pub(EstimatorPub, pub, default) for pub in read_texts(params["pubs"])]
    circuits = [pub.circuit for pub in pubs]
    results = []
    for pub, (evs, stds) in zip(pubs, _values(pubs, machine, seed), strict=True):
        data = DataBin(evs=evs, stds=stds, ensemble_standard_error=stds, shape=evs.shape)
        told = {
            "shots": _shots(pub),
            "target_precision": pub.precision,
            "circuit_metadata": pub.circuit.metadata or {},
            "resilience": {},
            "num_randomizations": 1,
        }
        results.append(PubResult(data, told))
    metadata = {"version": 2, "dynamical_decoupling": {"enable": False}, "resilience": {}, "sandbox": True}
    result = json.dumps(PrimitiveResult(results, metadata=metadata), cls=RuntimeEncoder).encode()
    return Done(result, circuits, sum(_shots(pub) * max(1, pub.parameter_values.size) for pub in pubs))


def _precision(options: dict[str, Any]) -> float:
    """Return the precision of pubs that name none."""
    shots = twirled(options, usual=options.get("resilience_level") != 0) or options.get("default_shots")
    return float(1 / np.sqrt(shots) if shots else options.get("default_precision") or _PRECISION)


def _values(pubs: list[Any], machine: Machine, seed: int | None) -> list[tuple[Any, Any]]:
    from qiskit.primitives import BackendEstimatorV2

    if machine.aer is None:
        random = np.random.default_rng(seed)
        return [(random.uniform(-1, 1, pub.shape), np.full(pub.shape, pub.precision)) for pub in pubs]
    machine.set_method(_width(pub) for pub in pubs)
    estimator = BackendEstimatorV2(backend=machine.aer, options={"seed_simulator": seed})
    return [(np.asarray(each.data.evs), np.asarray(each.data.stds)) for each in estimator.run(pubs).result()]


def _width(pub: Any) -> int:
    """Return how many qubits are used: what is only observed is measured, too."""
    bits = pub.circuit.qubits[::-1]
    labels = {label for observable in pub.observables.ravel().tolist() for label in observable}
    observed = {bit for label in labels for bit, name in zip(bits, label, strict=True) if name != "I"}
    return len(touched(pub.circuit) | observed)


def _shots(pub: Any) -> int:
    return int(np.ceil(1 / pub.precision**2 - 1e-6))  # what shots became a precision are those shots again


def _pub(kind: Any, given: Any, default: float) -> Any:
    circuit, observables, values, precision = (*given, None, None)[:4]
    if values is not None and getattr(values, "size", len(values)) == 0 and not circuit.parameters:
        values = None
    return kind.coerce((circuit, observables, values, precision), default)
