"""What the gateway asks of a provider by itself: the small port that a provider's module implements.

The calls are blocking and made from worker threads, several at a time. They are for the control plane's own
housekeeping, with a credential of its own; nothing of them reaches a user.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from ..model import Reservation

RemoteState = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: frozenset[RemoteState] = frozenset({"done", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """A job as its provider describes it.

    Attributes:
        created_at: When the provider took it; ``None`` where it does not say.
        usage_seconds: What it used; ``None`` while that is not known.
    """

    id: str
    state: RemoteState
    backend: str = ""
    created_at: datetime | None = None
    tags: tuple[str, ...] = ()
    session: str | None = None
    usage_seconds: float | None = None


class Account(Protocol):
    """One account at one provider. Thread-safe."""

    def find(self, tag: str) -> list[RemoteJob]:
        """Return the jobs that carry a tag.

        Raises:
            Unavailable: The provider does not answer, or not sensibly; so for every method here.
        """
        ...

    def jobs(self, since: datetime) -> list[RemoteJob]:
        """Return every job of the account that was created since then."""
        ...

    def job(self, job_id: str) -> RemoteJob | None:
        """Return a job with its usage; ``None`` when the provider says that there is none."""
        ...

    def cancel(self, job_id: str) -> None:
        """Ask for a job to be cancelled; no error when it is over already."""
        ...

    def close_session(self, session_id: str) -> bool:
        """Close a session; ``True`` when the provider says that it takes no more jobs, or knows none such."""
        ...

    def reservations(self) -> list[Reservation]:
        """Return the reservations that are not over yet: the catalogue's where the provider lists none."""
        ...


OpenAccount = Callable[[str], AbstractContextManager[Account]]
"""Opens the account behind a target, for the length of a ``with`` block.

Raises:
    Unavailable: ``gateway.no_account`` for a target whose provider has no module, or the store gives no key.
"""
