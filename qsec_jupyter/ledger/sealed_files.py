"""Checks each artefact that the log names, without any key: its encrypted file is there, byte for byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from .statements import Entry

STORED = "evidence.stored"
_PIECE = 1024 * 1024


class SealedFiles:
    """The folder ``evidence/`` while a log is walked.

    Attributes:
        seen: Digest of every artefact that an entry named.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.seen: set[str] = set()

    def check(self, entry: Entry) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the artefact that an entry names, if it names one."""
        if entry.event["type"] != STORED:
            return
        data = entry.event["data"]
        name = str(data.get("evidence"))
        if len(name) != 64 or name.strip("0123456789abcdef"):
            yield entry.record, "the entry names no artefact"
            return
        self.seen.add(name)
        found = _sha256(self._folder / f"{name}.sealed")
        if found is None:
            yield f"evidence/{name}.sealed", f"the artefact is missing (named by {entry.record})"
        elif found != data.get("sealed"):
            yield (
                f"evidence/{name}.sealed",
                f"its bytes are not those that were kept (named by {entry.record})",
            )


def _sha256(path: Path) -> str | None:
    hashed = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                hashed.update(piece)
    except OSError:
        return None
    return hashed.hexdigest()
