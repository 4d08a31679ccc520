"""Parameter expressions in a form that does not depend on how, or by which Qiskit, they were put together.

Qiskit remembers an expression as the steps that made it; before 2.1 just as the user took them, and since
then simplified. Both are read into a tree, and the tree is written as a polynomial: a sum of products of
*atoms*, like terms collected. An atom is a parameter, or a function or power that is not a product.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from functools import cache
from typing import Any

Coefficient = complex
Monomial = tuple[tuple[str, int], ...]
Polynomial = dict[Monomial, Coefficient]

MOST_TERMS = 1000
"""A product or power with more terms is not multiplied out; it is an atom."""

MOST_POWER = 16

_UNARY: dict[str, Callable[[complex], complex]] = {
    **{
        name.upper(): getattr(cmath, name)
        for name in ("sin", "cos", "tan", "asin", "acos", "atan", "exp", "log")
    },
    "ABS": abs,
    "CONJ": lambda value: value.conjugate(),
    "SIGN": lambda value: (value.real > 0) - (value.real < 0),
}
_REVERSED = {"RSUB": "SUB", "RDIV": "DIV", "RPOW": "POW"}


class NotReplayable(ValueError):
    """The expression does not say how it was made."""


def write(expression: Any, name: Callable[[Any], str], number: Callable[[Any], str]) -> str:
    """Return the text of an expression.

    Args:
        expression: A ``ParameterExpression``.
        name: Returns the text of a parameter.
        number: Returns the text of a number.

    Raises:
        NotReplayable: Qiskit kept no steps, or steps of a kind that is not known.
    """
    writer = _Writer(name, number)
    return writer.text(writer.polynomial(_tree(expression)))


# -- steps into a tree -------------------------------------------------------------------------


def _tree(value: Any) -> Any:
    """Return a number, a parameter, or ``(operator, operand[, operand])``."""
    if isinstance(value, (int, float, complex)):
        return value
    if _is_parameter(value):
        return value
    steps = getattr(value, "_qpy_replay", None)
    if not steps:
        if not getattr(value, "parameters", True):
            return complex(value)
        raise NotReplayable(type(value).__name__)
    stack: list[Any] = []
    for step in steps:
        if hasattr(step, "binds"):
            stack[-1] = _substituted(stack[-1], {_key(p): _tree(v) for p, v in step.binds.items()})
        else:
            stack.append(_applied(step, stack))
    return stack[-1]


def _applied(step: Any, stack: list[Any]) -> Any:
    operator = _operator(step.op)
    if operator in _UNARY:
        return operator, stack.pop() if step.lhs is None else _tree(step.lhs)
    # What is left out is the result of an earlier step; the right one was made last.
    lhs, rhs = step.lhs, step.rhs
    right = stack.pop() if rhs is None else _tree(rhs)
    left = stack.pop() if lhs is None else _tree(lhs)
    if operator in _REVERSED:
        return _REVERSED[operator], right, left
    if operator not in ("ADD", "SUB", "MUL", "DIV", "POW"):
        raise NotReplayable(operator)
    return operator, left, right


@cache
def _operator(told: Any) -> str:
    return getattr(told, "name", None) or str(told).rpartition(".")[2]


def _substituted(tree: Any, values: dict[Any, Any]) -> Any:
    if isinstance(tree, tuple):
        return (tree[0], *(_substituted(operand, values) for operand in tree[1:]))
    return values.get(_key(tree), tree) if _is_parameter(tree) else tree


def _is_parameter(value: Any) -> bool:
    return type(value).__name__ in ("Parameter", "ParameterVectorElement")


def _key(parameter: Any) -> Any:
    return getattr(parameter, "uuid", parameter.name)


# -- a tree into a polynomial ------------------------------------------------------------------


class _Writer:
    """Turns trees into polynomials and polynomials into text."""

    def __init__(self, name: Callable[[Any], str], number: Callable[[Any], str]) -> None:
        self._name = name
        self._number = number

    def polynomial(self, tree: Any) -> Polynomial:
        if isinstance(tree, (int, float, complex)):
            return _constant(tree)
        if not isinstance(tree, tuple):
            return {((self._name(tree), 1),): 1}
        operator, left, *right = tree
        if not right:
            return self._function(operator, self.polynomial(left))
        return self._combined(operator, self.polynomial(left), self.polynomial(right[0]))

    def _combined(self, operator: str, left: Polynomial, right: Polynomial) -> Polynomial:
        if operator == "ADD":
            return _sum(left, right)
        if operator == "SUB":
            return _sum(left, {monomial: -c for monomial, c in right.items()})
        if operator == "MUL":
            return self._product(left, right)
        if operator == "DIV":
            return self._quotient(left, right)
        return self._power(left, right)

    def _function(self, operator: str, operand: Polynomial) -> Polynomial:
        """Return a function's atom, or its value where Qiskit may have worked it out itself."""
        value = _number_of(operand)
        if value is None:
            return self._atom(operator, operand)
        function = _UNARY[operator] if value.imag else getattr(math, operator.lower(), _UNARY[operator])
        try:
            return _constant(function(value if value.imag else value.real))
        except ValueError:  # outside of what the function is defined for
            return self._atom(operator, operand)

    def _product(self, left: Polynomial, right: Polynomial) -> Polynomial:
        if len(left) * len(right) > MOST_TERMS:
            return _multiplied(self._single(left), self._single(right))
        return _multiplied(left, right)

    def _quotient(self, left: Polynomial, right: Polynomial) -> Polynomial:
        divisor = _number_of(right)
        if divisor:
            return {monomial: c / divisor for monomial, c in left.items()}
        return self._product(left, self._power(right, _constant(-1)))

    def _power(self, base: Polynomial, exponent: Polynomial) -> Polynomial:
        power, value = _integer(exponent), _number_of(base)
        if value is not None and _number_of(exponent) is not None and (value or power is None or power >= 0):
            return _constant(value ** (power if power is not None else _number_of(exponent) or 0))
        if power is None or abs(power) > MOST_POWER:
            return self._atom("POW", base, exponent)
        if power < 0 and len(base) == 1:
            ((monomial, c),) = base.items()
            return {tuple((atom, n * power) for atom, n in monomial): c**power}
        if power < 0:
            return {((self._written("POW", base, exponent), 1),): 1}
        found = _constant(1)
        for _ in range(power):
            found = self._product(found, base)
        return found

    def _single(self, polynomial: Polynomial) -> Polynomial:
        """Return a sum as one atom."""
        return polynomial if len(polynomial) <= 1 else {((self.text(polynomial), 1),): 1}

    def _atom(self, operator: str, *operands: Polynomial) -> Polynomial:
        return {((self._written(operator, *operands), 1),): 1}

    def _written(self, operator: str, *operands: Polynomial) -> str:
        return f"{operator}({','.join(map(self.text, operands))})"

    def text(self, polynomial: Polynomial) -> str:
        value = _number_of(polynomial)
        if value is not None:
            return self._number(value)
        if len(polynomial) == 1:
            ((monomial, c),) = polynomial.items()
            if c == 1 and len(monomial) == 1 and monomial[0][1] == 1:
                return monomial[0][0]
        terms = [f"{self._number(c)}{''.join(f'*{a}^{n}' for a, n in m)}" for m, c in polynomial.items()]
        return f"e({'+'.join(sorted(terms))})"


