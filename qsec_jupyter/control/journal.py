"""A journal's folder: taken by one control plane at a time, and found again by the same server's next one.

While a Jupyter Server restarts its control plane, the journal is unlocked for a moment and everything in it
still in use. So a journal names its server's process, and nobody else takes it while that lives.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import Unavailable

SLOTS = 64
_OWNER = "server"


@dataclass(frozen=True, slots=True)
class Owner:
    """Which Jupyter Server a journal belongs to.

    Attributes:
        server_id: The same for every control plane of one server.
        pid: The server's process; 0 when it let go in order.
        started: When that process started, as the system counts; empty where it cannot be told.
    """

    server_id: str
    pid: int = 0
    started: str = ""

    @classmethod
    def of(cls, server_id: str, pid: int) -> Owner:
        """Describe a server by its running process."""
        return cls(server_id, pid, _started(pid))

    @property
    def alive(self) -> bool:
        """Whether the process is still the one that was written down."""
        if self.pid <= 0:
            return False
        with suppress(PermissionError):  # somebody else's process with this number: ours is gone
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return False
            return _started(self.pid) == self.started
        return False


@dataclass(slots=True)
class Journal:
    """A locked journal folder."""

    path: Path
    lock: int
    owner: Owner

    def release(self, *, in_order: bool = True) -> None:
        """Let another control plane have it; in order, nothing is left to be ended in it."""
        if in_order:
            with suppress(OSError):  # a full disk: the process will be seen to be gone
                _write_owner(self.path, Owner(self.owner.server_id))
        os.close(self.lock)


def take(home: Path, server_id: str, server_pid: int = 0) -> Journal:
    """Lock and return the journal that ``server_id`` had, else the first whose server is gone.

    Args:
        home: The state folder.
        server_id: The Jupyter Server.
        server_pid: Its process; 0 leaves the journal to whoever comes when this process ends.

    Raises:
        Unavailable: ``journal.none_free``.
    """
    mine = Owner.of(server_id, server_pid) if server_pid else Owner(server_id)
    slots = [home / f"journal-{number}" for number in range(SLOTS)]
    own = [slot for slot in slots if _is(_owner(slot), server_id)]
    for slot in [*own, *slots]:
        journal = _lock(slot, mine)
        if journal is None:
            continue
        before = _owner(slot)
        if before is not None and before.alive and before.server_id != server_id and before.pid != server_pid:
            os.close(journal.lock)
            continue
        _write_owner(slot, mine)
        return journal
    raise Unavailable(
        "journal.none_free",
        "Every journal is in use",
        f"{SLOTS} control planes of this account are running.",
        "Stop Jupyter Servers that are no longer needed.",
    )


def orphans(home: Path) -> Iterator[Journal]:
    """Lock and yield each journal whose server is gone without having let go of it."""
    for slot in sorted(home.glob("journal-*")):
        owner = _owner(slot)
        if owner is None or owner.pid == 0 or owner.alive:
            continue
        journal = _lock(slot, owner)
        if journal is not None:
            yield journal


def _lock(slot: Path, owner: Owner) -> Journal | None:
    slot.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(slot / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return Journal(slot, lock, owner)


def _is(owner: Owner | None, server_id: str) -> bool:
    return owner is not None and owner.server_id == server_id


def _owner(slot: Path) -> Owner | None:
    try:
        data = json.loads((slot / _OWNER).read_text())
        return Owner(str(data["server_id"]), int(data["pid"]), str(data["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_owner(slot: Path, owner: Owner) -> None:
    data = {"server_id": owner.server_id, "pid": owner.pid, "started": owner.started}
    (slot / _OWNER).write_text(json.dumps(data))


def _started(pid: int) -> str:
    """Return when a process started, in clock ticks since boot (proc(5), field 22): numbers are reused."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
