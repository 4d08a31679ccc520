"""A run's statements in one file that verifies by itself: in-toto's JSON Lines, and what proves them.

Each line is a DSSE envelope (https://github.com/in-toto/attestation, bundle): first the statements, byte
for byte as they are stored; then one unsigned envelope of a type of our own, which other readers pass over.
It holds the ledger entries that name the statements, their inclusion proofs, the checkpoint and the keys.
``docs/formats/bundle.md`` writes it down.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import Invalid, Unavailable
from . import checkpoint as checkpoints, segment
from .merkle import inclusion_proof, leaf_hash

FORMAT = "qsec.dev/verification/v1"
MATERIAL_TYPE = "application/vnd.qsec.verification+json"
MAX_BYTES = 64 * 1024 * 1024
"""Longest bundle that is read (bytes)."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it was read.

    Attributes:
        statements: The envelopes' bytes.
        entries: ``index``, ``payload`` and ``proof`` of the ledger entry of each statement.
        checkpoint: The signed note; empty when the entries were not covered yet.
        keys: Entries of the key archive, canonical JSON.
    """

    journal: str
    statements: tuple[bytes, ...]
    entries: tuple[tuple[int, bytes, tuple[bytes, ...]], ...]
    checkpoint: bytes
    keys: tuple[bytes, ...]


def make(journal: Path, journal_id: str, statements: dict[str, int]) -> bytes:
    """Return the bundle of some statements of a journal.

    Args:
        journal: The journal's folder.
        journal_id: Its id.
        statements: Statement ids, and the index of the ledger entry that names each.

    Raises:
        Unavailable: ``ledger.damaged``, when what is named cannot be read.
    """
    payloads = _payloads(journal / "ledger")
    note = _covering(journal / "ledger", max(statements.values(), default=-1), len(payloads))
    size = checkpoints.parse(note).size if note else 0
    leaves = [leaf_hash(payload) for payload in payloads[:size]]
    try:
        lines = [(journal / "statements" / f"{identity}.json").read_bytes() for identity in statements]
        entries = [
            {
                "index": index,
                "payload": base64.b64encode(payloads[index]).decode(),
                "proof": [node.hex() for node in inclusion_proof(leaves, index)] if note else [],
            }
            for index in statements.values()
        ]
    except (OSError, IndexError) as error:
        raise Unavailable(
            "ledger.damaged", "A ledger cannot be read", "A statement is missing.", "Run `qsec verify`."
        ) from error
    keys = [path.read_text() for path in sorted((journal / "keys").glob(f"{'[0-9a-f]' * 64}.json"))]
    material = {
        "format": FORMAT,
        "journal": journal_id,
        "entries": entries,
        "checkpoint": note.decode(),
        "keys": keys,
    }
    payload = base64.b64encode(json.dumps(material).encode()).decode()
    last = json.dumps({"payload": payload, "payloadType": MATERIAL_TYPE, "signatures": []}).encode()
    return b"\n".join([*lines, last]) + b"\n"


def read(data: bytes) -> Bundle:
    """Read a bundle.

    Raises:
        Invalid: ``bundle.malformed``.
    """
    try:
        *statements, last = data.removesuffix(b"\n").split(b"\n")
        envelope = json.loads(last)
        told = json.loads(base64.b64decode(envelope["payload"], validate=True))
        sound = envelope["payloadType"] == MATERIAL_TYPE and told["format"] == FORMAT and statements
        bundle = Bundle(
            str(told["journal"]),
            tuple(statements),
            tuple(_entry(entry) for entry in told["entries"]),
            str(told["checkpoint"]).encode(),
            tuple(str(key).encode() for key in told["keys"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _malformed() from error
    if not sound or len(data) > MAX_BYTES:
        raise _malformed()
    return bundle


def _malformed() -> Invalid:
    return Invalid(
        "bundle.malformed",
        "This is not a bundle of a run",
        "It is not what `qsec export --format in-toto` writes.",
        "Check where the file came from.",
    )


def _entry(entry: Any) -> tuple[int, bytes, tuple[bytes, ...]]:
    index = entry["index"]
    if not isinstance(index, int) or isinstance(index, bool):
        raise ValueError("an index is no number")  # noqa: TRY004  # a malformed file, as all of this
    proof = tuple(bytes.fromhex(node) for node in entry["proof"])
    return index, base64.b64decode(entry["payload"], validate=True), proof


def _payloads(folder: Path) -> list[bytes]:
    found: list[bytes] = []
    for path in segment.paths(folder):
        for frame in segment.frames(path.read_bytes()):
            if frame.broken:
                return found
            found.append(frame.payload)
    return found


def _covering(folder: Path, index: int, size: int) -> bytes:
    """Return the newest checkpoint that covers an entry and is covered by what was read; empty for none."""
    for path in reversed(checkpoints.paths(folder)):
        try:
            made = checkpoints.parse(path.read_bytes())
        except ValueError:
            continue  # `qsec verify` names it
        if index < made.size <= size:
            return made.note
    return b""
