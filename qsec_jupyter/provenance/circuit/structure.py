"""What a circuit is, told in a way that survives being built again: the structural hash ``qsec-circuit-v1``.

Two circuits have the same hash when they do the same thing in the same order to the same bits, whatever
their parameters' UUIDs and the names of circuits, registers and composite gates are. The text that is hashed
is specified in ``docs/formats/circuit-hash.md``; :class:`_Text` writes it. Only what the standard library and
the user's own qiskit offer is used here, because this runs in the kernel.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from . import expressions
from .artefact import PART, Breathe, _go_on

Loops = tuple[Any, ...]
Bits = tuple[Iterable[str], Iterable[str]]

Lines = Sequence[str | None]
"""Lines of a circuit's instructions, one or more at a time; ``None`` for one that is not known."""

ALGORITHM = "qsec-circuit-v1"

_MAX_DEPTH = 64  # composite gates and blocks within one another
_BY_PARAMETERS = frozenset(
    {
        "measure",
        "reset",
        "barrier",
        "unitary",
        "initialize",
        "state_preparation",
        "break_loop",
        "continue_loop",
    }
)
_FLOW = frozenset({"for_loop", "if_else", "while_loop", "switch_case", "box"})
_TURN = 2 * math.pi
_double = struct.Struct(">d").pack


class NotHashable(ValueError):
    """The circuit nests deeper than any real one."""


def structural_hash(circuit: Any) -> str:
    """Return the ``qsec-circuit-v1`` hash of a ``QuantumCircuit``, lower-case hex.

    Raises:
        NotHashable: If composite gates nest more than 64 deep.
    """
    return digest(circuit, [])


def digest(circuit: Any, gaps: list[str], breathe: Breathe = _go_on, lines: Lines | None = None) -> str:
    """Return the hash, and add to ``gaps`` a sentence for each thing that could not enter it as it is.

    Args:
        circuit: A ``QuantumCircuit``.
        gaps: Receives the sentences.
        breathe: Called often, to let other threads run.
        lines: Those of its instructions that are known from elsewhere.

    Raises:
        ValueError: ``lines`` are not those of so many instructions.
    """
    return _Text(gaps, breathe).digest(circuit, 0, lines=lines)


NO_QPY = "no QPY: it would hold the matrix of a noise channel"
"""The gap of a circuit that must not be written as QPY."""


class _Text:
    """Writes the canonical text of a circuit, and of each operation in it once.

    Args:
        gaps: Receives a sentence for each thing that could not enter the hash as it is.
        breathe: Called each few hundred instructions.
    """

    def __init__(self, gaps: list[str], breathe: Breathe) -> None:
        self._definitions: dict[tuple[int, int], tuple[Any, str]] = {}
        self._gaps = gaps
        self._breathe = breathe
        self._written = 0

    def digest(
        self,
        circuit: Any,
        depth: int,
        loops: Loops = (),
        bits: Bits | None = None,
        lines: Lines | None = None,
    ) -> str:
        """Return the hex SHA-256 of the circuit's text.

        Args:
            circuit: A circuit, the definition of a composite, or a block of a control-flow operation.
            depth: How many circuits are around it.
            loops: Parameters of the loops around it.
            bits: For a block, what its qubits and clbits are called in the circuit around it.
            lines: As :func:`digest` takes them.
        """
        if depth > _MAX_DEPTH:
            raise NotHashable("the circuit nests too deeply")
        state, separator = hashlib.sha256(), b""
        for part in _Circuit(self, circuit, depth, loops, bits).parts(lines):
            state.update(separator + "\n".join(part).encode())
            separator = b"\n"
            self._written += len(part)
            if self._written >= PART:
                self._written = 0
                self._breathe()
        return state.hexdigest()

    def gap(self, what: str) -> None:
        """Note that something is not in the hash as it is."""
        self._gaps.append(what)

    def definition(self, operation: Any, depth: int, loops: Loops) -> str | None:
        """Return the digest of what a composite operation is made of; ``None`` for an opaque one."""
        place = (id(operation), len(loops))
        if place in self._definitions:
            return self._definitions[place][1]
        try:
            inner = getattr(operation, "definition", None)
        except Exception as error:  # noqa: BLE001  # a definition is the user's code
            self.gap(f"the definition of {operation.name} cannot be had ({type(error).__name__})")
            inner = None
        if inner is None:
            return None
        digest = self.digest(inner, depth + 1, loops)
        self._definitions[place] = (operation, digest)
        return digest


