"""One line of a coverage report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["redacted", "scanned", "reported", "not covered"]


@dataclass(frozen=True, slots=True)
class Row:
    """One surface on one way out.

    Attributes:
        surface: What would leave.
        route: By which way.
        state: ``redacted``: what is found is replaced. ``scanned``: it is read, and what is found is
            kept from leaving. ``reported``: it leaves, and is told. ``not covered``: nobody looks.
        by: What does it; empty when nothing does.
        note: What to know of it.
    """

    surface: str
    route: str
    state: State
    by: str
    note: str


def row(surface: str, route: str, active: bool, state: State, by: str, note: str) -> Row:
    """Return a row that says ``not covered`` unless ``active``."""
    return Row(surface, route, state if active else "not covered", by if active else "", note)
