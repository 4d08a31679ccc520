"""Encrypted artefacts: circuits, parameters and results by the SHA-256 of what they are.

A file is AES-256-GCM under a data key; data keys lie beside, wrapped by the broker's store, so that a copy of
the folder opens nothing. The ledger names each file with its own SHA-256: ``qsec verify`` sees a changed
byte without any key. The format is written down in ``docs/formats/evidence.md``.
"""

from __future__ import annotations

import os
import re
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...core.canonical import sha256_hex
from ...core.errors import Bug, Invalid, NotFound, QsecError, Unavailable
from ...ledger.log import Ledger
from ..audit import Audit
from ..credentials.broker import Broker, KeyOpener
from .data_keys import KEY_ID, DataKeys, write

MAX_BYTES = 8 * 1024 * 1024
"""Longest artefact (bytes); a circuit of about 150,000 instructions."""

MAX_STORE_BYTES = 4 * 1024**3
"""All artefacts of one journal together (bytes)."""

SUFFIX = ".sealed"
_MAGIC = b"QSECEVID\x01"
_NONCE = 12
_HEADER = len(_MAGIC) + KEY_ID + _NONCE
_LENGTH = struct.Struct(">H")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"application/[a-z0-9][a-z0-9.+-]{0,99}")


@dataclass(frozen=True, slots=True)
class Artefact:
    """What was kept: bytes, and what kind of bytes they are."""

    media_type: str
    data: bytes


