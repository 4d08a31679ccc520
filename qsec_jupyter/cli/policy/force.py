"""What is in force, and what was: read from the journals, whether a server runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...control.policy.bundle import Bundle, Place
from ...control.policy.live import archived
from ...core.errors import Invalid, NotFound
from ...core.paths import home, journals
from ...ledger.entries import read_events


def in_force() -> Bundle:
    """Return the bundle that the newest control plane took; before the first one, what it would read."""
    kept = archived(home())
    return Place.of(home()).read() if kept is None else Bundle(kept.files, "what is in force")


def chosen(folder: Path | None) -> Bundle:
    """Return the bundle of a folder; without one, what a control plane would read now."""
    return Place.of(home()).read() if folder is None else Bundle.read(folder)


@dataclass(frozen=True, slots=True)
class Past:
    """One decision of the ledger.

    Attributes:
        bundle: The bundle that made it; ``None`` when no copy is left.
    """

    event: dict[str, Any]
    bundle: Bundle | None

    @property
    def policies(self) -> list[str]:
        """The ids that the entry names."""
        return list(self.event["data"].get("policies") or [])


def decisions(grant_id: str) -> list[Past]:
    """Return what the ledgers say about a grant, oldest first.

    Args:
        grant_id: Its id, or how it begins (six characters at least).

    Raises:
        Invalid: ``policy.grant_ambiguous``.
        NotFound: ``policy.grant_unknown``.
    """
    if len(grant_id) < 6:
        raise Invalid(
            "policy.grant_short", "That is too short for a grant's id", "", "Give six characters or more."
        )
    found = [past for folder in journals() for past in _of(folder, grant_id)]
    ids = {past.event["data"]["grant"] for past in found}
    if not ids:
        raise NotFound(
            "policy.grant_unknown", "No ledger knows that grant", "", "`qsec.grants()` lists grants."
        )
    if len(ids) > 1:
        raise Invalid("policy.grant_ambiguous", "Several grants begin like that", "", "Give more characters.")
    return found


def _of(folder: Path, grant_id: str) -> Iterator[Past]:
    if not (folder / "ledger").is_dir():
        return
    for event in read_events(folder / "ledger"):
        data = event.get("data", {})
        if str(data.get("grant") or "").startswith(grant_id):
            digest = data.get("policy")
            yield Past(event, archived(home(), digest) if digest else None)
