"""Claim: what the gateway says of a circuit's bytes is what Qiskit makes of them.

Hash, depth and size are what approvals and envelopes go by, and most of them is read from the bytes: a file
that says one thing to the gateway and another to the vendor's Qiskit would pass for what it is not.
"""

import io
import math
import random
import struct

import pytest

pytest.importorskip("qiskit")

from qiskit import QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import Barrier, Parameter
from qiskit.circuit.library import get_standard_gate_name_mapping

from qsec_jupyter.control.gateway.payload import circuits
from qsec_jupyter.control.gateway.payload.qpy import VERSIONS, gates
from qsec_jupyter.control.gateway.payload.qpy.gates import INSTRUCTION
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.provenance.circuit import structural_hash

NUMBERS = (0.0, -0.0, 1e-300, -math.pi, 0.1, 1e300)
LIMIT = 10_000
CUSTOM = struct.calcsize("!H1cII?QIIQ")
"""Bytes of the head of a definition, in front of its name."""


def written(circuit: QuantumCircuit, version: int = 17) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuit, file, version=version)
    return file.getvalue()


def said(data: bytes):
    """Return what the gateway says of a file with one circuit, and what Qiskit does."""
    (listing,) = circuits.walk(data, LIMIT, listed=True).listings
    (circuit,) = circuits.load(data)
    found = circuits.describe(circuit, listing)
    honest = structural_hash(circuit), circuit.depth(), circuit.size()
    return (found.structural_hash, found.depth, found.size), honest


def everything(random: random.Random) -> QuantumCircuit:
    """Draw a circuit of all that Qiskit has as a standard gate, and some of what it has besides."""
    circuit = QuantumCircuit(QuantumRegister(3, "a"), QuantumRegister(4, "b"), name="drawn")
    circuit.add_register(*QuantumCircuit(0, 4).cregs)
    part = QuantumCircuit(2, name="part")
    part.cx(0, 1)
    theta = Parameter("theta")
    others = [Barrier(3), Barrier(7), part.to_gate(), part.to_gate(label="x").control(1, ctrl_state=0)]
    known = [gate for gate in get_standard_gate_name_mapping().values() if gate.name != "delay"]
    for gate in random.choices([*known, *known, *others], k=60):
        new = gate.copy()
        if gate in known and gate.params:
            new.params = [random.choice((*NUMBERS, 2 * theta, theta)) for _ in gate.params]
        if gate in known and random.random() < 0.1 and gate.name not in ("measure", "reset"):
            new = new.to_mutable()
            new.label = "label"
        circuit.append(new, random.sample(range(7), new.num_qubits), random.sample(range(4), new.num_clbits))
    circuit.delay(100, 0, "dt")
    if random.random() < 0.3:
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(0)
    return circuit


@pytest.mark.parametrize("version", VERSIONS)
def test_whatever_is_written_is_what_qiskit_reads(version) -> None:
    draw = random.Random(version)
    for _ in range(30):
        found, honest = said(written(everything(draw), version))
        assert found == honest


@pytest.mark.parametrize("version", VERSIONS)
def test_most_gates_are_read_from_bytes(version) -> None:
    names = {gate.name for gate in gates(version).values()}
    assert {"rz", "sx", "x", "cx", "cz", "ecr", "rzz", "u", "measure", "reset"} <= names
    assert len(names) > 45


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_with_broken_bytes_says_the_same_to_both_or_is_refused(version) -> None:
    draw = random.Random(version)
    read = 0
    for _ in range(150):
        circuit = everything(draw)
        data = bytearray(written(circuit, version))
        first = min(place for head in gates(version) if (place := data.find(head)) >= 0)
        for _ in range(draw.randint(1, 3)):
            data[draw.randrange(first, len(data))] = draw.choice(
                (0, 1, 2, 0x63, 0x71, 0x80, draw.randrange(256))
            )
        try:
            found, honest = said(bytes(data))
        except Invalid:
            continue
        read += 1
        assert found == honest
    assert read > 15


@pytest.mark.parametrize("name", [b"CXGate", b"SwapGate", b"Measure", b"Barrier", b"IfElseOp", b"Store"])
def test_a_definition_under_the_name_of_a_gate_of_qiskits_is_no_such_gate(name) -> None:
    part = QuantumCircuit(2, 1, name="part")
    part.h(0)
    part.h(1)
    circuit = QuantumCircuit(2, 1)
    circuit.append(part.to_instruction(), [0, 1], [0])
    circuit.cx(0, 1)
    data = written(circuit)
    at = data.index(b"part_")
    (length,) = struct.unpack_from("!H", data, at - CUSTOM)
    full = data[at : at + length]
    for front in (CUSTOM, INSTRUCTION.size):  # the definition first, then what is made of it
        at = data.index(full)
        size = struct.pack("!H", len(name))
        data = data[: at - front] + size + data[at - front + 2 : at] + name + data[at + length :]
    assert full not in data
    try:
        found, honest = said(data)
    except Invalid:
        return
    assert found == honest


def test_a_clbit_in_the_place_of_a_qubit_hides_no_depth() -> None:
    circuit = QuantumCircuit(2, 2)
    for _ in range(5):
        circuit.h(0)
        circuit.cx(0, 1)
    data = written(circuit)
    for place in range(len(data) - 5):
        if data[place : place + 5] in (b"q\0\0\0\0", b"q\0\0\0\1"):
            swapped = data[:place] + b"c" + data[place + 1 :]
            try:
                found, honest = said(swapped)
            except Invalid:
                continue
            assert found == honest
