"""Where the durable part of a log ends, and how that is found again when it is opened."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from ..core.errors import Unavailable
from . import checkpoint as checkpoints, segment
from .durable import write_durably
from .merkle import Frontier, leaf_hash


@dataclass(slots=True)
class State:
    """Where the durable part of the log ends."""

    path: Path
    offset: int
    chain: bytes
    tree: Frontier = field(default_factory=Frontier)


def begin(folder: Path, header: segment.Header) -> Path:
    """Create a segment; it is there with its whole header or not at all."""
    path = segment.path_of(folder, header.first)
    write_durably(path, header.encode())
    return path


def replay(found: list[Path], newest: checkpoints.Checkpoint | None) -> tuple[State, str]:
    """Follow chain and tree to the last whole entry; return where that is, and the journal's id.

    Raises:
        Unavailable: ``ledger.damaged`` for anything but a torn tail of the last segment.
    """
    tree, chain, journal = Frontier(), bytes(32), b""
    state = None
    for path in found:
        data = path.read_bytes()
        try:
            header = segment.Header.decode(data)
        except ValueError as error:
            raise damaged(f"{path.name} has no valid header.") from error
        journal = journal or header.journal
        if (header.journal, header.first, header.previous) != (journal, tree.size, chain):
            raise damaged(f"{path.name} does not follow the segment before it.")
        chain, offset = header.chain, segment.HEADER_SIZE
        for frame in segment.frames(data):
            expected = segment.chain_hash(chain, frame.payload)
            if frame.broken or frame.chain != expected:
                if path is found[-1] and segment.is_torn(frame, data, fits=frame.chain == expected):
                    break
                raise damaged(f"Entry {tree.size} in {path.name} was altered.")
            chain, offset = expected, frame.offset + segment.FRAME_OVERHEAD + len(frame.payload)
            tree.append(leaf_hash(frame.payload))
            if newest and tree.size == newest.size and tree.root() != newest.root:
                raise damaged(f"The checkpoint over {newest.size} entries does not match them.")
        state = State(path, offset, chain, tree)
    if newest and tree.size < newest.size:
        raise damaged(f"A checkpoint covers {newest.size} entries and {tree.size} are there.")
    assert state is not None
    return state, str(uuid.UUID(bytes=journal))


def unwritable(cause: OSError | None = None) -> Unavailable:
    """Return the error for a disk that refuses."""
    error = Unavailable(
        "ledger.unwritable",
        "The ledger cannot be written",
        f"The disk answered {os.strerror(cause.errno)}." if cause and cause.errno else "The disk refused.",
        "Free some space or repair the disk; recording goes on by itself then.",
    )
    error.__cause__ = cause
    return error


def damaged(detail: str) -> Unavailable:
    """Return the error for a log that is not as it was written."""
    return Unavailable(
        "ledger.damaged",
        "The ledger was altered or damaged",
        detail,
        "Run `qsec verify`, keep a copy of the journal folder, and move it away to begin a new one.",
    )
