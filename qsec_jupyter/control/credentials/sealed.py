"""The embedded sealed store: one AES-256-GCM file, for a machine without a Vault.

It protects secrets at rest from whoever copies the disk or reads backups. It does not protect
them from a program of the same user, which can read the key as we do; the panel says so.

File format, version 1::

    8 bytes   magic "QSECSEAL"
    1 byte    version, 1
    8 bytes   key id: first bytes of SHA-256 over the key, tells a wrong key from a damaged file
    12 bytes  nonce, random at each write (NIST SP 800-38D, 8.2.2)
    rest      ciphertext and 16-byte tag; the 29 bytes before are the additional data

The plaintext is a JSON object: ``signing_key`` (hex) and ``secrets`` by target name.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...core.errors import NotFound, Unavailable
from ...core.secret import Secret
from ...core.signing import Signer
from .broker import (
    Check,
    Issued,
    IssueRequest,
    KeyProtection,
    Operation,
    SessionRef,
    TargetSource,
    VaultInfo,
    WrappedKey,
)
from .engines import engine_of, operator_of
from .keystore import KeyStore, locked, write_private
from .sealed_key import SealedKey
from .seeds import first_value
from .sessions import Sessions, refuse_ended
from .signers import new_seed, signer_of
from .wrapping import MachineWrapping

KEY_NAME = "store.key"
STORE_NAME = "store.sealed"
_MAGIC = b"QSECSEAL\x01"
_KEY_ID = 8
_NONCE = 12
_HEADER = len(_MAGIC) + _KEY_ID + _NONCE
_ENGINES = ("kv-v2", "transit")
REVOCABILITY = (
    "Ending the session stops further issues; a copied value stays good until it is replaced at its provider."
)


@dataclass(frozen=True, slots=True)
class Content:
    """What the file holds, decrypted."""

    signing_key: bytes
    secrets: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """Return the plaintext."""
        return json.dumps({"signing_key": self.signing_key.hex(), "secrets": dict(self.secrets)}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Content:
        """Read the plaintext; it was authenticated, so a wrong shape means a newer program."""
        try:
            value: dict[str, Any] = json.loads(data)
            return cls(
                bytes.fromhex(value["signing_key"]), {str(k): str(v) for k, v in value["secrets"].items()}
            )
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise _broken("It was written by a program that this one does not understand.") from error


class SealedFile:
    """Reads and writes the encrypted file. It never replaces one that it could not open."""

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self.path = home / STORE_NAME
        self._home = home
        self._keys = keys

    def load(self) -> tuple[Content, KeyProtection]:
        """Return the content and where the key lies.

        Raises:
            Unavailable: ``vault.store_broken``, ``vault.store_key_missing`` or ``vault.store_wrong_key``.
        """
        found = self._keys.read(KEY_NAME)
        if found is None:
            raise Unavailable(
                "vault.store_key_missing",
                "The sealed store's key is gone",
                f"{STORE_NAME} is there, its key is neither in the keyring nor in {KEY_NAME}.",
                f"Bring {KEY_NAME} back from a backup, or move {self.path} away to start anew.",
            )
        key, protection = found
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise _broken(f"It cannot be read: {type(error).__name__}.") from error
        return Content.from_bytes(_open(data, key)), protection

    def change(self, edit: Callable[[Content | None], Content | None]) -> None:
        """Read, edit and write under a lock; ``edit`` gets ``None`` for a file not there yet.

        ``edit`` returns the new content, or ``None`` to leave the file as it is.
        """
        with locked(self._home / "store.lock"):
            old = self.load()[0] if self.path.exists() else None
            new = edit(old)
            if new is None:
                return
            key, _ = self._keys.create(KEY_NAME, lambda: AESGCM.generate_key(256))
            try:
                write_private(self.path, _seal(new.to_bytes(), key))
            except OSError as error:
                raise Unavailable(
                    "vault.store_unwritable",
                    "The sealed store cannot be written",
                    f"{STORE_NAME}: {type(error).__name__}.",
                    f"Make room in {self._home} and let its owner write there.",
                ) from error


class SealedBroker:
    """A broker over the embedded store; see :class:`..broker.Broker` for the methods.

    Args:
        home: The user's state folder.
        targets: The catalogue's targets; each without a secret is given a made-up one.
        keys: Where the store's key lies.
        note: Why this store is in use when another one was expected; shown in label and checks.
    """

    def __init__(
        self, home: Path, targets: Mapping[str, TargetSource], keys: KeyStore, note: str = ""
    ) -> None:
        self._home, self._keys = home, keys
        self._file = SealedFile(home, keys)
        self._targets = dict(targets)
        self._wrapping = MachineWrapping(keys, KEY_NAME)
        self._sessions = Sessions()
        self._note = note
        self._protection: KeyProtection | None = None
        self._signer: Signer | None = None
        self._problem: Unavailable | None = None
        try:
            self._file.change(self._seeded)
            self._content()
        except Unavailable as error:
            self._problem = error  # said by checks() and again by every call that needs the store

    @property
    def info(self) -> VaultInfo:
        """Say that the embedded store is in use and what protects its key."""
        place = {"os-keyring": "key in the OS keyring", "file-0600": "key in a 0600 file", None: "not open"}
        label = f"Embedded sealed store ({place[self._protection]})"
        return VaultInfo(
            "sealed-store",
            "embedded",
            f"{label}; {self._note}" if self._note else label,
            None,
            self._protection,
        )

    def issue(self, request: IssueRequest, remember: Callable[[SessionRef], None]) -> Issued:
        """Return the target's value; opens the grant's session at its first call."""
        source = self._source(request.target)
        engine_of(source)
        value = self._part(request.target, "")
        ref = self._open(request, remember)
        return Issued(
            Secret(value, request.target),
            request.expires_at,
            ref,
            REVOCABILITY,
            "sealed-store",
            {name: Secret(self._part(request.target, name), request.target) for name in source.fields},
        )

    def operate(
        self,
        request: IssueRequest,
        remember: Callable[[SessionRef], None],
        operation: Operation,
        data: bytes,
        signature: str = "",
    ) -> str:
        """Use a key that is sealed in the store; it stays in this process."""
        source = self._source(request.target)
        operator_of(source)
        self._open(request, remember)
        return SealedKey(bytes.fromhex(self._part(request.target, ""))).operate(
            source, operation, data, signature
        )

    def put(self, target: str, values: Mapping[str, Secret]) -> str:
        """Write the store anew with the value."""
        from .keeping import SealedKeeping  # it stands on this module

        keeping = SealedKeeping(self._home, self._keys)
        keeping.put(target, self._source(target), values)
        return keeping.where

    def keep(self, request: IssueRequest) -> None:
        """Nothing of this store runs out before its grant."""

    def _open(self, request: IssueRequest, remember: Callable[[SessionRef], None]) -> SessionRef:
        slot = self._sessions.slot(request.grant_id, request.target)
        with slot.lock:
            refuse_ended(slot)
            if slot.ref is None:
                ref = SessionRef(secrets.token_hex(16), (), request.expires_at)
                remember(ref)
                slot.ref = ref
            refuse_ended(slot)
            return slot.ref

    def _source(self, target: str) -> TargetSource:
        if target not in self._targets:
            raise NotFound(
                "vault.no_such_target", "No such target", f"The catalogue has no target {target!r}."
            )
        source = self._targets[target]
        if source.engine not in _ENGINES:
            raise Unavailable(
                "vault.engine_needs_vault",
                "The target needs a Vault",
                f"The embedded store keeps values and keys; it has no engine {source.engine!r}.",
                "Set VAULT_ADDR to a Vault or OpenBao that has it.",
            )
        return source

    def _part(self, target: str, field: str) -> str:
        value = self._content().secrets.get(part_name(target, field))
        if value is None:
            raise NotFound(
                "vault.secret_missing",
                "The store has no secret for this target",
                f"Nothing is kept for {part_name(target, field)!r}.",
                "Put one there with `qsec rotate` or `qsec import`.",
            )
        return value

    def revoke(self, session: SessionRef) -> bool:
        """End a session. Sessions live in this process only, so it is always verified gone."""
        self._sessions.end(session.accessor)
        return True

    def checks(self) -> list[Check]:
        """Return whether the store opens and which targets have a value."""
        try:
            content = self._content()
        except Unavailable as error:
            return [Check("vault", False, f"{error.title}. {error.detail}", error.remedy)]
        checks = [
            Check("vault", not self._note, self.info.label, "See the log for why." if self._note else "")
        ]
        for name, source in sorted(self._targets.items()):
            if source.engine not in _ENGINES:
                detail = f"{name!r} needs a Vault: its engine is {source.engine}."
                checks.append(Check(f"vault.target.{name}", False, detail, "Set VAULT_ADDR."))
                continue
            there = name in content.secrets
            detail = f"A value for {name!r} is kept." if there else f"No value for {name!r}."
            checks.append(
                Check(
                    f"vault.target.{name}", there, detail, "" if there else "Start the control plane again."
                )
            )
        return checks

    def signer(self) -> Signer:
        """Return the local key: this store has no other."""
        return self.local_signer()

    def local_signer(self) -> Signer:
        """Return the Ed25519 key that is sealed in the store."""
        if self._signer is None:
            self._signer = signer_of(self._content().signing_key)
        return self._signer

    def wrap(self, key: bytes) -> WrappedKey:
        """Wrap a data key with the store's key."""
        self._content()  # a store that is broken makes no new key
        return self._wrapping.wrap(key)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Unwrap a data key that this machine wrapped."""
        return self._wrapping.unwrap(wrapped)

    def close(self) -> None:
        """Forget every session and the signing key."""
        self._sessions.clear()
        self._signer = None

    def _content(self) -> Content:
        """Decrypt the file anew: no plaintext stays in memory, and damage is seen at once."""
        if self._problem is not None and not self._file.path.exists():
            raise self._problem
        content, self._protection = self._file.load()
        self._problem = None
        return content

    def _seeded(self, old: Content | None) -> Content | None:
        content = old or Content(new_seed(), {})
        missing = {name: source for name, source in self._targets.items() if name not in content.secrets}
        made = {name: _first(source) for name, source in missing.items() if source.engine in _ENGINES}
        if old is not None and not made:
            return None
        return Content(content.signing_key, {**content.secrets, **made})


def part_name(target: str, field: str = "") -> str:
    """Return under which name the store keeps a target's value, or one more part of it."""
    return f"{target}/{field}" if field else target


