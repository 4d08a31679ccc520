"""Entries: events that are checked on their way into the log, and read out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..core.canonical import canonical_bytes
from ..core.errors import Bug, Invalid
from ..core.events import EVENT_TYPES
from . import segment
from .recovery import damaged

Event = dict[str, Any]


def read_events(folder: Path, start: int = 0) -> Iterator[Event]:
    """Yield the entries of a ledger folder from index ``start`` on, without its lock.

    An incomplete last frame (a writer is at work, or was cut off) ends the reading. Nothing is verified
    here beyond what reading needs; that is :func:`.verify.verify_journal`'s work.

    Raises:
        Unavailable: ``ledger.damaged`` when an entry cannot be read.
    """
    found = segment.paths(folder)
    firsts = [int(path.stem) for path in found]
    for position, path in enumerate(found):
        if position + 1 < len(found) and firsts[position + 1] <= start:
            continue
        index = firsts[position]
        for frame in segment.frames(path.read_bytes()):
            if frame.broken == "torn":
                return
            if frame.broken:
                raise damaged(f"Entry {index} in {path.name} cannot be read.")
            if index >= start:
                try:
                    yield json.loads(frame.payload)
                except ValueError as error:
                    raise damaged(f"Entry {index} in {path.name} cannot be read.") from error
            index += 1


def checked(event: Event) -> Event:
    """Return an event as the ledger takes it.

    Raises:
        Bug: ``ledger.event_malformed`` or ``ledger.event_unknown``.
    """
    kind = EVENT_TYPES.get(str(event.get("type")))
    if kind is None:
        raise Bug("ledger.event_unknown", "An event's type is not in the catalogue")
    data = event.get("data", {})
    asserted_by = event.get("asserted_by", kind.asserted_by)
    if event.keys() - {"type", "data", "asserted_by"} or not isinstance(data, dict):
        raise Bug(
            "ledger.event_malformed",
            "An event is malformed",
            "An event has a type, an object `data` and nothing else.",
        )
    if asserted_by not in ("control", "server", "kernel"):
        raise Bug("ledger.event_malformed", "An event is malformed", "Nobody known asserts it.")
    return {"type": kind.name, "asserted_by": asserted_by, "data": data}


def payload_of(entry: Event) -> bytes:
    """Return an entry's bytes.

    Raises:
        Bug: ``ledger.event_malformed``.
        Invalid: ``ledger.entry_too_large``.
    """
    try:
        payload = canonical_bytes(entry)
    except (ValueError, TypeError, RecursionError) as error:
        raise Bug(
            "ledger.event_malformed", "An event is malformed", "Its data is not canonical JSON."
        ) from error
    if len(payload) > segment.MAX_PAYLOAD:
        raise Invalid(
            "ledger.entry_too_large",
            "That is too much for one ledger entry",
            f"The entry has {len(payload)} bytes; {segment.MAX_PAYLOAD} are allowed.",
            "Record a digest instead of the thing itself.",
        )
    return payload
