"""The structural hash once more, written from ``docs/formats/circuit-hash.md`` alone, over the neutral form.

Imports nothing of the product and nothing of Qiskit.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from itertools import product
from typing import Any

NAME = "qsec-circuit-v1"


def circuit_hash(told: Any) -> str:
    return _Circuit(
        told, told["qubits"], told["clbits"], told.get("parameters", []), top=True, loops=0
    ).hash()


class _Circuit:
    """A circuit or block: parameters are numbered among those that occur in it."""

    def __init__(
        self, told: Any, qubits: int, clbits: int, names: list[str], *, top: bool, loops: int
    ) -> None:
        self.told, self.qubits, self.clbits, self.names, self.top, self.loops = (
            told,
            qubits,
            clbits,
            names,
            top,
            loops,
        )
        used = sorted(_used(told["instructions"]) | _used(told.get("phase")))
        self.places = {old: new for new, old in enumerate(used)}

    def hash(self) -> str:
        return hashlib.sha256("\n".join(self.lines()).encode("ascii")).hexdigest()

    def lines(self) -> list[str]:
        phase = self.told.get("phase", 0.0)
        if not isinstance(phase, dict):
            phase = float(phase) % (2 * math.pi) % (2 * math.pi)
        lines = [f"{NAME} {self.qubits} {self.clbits} {self.value(phase)}"]
        lines += [f"parameter {json.dumps(self.names[old])}" for old in self.places]
        if self.top:
            lines += [f"creg {','.join(map(str, bits))}" for bits in self.told.get("registers", [])]
        return lines + [self.line(item) for item in self.told["instructions"]]

    def line(self, item: Any) -> str:
        qubits, clbits = item.get("qubits", []), item.get("clbits", [])
        if "blocks" in item:
            qubits, clbits = sorted(qubits), sorted(clbits)
        text = f"{self.operation(item)} q{','.join(map(str, qubits))} c{','.join(map(str, clbits))}"
        return text + (f" label={json.dumps(item['label'])}" if item.get("label") is not None else "")

    def operation(self, item: Any) -> str:
        name = item["op"]
        if name == "composite":
            return f"composite {circuit_hash(item['definition'])}"
        if name == "delay":
            return f"delay {self.value(item['params'][0])} {item['unit']}"
        if name == "opaque":
            return " ".join(["opaque", json.dumps(item["name"]), *map(self.value, item.get("params", []))])
        if "blocks" not in item:
            return " ".join([name, *map(self.value, item.get("params", []))])
        loops = self.loops + bool(item.get("parameter"))
        blocks = [self.block(block, item, loops) for block in item["blocks"]]
        if name == "for_loop":
            return f"for_loop {self.value(item['indices'])} {loops} {blocks[0]}"
        if name == "switch_case":
            cases = zip(item["cases"], blocks, strict=True)
            told = [f"[default] {b}" if c == "default" else f"{self.value(c)} {b}" for c, b in cases]
            return " ".join(["switch_case", self.value(item["target"]), *told])
        return " ".join([name, self.value(item["condition"]), *blocks])

    def block(self, told: Any, item: Any, loops: int) -> str:
        width = len(item["qubits"]), len(item["clbits"])
        return f"{{{_Circuit(told, *width, self.names, top=False, loops=loops).hash()}}}"

    def value(self, told: Any) -> str:
        if isinstance(told, list):
            return f"[{' '.join(map(self.value, told))}]"
        if not isinstance(told, dict):
            return number(told)
        (kind,) = told
        held = told[kind]
        if kind == "bit":
            return f"c{held}"
        if kind == "register":
            return f"c[{','.join(map(str, held))}]"
        if kind == "parameter":
            return f"p{self.places[held]}"
        if kind == "loop":
            return f"l{held}"
        if kind == "complex":
            return number(complex(*held))
        if kind == "matrix":
            cells = b"".join(struct.pack("<dd", re + 0.0, im + 0.0) for row in held for re, im in row)
            return f"a{len(held)}x{len(held[0])}:{hashlib.sha256(cells).hexdigest()}"
        return written(polynomial(told, self.value))


def _used(told: Any) -> set[int]:
    """Return the circuit's parameters that occur; a composite's definition has its own."""
    if isinstance(told, list):
        return set().union(*map(_used, told))
    if not isinstance(told, dict) or told.get("op") == "composite":
        return set()
    if set(told) == {"parameter"}:
        return {told["parameter"]}
    return set().union(*(_used(item) for item in told.values()))


def number(told: complex) -> str:
    if isinstance(told, complex):
        return number(told.real) + (f"i{number(told.imag)}" if told.imag else "")
    if isinstance(told, int) and abs(told) > 2**53:
        return f"z{told}"
    return struct.pack(">d", float(told) + 0.0).hex()


# -- expressions: a map from products, as frozensets of (atom, power), to coefficients -----------


def polynomial(told: Any, name: Any) -> dict[Any, complex]:
    if not isinstance(told, dict):
        return {frozenset(): float(told)} if told else {}
    if "expression" not in told:
        return {frozenset({(name(told), 1)}): 1.0}
    operator, *operands = told["expression"]
    parts = [polynomial(operand, name) for operand in operands]
    if len(parts) == 1 and not set(parts[0]) - {frozenset()}:
        argument = parts[0].get(frozenset(), 0.0)
        return polynomial(
            {"SIN": math.sin, "EXP": math.exp, "COS": math.cos, "ABS": abs}[operator](argument), name
        )
    if len(parts) == 1:
        return {frozenset({(f"{operator}({written(parts[0])})", 1)}): 1.0}
    left, right = parts
    if operator in ("ADD", "SUB"):
        sign = 1 if operator == "ADD" else -1
        return _collected([*left.items(), *((key, sign * c) for key, c in right.items())])
    if operator == "MUL":
        return _product(left, right)
    constant = right.get(frozenset(), 0.0)
    if operator == "DIV":
        return {key: c / constant for key, c in left.items()}
    found = {frozenset(): 1.0}
    for _ in range(int(constant)):
        found = _product(found, left)
    return found


def _product(left: Any, right: Any) -> dict[Any, complex]:
    terms = []
    for (one, c), (other, d) in product(left.items(), right.items()):
        powers = dict(one)
        for atom, power in other:
            powers[atom] = powers.get(atom, 0) + power
        terms.append((frozenset(powers.items()), c * d))
    return _collected(terms)


def _collected(terms: Any) -> dict[Any, complex]:
    found: dict[Any, complex] = {}
    for key, c in terms:
        found[key] = found.get(key, 0.0) + c
        if found[key] == 0:
            del found[key]
    return found


def written(told: dict[Any, complex]) -> str:
    if not told or set(told) == {frozenset()}:
        return number(told.get(frozenset(), 0.0))
    if len(told) == 1:
        ((key, c),) = told.items()
        if c == 1 and len(key) == 1 and next(iter(key))[1] == 1:
            return str(next(iter(key))[0])
    terms = [
        number(c) + "".join(f"*{atom}^{power}" for atom, power in sorted(key)) for key, c in told.items()
    ]
    return f"e({'+'.join(sorted(terms))})"
