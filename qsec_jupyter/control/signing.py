"""Chooses the key that signs: the store's, and this machine's while the store does not sign in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ..core.errors import QsecError, Unavailable
from ..core.signing import Signer
from .credentials.broker import Broker

REST_SECONDS = 15.0
"""How long a store that failed, or was slow, is not asked to sign again."""

SLOW_SECONDS = 2.0
"""A store that takes longer than this for one signature is spared for a while, too."""

_T = TypeVar("_T")


class StoreDidNotSign(Unavailable):
    """The store of credentials refused to sign, or was away."""


class Signing:
    """Runs work that needs a signer.

    A store that hangs must not make each record wait for its time limit, and one whose policy does not
    allow signing must not cost the record: both are signed with this machine's key, and say so.

    Args:
        broker: The store.
        monotonic: Seconds that only grow.
    """

    def __init__(self, broker: Broker, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._broker = broker
        self._monotonic = monotonic
        self._rests_until = float("-inf")

    def run(self, work: Callable[[Signer, bool], _T]) -> _T:
        """Return ``work(signer, by_store)``; it is called again with this machine's key if the store fails.

        Errors of the work itself pass through: a malformed record is no reason to distrust the store.
        """
        if self._monotonic() >= self._rests_until:
            try:
                return work(_StoreSigner(self._watch(self._broker.signer), self._watch), True)
            except StoreDidNotSign:
                pass
        return work(self._broker.local_signer(), False)

    def rest(self) -> None:
        """Do not ask the store for a while."""
        self._rests_until = self._monotonic() + REST_SECONDS

    def _watch(self, call: Callable[[], _T]) -> _T:
        started = self._monotonic()
        try:
            answer = call()
        except QsecError as error:
            self.rest()
            raise StoreDidNotSign(error.code, error.title, error.detail, error.remedy) from error
        if self._monotonic() - started > SLOW_SECONDS:
            self.rest()
        return answer


class _StoreSigner:
    """The store's signer, watched."""

    def __init__(self, signer: Signer, watch: Callable[[Callable[[], bytes]], bytes]) -> None:
        self.name = signer.name
        self.public_key = signer.public_key
        self._signer = signer
        self._watch = watch

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature of 64 bytes over ``data``."""
        return self._watch(lambda: self._signer.sign(data))
