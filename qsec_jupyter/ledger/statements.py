"""Checks each statement that the log names: that it is there, whole, signed, and about what the entry says.

It shares no code with the part that writes statements, so that one mistake is not made twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from ..core.canonical import sha256_hex
from .keys import ArchivedKey

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPES = {
    "run.intent": "https://qsec-jupyter.dev/provenance/intent/v1",
    "run.completion": "https://qsec-jupyter.dev/provenance/completion/v1",
}
"""What kind of statement an entry of each type must name."""

SKEW = timedelta(minutes=5)
"""How far clocks may be apart when an entry's time is held against a key's validity."""


class Unsound(Exception):
    """A statement does not hold; the text says why. It never leaves this module."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry as it was found.

    Attributes:
        record: Its place, e.g. ``ledger/00000000000000000000.seg entry 7``.
    """

    record: str
    index: int
    event: dict[str, Any]


class Statements:
    """The folder ``statements/`` while a log is walked from its first entry to its last.

    Attributes:
        seen: Id of every statement that an entry named.
    """

    def __init__(self, folder: Path, keys: dict[str, ArchivedKey]) -> None:
        self._folder = folder
        self._keys = keys
        self._intents: dict[int, tuple[str, str]] = {}  # ledger index -> statement, run
        self.seen: set[str] = set()

    def check(self, entry: Entry) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the statement that an entry names, if it names one."""
        kind, data = entry.event["type"], entry.event["data"]
        identity = data.get("statement")
        if identity is None and kind not in PREDICATE_TYPES:
            return
        identity = str(identity)
        self.seen.add(identity)
        try:
            predicate = self._read(identity, PREDICATE_TYPES.get(kind), entry.event["time"])
            self._compare(entry, identity, predicate)
        except Unsound as error:
            yield f"statements/{identity}.json", f"{error} (named by {entry.record})"

    def _read(self, identity: str, predicate_type: str | None, when: str) -> dict[str, Any]:
        """Return the predicate of a statement that is whole and signed by a key good at the time ``when``."""
        if len(identity) != 64 or identity.strip("0123456789abcdef"):
            raise Unsound("the entry names no statement")
        try:
            raw = (self._folder / f"{identity}.json").read_bytes()
        except OSError as error:
            raise Unsound("the statement is missing") from error
        if sha256_hex(raw) != identity:
            raise Unsound("its bytes are not those that were signed: the SHA-256 differs from its name")
        try:
            envelope = Envelope.from_dict(json.loads(raw))
            statement = json.loads(envelope.payload)
            found, predicate = statement["predicateType"], statement["predicate"]
        except Exception as error:  # the library raises whatever base64 and dict access raise
            raise Unsound("it is not an in-toto statement in a DSSE envelope") from error
        if envelope.payload_type != PAYLOAD_TYPE or statement.get("_type") != STATEMENT_TYPE:
            raise Unsound("it is not an in-toto statement in a DSSE envelope")
        if predicate_type is not None and found != predicate_type:
            raise Unsound(f"it is a {found}")
        self._check_signature(envelope, when)
        return predicate if isinstance(predicate, dict) else {}

    def _check_signature(self, envelope: Any, when: str) -> None:
        library_keys = [
            SSlibKey(key.id, "ed25519", "ed25519", {"public": key.public_key}) for key in self._keys.values()
        ]
        try:
            accepted = envelope.verify(library_keys, 1)
        except (VerificationError, ValueError) as error:
            raise Unsound("no archived key signed it") from error
        moment = _moment(when)
        for key in (self._keys[identity] for identity in accepted):
            late = key.valid_to is not None and moment > _moment(key.valid_to) + SKEW
            if late or moment < _moment(key.valid_from) - SKEW:
                raise Unsound(f"key {key.id[:16]} was not valid at {when}")

    def _compare(self, entry: Entry, identity: str, predicate: dict[str, Any]) -> None:
        """Check that statement and entry speak of the same run, and a completion of its intent."""
        kind, data = entry.event["type"], entry.event["data"]
        run = str((predicate.get("run") or {}).get("run_id"))
        if kind in PREDICATE_TYPES and data.get("run", run) != run:
            raise Unsound("it is about another run")
        if kind == "run.intent":
            self._intents[entry.index] = (identity, run)
        intent = predicate.get("intent") if kind == "run.completion" else None
        if intent and self._intents.get(intent.get("index")) != (intent.get("statement"), run):
            raise Unsound("the intent that it refers to is not that entry's")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
