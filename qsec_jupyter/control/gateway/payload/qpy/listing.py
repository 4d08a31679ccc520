"""The instructions of a circuit as its structural hash lists them, as far as the bytes alone say it.

The lines are those of rule 5 in ``docs/formats/circuit-hash.md``. Most instructions are such as :mod:`.gates`
knows; the line of any other is left to who has loaded the circuit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from struct import Struct

from .cursor import Cursor
from .gates import BIT, INSTRUCTION, NUMBER, Gate, directives, gates, waiting
from .values import no_circuit, typed

_PART = 1000
"""Lines that are held one by one; those before them are joined, which takes a third of the memory."""

_CONDITIONED = 3
_double = Struct(">d").pack
_index = Struct("!xI").unpack

_Place = tuple[str, tuple[bytes, ...], bytes]
"""The end of a line, its bits one by one, and of which kind they are."""


class Listing:
    """Lists the instructions of one circuit, while they are read.

    Args:
        version: Of QPY.
        customs: Names that have a definition of their own, whatever Qiskit has under them.

    Attributes:
        lines: One or more lines at a time; ``None`` in the place of one that only Qiskit can tell.
    """

    def __init__(self, version: int, customs: Mapping[bytes, int]) -> None:
        self._customs = customs
        self._gates = gates(version)
        if customs:
            own = {head for head in self._gates if head[INSTRUCTION.size :] in customs}
            self._gates = {head: gate for head, gate in self._gates.items() if head not in own}
        self._places: dict[bytes, _Place] = {}
        self._heights: defaultdict[bytes, int] = defaultdict(int)
        self._size = 0
        self._is_measured = True
        self.lines: list[str | None] = []

    @property
    def measures(self) -> tuple[int, int] | None:
        """Depth and size as Qiskit counts them; ``None`` where something waits for more than its bits."""
        return (max(self._heights.values(), default=0), self._size) if self._is_measured else None

    def read(self, cursor: Cursor, most: int) -> int:
        """Read gates up to something else, and return how many those are.

        Args:
            cursor: Stands where an instruction begins.
            most: How many there are at most.

        Raises:
            Malformed, Unsupported, TooCostly: As :func:`.circuit.circuit`.
        """
        count = 0
        while count < most:
            part = min(most - count, _PART)
            taken = self._read(cursor, part)
            count += taken
            if taken < part:
                break
        self._size += count
        return count

    def _read(self, cursor: Cursor, most: int) -> int:
        """Read some gates. This loop is what a circuit and its hash cost."""
        data, at, step, front = cursor.data, cursor.at, INSTRUCTION.size, len(NUMBER)
        gate_of, place_of, heights = self._gates.get, self._places.get, self._heights
        lines: list[str] = []
        count = 0
        for count in range(most + 1):  # how many there were when it ends
            gate = gate_of(data[at : at + step + data[at + 1]])
            if gate is None or count == most:
                break
            name, head, kinds, length, params, size, unpack = gate
            number = at + head + length
            where, bits, found = place_of(data[at + head : number]) or self._place(data[at + head : number])
            if found != kinds:
                break
            if params == 1 and data[number : number + front] == NUMBER:  # as most are
                lines.append(f"{name} {_double(unpack(data, number + front)[0] + 0.0).hex()} {where}")
                at += size
            elif not params:
                lines.append(f"{name} {where}")
                at += size
            elif (numbers := _numbers(data, number, gate)) is not None:
                lines.append(f"{name} {' '.join(numbers)} {where}")
                at += size
            else:
                self._put(lines)
                at = self._parameters(cursor, number, params)
            if length == BIT:
                heights[bits[0]] += 1
            elif length == 2 * BIT:
                first, second = bits
                one, other = heights[first], heights[second]
                heights[first] = heights[second] = (max(other, one)) + 1
            else:
                self._stack(bits, 1)
        self._put(lines)
        cursor.at = at
        cursor.skip(0)  # it must not be beyond the end
        return count

    def _put(self, lines: list[str]) -> None:
        """Keep lines, joined."""
        if lines:
            self.lines.append("\n".join(lines))
            lines.clear()

    def _parameters(self, cursor: Cursor, at: int, count: int) -> int:
        """Read a gate's parameters that are not all numbers; return where they end."""
        self.lines.append(None)
        cursor.at = at
        for _ in range(count):
            typed(cursor, no_circuit)
        return cursor.at

    def _place(self, told: bytes) -> _Place:
        """Return where an instruction acts."""
        bits = tuple(told[at : at + BIT] for at in range(0, len(told), BIT))
        kinds = told[::BIT]
        qubits = kinds.count(b"q")
        names = [str(_index(bit)[0]) for bit in bits]
        where = f"q{','.join(names[:qubits])} c{','.join(names[qubits:])}"
        place = self._places[told] = where, bits, kinds
        return place

    def add(self, data: bytes, at: int) -> None:
        """Add an instruction of any other kind.

        Args:
            data: The file.
            at: Where it begins; it has been read.
        """
        self.lines.append(None)
        length, label, _, qargs, cargs, extras, condition, *_ = INSTRUCTION.unpack_from(data, at)
        start = at + INSTRUCTION.size + length
        name, start = data[start - length : start], start + label
        is_directive = name in directives()
        unclear = name in waiting() or (is_directive and name in self._customs)
        if (
            condition
            or extras & _CONDITIONED
            or unclear
            or data[start : start + BIT * (qargs + cargs) : BIT] != b"q" * qargs + b"c" * cargs
        ):
            self._is_measured = False
            return
        step = 0 if is_directive else 1
        self._size += step
        bits = range(start, start + BIT * (qargs + cargs), BIT)
        self._stack(tuple(data[bit : bit + BIT] for bit in bits), step)

    def _stack(self, bits: tuple[bytes, ...], step: int) -> None:
        """Put an instruction on what its bits have already."""
        heights = self._heights
        height = max([heights[bit] for bit in bits], default=0) + step
        for bit in bits:
            heights[bit] = height


def _numbers(data: bytes, at: int, gate: Gate) -> list[str] | None:
    """Return a gate's numbers as its line has them; ``None`` if something else is among them."""
    step = len(NUMBER) + 8
    places = range(at, at + step * gate.params, step)
    if any(data[place : place + len(NUMBER)] != NUMBER for place in places):
        return None
    return [_double(gate.unpack(data, place + len(NUMBER))[0] + 0.0).hex() for place in places]
