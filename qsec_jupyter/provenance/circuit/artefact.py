"""The artefact that a circuit can be made from again: QPY, written and copied in small steps.

Qiskit writes and copies a circuit in one go, in which no other thread of the process runs: 100 ms for 50,000
gates. So a large circuit is cut into parts of the same bits, each a QPY file, and :func:`load` puts them
together. How they stand in one artefact is specified in ``docs/formats/circuit-artefact.md``.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any

Breathe = Callable[[], None]

PART = 500
"""Instructions that are copied or written at once."""

QPY, QPY_PARTS = "application/x-qpy", "application/vnd.qsec.qpy-parts"
"""Media types of artefacts: one QPY file, or several."""

_PARTS_MAGIC = b"QSECQPY\x01"
_length = struct.Struct(">Q")


def _go_on() -> None:
    """Do not let other threads run."""


def snapshot(circuit: Any, breathe: Breathe = _go_on) -> Callable[[], Any]:
    """Copy what later changes of the circuit would reach; return what makes a circuit of the copy.

    Qiskit's own copy does the same in two steps. The second, in Python, takes five times as long as the first
    and need not be done while the user waits.

    Args:
        circuit: A ``QuantumCircuit``.
        breathe: Called between parts of a large circuit, to let other threads run.
    """
    if not _is_plain(circuit):
        copied = circuit.copy()
        return lambda: copied
    data = _copy_of(circuit, breathe)

    def build() -> Any:
        copied = circuit.copy_empty_like()
        copied._data = data
        return copied

    return build


def _copy_of(circuit: Any, breathe: Breathe) -> Any:
    if len(circuit._data) <= 4 * PART:
        return circuit._data.copy()
    copied = circuit.copy_empty_like()._data
    for count, part in enumerate(_parts(circuit)):
        copied.extend([_own(item) for item in part])
        if count % 2:
            breathe()
    return copied


def pack(circuit: Any, breathe: Breathe = _go_on) -> bytes:
    """Return the circuit's artefact.

    Raises:
        Exception: Whatever QPY raises for a circuit that it cannot hold.
    """
    from qiskit import qpy

    buffer = io.BytesIO()
    if len(circuit.data) <= 2 * PART or not _is_plain(circuit) or _declares(circuit):
        qpy.dump(circuit, buffer)
        return buffer.getvalue()
    empty = circuit.copy_empty_like()
    packed = [_PARTS_MAGIC]
    for count, part in enumerate(_parts(circuit)):
        piece = empty.copy_empty_like()
        piece._data.extend(part)
        if count:
            piece.global_phase = 0
        buffer = io.BytesIO()
        qpy.dump(piece, buffer)
        packed += [_length.pack(buffer.tell()), buffer.getvalue()]
        breathe()
    return b"".join(packed)


def load(data: bytes) -> Any:
    """Return the ``QuantumCircuit`` that an artefact holds.

    Raises:
        Exception: Whatever QPY raises for bytes that this version of Qiskit cannot read.
    """
    from qiskit import qpy

    whole = None
    for file in _files(data):
        part = qpy.load(io.BytesIO(file))[0]
        if whole is None:
            whole = part
        else:
            whole.compose(part, qubits=whole.qubits, clbits=whole.clbits, inplace=True)
    return whole


def about(data: bytes) -> tuple[str, int | None]:
    """Return an artefact's media type and the version of QPY that it is written in, from the header."""
    kind = QPY_PARTS if data.startswith(_PARTS_MAGIC) else QPY
    first = next(_files(data), b"")
    return kind, first[6] if first[:6] == b"QISKIT" else None


def _files(data: bytes) -> Iterator[bytes]:
    if not data.startswith(_PARTS_MAGIC):
        yield data
        return
    place = len(_PARTS_MAGIC)
    while place < len(data):
        (length,) = _length.unpack_from(data, place)
        place += _length.size
        yield data[place : place + length]
        place += length


def _parts(circuit: Any) -> Iterator[list[Any]]:
    data = circuit.data
    for start in range(0, len(data), PART):
        yield data[start : start + PART]


def _own(item: Any) -> Any:
    """Return an instruction whose operation the user cannot change any more."""
    if hasattr(item, "is_standard_gate") and item.is_standard_gate():
        return item  # made for us when it was read
    return item.replace(operation=item.operation.copy())


def _is_plain(circuit: Any) -> bool:
    """Say whether all of the circuit lies in its data, as in Qiskit's own class from 2.0 on."""
    return type(circuit).__name__ == "QuantumCircuit" and hasattr(getattr(circuit, "_data", None), "qregs")


def _declares(circuit: Any) -> bool:
    """Say whether the circuit has variables of its own, which its parts would each declare."""
    return bool(getattr(circuit, "num_vars", 0) or getattr(circuit, "num_stretches", 0))
