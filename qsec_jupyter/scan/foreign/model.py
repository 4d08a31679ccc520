"""What a source of rules gives: rules, finders, and what was refused, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..rules.loader import Rule


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

    def find(self, data: bytes) -> Iterable[tuple[Rule, int, int]]:
        """Yield (rule, first byte, byte behind the last) of each value in a text in UTF-8.

        The rule's own ``find`` over exactly these bytes returns them.
        """


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