def _constant(value: Coefficient) -> Polynomial:
    number = complex(value)
    return {(): number if number.imag else number.real} if number else {}


def _number_of(polynomial: Polynomial) -> Coefficient | None:
    """Return the value of a polynomial without parameters, else ``None``."""
    if not polynomial:
        return 0
    return polynomial[()] if len(polynomial) == 1 and () in polynomial else None


def _integer(polynomial: Polynomial) -> int | None:
    value = _number_of(polynomial)
    if value is None or value.imag or value.real != int(value.real):
        return None
    return int(value.real)


def _sum(left: Polynomial, right: Polynomial) -> Polynomial:
    found = dict(left)
    for monomial, c in right.items():
        total = found.get(monomial, 0) + c
        if total:
            found[monomial] = total
        else:
            found.pop(monomial, None)
    return found


def _multiplied(left: Polynomial, right: Polynomial) -> Polynomial:
    if len(right) == 1 and () in right:  # as most often: nothing is to be collected
        return {monomial: total for monomial, c in left.items() if (total := 0 + c * right[()])}
    if len(left) == 1 and () in left:
        return {monomial: total for monomial, d in right.items() if (total := 0 + left[()] * d)}
    found: Polynomial = {}
    for one, c in left.items():
        for other, d in right.items():
            powers = dict(one)
            for atom, n in other:
                powers[atom] = powers.get(atom, 0) + n
            monomial = tuple(sorted((atom, n) for atom, n in powers.items() if n))
            found = _sum(found, {monomial: c * d})
    return found
