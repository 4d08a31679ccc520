"""The folder ``statements/``: signed envelopes, each named after the SHA-256 of its bytes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ..core.canonical import sha256_hex
from ..core.errors import NotFound, Unavailable
from .durable import write_durably
from .log import Ledger


class StatementStore:
    """Keeps envelopes as they were signed, byte for byte."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, envelope: bytes) -> str:
        """Store an envelope durably and return its id; call this before the ledger entry that names it.

        Raises:
            Unavailable: ``statements.unwritable``.
        """
        identity = sha256_hex(envelope)
        path = self._folder / f"{identity}.json"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                write_durably(path, envelope)
        except OSError as error:
            raise Unavailable(
                "statements.unwritable",
                "A statement cannot be stored",
                "The disk refused.",
                "Free some space or repair the disk; recording goes on by itself then.",
            ) from error
        return identity

    def get(self, identity: str) -> bytes:
        """Return an envelope's bytes.

        Raises:
            NotFound: ``statements.unknown``; also when its bytes are no longer those that were stored.
        """
        try:
            envelope = (self._folder / f"{identity}.json").read_bytes()
        except OSError:
            envelope = b""
        if sha256_hex(envelope) != identity:
            raise NotFound("statements.unknown", "No such statement", "", "Run `qsec verify`.")
        return envelope

    def discard(self, identity: str) -> None:
        """Take back a statement whose entry was refused; one that stays is found by :meth:`account`."""
        with suppress(OSError):
            (self._folder / f"{identity}.json").unlink()

    def account(self, ledger: Ledger) -> int:
        """Enter statements that were stored and never entered, as gaps; return how many.

        A control plane that dies, or finds the disk full, between storing a statement and entering it leaves
        one behind. Call this after opening the ledger and before anything is recorded.

        Raises:
            Unavailable: ``ledger.unwritable``.
        """
        stored = {path.stem for path in self._folder.glob(f"{'[0-9a-f]' * 64}.json")}
        unnamed = (
            stored - {str(event["data"].get("statement")) for event in ledger.read()} if stored else set()
        )
        for identity in sorted(unnamed):
            what = "a statement was stored and its entry was not written: interrupted"
            ledger.append({"type": "run.gap", "data": {"what": what, "statement": identity}})
        return len(unnamed)
