"""What is to be scanned, and what came of it; everything here crosses a pipe between processes.

Named tuples: a data class takes eight times as long to make, and every start of ``qsec scan`` makes them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ...core.finding import Finding


class Item(NamedTuple):
    """One thing to read.

    Attributes:
        path: As it is named in reports; of a blob, its path in the repository.
        size: Bytes, as far as known before it is read.
        blob: Object id in the repository of the current folder; empty for a file.
        commit: The first commit in the range that holds the blob; empty for a file or the index.
        number: Its place in the order of the scan.
    """

    path: str
    size: int = 0
    blob: str = ""
    commit: str = ""
    number: int = 0


class Problem(NamedTuple):
    """Something that could not be read or rewritten, and why, in words of ours."""

    path: str
    why: str
    commit: str = ""


class Unreadable(Exception):
    """Ends the work on one file; the message becomes its :class:`Problem`. Never leaves this package."""


class Place(NamedTuple):
    """Where a value lies in the file as stored, lines and columns from 1; what a code host shows.

    In a text this is the finding's own place. In a notebook it is the line of its JSON.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Found(NamedTuple):
    """A finding, with what only a scan of files knows.

    Attributes:
        place: In the file as stored; ``None`` when the value is not there letter by letter.
        commit: Of a blob in history.
        kept: Why a kept finding is kept, e.g. ``pragma`` or ``baseline: test vector (alice)``.
        context: The text around the value, without it, where a person is to judge it.
    """

    finding: Finding
    place: Place | None = None
    commit: str = ""
    kept: str = ""
    context: str = ""


@dataclass(slots=True)
class Outcome:
    """What came of one item; ``number`` is the item's."""

    path: str
    number: int = 0
    found: list[Found] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unscanned: list[dict[str, str]] = field(default_factory=list)
    images: int = 0
    size: int = 0
    fixed: bool = False
    binary: bool = False
