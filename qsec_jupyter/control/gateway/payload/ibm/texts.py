"""Circuits in OpenQASM 3, where pubs may hold them as texts in place of QPY."""

from __future__ import annotations

from typing import Any

from .. import refusals
from ..limits import Limits
from ..openqasm import Program
from ..samplex import Name


class Texts:
    """All OpenQASM of one job; what stands there twice is read once.

    Args:
        limits: What each may take.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._programs: dict[str, Program] = {}
        self._pubs: list[list[Any]] = []

    @property
    def all(self) -> list[Program]:
        """The programs, each once."""
        return list(self._programs.values())

    def of(self, pub: list[Any]) -> Program:
        """Return the program that a pub holds.

        Raises:
            Invalid: As :class:`.Program`; ``payload.too_costly``.
        """
        text = pub[0]
        if text not in self._programs:
            self._programs[text] = Program(text, self._limits.instructions)
            if len(self._programs) > self._limits.circuits:
                raise refusals.too_costly(f"more than {self._limits.circuits} circuits")
        self._pubs.append(pub)
        return self._programs[text]

    def rename(self, name: Name) -> None:
        """Put other names into all of it; inputs are parameters, as elsewhere in a job."""
        new = {text: _renamed(program, name) for text, program in self._programs.items()}
        for pub in self._pubs:
            pub[0] = new[pub[0]]

    @property
    def names(self) -> dict[tuple[str, str], None]:
        """Return what a user named in it: the kind, and the name."""
        return {(_kind(program, name), name): None for program in self.all for name in program.names}


def _renamed(program: Program, name: Name) -> str:
    return program.renamed(lambda text: name(_kind(program, text), text))


def _kind(program: Program, name: str) -> str:
    return "parameter" if name in program.inputs else "declared"