class _Circuit:
    """One circuit of the text, with its own numbering of bits and parameters."""

    def __init__(
        self, text: _Text, circuit: Any, depth: int, loops: Loops = (), bits: Bits | None = None
    ) -> None:
        self._text = text
        self._circuit = circuit
        self._depth = depth
        self._loops = loops
        self._is_block = bits is not None
        names = bits or (map(str, range(circuit.num_qubits)), map(str, range(circuit.num_clbits)))
        self._qubits = dict(zip(circuit.qubits, names[0], strict=True))
        self._clbits = dict(zip(circuit.clbits, names[1], strict=True))
        self._places: dict[Any, str] = {}
        first = next(iter(circuit.data), None)
        self._old = first is not None and hasattr(type(first), "condition")  # Qiskit before 2
        self._parameters: dict[Any, str] = {}
        if circuit.num_parameters:
            # A loop's parameter may have been named by a counter, so it is called by its loop; Qiskit
            # before 2.1 lists it among those of the circuit around the loop, too.
            inner = set(_loop_parameters(circuit)) if _FLOW & set(circuit.count_ops()) else set()
            own = [p for p in circuit.parameters if p not in loops and p not in inner]
            self._parameters = {parameter: f"p{index}" for index, parameter in enumerate(own)}
            self._parameters |= {parameter: f"l{index}" for index, parameter in enumerate(loops)}

    def parts(self, known: Lines | None = None) -> Iterator[list[str]]:
        """Return the circuit's text, some lines at a time, as far as they are not known."""
        circuit = self._circuit
        lines = [f"{ALGORITHM} {len(self._qubits)} {len(self._clbits)} {self._phase(circuit.global_phase)}"]
        own = [parameter for parameter, short in self._parameters.items() if short.startswith("p")]
        lines += [f"parameter {json.dumps(parameter.name)}" for parameter in own]
        if not self._is_block:  # a block has those registers of the circuit around it that it happens to use
            lines += [f"creg {self._bits(register)}" for register in circuit.cregs]
        lines += self._variables()
        if getattr(circuit, "_calibrations", None):
            self._text.gap("pulse calibrations are not in the hash")
        yield lines
        if known is not None:
            yield from self._others(known)
            return
        data = circuit.data
        for start in range(0, len(data), PART):
            yield self._instructions(data[start : start + PART])

    def _others(self, known: Lines) -> Iterator[list[str]]:
        """Return known lines, and those of the other instructions between them."""
        data, at, part = self._circuit.data, 0, list[str]()
        for lines in known:
            part += [lines] if lines is not None else self._instructions([data[at]])
            at += 1 if lines is None else lines.count("\n") + 1
            if len(part) >= PART:
                yield part
                part = []
        if part:
            yield part
        if at != len(data):
            raise ValueError("there are not so many instructions")

    def _phase(self, phase: Any) -> str:
        """Return a phase between 0 and 2 pi; Qiskit reduces it, too, a tiny negative one to 2 pi itself."""
        return self._value(phase % _TURN % _TURN if isinstance(phase, float) else phase)

    def _instructions(self, items: list[Any]) -> list[str]:
        """Return a line for each instruction. This loop is what the hash costs."""
        lines: list[str] = []
        old, place_of = self._old, self._places.get
        for item in items:
            where = place_of(item.qubits) or self._place(item.qubits)
            if old or not item.is_standard_gate():
                lines.append(self._line_of(item))
                continue
            params, label = item.params, item.label
            if len(params) == 1 and type(params[0]) is float:  # as most are, and as _value() writes it
                line = f"{item.name} {_double(params[0] + 0.0).hex()} q{where} c"
            elif params:
                line = f"{item.name} {' '.join(map(self._value, params))} q{where} c"
            else:
                line = f"{item.name} q{where} c"
            lines.append(line if label is None else f"{line} label={json.dumps(label)}")
        return lines

    def _place(self, qubits: Any) -> str:
        """Return the names of an instruction's qubits, as they stand in its line."""
        place = self._places[qubits] = ",".join([self._qubits[bit] for bit in qubits])
        return place

    def _line_of(self, item: Any) -> str:
        """Return the line of an instruction that need not be a plain standard gate."""
        qubits = [self._qubits[bit] for bit in item.qubits]
        return self._unusual(item.operation, qubits, [self._clbits[bit] for bit in item.clbits])

    def _unusual(self, operation: Any, qubits: list[str], clbits: list[str]) -> str:
        """Return the line of an instruction that need not be a plain standard gate."""
        if hasattr(operation, "blocks") and _is_qiskits(operation):
            what = self._control_flow(operation, (qubits, clbits))
            # The builder collects a block's bits in a set: their order says nothing, the block says all.
            qubits, clbits = sorted(qubits, key=int), sorted(clbits, key=int)
        else:
            what = self._operation(operation)
            condition = getattr(operation, "_condition", None)  # before Qiskit 2
            if condition is not None:
                what = f"if {self._value(condition)} {what}"
        return f"{what} q{','.join(qubits)} c{','.join(clbits)}{self._label(operation)}"

    def _label(self, operation: Any) -> str:
        label = getattr(operation, "label", None)
        return "" if label is None else f" label={json.dumps(str(label))}"

    def _operation(self, operation: Any) -> str:  # noqa: PLR0911  # one line a kind, in the order of the specification
        name, value = operation.name, self._value
        own = _is_qiskits(operation)
        if own and getattr(operation, "_standard_gate", None) is not None:
            return " ".join([name, *map(value, operation.params)])
        if own and name in _BY_PARAMETERS:
            return " ".join([name, *map(value, operation.params)])
        if own and name == "delay":
            return f"delay {value(operation.duration)} {operation.unit}"
        if own and name == "store":
            return f"store {value(operation.lvalue)} {value(operation.rvalue)}"
        if own and hasattr(operation, "modifiers"):
            return self._annotated(operation)
        error = getattr(operation, "_quantum_error", None)
        if error is not None and hasattr(error, "to_dict"):
            return self._channel(error)
        definition = self._text.definition(operation, self._depth, self._loops)
        if definition is not None:
            return f"composite {definition}"
        return self._opaque(operation)

    def _control_flow(self, operation: Any, bits: Bits) -> str:
        name, value, blocks = operation.name, self._value, operation.blocks
        if name == "for_loop":
            indices, parameter, body = operation.params
            loops = self._loops if parameter is None else (*self._loops, parameter)
            return f"for_loop {value(list(indices))} {len(loops)} {self._block(body, bits, loops)}"
        if name == "switch_case":
            cases = [
                f"{self._cases(v)} {self._block(block, bits)}" for v, block in operation.cases_specifier()
            ]
            return " ".join(["switch_case", value(operation.target), *cases])
        parts = [name]
        if name in ("if_else", "while_loop"):
            parts.append(value(operation.condition))
        elif name == "box":
            parts += [value(operation.duration), str(operation.unit)]
            if getattr(operation, "annotations", None):
                self._text.gap("annotations of a box are not in the hash")
        return " ".join([*parts, *[self._block(block, bits) for block in blocks]])

    def _block(self, block: Any, bits: Bits, loops: Loops | None = None) -> str:
        inner = self._loops if loops is None else loops
        return f"{{{self._text.digest(block, self._depth + 1, inner, bits)}}}"

    def _cases(self, values: Any) -> str:
        from qiskit.circuit import CASE_DEFAULT

        return f"[{' '.join('default' if v is CASE_DEFAULT else self._value(v) for v in values)}]"

    def _annotated(self, operation: Any) -> str:
        parts = [f"annotated ({self._operation(operation.base_op)}){self._label(operation.base_op)}"]
        for modifier in operation.modifiers:
            kind = type(modifier).__name__
            fields = [getattr(modifier, name, None) for name in ("num_ctrl_qubits", "ctrl_state", "power")]
            parts.append(" ".join([kind, *map(self._value, fields)]))
        return " ".join(parts)

    def _channel(self, error: Any) -> str:
        """Return the text of Aer's noise. Its definition, a matrix of 4^n entries, is never asked for."""
        self._text.gap(NO_QPY)
        channel = error.to_dict()
        weights = list(channel.get("probabilities", channel.get("rates", ())))
        branches = [
            [[part["name"], part["qubits"], list(part.get("params", ()))] for part in branch]
            for branch in channel["instructions"]
        ]
        return f"channel {channel['type']} {self._value(weights)} {self._value(branches)}"

    def _opaque(self, operation: Any) -> str:
        """Return the text of what nobody can look into: its name and parameters."""
        tableau = getattr(operation, "tableau", None)  # Clifford
        if tableau is None and not type(operation).__module__.startswith("qiskit_aer."):
            self._text.gap(f"{operation.name} is opaque: in the hash by name and parameters only")
        params = getattr(operation, "params", ()) if tableau is None else (tableau,)
        return " ".join(["opaque", json.dumps(operation.name), *map(self._value, params)])

    def _variables(self) -> list[str]:
        """Return the circuit's real-time variables and stretches, in order of declaration."""
        lines = []
        for kind in ("input", "captured", "declared"):
            found = self._declared(f"iter_{kind}_vars", kind)
            lines += [f"var {kind} {json.dumps(variable.name)} {variable.type!r}" for variable in found]
        for kind in ("captured", "declared"):
            found = self._declared(f"iter_{kind}_stretches", kind)
            lines += [f"stretch {kind} {json.dumps(stretch.name)}" for stretch in found]
        return lines

    def _declared(self, method: str, kind: str) -> list[Any]:
        """Return what a method of the circuit lists; nothing in a Qiskit that does not have it."""
        found: list[Any] = list(getattr(self._circuit, method, tuple)())
        # What a block captures was collected in any order.
        return sorted(found, key=lambda item: str(item.name)) if kind == "captured" else found

    def _bits(self, register: Any) -> str:
        return ",".join([self._clbits[bit] for bit in register])

    # -- values ---------------------------------------------------------------------------------

    def _value(self, value: Any) -> str:
        """Return the text of a parameter, whatever Qiskit lets stand there."""
        if isinstance(value, float):
            return _double(value + 0.0).hex()  # + 0.0 turns -0.0 into 0.0
        if _is_parameter(value) and value in self._parameters:
            return self._parameters[value]
        if type(value).__name__ == "ParameterExpression":
            return self._expression(value)
        return self._rare_value(value)

    def _rare_value(self, value: Any) -> str:  # noqa: PLR0911  # one line a kind
        if value is None:
            return "n"
        if isinstance(value, str):
            return json.dumps(value)
        if isinstance(value, (list, tuple, range)):
            return f"[{' '.join(map(self._value, value))}]"
        if isinstance(value, (int, float, complex)) or hasattr(value, "dtype"):
            return _number(value)
        if hasattr(value, "_qpy_replay") or hasattr(value, "sympify"):
            return self._expression(value)
        if hasattr(value, "qubits") and hasattr(value, "data"):
            return f"{{{self._text.digest(value, self._depth + 1, self._loops)}}}"
        return self._classical(value)

    def _expression(self, value: Any) -> str:
        """Return a parameter expression as a polynomial; one that Qiskit kept no steps of as it prints."""
        if _is_parameter(value):
            return self._parameter(value)
        if not value.parameters:
            return _number(complex(value)) if not value.is_real() else _number(value.numeric())
        try:
            return expressions.write(value, self._parameter, _number)
        except expressions.NotReplayable:
            self._text.gap("a parameter expression is in the hash as it prints only")
            return f"s({json.dumps(str(value))})"

    def _parameter(self, parameter: Any) -> str:
        return self._parameters.get(parameter) or json.dumps(parameter.name)  # of another scope

    def _classical(self, value: Any) -> str:
        """Return bits, registers, and the typed expressions of Qiskit's classical module."""
        kind = getattr(value, "type", None)
        if kind is not None:
            if getattr(value, "standalone", False) or type(value).__name__ == "Stretch":
                return f"v{json.dumps(value.name)}"
            fields = ("op", "value", "var", "operand", "left", "right", "target", "index")
            parts = [self._field(getattr(value, name)) for name in fields if hasattr(value, name)]
            return f"({' '.join([type(value).__name__, repr(kind), *parts])})"
        if type(value).__name__ == "Clbit":
            return f"c{self._clbits[value]}"
        if type(value).__name__ == "ClassicalRegister":
            return f"c[{self._bits(value)}]"
        self._text.gap(f"a value of type {type(value).__qualname__} is in the hash by its type only")
        return f"?{type(value).__qualname__}"

    def _field(self, field: Any) -> str:
        # An operator is an enumeration's member; it is called by its name.
        return (
            str(field.name) if type(field).__name__ in ("Op", "_UnaryOp", "_BinaryOp") else self._value(field)
        )


