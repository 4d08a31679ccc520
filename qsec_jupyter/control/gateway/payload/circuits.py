"""Circuits from QPY: checked as bytes, loaded by Qiskit, measured, hashed. Runs in a worker."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from ....provenance.circuit import structure
from ..model import Circuit
from . import qpy, refusals

_TEXT_PARSERS = frozenset({"PhaseOracleGate", "BitFlipOracleGate"})
"""Operations made from a text that is parsed; nobody's circuit needs them as such."""

_ABSTRACT = frozenset({"Operation", "ControlFlowOp", "Gate", "Instruction", "ControlledGate"})


def walk(data: bytes, instructions: int, *, listed: bool = False) -> qpy.QpyFile:
    """Read a QPY file as bytes; see :func:`.qpy.read`.

    Raises:
        Invalid: ``payload.malformed``, ``payload.unsupported``, ``payload.too_costly``.
    """
    try:
        return qpy.read(data, known_operations(), instructions, listed=listed)
    except qpy.Unsupported as error:
        raise refusals.unsupported(
            f"a circuit with something in it that is not looked into: {error}"
        ) from error
    except qpy.TooCostly as error:
        raise refusals.too_costly(f"a circuit: {error}") from error
    except qpy.Malformed as error:
        raise refusals.malformed(f"a circuit is no QPY: {error}") from error


def load(data: bytes) -> list[Any]:
    """Return the circuits of a QPY file that :func:`walk` has let pass.

    Raises:
        Invalid: ``payload.malformed``, ``payload.too_costly``.
    """
    from qiskit import qpy as loader

    try:
        return list(loader.load(io.BytesIO(data), annotation_factories={"": _annotations()}))
    except (MemoryError, RecursionError) as error:
        raise refusals.too_costly("a circuit takes too much memory") from error
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # Qiskit's own loader panics with one that is no Exception
        raise refusals.malformed("Qiskit cannot load a circuit") from error


def describe(circuit: Any, listing: qpy.Listing) -> Circuit:
    """Return what is known of a circuit.

    Args:
        circuit: As Qiskit loads it.
        listing: Its instructions, as its bytes list them.

    Raises:
        Invalid: ``payload.malformed``, ``payload.too_costly``.
    """
    try:
        digest = structure.digest(circuit, [], lines=listing.lines)
        depth, size = listing.measures or (circuit.depth(), circuit.size())
    except (MemoryError, RecursionError, structure.NotHashable) as error:
        raise refusals.too_costly("a circuit cannot be hashed") from error
    except Exception as error:
        raise refusals.malformed("a circuit cannot be hashed") from error
    return Circuit(digest, circuit.num_qubits, depth, size)


def same(before: list[Any], after: list[Any]) -> bool:
    """Say whether circuits are what they were but for names: values are bound in the same order, too."""
    return list(map(_shape, before)) == list(map(_shape, after))


def _shape(circuit: Any) -> tuple[Any, ...]:
    parameters = [parameter.uuid for parameter in circuit.parameters]
    registers = [len(register) for register in (*circuit.qregs, *circuit.cregs)]
    return circuit.num_qubits, circuit.num_clbits, len(circuit.data), parameters, registers, circuit.num_vars


@cache
def known_operations() -> frozenset[bytes]:
    """Return the names that Qiskit's loader makes an operation of; it would call anything of such a name."""
    from qiskit import circuit
    from qiskit.circuit import controlflow, library
    from qiskit.circuit.operation import Operation

    names = {"Clifford", "pauli_product_measurement"}
    for module in (library, circuit, controlflow):
        for name, value in vars(module).items():
            if isinstance(value, type) and issubclass(value, Operation):
                names.add(name)
    return frozenset(name.encode() for name in names - _TEXT_PARSERS - _ABSTRACT)


@cache
def known_gates() -> frozenset[str]:
    """Return the names of Qiskit's standard gates."""
    from qiskit.circuit.library import get_standard_gate_name_mapping

    return frozenset(get_standard_gate_name_mapping())


@cache
def _annotations() -> type[Any]:
    """Return what reads annotations: it keeps their bytes, and looks into none."""
    from qiskit.circuit.annotation import Annotation, QPYSerializer

    class Kept(Annotation):  # type: ignore[misc]
        namespace = "kept"

        def __init__(self, payload: bytes) -> None:
            self.payload = payload

    class Keeping(QPYSerializer):  # type: ignore[misc]
        def load_annotation(self, payload: bytes) -> Annotation:
            return Kept(payload)

        def dump_annotation(self, namespace: str, annotation: Any) -> Any:
            return NotImplemented

    return Keeping
