"""The archive of public keys: what offline verification trusts, and since when and until when.

One file for each key, ``<key id>.json``, in canonical JSON: ``{"key": {...}, "signature": hex, "signed_by":
key id}``. A key signs its own entry when it is added; who closes its validity later signs the new entry. So
a changed byte in an archive shows. Whoever replaces the archive as a whole replaces the root of trust: keep
a copy of it elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..core.canonical import canonical_bytes
from ..core.errors import NotFound, Unavailable
from ..core.model import rfc3339
from ..core.signing import Signer, key_id
from .durable import write_durably

ALGORITHM = "ed25519"
_CONTEXT = b"qsec-jupyter key archive v1\n"  # an entry's signature is good for nothing else
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class LocalSigner:
    """Signs with an Ed25519 private key in this process."""

    def __init__(self, private_key: Ed25519PrivateKey, name: str = "") -> None:
        self._key = private_key
        self.public_key: bytes = private_key.public_key().public_bytes_raw()
        self.name = name or f"local:{key_id(self.public_key)[:16]}"

    @classmethod
    def generate(cls, name: str = "") -> LocalSigner:
        """Make a new key that lives as long as this object."""
        return cls(Ed25519PrivateKey.generate(), name)

    def sign(self, data: bytes) -> bytes:
        """Return the raw signature of 64 bytes over ``data``."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"LocalSigner({self.name})"


@dataclass(frozen=True, slots=True)
class ArchivedKey:
    """A public key and when signatures by it are good.

    Attributes:
        public_key: Raw public key in lower-case hex.
        valid_to: RFC 3339, or ``None`` while the key is in use.
    """

    id: str
    name: str
    algorithm: str
    public_key: str
    valid_from: str
    valid_to: str | None = None

    @property
    def raw(self) -> bytes:
        """The raw public key, 32 bytes."""
        return bytes.fromhex(self.public_key)


def is_signature(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Say whether ``signature`` is this key's over ``data`` (Ed25519, RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


class KeyArchive:
    """The folder ``keys/`` of a journal."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, signer: Signer, since: datetime) -> ArchivedKey:
        """Archive a signer's public key; one that is there already stays as it is.

        Raises:
            Unavailable: ``keys.unwritable``, or when the signer does not answer.
        """
        identity = key_id(signer.public_key)
        if self._path(identity).exists():
            return self.get(identity)
        key = ArchivedKey(identity, signer.name, ALGORITHM, signer.public_key.hex(), rfc3339(since))
        self._store(key, signer)
        return key

    def close(self, identity: str, until: datetime, signer: Signer) -> ArchivedKey:
        """Write down that a key is no longer in use. ``signer`` is that key or one archived before.

        Raises:
            NotFound: ``keys.unknown``.
            Unavailable: ``keys.unwritable``, or when the signer does not answer.
        """
        key = replace(self.get(identity), valid_to=rfc3339(until))
        self._store(key, signer)
        return key

    def get(self, identity: str) -> ArchivedKey:
        """Return one key.

        Raises:
            NotFound: ``keys.unknown``; also for an entry that cannot be read.
        """
        try:
            return read_key(self._path(identity))[0]
        except (OSError, ValueError) as error:
            raise NotFound("keys.unknown", "No such key in the archive", "", "Run `qsec verify`.") from error

    def __iter__(self) -> Iterator[ArchivedKey]:
        for path in sorted(self._folder.glob("*.json")):
            yield self.get(path.stem)

    def public_keys(self) -> list[bytes]:
        """Return every archived public key, raw."""
        return [key.raw for key in self]

    def _path(self, identity: str) -> Path:
        return self._folder / f"{identity}.json"

    def _store(self, key: ArchivedKey, signer: Signer) -> None:
        body = asdict(key)
        signature = signer.sign(_CONTEXT + canonical_bytes(body))
        entry = {"key": body, "signature": signature.hex(), "signed_by": key_id(signer.public_key)}
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(self._path(key.id), canonical_bytes(entry))
        except OSError as error:
            raise Unavailable(
                "keys.unwritable",
                "The key archive cannot be written",
                "The disk refused.",
                "Free some space or repair the disk.",
            ) from error


def read_key(path: Path) -> tuple[ArchivedKey, str, bytes]:
    """Return a key, the id of the key that signed its entry, and that signature. Strict; see the format.

    Raises:
        ValueError: If the file is not exactly an entry in canonical form, named after its key.
        OSError: If it cannot be read.
    """
    raw = path.read_bytes()
    entry: Any = json.loads(raw)
    try:
        key = ArchivedKey(**entry["key"])
        signature, signed_by = bytes.fromhex(entry["signature"]), str(entry["signed_by"])
        times = [key.valid_from, *([] if key.valid_to is None else [key.valid_to])]
        sound = (
            canonical_bytes({"key": asdict(key), "signature": signature.hex(), "signed_by": signed_by}) == raw
            and key.algorithm == ALGORITHM
            and key.raw.hex() == key.public_key
            and key.id == path.stem == key_id(key.raw)
            and all(_TIME.fullmatch(time) for time in times)
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a key of the archive") from error
    if not sound:
        raise ValueError("not a key of the archive in canonical form")
    return key, signed_by, signature


def signs_entry(public_key: bytes, key: ArchivedKey, signature: bytes) -> bool:
    """Say whether ``signature`` is this public key's over the archive entry of ``key``."""
    return is_signature(public_key, signature, _CONTEXT + canonical_bytes(asdict(key)))
