"""What the names of a program stand for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from .statements import Kind


@dataclass(slots=True, frozen=True)
class Cost:
    """What carrying something out takes, at most.

    Attributes:
        size: Instructions.
        depth: Instructions of them one after the other.
        touched: Qubits that take part whatever it is given.
    """

    size: int
    depth: int
    touched: frozenset[int] = frozenset()


@dataclass(slots=True, frozen=True)
class Operand:
    """Qubits that a name, perhaps with an index, stands for.

    Attributes:
        places: All that it may be.
        most: How many of them it is at once, at most.
        is_known: Whether it is all of them, and in this order.
    """

    places: Sequence[int]
    most: int
    is_known: bool


@dataclass(slots=True, eq=False)
class Symbol:
    """What a name stands for.

    Attributes:
        name: As the program has it.
        kind: The kind of statement that declares it.
        size: How many qubits, bits or elements; ``None`` where the text does not tell.
        value: Of a constant that is a number.
        operand: The qubits that it names.
        cost: What calling it takes; ``None`` within its own definition.
        holds: From which number up to below which its type goes.
    """

    name: str
    kind: Kind
    size: int | None = None
    value: int | float | None = None
    operand: Operand | None = None
    cost: Cost | None = None
    holds: tuple[int, int] | None = None


@dataclass(slots=True)
class Bindings:
    """The names of a program.

    Attributes:
        of: What each word means that is a declared name, by where it stands.
        declares: What each statement declares, in order, by where it begins.
        names: All declared names, in order of declaration.
        inputs: Those whose values come with the program.
        pulses: Whether anything plays pulses.
    """

    of: dict[int, Symbol] = field(default_factory=dict)
    declares: dict[int, list[Symbol]] = field(default_factory=dict)
    names: dict[str, None] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)
    pulses: bool = False
