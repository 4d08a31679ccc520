"""Signed checkpoints of the ledger: by time, by number of events, and at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from ..core.errors import QsecError
from ..core.signing import Signer
from ..ledger.keys import KeyArchive
from ..ledger.log import Ledger
from .signing import Signing

CHECKPOINT_SECONDS = 60.0
CHECKPOINT_EVENTS = 100

_log = logging.getLogger("qsec.control")


class Checkpoints:
    """Makes checkpoints.

    Args:
        keys: Keeps the public key of each.
        clock: Gives the time.
    """

    def __init__(
        self, *, ledger: Ledger, keys: KeyArchive, signing: Signing, clock: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._keys = keys
        self._signing = signing
        self._clock = clock
        self._checkpointed = -1

    def make(self) -> None:
        """Sign the ledger as it is, with the store's key, else with this machine's."""

        def work(signer: Signer, _: bool) -> int:
            self._keys.add(signer, self._clock())
            return self._ledger.checkpoint(signer).size

        try:
            self._checkpointed = self._signing.run(work)
        except QsecError as error:
            _log.warning("a checkpoint was not made: %s", error.code)

    def make_if_new(self) -> None:
        """Make a checkpoint when anything was written since the last."""
        if self._ledger.size != self._checkpointed:
            self.make()

    def after_events(self) -> None:
        """Make a checkpoint when enough events have come since the last."""
        if self._ledger.size - self._checkpointed >= CHECKPOINT_EVENTS:
            self.make()
