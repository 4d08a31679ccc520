"""Checkpoints: signed C2SP ``tlog-checkpoint`` notes, one file for each tree size that was signed.

Formats: https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note (Ed25519, signature type 0x01).
The key name in the signature line is the origin line, as the specification recommends.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..core.signing import Signer
from .durable import write_durably
from .keys import is_signature

FOLDER = "checkpoints"
SUFFIX = ".checkpoint"
_ED25519 = b"\x01"
_NOTE = re.compile(
    r"(?P<text>(?P<origin>[^\s+]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n)"
    r"\n(?P<signatures>(?:\u2014 [^\s+]+ [A-Za-z0-9+/]+={0,2}\n)+)"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed statement of a log's size and root.

    Attributes:
        note: The whole signed note.
        text: The part that is signed.
        signatures: Key name, key id and signature of each signature line.
    """

    origin: str
    size: int
    root: bytes
    note: bytes
    text: bytes
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def verify(self, keys: Iterable[bytes]) -> bytes | None:
        """Return the public key (raw, 32 bytes) of ``keys`` that signed this as its log, or ``None``."""
        for public_key in keys:
            wanted = note_key_id(self.origin, public_key)
            for name, key, signature in self.signatures:
                if (name, key) == (self.origin, wanted) and is_signature(public_key, signature, self.text):
                    return public_key
        return None


def origin(journal: str) -> str:
    """Return the origin line of a journal's log."""
    return f"qsec-jupyter/{journal}"


def note_key_id(name: str, public_key: bytes) -> bytes:
    """Return the four bytes that a signed note calls a key by: SHA-256(name, LF, 0x01, key)[:4]."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:4]


def make(journal: str, size: int, root: bytes, signer: Signer) -> Checkpoint:
    """Sign size and root."""
    name = origin(journal)
    text = f"{name}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    key, signature = note_key_id(name, signer.public_key), signer.sign(text)
    line = f"\u2014 {name} {base64.b64encode(key + signature).decode()}\n".encode()
    return Checkpoint(name, size, root, text + b"\n" + line, text, ((name, key, signature),))


def parse(note: bytes) -> Checkpoint:
    """Read a signed note strictly: one byte sequence for each meaning.

    Raises:
        ValueError: If it is not a checkpoint, or its base64 is not in the canonical form.
    """
    match = _NOTE.fullmatch(note.decode("utf-8"))
    if match is None:
        raise ValueError("this is not a checkpoint")
    signatures = []
    for line in match["signatures"].splitlines():
        _, name, text = line.split(" ")
        blob = _base64(text)
        signatures.append((name, blob[:4], blob[4:]))
    root, text = _base64(match["root"]), match["text"].encode()
    return Checkpoint(match["origin"], int(match["size"]), root, note, text, tuple(signatures))


def _base64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 is not in its canonical form")
    return data


def paths(folder: Path) -> list[Path]:
    """Return the checkpoint files of a ledger folder, smallest tree first."""
    return sorted((folder / FOLDER).glob(f"{'[0-9]' * 20}{SUFFIX}"))


def newest(folder: Path) -> Checkpoint | None:
    """Return the checkpoint over the most entries that can be read; signatures are not checked here."""
    for path in reversed(paths(folder)):
        with contextlib.suppress(ValueError):  # an unreadable one is `qsec verify`'s to name
            return parse(path.read_bytes())
    return None


def store(folder: Path, made: Checkpoint) -> Path:
    """Write a checkpoint durably; one that is already there for that size stays."""
    place = folder / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    path = place / f"{made.size:020d}{SUFFIX}"
    if not path.exists():
        write_durably(path, made.note)
    return path
