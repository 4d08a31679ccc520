"""What is open for which grant: one session each, opened once however many ask at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from ...core.errors import Denied
from ...core.secret import Secret
from .broker import SessionRef
from .engines import Material


@dataclass(slots=True)
class Slot:
    """A grant's session. ``lock`` makes opening single-flight; ``ended`` is set without it.

    Attributes:
        target: What the grant is for; the same grant never opens another target.
        token: The session's token, when the store works with tokens.
        ref: What was remembered, ``None`` until the session is open.
        renew_at: Monotonic time after which a use renews the session first.
        ends_at: Monotonic time at which the session is over by itself.
        ended: The session was ended on purpose; this grant gets no other one.
        held: What was made for the grant and is good still.
        refresh_at: Monotonic time after which ``held`` is renewed or replaced.
    """

    target: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    token: Secret | None = None
    ref: SessionRef | None = None
    renew_at: float = 0.0
    ends_at: float = 0.0
    ended: bool = False
    held: Material | None = None
    refresh_at: float = float("inf")

    def forget(self) -> None:
        """Drop the session, so that the next use opens another."""
        self.token = None
        self.ref = None
        self.drop()

    def drop(self) -> None:
        """Drop what the session made, so that the next use makes another."""
        self.held = None
        self.refresh_at = float("inf")


class Sessions:
    """All slots of a broker by grant, and by accessor. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._slots: dict[str, Slot] = {}

    def slot(self, grant_id: str, target: str) -> Slot:
        """Return the grant's slot, making it at first use.

        Raises:
            Denied: ``vault.wrong_target`` when the grant was used for another target before.
        """
        with self._lock:
            slot = self._slots.setdefault(grant_id, Slot(target))
        if slot.target != target:
            raise Denied(
                "vault.wrong_target",
                "The grant is for another target",
                f"It does not open {target!r}.",
                "Request that target, too.",
            )
        return slot

    def known(self, grant_id: str) -> Slot | None:
        """Return the grant's slot when it has one."""
        with self._lock:
            return self._slots.get(grant_id)

    def end(self, accessor: str | None) -> None:
        """Mark the session of ``accessor`` as ended; an issue that is under way then refuses."""
        with self._lock:
            for slot in self._slots.values():
                if slot.ref is not None and slot.ref.accessor == accessor:
                    slot.ended = True
                    slot.token = None
                    slot.held = None

    def clear(self) -> None:
        """Forget every token."""
        with self._lock:
            for slot in self._slots.values():
                slot.forget()
            self._slots.clear()


def refuse_ended(slot: Slot) -> None:
    """Raise when the slot's session was ended on purpose.

    Raises:
        Denied: ``vault.session_ended``.
    """
    if slot.ended:
        raise Denied(
            "vault.session_ended",
            "The session behind this grant was ended",
            "It was revoked here or in the store; it is not opened a second time.",
            "Request the target again.",
        )
