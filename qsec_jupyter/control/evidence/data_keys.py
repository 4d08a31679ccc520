"""Data keys of evidence: made here, wrapped by the broker's store, and kept beside what they encrypt."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...core.canonical import canonical_bytes
from ...core.errors import Bug, Unavailable
from ...core.model import rfc3339
from ...ledger.durable import write_durably
from ..credentials.broker import Broker, KeyOpener, WrappedKey

KEY_LIFE = timedelta(days=30)
"""After this a new data key is made; NIST SP 800-38D's bound on random nonces is far away then."""

KEY_ID = 16
"""Bytes of the id of a data key."""


class DataKeys:
    """The folder ``keys/`` of a journal's evidence. Thread-safe.

    Args:
        folder: That folder; made at the first key.
        opener: Unwraps data keys.
        making: The broker that wraps new ones, and the clock; ``None`` for reading only.
    """

    def __init__(
        self,
        folder: Path,
        opener: KeyOpener,
        making: tuple[Broker, Callable[[], datetime]] | None = None,
    ) -> None:
        self._folder = folder
        self._opener = opener
        self._making = making
        self._lock = threading.Lock()
        self._keys: dict[bytes, bytes] = {}
        self._current: tuple[bytes, datetime] | None = None  # id of the key in use, and when it was made

    def current(self) -> tuple[bytes, bytes]:
        """Return id and value of the key to write with; one is made at the first use of a process.

        Raises:
            Unavailable: ``evidence.unwritable``, or the store does not wrap a key.
        """
        if self._making is None:
            raise Bug("evidence.read_only", "This store of evidence was opened to be read")
        broker, clock = self._making
        now = clock()
        with self._lock:
            if self._current is None or self._current[1] + KEY_LIFE < now:
                self._current = (self._make(broker, now), now)
            return self._current[0], self._keys[self._current[0]]

    def _make(self, broker: Broker, now: datetime) -> bytes:
        identity, key = os.urandom(KEY_ID), AESGCM.generate_key(256)
        wrapped = broker.wrap(key)
        entry = {
            "id": identity.hex(),
            "made_at": rfc3339(now),
            "wrapped_by": wrapped.by,
            "wrapped": wrapped.blob,
        }
        write(self._folder / f"{identity.hex()}.json", canonical_bytes(entry))
        self._keys[identity] = key
        return identity

    def key(self, identity: bytes) -> bytes:
        """Return a key by its id.

        Raises:
            Unavailable: ``evidence.key_missing``, or the store does not unwrap it.
        """
        if identity not in self._keys:
            try:
                entry: Any = json.loads((self._folder / f"{identity.hex()}.json").read_text())
                wrapped = WrappedKey(str(entry["wrapped_by"]), str(entry["wrapped"]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise Unavailable(
                    "evidence.key_missing",
                    "The key of this evidence is gone",
                    f"evidence/keys/{identity.hex()}.json is missing or cannot be read.",
                    "Bring the journal's folder evidence/keys back from a backup.",
                ) from error
            self._keys[identity] = self._opener.unwrap(wrapped)
        return self._keys[identity]


def write(path: Path, data: bytes) -> None:
    """Write a file of evidence durably.

    Raises:
        Unavailable: ``evidence.unwritable``.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(path, data)
    except OSError as error:
        raise Unavailable(
            "evidence.unwritable",
            "An artefact cannot be stored",
            "The disk refused.",
            "Free some space or repair the disk; recording goes on by itself then.",
        ) from error
