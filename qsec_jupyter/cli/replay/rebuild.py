"""Makes again what ran a recorded run, as far as that can be had here, and runs it.

Only simulators and primitives of a fixed table are made from a record: what a kernel claimed never chooses
which code is imported. Anything else the caller names, with ``--backend``.
"""

from __future__ import annotations

import importlib
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...core.errors import Invalid, QsecError, Unavailable
from . import values
from .artefacts import Material

Json = dict[str, Any]

_FAKE = re.compile(r"qiskit_ibm_runtime\.fake_provider\.backends\.[a-z0-9_.]+\.Fake[A-Za-z0-9]+")
_PER_CALL = frozenset({"noise_model", "backend"})  # objects; what they were is rebuilt apart


class NotRebuilt(Exception):
    """What ran it cannot be made here; the text says why. It never leaves this package."""


def run(material: Material, backend: str | None) -> Any:
    """Run it again and return the framework's own result.

    Args:
        material: The run's artefacts.
        backend: ``MODULE:NAME`` of a backend or primitive, or of a function that returns one, to run on
            in the place of the recorded one.

    Raises:
        NotRebuilt: What ran it cannot be made here.
        Invalid: ``replay.backend_malformed``.
        Unavailable: ``replay.failed`` when the run fails.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about code that was written when the run was recorded
        runner, call = _runner(material, backend)
        try:
            return call(runner, material).result()
        except (QsecError, NotRebuilt):
            raise
        except Exception as error:
            raise Unavailable(
                "replay.failed",
                "Running it again failed",
                f"{type(runner).__qualname__} raised {type(error).__name__}.",
                "Compare the environments: `qsec replay --verify-only` lists what differs.",
            ) from error


def _runner(material: Material, backend: str | None) -> tuple[Any, Callable[[Any, Material], Any]]:
    kind = str((material.said.get("execution") or {}).get("type"))
    call = _CALLS.get(kind)
    if call is None:
        raise NotRebuilt(f"a run of kind {kind} is not replayed yet")
    runner = _given(backend) if backend else _rebuilt(material)
    if kind in {"sampler", "estimator"} and hasattr(runner, "target"):
        runner = _primitive_over(kind, runner)
    return runner, call


# -- calls -------------------------------------------------------------------------------------


def _run_backend(backend: Any, material: Material) -> Any:
    options = _call_options(material)
    binds = values.read(material.values).get("binds")
    if binds is not None:
        options["parameter_binds"] = [
            _bound(bind, material.circuits[place]) for place, bind in enumerate(binds)
        ]
    return backend.run(list(material.circuits), **options)


def _bound(bind: Json, circuit: Any) -> dict[Any, Any]:
    """Give values to a circuit's parameters by their names, which QPY keeps."""
    parameters = {parameter.name: parameter for parameter in circuit.parameters}
    return {parameters[name]: value for name, value in bind.items()}


def _run_primitive(primitive: Any, material: Material) -> Any:
    given = values.read(material.values)
    if given.get("more"):
        raise NotRebuilt("a primitive of the first version is not replayed")
    pubs = given.get("pubs") or [[] for _ in material.circuits]
    return primitive.run(
        [(circuit, *rest) for circuit, rest in zip(material.circuits, pubs, strict=True)],
        **_call_options(material),
    )


_CALLS: dict[str, Callable[[Any, Material], Any]] = {
    "backend": _run_backend,
    "sampler": _run_primitive,
    "estimator": _run_primitive,
}


def _call_options(material: Material) -> Json:
    told = _with_floats((material.said.get("execution") or {}).get("options") or {})
    plain = {
        name: value for name, value in told.items() if not isinstance(value, dict) and name not in _PER_CALL
    }
    return plain | _noise(material) if "noise_model" in told else plain


# -- what runs it ------------------------------------------------------------------------------


def _rebuilt(material: Material) -> Any:
    runner = (material.said.get("execution") or {}).get("runner") or {}
    kind, options = str(runner.get("type")), _with_floats(runner.get("options") or {})
    if _FAKE.fullmatch(kind):
        return _imported(kind)()
    make = _RUNNERS.get(kind)
    if make is None:
        raise NotRebuilt(f"{kind} cannot be made here: it is not a simulator that a record says all of")
    return make(_imported(kind), options, material)


def _with_floats(options: Json) -> Json:
    """Return options with floats where they belong: canonical JSON writes 0.0 as 0."""
    return {
        name: float(value) if name in {"precision", "default_precision"} and isinstance(value, int) else value
        for name, value in options.items()
    }


def _aer(cls: Any, options: Json, material: Material) -> Any:
    if "noise_model" not in (material.said["execution"].get("options") or {}):
        options |= _noise(material)
    return cls(**options)


