"""What stands in a field of a samplex: a name, which may become another one, or something that is no name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .. import circuits, refusals, text as texts
from .arrays import ARRAY

Name = Callable[[str, str], str]
"""Gives what is to stand for a name, of which it is told the kind."""

Reader = Callable[[Any, Name], Any]
"""Gives what is to stand in a field for what stands there."""

_NESTING = 8
_FLIPS = "measurement_flips"
_TERMS = "num_terms_"
_KNOWN = frozenset({"parameter_values", "pauli_signs", "num_randomizations"})
_KINDS = {
    _FLIPS: "register",
    "basis_changes": "reference",
    "local_cliffords": "reference",
    "pauli_lindblad_maps": "reference",
    "noise_scales": "reference",
    "local_scales": "reference",
}
"""What is named behind the point in the name of an input or output."""

_AUTOMATIC = re.compile(
    r"(?:basis_change|collect|inject_noise|leftwards|lhs|meas_prop(?:_out|_phase|_x|_z2a|_z2b)?"
    r"|reset_prop_phase|rhs|rightwards|sign)_\d+",
    re.ASCII,
)
"""Names that samplomatic gives its virtual registers."""


def interface(told: Any, name: Name) -> str:
    """Read the name of an input or output: what it is, a point, and mostly a name that a user chose."""
    text = _text(told)
    if text in _KNOWN:
        return text
    front, point, own = text.partition(".")
    if point and front in _KINDS:
        return f"{front}.{_named(own, _KINDS[front], name)}"
    if text.startswith(_FLIPS):
        raise refusals.unsupported("a samplex with an output of an unknown kind")  # acted on by its front
    return _named(text, "interface", name)


def reference(told: Any, name: Name) -> str:
    """Read a user's name for noise, a basis or the like."""
    return _named(_text(told), "reference", name)


def virtual(told: Any, name: Name) -> str:
    """Read the name of a virtual register."""
    text = _text(told)
    return text if _AUTOMATIC.fullmatch(text) else _named(text, "virtual", name)


def description(told: Any, name: Name) -> str:
    """Read a description: any text, on which nothing depends."""
    return _named(_text(told), "description", name)


def dimensions(told: Any, name: Name) -> list[int | str]:
    """Read a shape, in which a size may be left open and have a name."""
    if not isinstance(told, list):
        raise refusals.malformed("a samplex with a shape that is none")
    return [size if type(size) is int else dimension(size, name) for size in told]


def dimension(told: Any, name: Name) -> str:
    """Read the name of a size that is left open; how many terms some noise has is named by the noise."""
    text = _text(told)
    if text.startswith(_TERMS):
        return _TERMS + reference(text[len(_TERMS) :], name)
    return interface(text, name)


def fitting(pattern: str) -> Reader:
    """Return what reads a text that is no name: a number, one of some words."""
    form = re.compile(pattern, re.ASCII)

    def read(told: Any, _: Name) -> str:
        text = _text(told)
        if form.fullmatch(text) is None:
            raise refusals.unsupported("a samplex with something unknown in it")
        return text

    return read


def being(kind: type) -> Reader:
    """Return what reads a number or a truth value."""

    def read(told: Any, _: Name) -> Any:
        if type(told) is not kind:
            raise refusals.unsupported("a samplex with something unknown in it")
        return told

    return read


def as_it_is(told: Any, _: Name) -> Any:
    """Leave what is looked into elsewhere."""
    return told


def gate(told: Any, _: Name) -> str:
    """Read the name of one of Qiskit's own gates."""
    text = _text(told)
    if text not in circuits.known_gates():
        raise refusals.unsupported("a samplex with a gate that Qiskit does not know")
    return text


def table(told: Any, name: Name) -> str:
    """Read the name of a table: a kind of node, and a gate."""
    front, _, of = _text(told).partition(":")
    return f"{_front(front, name)}:{gate(of, name)}"


def fields(*forms: Mapping[str, Reader]) -> Reader:
    """Return what reads a text that is an object with the fields of one of some forms."""

    def read(told: Any, name: Name) -> str:
        inner = parse(told)
        rewrite(inner, forms, name)
        return texts.write(inner).decode()

    return read


def every(key: Reader, value: Reader) -> Reader:
    """Return what reads a text that is an object of any number of like fields."""

    def read(told: Any, name: Name) -> str:
        inner = {key(each, name): value(item, name) for each, item in parse(told).items()}
        return texts.write(inner).decode()

    return read


def operands(told: Any, name: Name) -> list[dict[str, Any]]:
    """Read what is combined of one register: places in it, and its type."""
    if not isinstance(told, list):
        raise refusals.malformed("a samplex with operands that are none")
    for part in told:
        rewrite(part, ({"array": array}, {"type": kind}), name)
    return told


def alphabet(told: Any, _: Name) -> list[int | str]:
    """Read the elements of a basis: numbers or single letters."""
    if not isinstance(told, list) or any(type(item) is not int and item not in _LETTERS for item in told):
        raise refusals.unsupported("a samplex with an unknown basis")
    return told


def rewrite(told: Any, forms: tuple[Mapping[str, Reader], ...], name: Name) -> None:
    """Put other names in an object that has the fields of one of some forms, no more and no fewer.

    Raises:
        Invalid: ``payload.unsupported`` if it has not; ``payload.malformed``.
    """
    if not isinstance(told, dict):
        raise refusals.malformed("a samplex with something that is no object")
    form = next((form for form in forms if form.keys() == told.keys()), None)
    if form is None:
        raise refusals.unsupported("a samplex with fields that are not known")
    for key, reader in form.items():
        told[key] = reader(told[key], name)


def parse(told: Any, nesting: int = _NESTING) -> dict[str, Any]:
    """Return the object that a text holds.

    Raises:
        Invalid: ``payload.malformed``, ``payload.too_costly``.
    """
    try:
        body = _text(told).encode()
    except UnicodeEncodeError as error:
        raise refusals.malformed("a samplex with half a character") from error
    found: dict[str, Any] = texts.read(body, nesting)
    return found


def _named(told: str, kind: str, name: Name) -> str:
    return name(kind, told) if told else told


def _text(told: Any) -> str:
    if not isinstance(told, str):
        raise refusals.malformed("a samplex in which a text is none")
    return told


_LETTERS = frozenset("IXYZ01+-rl")
_front = fitting("N8|N13|N15|D4")
array = fitting(ARRAY.pattern)
kind = fitting(r"pauli|c1|u2|z2")
number = fitting(r"\d{1,18}")
