"""What most circuits consist of, known by the bytes that Qiskit writes for it.

Standard gates whose angles are numbers, measurements and resets, with neither label nor condition.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from struct import Struct
from typing import Any, NamedTuple

from .cursor import INT32, INT64

INSTRUCTION = Struct("!HHHIIBHqII")
LAYOUT = Struct("!?iiiIi")
COMPACT = 18
"""From this version on registers say where they begin, and there is no room for calibrations."""

BIT = 5
"""Bytes of a bit: its kind, and its index."""
NUMBER = b"f" + INT64.pack(8)
"""What stands in front of a number."""

_DOUBLES = Struct("<d"), Struct(">d")  # which of them, the version says
_SAMPLE = 0.5
_OTHERS = frozenset({"measure", "reset"})


class Gate(NamedTuple):
    """A gate, or a measurement or reset.

    Attributes:
        name: As Qiskit calls it.
        head: Bytes in front of its bits.
        kinds: Of its bits: ``q`` for each qubit, then ``c`` for each clbit.
        bits: Bytes of its bits.
        params: How many numbers follow.
        size: Bytes of the whole.
        unpack: Reads a number.
    """

    name: str
    head: int
    kinds: bytes
    bits: int
    params: int
    size: int
    unpack: Callable[[bytes, int], tuple[Any, ...]]


@cache
def gates(version: int) -> Mapping[bytes, Gate]:
    """Return them by their heads: all bytes in front of their bits.

    Qiskit itself writes and reads one of each; what it writes in another form is left out.

    Args:
        version: Of QPY; there are none for one that Qiskit cannot write.
    """
    from qiskit.circuit.library import get_standard_gate_name_mapping
    from qiskit.qpy import QPY_COMPATIBILITY_VERSION, QPY_VERSION

    if not QPY_COMPATIBILITY_VERSION <= version <= QPY_VERSION:
        return {}
    learnt = [_learn(gate, version) for gate in get_standard_gate_name_mapping().values()]
    return dict(one for one in learnt if one is not None)


def _learn(gate: Any, version: int) -> tuple[bytes, Gate] | None:
    from qiskit import QuantumCircuit, qpy

    is_standard = getattr(gate, "_standard_gate", None) is not None or gate.name in _OTHERS
    if not is_standard or not gate.num_qubits:
        return None
    circuit, file, params = QuantumCircuit(gate.num_qubits, gate.num_clbits), io.BytesIO(), len(gate.params)
    circuit.append(gate.base_class(*[_SAMPLE] * params), circuit.qubits, circuit.clbits)
    qpy.dump(circuit, file, version=version)
    data, name = file.getvalue(), gate.base_class.__name__.encode()
    (read,) = qpy.load(io.BytesIO(data))[0].data
    if read.operation != gate.base_class(*[_SAMPLE] * params):
        return None
    kinds = b"q" * gate.num_qubits + b"c" * gate.num_clbits
    bits = b"".join(b"q" + INT32.pack(index) for index in range(gate.num_qubits))
    bits += b"".join(b"c" + INT32.pack(index) for index in range(gate.num_clbits))
    for double in _DOUBLES:
        rest = name + bits + (NUMBER + double.pack(_SAMPLE)) * params
        size, head = INSTRUCTION.size + len(rest), INSTRUCTION.size + len(name)
        start = len(data) - LAYOUT.size - (0 if version >= COMPACT else 2) - size
        if start >= 0 and data[start + INSTRUCTION.size : start + size] == rest:
            made = Gate(gate.name, head, kinds, len(bits), params, size, double.unpack_from)
            return data[start : start + head], made
    return None


@cache
def directives() -> frozenset[bytes]:
    """Return the classes whose instructions count as no step of a circuit."""
    return _classes(lambda operation: bool(getattr(operation, "_directive", False)))


@cache
def waiting() -> frozenset[bytes]:
    """Return the classes whose instructions wait for more than their bits, such as a variable."""
    return _classes(lambda operation: hasattr(operation, "blocks") or operation.__name__ == "Store")


def _classes(wanted: Callable[[type], bool]) -> frozenset[bytes]:
    from qiskit import circuit
    from qiskit.circuit import controlflow, library
    from qiskit.circuit.operation import Operation

    found = {
        name
        for module in (library, circuit, controlflow)
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Operation) and wanted(value)
    }
    return frozenset(name.encode() for name in found)
