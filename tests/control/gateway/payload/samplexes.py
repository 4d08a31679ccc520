"""Randomised programs in which everything has a telling name, made with samplomatic itself."""

import base64
import json
import zlib

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import PauliLindbladMap
from samplomatic import ChangeBasis, InjectNoise, Tag, Twirl, build
from samplomatic.annotations import InjectLocalClifford

NAMES = (
    "caffeine",
    "molecule",
    "energy",
    "bond",
    "zangle",
    "aangle",
    "secretproject",
    "ligand",
    "ångström",
    "hydrogen",
    "donor.site",
    "catalyst",
    "solvent",
    'the "quoted\\',
)
NOISE, SCALE, PREPARED, MEASURED, CLIFFORD = 'the "quoted\\', "hydrogen", "donor.site", "ångström", "solvent"


QPY = {"b64_data", "circuit_b64", "circuit_base64"}


def boxed() -> QuantumCircuit:
    """Return a circuit with boxes of every kind."""
    registers = QuantumRegister(2, "molecule"), ClassicalRegister(2, "energy")
    made = QuantumCircuit(*registers, name="caffeine", metadata={"ligand": "secretproject"})
    vector = ParameterVector("bond", 11)
    box = [Twirl(), InjectNoise(NOISE, SCALE), Tag("catalyst"), ChangeBasis(mode="prepare", ref=PREPARED)]
    with made.box(box):
        made.rx(Parameter("zangle"), 0)
        made.rx(Parameter("aangle"), 1)
        made.rz(vector[10] + 2 * vector[2], 1)
        made.cx(0, 1)
    with made.box([Twirl(group="local_c1"), InjectLocalClifford(CLIFFORD)]):
        made.rz(vector[1], 0)
        made.cz(0, 1)
    with made.box([Twirl(group="local_pauli")]):
        made.rzz(0.3, 0, 1)
    with made.box([Twirl(group="balanced_pauli"), Tag("catalyst"), ChangeBasis(ref=MEASURED)]):
        made.measure([0, 1], [0, 1])
    return made


def plain() -> QuantumCircuit:
    """Return one with boxes that the oldest versions can write."""
    registers = QuantumRegister(2, "molecule"), ClassicalRegister(2, "energy")
    made = QuantumCircuit(*registers, name="caffeine")
    with made.box(
        [Twirl(), InjectNoise(NOISE, SCALE), Tag("catalyst"), ChangeBasis(mode="prepare", ref=PREPARED)]
    ):
        for name in ("zangle", "aangle", "bond", "ligand", "caffeine"):
            made.rx(Parameter(name), 0)
        made.cx(0, 1)
    with made.box([Twirl(), ChangeBasis(ref=MEASURED)]):
        made.measure([0, 1], [0, 1])
    return made


def arguments() -> dict:
    """Return what the samplex of :func:`boxed` is given; values go to parameters by the order of names."""
    return {
        "parameter_values": [np.pi, 0.1, 0.2, 0.3, 0.0],
        f"pauli_lindblad_maps.{NOISE}": PauliLindbladMap.from_list([("ZZ", -0.1), ("XI", 0.2)]),
        f"noise_scales.{SCALE}": 0.5,
        f"local_scales.{SCALE}": [1.0, 0.5],
        f"basis_changes.{PREPARED}": [0, 0],
        f"basis_changes.{MEASURED}": [0, 0],
        f"local_cliffords.{CLIFFORD}": [0, 0],
    }


def program(shots=50, count=4, circuit=None, of=boxed):
    """Return a program of one of these, and of another circuit as it is."""
    from qiskit_ibm_runtime.quantum_program import QuantumProgram

    template, samplex = build(of())
    given = {name: value for name, value in arguments().items() if name in samplex.inputs()._specs}
    values = [np.pi, 0.1, 0.2, 0.3, 0.0, *[0.0] * samplex.num_parameters]
    given["parameter_values"] = values[: samplex.num_parameters]
    made = QuantumProgram(shots=shots, passthrough_data={"plan": "secretproject", "ligand": [1, "catalyst"]})
    made.append_samplex_item(template, samplex=samplex, samplex_arguments=given, shape=(count,))
    if circuit is not None:
        made.append_circuit_item(circuit)
    return made


def everything(text):
    """Return what JSON says, with all JSON and all QPY within its texts."""
    try:
        told = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text
    if isinstance(told, dict):
        return {key: unpacked(value) if key in QPY else everything(value) for key, value in told.items()}
    return list(map(everything, told)) if isinstance(told, list) else told


def unpacked(text) -> bytes:
    """Return QPY."""
    data = base64.b64decode(text)
    return data if data.startswith(b"QISKIT") else zlib.decompress(data)
