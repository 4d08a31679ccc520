"""A journal's folder: taken by one control plane at a time, and found again by the same server's next one."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import Unavailable

SLOTS = 64
_OWNER = "server"


@dataclass(slots=True)
class Journal:
    """A locked journal folder."""

    path: Path
    lock: int

    def release(self) -> None:
        """Let another control plane have it."""
        os.close(self.lock)


def take(home: Path, server_id: str) -> Journal:
    """Lock and return the journal that ``server_id`` had, else the first that nobody uses.

    Raises:
        Unavailable: ``journal.none_free``.
    """
    slots = [home / f"journal-{number}" for number in range(SLOTS)]
    own = [slot for slot in slots if _owner(slot) == server_id]
    for slot in [*own, *slots]:
        slot.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(slot / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        (slot / _OWNER).write_text(server_id)
        return Journal(slot, lock)
    raise Unavailable(
        "journal.none_free",
        "Every journal is in use",
        f"{SLOTS} control planes of this account are running.",
        "Stop Jupyter Servers that are no longer needed.",
    )


def _owner(slot: Path) -> str | None:
    try:
        return (slot / _OWNER).read_text()
    except OSError:
        return None
