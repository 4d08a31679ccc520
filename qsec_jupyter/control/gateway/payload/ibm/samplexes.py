"""The items of a quantum program that are randomised: each with a samplex, and what it is given."""

from __future__ import annotations

from typing import Any

from .. import refusals
from ..limits import Limits
from ..samplex import Name, Samplex, rename_arguments
from .blobs import Blobs


class Randomised:
    """An item with a samplex.

    Args:
        item: The item; it is changed by :meth:`rename`.
        blobs: Take the expressions of the samplex's parameters, which are QPY.
        limits: What reading it may take.

    Attributes:
        names: What is named in it, beside in QPY: the kind, and the name.

    Raises:
        Invalid: ``payload.`` and ``malformed``, ``unsupported``, ``too_costly`` or ``too_large``.
    """

    def __init__(self, item: dict[str, Any], blobs: Blobs, limits: Limits) -> None:
        if not isinstance(item["samplex"], dict):
            raise refusals.malformed("a samplex that is none")
        self._item = item
        self._samplex = Samplex(item["samplex"], limits)
        told = self._samplex.expressions
        file = blobs.add(told, "circuit_base64").file
        if told["qpy"] != str(file.version) or file.programs != 1:
            raise refusals.malformed("QPY is not what is said of it")
        self.names = dict(self._samplex.names)
        self._rename_arguments(self._note)

    def rename(self, name: Name) -> None:
        """Put other names in it."""
        self._samplex.rename(name)
        self._rename_arguments(name)

    def _rename_arguments(self, name: Name) -> None:
        self._item["samplex_arguments"] = rename_arguments(self._item.get("samplex_arguments"), name)

    def _note(self, kind: str, name: str) -> str:
        self.names[kind, name] = None
        return name


def find(params: dict[str, Any], blobs: Blobs, limits: Limits) -> list[Randomised]:
    """Return the items of a job that have a samplex."""
    quantum = params.get("quantum_program")
    items = quantum.get("items") if isinstance(quantum, dict) else None
    return [
        Randomised(item, blobs, limits)
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict) and "samplex" in item
    ]
