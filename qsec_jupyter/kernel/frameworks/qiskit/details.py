"""What is slow to find out about a Qiskit run: options in effect, calibration, noise, how it was compiled.

:func:`note` runs beside the user's call and only takes references and shallow copies; the steps that it
leaves run on the sending thread. What does not change with the call is found out once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import sys
import weakref
from typing import Any

from ...run import Run
from ..keeping import Json, keep, keep_json
from . import compilation

CALIBRATION_TYPE = "application/vnd.qsec.calibration+json"
NOISE_TYPE = "application/vnd.qsec.noise-model+json"

_OWN = ("default_shots", "default_precision", "seed")
_MITIGATION = ("resilience", "resilience_level", "twirling", "dynamical_decoupling")
_DEEPEST = 6

_calibrations: weakref.WeakKeyDictionary[Any, tuple[str, Json | None]] = weakref.WeakKeyDictionary()
_noise: dict[int, tuple[weakref.ref[Any], Any, Json]] = {}


def note(run: Run, instance: Any, backend: Any, options: Json, circuits: list[Any]) -> None:
    """Have a run's record completed later.

    Args:
        run: The run.
        instance: Whose method was called.
        backend: The backend that does the work; the same for a backend's own run.
        options: The call's own options.
        circuits: What runs; only their layouts are looked at.
    """
    held = held_by(instance)
    theirs = held if backend is instance else held_by(backend)
    model = options.get("noise_model") or held.get("noise_model") or theirs.get("noise_model")
    compiled = [(getattr(circuit, "layout", None), compilation.of(circuit)) for circuit in circuits[:100]]
    run.later += [
        functools.partial(_add_runner, instance, held, None if backend is instance else backend, theirs),
        functools.partial(_add_calibration, backend),
    ]
    if model is not None:
        run.later.append(functools.partial(_add_noise, model))
    if any(layout is not None or how is not None for layout, how in compiled):
        run.later.append(functools.partial(_add_compilation, compiled))


def held_by(instance: Any) -> Json:
    """Return an instance's options as they are now; one level is copied, which is all that calls change."""
    options: Any = getattr(instance, "options", None)
    fields = getattr(options, "_fields", None)
    if isinstance(fields, dict):  # those of a backend
        return dict(fields)
    try:
        if hasattr(options, "items"):
            return dict(options.items())
        return dict(vars(options))
    except TypeError:
        return {}


def _add_runner(instance: Any, held: Json, backend: Any, theirs: Json, record: Json) -> None:
    """Say what ran it and with which options in effect, well enough to make it again."""
    own = {name: getattr(instance, name, getattr(instance, f"_{name}", None)) for name in _OWN}
    unknown: list[str] = []
    told = {"type": _type(instance), "options": _scalars({**own, **held}, unknown)}
    if backend is not None:
        told["backend"] = {"type": _type(backend), "options": _scalars(theirs, unknown)}
    record["execution"]["runner"] = told
    settings = {name: told["options"][name] for name in _MITIGATION if told["options"].get(name)}
    if settings:
        record["execution"]["mitigation"] = settings
    record["gaps"] += [f"option {name} in effect is not known" for name in unknown if name != "noise_model"]


def _type(instance: Any) -> str:
    return f"{type(instance).__module__}.{type(instance).__qualname__}"