class Artefacts:
    """The folder ``evidence/`` of a journal. Thread-safe.

    Args:
        folder: That folder; made at the first artefact.
        opener: Unwraps data keys.
        writing: The broker that wraps them, the ledger's audit and the clock; ``None`` for reading only.
    """

    def __init__(
        self,
        folder: Path,
        opener: KeyOpener,
        writing: tuple[Broker, Audit, Callable[[], datetime]] | None = None,
    ) -> None:
        self._folder = folder
        self._audit = writing[1] if writing else None
        making = (writing[0], writing[2]) if writing else None
        self._data_keys = DataKeys(folder / "keys", opener, making)
        self._lock = threading.Lock()
        self._bytes: int | None = None

    @property
    def data_keys(self) -> DataKeys:
        """The keys that artefacts are encrypted with; other secrets of the same journal may be, too."""
        return self._data_keys

    def __contains__(self, sha256: str) -> bool:
        return bool(_SHA256.fullmatch(sha256)) and self._path(sha256).exists()

    def put(self, sha256: str, media_type: str, data: bytes, kernel_id: str) -> bool:
        """Keep an artefact; one that is there already is kept as it is.

        Args:
            sha256: What the bytes must have as their SHA-256.
            media_type: Such as ``application/x-qpy``.
            data: The bytes.
            kernel_id: Who brought it.

        Returns:
            Whether it was new.

        Raises:
            Invalid: ``evidence.malformed``, ``evidence.digest_differs`` or ``evidence.too_large``.
            Unavailable: ``evidence.full`` or ``evidence.unwritable``, or the store does not wrap a key.
        """
        _check(sha256, media_type, data)
        with self._lock:
            path = self._path(sha256)
            if path.exists():
                return False
            sealed = self._seal(sha256, media_type, data)
            self._make_room(len(sealed))
            write(path, sealed)
            try:
                self._enter(sha256, media_type, sealed, len(data), kernel_id)
            except QsecError:
                with suppress(OSError):
                    path.unlink()
                raise
            self._bytes = (self._bytes or 0) + len(sealed)
        return True

    def get(self, sha256: str) -> Artefact:
        """Return an artefact, decrypted.

        Raises:
            NotFound: ``evidence.not_kept``.
            Unavailable: ``evidence.damaged``: altered, cut short, or another artefact under this name;
                or its key cannot be unwrapped.
        """
        if not _SHA256.fullmatch(sha256):
            raise Invalid("evidence.malformed", "That is not the digest of an artefact")
        try:
            sealed = self._path(sha256).read_bytes()
        except OSError as error:
            raise NotFound(
                "evidence.not_kept",
                "That artefact was not kept",
                f"There is no evidence {sha256[:12]} in this journal.",
                "The run's gaps say why, where it is known.",
            ) from error
        return self._open(sha256, sealed)

    def discard_unentered(self, ledger: Ledger) -> int:
        """Take away files that were written and never entered, after a crash; nobody was told of them."""
        stored = {path.stem for path in self._folder.glob(f"*{SUFFIX}")}
        if not stored:
            return 0
        entered = {event["data"]["evidence"] for event in ledger.read() if event["type"] == "evidence.stored"}
        for sha256 in stored - entered:
            with suppress(OSError):
                self._path(sha256).unlink()
        return len(stored - entered)

    # -- files ------------------------------------------------------------------------------------

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}{SUFFIX}"

    def _make_room(self, size: int) -> None:
        if self._bytes is None:
            self._bytes = sum(path.stat().st_size for path in self._folder.glob(f"*{SUFFIX}"))
        if self._bytes + size > MAX_STORE_BYTES:
            raise Invalid(
                "evidence.full",
                "The store of evidence is full",
                f"A journal keeps at most {MAX_STORE_BYTES // 1024**3} GiB.",
                "Move the journal away; the next control plane begins another.",
            )

    def _enter(self, sha256: str, media_type: str, sealed: bytes, size: int, kernel_id: str) -> None:
        data: dict[str, Any] = {
            "evidence": sha256,
            "sealed": sha256_hex(sealed),
            "media_type": media_type,
            "bytes": size,
            "kernel": kernel_id,
        }
        if self._audit is None:
            raise Bug("evidence.read_only", "This store of evidence was opened to be read")
        self._audit.record("evidence.stored", **data)

    # -- encryption -------------------------------------------------------------------------------

    def _seal(self, sha256: str, media_type: str, data: bytes) -> bytes:
        identity, key = self._data_keys.current()
        nonce = os.urandom(_NONCE)
        header = _MAGIC + identity + nonce
        name = media_type.encode()
        plain = _LENGTH.pack(len(name)) + name + data
        # The name is authenticated too: one artefact's file does not pass for another's.
        return header + AESGCM(key).encrypt(nonce, plain, header + bytes.fromhex(sha256))

    def _open(self, sha256: str, sealed: bytes) -> Artefact:
        header = sealed[:_HEADER]
        if len(sealed) <= _HEADER or not header.startswith(_MAGIC):
            raise _damaged(sha256)
        key = self._data_keys.key(header[len(_MAGIC) : -_NONCE])
        try:
            plain = AESGCM(key).decrypt(header[-_NONCE:], sealed[_HEADER:], header + bytes.fromhex(sha256))
        except InvalidTag as error:
            raise _damaged(sha256) from error
        (length,) = _LENGTH.unpack_from(plain)
        media_type, data = plain[_LENGTH.size : _LENGTH.size + length], plain[_LENGTH.size + length :]
        if sha256_hex(data) != sha256:
            raise _damaged(sha256)
        return Artefact(media_type.decode(), data)


def _check(sha256: str, media_type: str, data: bytes) -> None:
    if not _SHA256.fullmatch(sha256) or not _MEDIA_TYPE.fullmatch(media_type):
        raise Invalid(
            "evidence.malformed", "An artefact is malformed", "It needs its SHA-256 and a media type."
        )
    if len(data) > MAX_BYTES:
        raise Invalid(
            "evidence.too_large",
            "That is too large to be kept as evidence",
            f"It has {len(data)} bytes; {MAX_BYTES} are allowed.",
            "Its digest stays in the record.",
        )
    if sha256_hex(data) != sha256:
        raise Invalid("evidence.digest_differs", "An artefact is not what its digest says")


def _damaged(sha256: str) -> Unavailable:
    return Unavailable(
        "evidence.damaged",
        "An artefact was altered",
        f"Evidence {sha256[:12]} is not what was stored under this name.",
        "Run `qsec verify`; bring the file back from a backup.",
    )
