"""The providers' own credentials, one a grant; they never leave this process but to their provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..credentials.broker import Issued
from .model import Pass

_EARLY = 60.0
"""How long before its end a credential is replaced (seconds)."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a provider's module made of an issued credential.

    Attributes:
        value: Its own; only its module looks inside.
        ends: When it is to be made anew (seconds since 1970).
        accessor: Names the session in the store behind it.
    """

    value: object
    ends: float
    accessor: str | None = None


class Keyring:
    """Keeps what was issued while it is good. Used from one event loop.

    Args:
        issue: Has the broker issue the credential of a grant; it may block, and is called in a thread.
    """

    def __init__(self, issue: Callable[[Pass], Issued]) -> None:
        self._issue = issue
        self._held: dict[str, Key] = {}
        self._making: dict[str, asyncio.Lock] = {}

    def at_hand(self, holder: Pass) -> Key | None:
        """Return a grant's key, if there is one that is still good."""
        held = self._held.get(holder.grant.id)
        return held if held is not None and held.ends > time.time() else None

    async def get(self, holder: Pass, make: Callable[[Issued], Key]) -> Key:
        """Return a grant's key, made once however many ask at the same time.

        Args:
            holder: Whose.
            make: The provider's way from an issued credential to a key; it may block.

        Raises:
            QsecError: What broker, policy or provider say against it.
        """
        if (held := self.at_hand(holder)) is not None:
            return held
        grant = holder.grant.id
        async with self._making.setdefault(grant, asyncio.Lock()):
            held = self.at_hand(holder)
            if held is None:
                held = self._held[grant] = await asyncio.to_thread(lambda: make(self._issue(holder)))
            return held

    def drop(self, grant_id: str, key: Key | None = None) -> None:
        """Forget a grant's key; only ``key``, when given: another may have taken its place."""
        if key is None or self._held.get(grant_id) is key:
            self._held.pop(grant_id, None)

    def keep_only(self, grant_ids: frozenset[str]) -> None:
        """Forget the keys of all other grants."""
        for gone in set(self._held) - grant_ids:
            self._held.pop(gone, None)
            self._making.pop(gone, None)


def until(ends: float) -> float:
    """Return when a credential that ends then is to be replaced: a minute early, or in its last fifth."""
    left = ends - time.time()
    return ends - min(_EARLY, left / 5)