def _noise(material: Material) -> Json:
    """Return the option that sets the noise model, where there was one."""
    if not (material.said.get("backend") or {}).get("noise_model"):
        return {}
    if material.noise is None:
        raise NotRebuilt("its noise model was not kept")
    return {"noise_model": _noise_model(material)}


def _aer_sampler(cls: Any, options: Json, material: Material) -> Any:
    inner = {name: dict(options.get(name) or {}) for name in ("backend_options", "run_options")}
    inner["backend_options"] |= _noise(material)
    own = {name: options[name] for name in ("default_shots", "seed") if name in options}
    return cls(**own, options=inner)


def _aer_estimator(cls: Any, options: Json, material: Material) -> Any:
    inner = {name: dict(options.get(name) or {}) for name in ("backend_options", "run_options")}
    inner["backend_options"] |= _noise(material)
    return cls(options={**inner, "default_precision": options.get("default_precision", 0.0)})


def _behind(material: Material) -> Any:
    """Make the backend that a primitive ran on."""
    told = (material.said["execution"].get("runner") or {}).get("backend")
    if not isinstance(told, dict):
        raise NotRebuilt("the backend behind the primitive is not described")
    execution = {**material.said["execution"], "runner": told, "options": {}}
    return _rebuilt(replace(material, said={**material.said, "execution": execution}))


def _runtime(cls: Any, options: Json, material: Material) -> Any:
    """Make a runtime primitive in local testing mode; a device it does not find here."""
    inner: Json = {name: options[name] for name in ("default_shots", "default_precision") if name in options}
    inner["simulator"] = options.get("simulator") or {}
    return cls(mode=_behind(material), options=inner)


def _over_backend(cls: Any, options: Json, material: Material) -> Any:
    backend = _behind(material)
    return cls(
        backend=backend,
        options={name: value for name, value in options.items() if not isinstance(value, dict)},
    )


def _seeded(*names: str) -> Callable[[Any, Json, Material], Any]:
    return lambda cls, options, _: cls(**{name: options[name] for name in names if name in options})


_RUNNERS: dict[str, Callable[[Any, Json, Material], Any]] = {
    "qiskit_aer.backends.aer_simulator.AerSimulator": _aer,
    "qiskit.providers.basic_provider.basic_simulator.BasicSimulator": lambda cls, _options, _material: cls(),
    "qiskit.primitives.statevector_sampler.StatevectorSampler": _seeded("default_shots", "seed"),
    "qiskit.primitives.statevector_estimator.StatevectorEstimator": _seeded("default_precision", "seed"),
    "qiskit_aer.primitives.sampler_v2.SamplerV2": _aer_sampler,
    "qiskit_aer.primitives.estimator_v2.EstimatorV2": _aer_estimator,
    "qiskit.primitives.backend_sampler_v2.BackendSamplerV2": _over_backend,
    "qiskit.primitives.backend_estimator_v2.BackendEstimatorV2": _over_backend,
    "qiskit_ibm_runtime.sampler.SamplerV2": _runtime,
    "qiskit_ibm_runtime.estimator.EstimatorV2": _runtime,
}


def _imported(kind: str) -> Any:
    module, _, name = kind.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise NotRebuilt(f"{kind} is not installed here") from error


def _noise_model(material: Material) -> Any:
    """Make the noise model from its serialised form, as Aer reads it back.

    Aer writes the operations of an error in another form than before; everything else must be as it was.
    """
    from qiskit_aer.noise import NoiseModel

    assert material.noise is not None  # the caller has looked
    told = json.loads(material.noise)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecated by Aer, without another way to read one back
            made = NoiseModel.from_dict(told)
            again = made.to_dict(serializable=True)
    except Exception as error:  # Aer raises whatever its data make it raise
        raise NotRebuilt("Aer cannot read its noise model back") from error
    if _outline(again) != _outline(told):
        raise NotRebuilt("Aer reads its noise model back as another one")
    return made


def _outline(model: Any) -> list[Any]:
    named = ("type", "operations", "gate_qubits", "probabilities")
    return [
        [*(json.dumps(error.get(name)) for name in named), len(error.get("instructions", ()))]
        for error in model["errors"]
    ]


def _primitive_over(kind: str, backend: Any) -> Any:
    from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2

    return (BackendSamplerV2 if kind == "sampler" else BackendEstimatorV2)(backend=backend)


def _given(name: str) -> Any:
    """Return what the caller named; a function is called."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise Invalid(
            "replay.backend_malformed",
            "That backend is not there",
            f"{name!r} is not MODULE:NAME of something that can be imported.",
            "Such as --backend my_lab:backend, with my_lab.py in this folder or installed.",
        ) from error
    return found if hasattr(found, "run") and not isinstance(found, type) else found()
