"""Repeats calls that may be repeated, for as long as a failover or a short overload lasts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from ...core.errors import QsecError
from .vault_errors import Busy

ATTEMPTS = 4
LONGEST = 2.0
"""Seconds of one wait at the most; a Retry-After beyond it is the caller's to wait."""

_AGAIN = frozenset({"vault.interrupted", "vault.failed", "vault.standby", "vault.unreachable", "vault.busy"})

T = TypeVar("T")


def patiently(call: Callable[[], T]) -> T:
    """Call up to ``ATTEMPTS`` times; never for calls that issue something.

    Waits double from 0.1 s, with jitter, so that the brokers of a site do not come back in step (AWS,
    "Exponential backoff and jitter"). A time-out is not repeated: the caller has waited enough.

    Raises:
        QsecError: The last failure.
    """
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except QsecError as error:
            wait = error.seconds if isinstance(error, Busy) else 0.1 * 2**attempt
            if error.code not in _AGAIN or wait > LONGEST or attempt == ATTEMPTS - 1:
                raise
        time.sleep(wait * random.uniform(0.5, 1.0) if wait < LONGEST else wait)  # noqa: S311  # no secret
    raise AssertionError  # the last attempt returned or raised
