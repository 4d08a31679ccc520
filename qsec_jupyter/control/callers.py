"""Who calls the control plane: a person or workload at one Jupyter Server, or one of its kernels."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..core.model import Principal
from ..core.secret import Secret
from .people import People


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose word a call is.

    Attributes:
        principal: The owner of the server, or the workload.
        server_id: Their Jupyter Server; grants belong to it.
        kernel_id: The kernel that asks; ``None`` when a person does, at the panel or a terminal.
    """

    principal: Principal
    server_id: str
    kernel_id: str | None = None

    def by(self, kernel_id: str | None) -> Caller:
        """Return the same caller, as one of their kernels."""
        return replace(self, kernel_id=kernel_id)


class Callers:
    """Knows each caller by a bearer, of which it keeps a digest only. Thread-safe.

    Args:
        people: Who they are now; without it, nobody is let in.
    """

    def __init__(self, people: People | None = None) -> None:
        self._people = people
        self._lock = threading.Lock()
        self._known: dict[bytes, Caller] = {}
        self._others: list[Callable[[str], Caller | None]] = []

    def add(self, bearer: Secret, caller: Caller) -> None:
        """Let in whoever sends ``bearer``, as ``caller``."""
        if self._people is not None:
            self._people.seen(caller.principal)
        with self._lock:
            self._known[_digest(bearer.reveal())] = caller

    def remove(self, server_id: str) -> None:
        """Let nobody in any more for a server."""
        with self._lock:
            gone = [key for key, caller in self._known.items() if caller.server_id == server_id]
            for key in gone:
                del self._known[key]

    def ask(self, other: Callable[[str], Caller | None]) -> None:
        """Ask ``other`` about bearers that are not known: it returns whose one is, or ``None``."""
        self._others.append(other)

    def find(self, authorization: str) -> Caller | None:
        """Return whose ``Authorization`` header this is, with the roles and groups that they have now."""
        scheme, _, bearer = authorization.partition(" ")
        if scheme != "Bearer" or not bearer:
            return None
        # A look-up by digest: how long it takes says nothing of how much of a guess was right.
        with self._lock:
            caller = self._known.get(_digest(bearer))
        if caller is None:
            caller = next(filter(None, (other(bearer) for other in self._others)), None)
        if caller is None or self._people is None:
            return None
        return replace(caller, principal=self._people.current(caller.principal))


def _digest(bearer: str) -> bytes:
    return hashlib.sha256(bearer.encode("utf-8", "surrogatepass")).digest()
