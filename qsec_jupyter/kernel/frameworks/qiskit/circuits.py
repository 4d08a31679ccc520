"""Circuits of a call: copied while the caller waits, described when nobody does."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from qsec_jupyter.provenance import circuit as provenance

from ... import evidence
from ...recorder import breathe
from ...run import Json

MOST_CIRCUITS = 1000
"""How many circuits of one call are described; that there were more is a gap."""

_REMEMBERED = 512


class _Known(OrderedDict[Hashable, Json]):
    """Artefacts of the circuits that ran last: an equal circuit needs no artefact of its own."""

    def __setitem__(self, key: Hashable, value: Json) -> None:
        super().__setitem__(key, value)
        if len(self) > _REMEMBERED:
            self.popitem(last=False)


_known = _Known()


class Circuits:
    """Copies of the circuits of one call.

    Args:
        circuits: As the user gave them.
    """

    def __init__(self, circuits: list[Any]) -> None:
        self._gaps: list[str] = []
        self._copies: list[Callable[[], Any]] = []
        if len(circuits) > MOST_CIRCUITS:
            self._gaps.append(f"only {MOST_CIRCUITS} of {len(circuits)} circuits are described")
        for circuit in circuits[:MOST_CIRCUITS]:
            try:
                self._copies.append(provenance.snapshot(circuit, breathe))
            except Exception as error:  # noqa: BLE001  # one odd circuit must not hide the others
                self._fail(error)
                self._copies.append(functools.partial(_unknown, type(circuit).__qualname__))

    def describe(self, gaps: list[str]) -> list[Json]:
        """Return one entry for each circuit, and offer their artefacts as evidence.

        Args:
            gaps: Receives a sentence for each that could not be copied or described.
        """
        found = []
        for copied in self._copies:
            found.append(self._entry(copied))
            breathe()
        self._copies = []
        gaps += self._gaps
        return found

    def _entry(self, copied: Callable[[], Any]) -> Json:
        circuit = copied()
        if isinstance(circuit, dict):
            return circuit
        try:
            return provenance.describe(circuit, breathe=breathe, keep=evidence.offer, known=_known)
        except Exception as error:  # noqa: BLE001  # as above
            self._fail(error)
            return _unknown(type(circuit).__qualname__)

    def _fail(self, error: Exception) -> None:
        self._gaps.append(f"a circuit could not be described ({type(error).__name__})")


def _unknown(kind: str) -> Json:
    return {"type": kind}
