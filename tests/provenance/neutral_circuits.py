"""Circuits in the neutral form of the published vectors, made into Qiskit's, whichever version it is.

The form is told in ``docs/formats/circuit-hash.md``; nothing here knows how a hash is made.
"""

from __future__ import annotations

import math
import random
from typing import Any

Json = Any
_FUNCTIONS = {
    "SIN": "sin",
    "COS": "cos",
    "TAN": "tan",
    "ATAN": "arctan",
    "EXP": "exp",
    "LOG": "log",
    "ABS": "__abs__",
}


def build(told: Json) -> Any:
    """Return the ``QuantumCircuit`` that a neutral circuit tells of."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ClassicalRegister, Clbit, Parameter, Qubit

    names = told.get("parameters", [])
    parameters = [Parameter(name) for name in names]
    circuit = QuantumCircuit(
        [Qubit() for _ in range(told["qubits"])], [Clbit() for _ in range(told["clbits"])]
    )
    for bits in told.get("registers", []):
        circuit.add_register(ClassicalRegister(bits=[circuit.clbits[i] for i in bits]))
    _Builder(circuit, parameters).fill(circuit, told, [])
    return circuit


class _Builder:
    def __init__(self, outer: Any, parameters: list[Any]) -> None:
        self.outer = outer
        self.parameters = parameters

    def fill(self, circuit: Any, told: Json, loops: list[Any]) -> None:
        circuit.global_phase = self.value(told.get("phase", 0.0), loops)
        for item in told["instructions"]:
            self.append(circuit, item, loops)

    def append(self, circuit: Any, item: Json, loops: list[Any]) -> None:
        qubits = [self.outer.qubits[i] for i in item.get("qubits", [])]
        clbits = [self.outer.clbits[i] for i in item.get("clbits", [])]
        circuit.append(self.operation(item, qubits, clbits, loops), qubits, clbits)

    def operation(self, item: Json, qubits: list[Any], clbits: list[Any], loops: list[Any]) -> Any:
        from qiskit import circuit as library

        name = item["op"]
        if name == "composite":
            return build(item["definition"]).to_instruction()
        if name in ("if_else", "while_loop"):
            blocks = [self.block(block, qubits, clbits, loops) for block in item["blocks"]]
            condition = self.condition(item["condition"])
            if name == "if_else":
                return library.IfElseOp(condition, *blocks, *([None] * (2 - len(blocks))))
            return library.WhileLoopOp(condition, *blocks)
        if name == "for_loop":
            parameter = library.Parameter(f"_loop_{random.random()}") if item["parameter"] else None
            inner = [*loops, parameter] if item["parameter"] else loops
            body = self.block(item["blocks"][0], qubits, clbits, inner)
            return library.ForLoopOp(tuple(item["indices"]), parameter, body)
        if name == "switch_case":
            target = self.place(item["target"])
            cases = [
                (
                    library.CASE_DEFAULT if values == "default" else tuple(values),
                    self.block(block, qubits, clbits, loops),
                )
                for values, block in zip(item["cases"], item["blocks"], strict=True)
            ]
            return library.SwitchCaseOp(target, cases)
        if name == "delay":
            return library.Delay(item["params"][0], unit=item["unit"])
        return self.gate(item, len(qubits), loops)

    def gate(self, item: Json, width: int, loops: list[Any]) -> Any:
        from qiskit import circuit as qc
        from qiskit.circuit import library

        name, params = item["op"], [self.value(value, loops) for value in item.get("params", [])]
        if name == "measure":
            return qc.Measure()
        if name == "reset":
            return qc.Reset()
        if name == "barrier":
            return qc.Barrier(width)
        if name == "unitary":
            return library.UnitaryGate(params[0])
        if name == "opaque":
            return qc.Instruction(item["name"], width, len(item.get("clbits", [])), params)
        made = library.get_standard_gate_name_mapping()[name].base_class
        return made(*params, label=item.get("label"))

    def block(self, told: Json, qubits: list[Any], clbits: list[Any], loops: list[Any]) -> Any:
        from qiskit import QuantumCircuit

        body = QuantumCircuit(qubits, clbits)
        for register in self.outer.cregs:
            if all(bit in clbits for bit in register):
                body.add_register(register)
        self.fill(body, told, loops)
        return body

    def condition(self, told: Json) -> Any:
        return self.place(told[0]), told[1]

    def place(self, told: Json) -> Any:
        if "bit" in told:
            return self.outer.clbits[told["bit"]]
        return next(
            r for r in self.outer.cregs if [self.outer.clbits.index(b) for b in r] == told["register"]
        )

    def value(self, told: Json, loops: list[Any]) -> Any:
        if not isinstance(told, dict):
            return told
        if "parameter" in told:
            return self.parameters[told["parameter"]]
        if "loop" in told:
            return loops[told["loop"]]
        if "complex" in told:
            return complex(*told["complex"])
        if "matrix" in told:
            return [[complex(*cell) for cell in row] for row in told["matrix"]]
        operator, *operands = told["expression"]
        values = [self.value(operand, loops) for operand in operands]
        if operator in _FUNCTIONS:
            return getattr(values[0], _FUNCTIONS[operator])()
        left, right = values
        return {
            "ADD": lambda: left + right,
            "SUB": lambda: left - right,
            "MUL": lambda: left * right,
            "DIV": lambda: left / right,
            "POW": lambda: left**right,
        }[operator]()


# -- circuits at random --------------------------------------------------------------------------

GATES = {
    "h": (1, 0),
    "x": (1, 0),
    "sdg": (1, 0),
    "rx": (1, 1),
    "p": (1, 1),
    "u": (1, 3),
    "cx": (2, 0),
    "rzz": (2, 1),
    "ccx": (3, 0),
}


def circuits(draw: Any) -> Json:
    """Return a neutral circuit made by ``draw``: ``integer(a, b)``, ``choice(items)``, ``number()``."""
    qubits, clbits = draw.integer(1, 4), draw.integer(0, 4)
    cut = draw.integer(0, clbits)
    registers = [bits for bits in (list(range(cut)), list(range(cut, clbits))) if bits]
    names = sorted({draw.choice(["alpha", "b", "c", "tH", "ä"]) for _ in range(draw.integer(0, 3))})
    maker = _Maker(draw, qubits, clbits, registers, names)
    return {
        "qubits": qubits,
        "clbits": clbits,
        "registers": registers,
        "phase": draw.number(),
        **maker.instructions(draw.integer(0, 8), 0, 0),
    }


class _Maker:
    def __init__(
        self, draw: Any, qubits: int, clbits: int, registers: list[list[int]], names: list[str]
    ) -> None:
        self.draw, self.qubits, self.clbits, self.registers, self.names = (
            draw,
            qubits,
            clbits,
            registers,
            names,
        )
        self.used: set[int] = set()

    def instructions(self, count: int, depth: int, loops: int) -> Json:
        made = [self.instruction(depth, loops) for _ in range(count)]
        if depth:
            return {"phase": 0.0, "instructions": made}
        order = sorted(self.used)  # only what is used is a parameter of the circuit
        places = {old: new for new, old in enumerate(order)}
        return {"parameters": [self.names[i] for i in order], "instructions": _renumbered(made, places)}

    def some(self, count: int, most: int) -> list[int]:
        return self.draw.shuffled(range(most))[:count]

    def instruction(self, depth: int, loops: int) -> Json:
        kinds = ["gate"] * 6 + ["reset", "barrier", "delay", "composite", "unitary"]
        if self.clbits:
            kinds.append("measure")
        if depth < 2:
            kinds += ["for_loop"] + (["if_else", "while_loop", "switch_case"] if self.clbits else [])
        kind = self.draw.choice(kinds)
        return getattr(self, f"make_{kind}")(depth, loops)

    def make_gate(self, depth: int, loops: int) -> Json:
        name = self.draw.choice([name for name, (width, _) in GATES.items() if width <= self.qubits])
        width, params = GATES[name]
        label = self.draw.choice([None, None, None, "noisy", "Ü\n"])
        item = {
            "op": name,
            "qubits": self.some(width, self.qubits),
            "params": [self.angle(loops) for _ in range(params)],
        }
        return item if label is None else {**item, "label": label}

    def make_reset(self, depth: int, loops: int) -> Json:
        return {"op": "reset", "qubits": self.some(1, self.qubits)}

    def make_barrier(self, depth: int, loops: int) -> Json:
        return {"op": "barrier", "qubits": self.some(self.draw.integer(1, self.qubits), self.qubits)}

    def make_delay(self, depth: int, loops: int) -> Json:
        return {
            "op": "delay",
            "qubits": self.some(1, self.qubits),
            "params": [self.draw.integer(0, 999)],
            "unit": self.draw.choice(["dt", "ns"]),
        }

    def make_measure(self, depth: int, loops: int) -> Json:
        return {"op": "measure", "qubits": self.some(1, self.qubits), "clbits": self.some(1, self.clbits)}

    def make_unitary(self, depth: int, loops: int) -> Json:
        angle = self.draw.number()
        c, s = math.cos(angle), math.sin(angle)
        return {
            "op": "unitary",
            "qubits": self.some(1, self.qubits),
            "params": [{"matrix": [[[c, 0], [0, s]], [[0, s], [c, 0]]]}],
        }

    def make_composite(self, depth: int, loops: int) -> Json:
        width = self.draw.integer(1, self.qubits)
        inner = _Maker(self.draw, width, 0, [], [])
        definition = {
            "qubits": width,
            "clbits": 0,
            "registers": [],
            "phase": self.draw.number(),
            **inner.instructions(self.draw.integer(1, 3), 0, 0),
        }
        if any(item["op"] in ("for_loop", "delay") for item in definition["instructions"]):
            definition["instructions"] = [{"op": "h", "qubits": [0]}]
        return {"op": "composite", "definition": definition, "qubits": self.some(width, self.qubits)}

    def make_if_else(self, depth: int, loops: int) -> Json:
        return {
            "op": "if_else",
            "condition": self.condition(),
            **self.flow(self.draw.integer(1, 2), depth, loops),
        }

    def make_while_loop(self, depth: int, loops: int) -> Json:
        return {"op": "while_loop", "condition": self.condition(), **self.flow(1, depth, loops)}

    def make_for_loop(self, depth: int, loops: int) -> Json:
        named = self.draw.choice([True, False])
        indices = [self.draw.integer(-5, 5) for _ in range(self.draw.integer(0, 3))]
        return {
            "op": "for_loop",
            "indices": indices,
            "parameter": named,
            **self.flow(1, depth, loops + named),
        }

    def make_switch_case(self, depth: int, loops: int) -> Json:
        cases = self.draw.choice([[[0], [1]], [[0, 1]], [[1], "default"]])
        return {
            "op": "switch_case",
            "target": self.target(),
            "cases": cases,
            **self.flow(len(cases), depth, loops),
        }

    def flow(self, blocks: int, depth: int, loops: int) -> Json:
        made = [self.instructions(self.draw.integer(1, 3), depth + 1, loops) for _ in range(blocks)]
        return {"qubits": list(range(self.qubits)), "clbits": list(range(self.clbits)), "blocks": made}

    def target(self) -> Json:
        if self.draw.choice([True, False]):
            return {"bit": self.draw.integer(0, self.clbits - 1)}
        return {"register": self.draw.choice(self.registers)}

    def condition(self) -> Json:
        target = self.target()
        return [target, self.draw.integer(0, 1)]

    def angle(self, loops: int) -> Json:
        kind = self.draw.choice(["number", "number", "parameter", "expression", "loop"])
        if kind == "loop" and loops:
            return {"loop": self.draw.integer(0, loops - 1)}
        if kind == "number" or not self.names or kind == "loop":
            return self.draw.number()
        return self.parameter() if kind == "parameter" else self.expression(self.draw.integer(1, 3))

    def parameter(self) -> Json:
        chosen = self.draw.integer(0, len(self.names) - 1)
        self.used.add(chosen)
        return {"parameter": chosen}

    def expression(self, depth: int) -> Json:
        if depth == 0:
            return self.parameter()
        operator = self.draw.choice(["ADD", "SUB", "MUL", "DIV", "POW", "SIN", "EXP"])
        left = self.expression(depth - 1)
        if operator in ("SIN", "EXP"):
            return {"expression": [operator, left]}
        if operator == "POW":
            return {"expression": [operator, left, self.draw.integer(1, 3)]}
        if operator == "DIV":
            return {"expression": [operator, left, self.draw.choice([2, 4.0, 0.5])]}
        right = self.draw.choice([self.draw.choice([2, -1.5, 0.25]), self.parameter()])
        sides = [left, right] if self.draw.choice([True, False]) else [right, left]
        return {"expression": [operator, *sides]}


def _renumbered(told: Json, places: dict[int, int]) -> Json:
    if isinstance(told, list):
        return [_renumbered(item, places) for item in told]
    if isinstance(told, dict):
        if told.get("op") == "composite":
            return told  # has parameters of its own
        if isinstance(told.get("parameter"), int) and not isinstance(told["parameter"], bool):
            return {"parameter": places[told["parameter"]]}
        return {key: _renumbered(item, places) for key, item in told.items()}
    return told
