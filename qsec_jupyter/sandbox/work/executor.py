"""The program ``executor``: plain and randomised circuits; the client builds its other primitives on it."""

from __future__ import annotations

import importlib
from datetime import datetime, timezone
from math import prod
from typing import Any

import numpy as np

from .programs import Done, Unsupported
from .simulator import Machine


def run(request: dict[str, Any], machine: Machine, seed: int | None) -> Done:
    """Run a quantum program.

    Raises:
        Unsupported: For a schema that the installed client does not know, or results that are not bits.
    """
    from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

    params = request["params"]
    version = str(params.get("schema_version"))
    if version not in QUANTUM_PROGRAM_PARAMS_CONVERTERS:
        raise Unsupported(f"The sandbox does not know the schema {version} of the executor.")
    converter = QUANTUM_PROGRAM_PARAMS_CONVERTERS[version]
    model = converter.model(**params)
    program, _options = converter.decoder(model)
    if program.meas_level != "classified":
        raise Unsupported(f"The sandbox measures bits; it has no {program.meas_level} data.")
    circuits = [item.circuit for item in program.items]
    sampler = machine.sampler(circuits, seed)
    started = datetime.now(timezone.utc)
    random = np.random.default_rng(seed)
    data = [_item(item, program.shots, sampler, random) for item in program.items]
    result = _encode(version, model, data, [item.shape for item in program.items], started)
    return Done(result, circuits, sum(program.shots * max(1, prod(item.shape)) for item in program.items))


def _item(item: Any, shots: int, sampler: Any, random: Any) -> dict[str, Any]:
    """Return an item's registers, and what its randomisation says of them, as arrays."""
    from qiskit.primitives.containers.bindings_array import BindingsArray
    from qiskit.primitives.containers.sampler_pub import SamplerPub
    from qiskit_ibm_runtime.fake_provider.executor.broadcast_sample import broadcast_sample
    from samplomatic.quantum_program import SamplexItem

    told: dict[str, Any] = {}
    values = getattr(item, "circuit_arguments", None)
    if isinstance(item, SamplexItem):
        item.samplex.finalize()
        told = broadcast_sample(item.samplex, item.samplex_arguments, item.shape, random)
        values = told.pop("parameter_values", None)
    parameters = tuple(item.circuit.parameters)
    bindings = BindingsArray({parameters: values}) if parameters else BindingsArray(shape=item.shape)
    pub = SamplerPub(circuit=item.circuit, parameter_values=bindings, shots=shots)
    measured = sampler.run([pub]).result()[0].data
    return {**told, **{name: bits.to_bool_array(order="little") for name, bits in measured.items()}}


def _encode(
    version: str, model: Any, data: list[dict[str, Any]], shapes: list[Any], started: datetime
) -> bytes:
    """Return the result in the schema in which the program came."""
    schema = importlib.import_module(
        f"ibm_quantum_schemas.executor.version_{version[1:].replace('.', '_')}.models"
    )
    tensor = getattr(schema, "CompressedTensorModel", None) or schema.TensorModel
    items = []
    for arrays in data:
        item = {"results": {name: tensor.from_numpy(_plain(array)) for name, array in arrays.items()}}
        items.append(schema.QuantumProgramResultItemModel(**item, metadata={}))
    sizes = [max(1, prod(shape)) for shape in shapes]
    parts = [
        {
            "idx_item": index,
            "size": size,
            "permutation": list(range(len(shape))),
            "element_range": (0, size, 1),
        }
        for index, (size, shape) in enumerate(zip(sizes, shapes, strict=True))
    ]
    span = {"start": started, "stop": datetime.now(timezone.utc), "parts": parts}
    kept = {
        name: getattr(model.quantum_program, name)
        for name in ("passthrough_data", "semantic_role")
        if hasattr(model.quantum_program, name)
    }
    answer = schema.QuantumProgramResultModel(data=items, metadata={"chunk_timing": [span]}, **kept)
    return bytes(answer.model_dump_json().encode())


def _plain(array: Any) -> Any:
    return np.ascontiguousarray(array)