def _first(source: TargetSource) -> str:
    return os.urandom(32).hex() if source.engine == "transit" else first_value(source)


def _seal(plain: bytes, key: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    header = _MAGIC + _key_id(key) + nonce
    return header + AESGCM(key).encrypt(nonce, plain, header)


def _open(data: bytes, key: bytes) -> bytes:
    header = data[:_HEADER]
    if len(data) <= _HEADER or not header.startswith(_MAGIC):
        raise _broken("It does not begin as a sealed store of this version does.")
    if len(key) != 32 or header[len(_MAGIC) : len(_MAGIC) + _KEY_ID] != _key_id(key):
        raise Unavailable(
            "vault.store_wrong_key",
            "The sealed store was written with another key",
            f"{KEY_NAME} does not belong to {STORE_NAME}.",
            "Bring back the key that belongs to it; the store was left as it is.",
        )
    try:
        return AESGCM(key).decrypt(header[-_NONCE:], data[_HEADER:], header)
    except InvalidTag as error:
        raise _broken("Its bytes were changed after it was written.") from error


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_KEY_ID]


def _broken(detail: str) -> Unavailable:
    return Unavailable(
        "vault.store_broken",
        "The sealed store cannot be opened",
        detail,
        f"It was left as it is. Bring {STORE_NAME} back from a backup, or move it away to start anew.",
    )
