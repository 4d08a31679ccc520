"""What was hidden from a provider, encrypted at rest: names, and what the vendor sees of each."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ....core.errors import Unavailable
from ...evidence.data_keys import KEY_ID, DataKeys
from ..model import Field, Submission

_NONCE = 12


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the gateway knows of a job and its provider does not.

    Attributes:
        names: Opaque name to the user's own.
        fields: What the provider sees, field by field.
        tags: The user's own tags.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, job: Submission) -> Hidden:
        """Return what is hidden of a job."""
        return cls(dict(job.names), job.fields, job.tags)


def seal(hidden: Hidden, correlation_id: str, keys: DataKeys) -> bytes:
    """Return it encrypted (AES-256-GCM), bound to its job."""
    identity, key = keys.current()
    nonce = os.urandom(_NONCE)
    plain = zlib.compress(json.dumps(asdict(hidden), separators=(",", ":")).encode(), 1)
    header = identity + nonce
    return header + AESGCM(key).encrypt(nonce, plain, header + correlation_id.encode())


def unseal(sealed: bytes, correlation_id: str, keys: DataKeys) -> Hidden:
    """Return what :func:`seal` was given.

    Raises:
        Unavailable: ``job.names_damaged``, or its key cannot be unwrapped.
    """
    header, text = sealed[: KEY_ID + _NONCE], sealed[KEY_ID + _NONCE :]
    key = keys.key(header[:KEY_ID])
    try:
        plain = AESGCM(key).decrypt(header[KEY_ID:], text, header + correlation_id.encode())
    except InvalidTag as error:
        raise Unavailable(
            "job.names_damaged",
            "What was hidden of a job was altered",
            "Its names cannot be mapped back.",
            "Run `qsec verify`; bring the journal's database back from a backup.",
        ) from error
    told = json.loads(zlib.decompress(plain))
    return Hidden(told["names"], tuple(Field(**one) for one in told["fields"]), tuple(told["tags"]))