def _is_qiskits(operation: Any) -> bool:
    """Say whether the operation's class is Qiskit's own, so that its name says what it does."""
    cls = getattr(operation, "base_class", type(operation))  # singletons have a class of their own
    return (cls.__module__ or "").startswith("qiskit.")


def _loop_parameters(circuit: Any) -> Iterator[Any]:
    for item in circuit.data:
        if item.name == "for_loop" and item.operation.params[1] is not None:
            yield item.operation.params[1]
        for block in getattr(item.operation, "blocks", ()):
            yield from _loop_parameters(block)


def _is_parameter(value: Any) -> bool:
    return type(value).__name__ in ("Parameter", "ParameterVectorElement")


def _number(value: Any) -> str:
    """Return a number as the 16 hex digits of a double, two of them, or a decimal integer; or an array."""
    if type(value) is float:
        return _double(value + 0.0).hex()
    if getattr(value, "ndim", 0):
        import numpy  # qiskit has imported it

        array = numpy.ascontiguousarray(value, dtype="<c16") + 0
        shape = "x".join(map(str, array.shape))
        return f"a{shape}:{hashlib.sha256(array.tobytes()).hexdigest()}"
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, complex):
        if value.imag:
            return f"{_double(value.real + 0.0).hex()}i{_double(value.imag + 0.0).hex()}"
        value = value.real
    if isinstance(value, int) and abs(value) > 2**53:
        return f"z{value}"
    return _double(float(value) + 0.0).hex()