def _scalars(value: Any, unknown: list[str], name: str = "", depth: int = 0) -> Any:
    """Return what JSON holds of a value, ``None`` and unset left out; name what it does not hold."""
    if isinstance(value, (bool, int, float, str)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        return [_scalars(item, unknown, name, depth + 1) for item in value]
    if isinstance(value, dict) and depth < _DEEPEST:
        kept = {str(key): item for key, item in value.items() if item is not None and not _is_unset(item)}
        found = {key: _scalars(item, unknown, key, depth + 1) for key, item in kept.items()}
        return {key: item for key, item in found.items() if item is not None}
    unknown.append(name)
    return None


def _is_unset(value: Any) -> bool:
    return type(value).__name__ == "UnsetType"


# -- calibration -------------------------------------------------------------------------------


def _add_calibration(backend: Any, record: Json) -> None:
    """Refer to the calibration in effect: T1 and T2, readout, gate times and errors, coupling, basis, dt."""
    updated = _last_updated(backend)
    try:
        known = _calibrations.get(backend)
    except TypeError:  # a backend that cannot be hashed is read anew
        known = None
    if known is None or known[0] != updated:
        known = (updated, _calibration(backend, updated))
        with contextlib.suppress(TypeError):
            _calibrations[backend] = known
    record["backend"] = {**record["backend"], "simulator": _is_simulator(backend), "calibration": known[1]}
    instance = getattr(backend, "_instance", None)
    if isinstance(instance, str):  # of IBM's backends: which account's plan; a name, not a secret
        record["backend"]["instance"] = instance
    shots = getattr(backend, "max_shots", None)
    if isinstance(shots, int):
        record["backend"]["max_shots"] = shots


def _calibration(backend: Any, updated: str) -> Json | None:
    if _is_ideal(backend):
        return None
    target = getattr(backend, "target", None)
    if target is None or not _is_calibrated(target):
        return None
    return _read_calibration(backend, target, updated)


def _is_ideal(backend: Any) -> bool:
    """Say whether it is a simulator of Aer's own; each look at its target would make the target anew."""
    if not type(backend).__module__.startswith("qiskit_aer."):
        return False
    return all(getattr(backend, name, None) is None for name in ("_properties", "_target"))


def _is_calibrated(target: Any) -> bool:
    if getattr(target, "qubit_properties", None):
        return True
    names = getattr(target, "operation_names", ())
    return any(
        getattr(properties, "error", None) is not None
        for name in names
        for properties in (target[name] or {}).values()
    )


def _is_simulator(backend: Any) -> bool | None:
    configured = getattr(backend, "simulator", None)
    if isinstance(configured, bool):
        return configured
    return True if type(backend).__module__.startswith(("qiskit_aer.", "qiskit.")) else None


def _last_updated(backend: Any) -> str:
    """Return when the backend was last calibrated, as it says without asking its provider again."""
    held = getattr(backend, "_properties", None) or getattr(backend, "_props_dict", None)
    found = getattr(held, "last_update_date", None)
    if found is None and isinstance(held, dict):
        found = held.get("last_update_date")
    return str(found) if found is not None else ""


def _read_calibration(backend: Any, target: Any, updated: str) -> Json:
    qubits = [
        {name: _number(getattr(qubit, name, None)) for name in ("t1", "t2", "frequency")}
        for qubit in (getattr(target, "qubit_properties", None) or [])
    ]
    gates = {
        name: {
            ",".join(map(str, place)): [
                _number(getattr(properties, "duration", None)),
                _number(getattr(properties, "error", None)),
            ]
            for place, properties in (target[name] or {}).items()
            if place is not None
        }
        for name in sorted(target.operation_names)
    }
    snapshot = {
        "name": str(getattr(backend, "name", "")),
        "version": str(getattr(backend, "backend_version", "")),
        "last_update_date": updated or None,
        "num_qubits": target.num_qubits,
        "dt": _number(target.dt),
        "qubits": qubits,
        "gates": gates,
    }
    kept = keep_json(CALIBRATION_TYPE, snapshot)
    return {
        **kept,
        "last_update_date": updated or None,
        "num_qubits": target.num_qubits,
        "dt": snapshot["dt"],
    }


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


# -- noise -------------------------------------------------------------------------------------


def _add_noise(model: Any, record: Json) -> None:
    """Refer to the noise model in effect, by the digest of its own serialised form."""
    size = [len(held) for held in vars(model).values() if isinstance(held, (dict, set, list))]
    known = _noise.get(id(model))
    if known is None or known[0]() is not model or known[1] != size:
        text = json.dumps(model.to_dict(serializable=True), sort_keys=True, separators=(",", ":"))
        told = keep(NOISE_TYPE, text.encode())
        if len(_noise) > 64:
            _noise.clear()
        known = _noise[id(model)] = (weakref.ref(model), size, told)
    record["backend"] = {**record["backend"], "noise_model": known[2]}


# -- compilation -------------------------------------------------------------------------------


def _add_compilation(compiled: list[tuple[Any, Json | None]], record: Json) -> None:
    """Say how circuits were compiled: layouts, and level, seed and duration where they share them."""
    ways = [how for _, how in compiled if how is not None]
    same = ways[0] if ways and len(ways) == len(compiled) and all(way == ways[0] for way in ways) else {}
    qiskit = sys.modules.get("qiskit")
    record["execution"]["compilation"] = {
        "name": "qiskit",
        "version": getattr(qiskit, "__version__", None),
        **{name: same.get(name) for name in ("level", "seed", "duration")},
        "circuits": [_layout(layout) for layout, _ in compiled],
    }


def _layout(layout: Any) -> Json | None:
    if layout is None:
        return None
    final = layout.final_index_layout(filter_ancillas=True)
    return {"layout": list(final), "sha256": hashlib.sha256(repr(final).encode()).hexdigest()}
