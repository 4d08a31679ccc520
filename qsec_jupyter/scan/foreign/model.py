"""What a source of rules gives: rules, finders, and what was refused, by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..rules.exemptions import Where
from ..rules.loader import Rule

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]


@dataclass(frozen=True, slots=True)
class Refused:
    """A rule, or a part of one, that is not used.

    Attributes:
        file: Where it stands.
        rule: Its id; empty when the whole file is meant.
        why: The reason, and what would help.
    """

    file: str
    rule: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}{f', rule {self.rule}' if self.rule else ''}: {self.why}"


class Finder(Protocol):
    """Finds secrets by a program of its own instead of by an expression."""

    def find(self, data: bytes, where: Where) -> Iterable[tuple[Rule, int, int]]:
        """Yield (rule, first byte, byte behind the last) of each value in a text in UTF-8."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What it may report, for a list; their expressions are not used."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What all named sources together give.

    Attributes:
        rules: To be compiled into the engine.
        finders: To be called beside it.
        refused: What is not used, and why.
        inputs: Every file that was read.
    """

    rules: tuple[Rule, ...] = ()
    finders: tuple[Finder, ...] = ()
    refused: tuple[Refused, ...] = ()
    inputs: tuple[Path, ...] = ()

    def __add__(self, other: Collection) -> Collection:
        return Collection(
            self.rules + other.rules,
            self.finders + other.finders,
            self.refused + other.refused,
            self.inputs + other.inputs,
        )

    def without(self, test: Callable[[Rule], str]) -> Collection:
        """Return this collection, its rules refused for which ``test`` gives a reason."""
        kept, refused = [], list(self.refused)
        for rule in self.rules:
            if why := test(rule):
                refused.append(Refused(rule.source, rule.id, why))
            else:
                kept.append(rule)
        return Collection(tuple(kept), self.finders, tuple(refused), self.inputs)


class Unreadable(Exception):
    """A file that cannot be read as what it is, with the reason."""


def read_bytes(path: Path) -> bytes:
    """Return the content of a file of rules.

    Raises:
        Unreadable: with the reason.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise Unreadable(
            f"it cannot be read ({getattr(error, 'strerror', None) or type(error).__name__})"
        ) from error


def parse_toml(path: Path) -> dict[str, Any]:
    """Return a file of rules as parsed TOML.

    Raises:
        Unreadable: with the reason.
    """
    try:
        parsed: dict[str, Any] = tomllib.loads(read_bytes(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        where = f" ({error})" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise Unreadable(f"it is not TOML in UTF-8{where}") from error
    return parsed
