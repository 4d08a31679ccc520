"""Offline verification of a journal: log, tree, checkpoints, statements and keys against one another.

Read-only and without the writer's lock, so that a journal in use can be verified. What is read first is what
is written last (checkpoints, names of statements, then the log, then the keys), so that a writer at work
never looks like damage. An incomplete last frame is a note and not a problem: only an interrupted write
leaves one, see :mod:`.segment`; what was cut off behind the last checkpoint cannot be told from that.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from ..core.canonical import canonical_bytes
from ..core.events import EVENT_TYPES
from . import checkpoint as checkpoints, segment
from .keys import ArchivedKey, read_key, signs_entry
from .merkle import EMPTY_ROOT, Frontier, leaf_hash
from .sealed_files import SealedFiles
from .statements import Entry, Statements

_IN_FLIGHT = 60.0  # seconds in which a writer may have stored a statement and not yet its entry

_OURS = {
    "ledger": re.compile(rf"[0-9]{{20}}\{segment.SUFFIX}|{checkpoints.FOLDER}|\..*"),
    f"ledger/{checkpoints.FOLDER}": re.compile(rf"[0-9]{{20}}\{checkpoints.SUFFIX}|\..*"),
    "statements": re.compile(r"[0-9a-f]{64}\.json|\..*"),
    "keys": re.compile(r"[0-9a-f]{64}\.json|\..*"),
    "evidence": re.compile(r"[0-9a-f]{64}\.sealed|keys|\..*"),
    "evidence/keys": re.compile(r"[0-9a-f]{32}\.json|\..*"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was written.

    Attributes:
        record: Which one: segment and entry, checkpoint, statement or key, by file name and index.
        what: What is wrong with it, in a sentence.
    """

    record: str
    what: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified, and what was found."""

    path: Path
    journal: str
    entries: int
    checkpoints: int
    covered: int
    statements: int
    evidence: int
    keys: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether everything is as it was written."""
        return not self.problems


@dataclass(slots=True)
class _Log:
    """What one reading of the log gave."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    roots: dict[int, bytes] = field(default_factory=dict)
    damaged_from: int | None = None
    size: int = 0
    journal: str = ""

    def problem(self, record: str, what: str) -> None:
        self.problems.append(Problem(record, what))
        if self.damaged_from is None:
            self.damaged_from = self.size


def verify_journal(path: Path, *, patience: float = 1.0) -> Report:
    """Verify the journal in folder ``path`` with nothing but what lies in it.

    Args:
        path: The folder that holds ``ledger/``, ``statements/`` and ``keys/``.
        patience: Seconds to wait for a writer at work to enter a statement that it has just stored.
    """
    problems: list[Problem] = []
    folder = path / "ledger"
    signed = list(_read_checkpoints(folder, problems))
    stored = _names(path / "statements")
    log = _read_log(folder, {made.size for _, made in signed})
    keys = _read_keys(path / "keys", problems)
    problems = [*log.problems, *problems]
    for name, made in signed:
        problems += _check_checkpoint(name, made, log, keys)
    statements = Statements(path / "statements", keys)
    for entry in log.entries:
        problems += [Problem(record, what) for record, what in statements.check(entry)]
    sealed = SealedFiles(path / "evidence")
    for entry in log.entries:
        problems += [Problem(record, what) for record, what in sealed.check(entry)]
    extra = _extra(path, stored, statements, log, time.monotonic() + patience)
    problems += [Problem(f"statements/{name}.json", "no ledger entry names this statement") for name in extra]
    problems += [Problem(place, "does not belong in a journal") for place in _strangers(path)]
    return Report(
        path=path,
        journal=log.journal,
        entries=len(log.entries),
        checkpoints=len(signed),
        covered=max((made.size for _, made in signed), default=0),
        statements=len(statements.seen),
        evidence=len(sealed.seen),
        keys=len(keys),
        problems=tuple(problems),
        notes=tuple(log.notes),
    )


# -- the log -----------------------------------------------------------------------------------


def _read_log(folder: Path, sizes: set[int]) -> _Log:
    log, tree = _Log(), Frontier()
    chain: tuple[bytes, ...] = (bytes(32),)
    if 0 in sizes:
        log.roots[0] = EMPTY_ROOT
    files = segment.paths(folder)
    if not files:
        log.problem("ledger/", "there is no segment")
    for path in files:
        data = path.read_bytes()
        chain = _check_header(path, data, chain, log)
        for frame in segment.frames(data):
            record = f"ledger/{path.name} entry {log.size}"
            expected = {segment.chain_hash(previous, frame.payload) for previous in chain}
            fits = not chain or frame.chain in expected
            if path is files[-1] and segment.is_torn(frame, data, fits=fits):
                log.notes.append(f"{record} is incomplete: a write is under way or was interrupted")
                break
            if frame.broken:
                log.problem(
                    record, f"cannot be read from byte {frame.offset} on; nor can what follows it there"
                )
                chain = ()
                break
            if not fits:
                log.problem(record, "the chain hash does not match the entry")
            # The next may build on what is stored or on what should be: only the altered one is named.
            chain = (frame.chain, *sorted(expected - {frame.chain}))
            _check_entry(record, frame.payload, log)
            tree.append(leaf_hash(frame.payload))
            log.size += 1
            if log.size in sizes:
                log.roots[log.size] = tree.root()
    return log


def _check_header(path: Path, data: bytes, chain: tuple[bytes, ...], log: _Log) -> tuple[bytes, ...]:
    """Check that a segment follows the one before it; return what its first frame may build on."""
    record = f"ledger/{path.name} header"
    try:
        header = segment.Header.decode(data)
    except ValueError as error:
        log.problem(record, str(error))
        return ()
    journal = str(UUID(bytes=header.journal))
    if log.journal and journal != log.journal:
        log.problem(record, "belongs to another journal")
    log.journal = log.journal or journal
    if header.first != int(path.stem) or header.first != log.size:
        log.problem(record, f"begins with entry {header.first}; entry {log.size} is next")
        log.size = header.first  # so that what follows is called by its own name
    elif chain and header.previous not in chain:
        log.problem(record, "does not follow the last entry of the segment before it")
    return (header.chain,)


def _check_entry(record: str, payload: bytes, log: _Log) -> None:
    """Check that a payload says what an entry says, in the one form that it may have."""
    try:
        event = json.loads(payload, parse_int=_whole_number)
        sound = (
            canonical_bytes(event) == payload
            and event["index"] == log.size
            and event["type"] in EVENT_TYPES
            and isinstance(event["data"], dict)
        )
        datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        sound, event = False, {}
    if sound:
        log.entries.append(Entry(record, log.size, event))
    else:
        log.problem(record, "the entry is not what a ledger writes at this place")


def _whole_number(digits: str) -> float:
    """Read whole numbers as RFC 8785 writes them: beyond 2**53 - 1 they are doubles."""
    return int(digits) if abs(int(digits)) < 2**53 else float(digits)


# -- checkpoints and keys ------------------------------------------------------------------------


def _read_checkpoints(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, checkpoints.Checkpoint]]:
    for path in checkpoints.paths(folder):
        name = f"ledger/{checkpoints.FOLDER}/{path.name}"
        try:
            made = checkpoints.parse(path.read_bytes())
        except ValueError:
            problems.append(Problem(name, "this is not a checkpoint in its one form"))
            continue
        if made.size != int(path.name.partition(".")[0]):
            problems.append(Problem(name, f"it is over {made.size} entries, not those of its name"))
        yield name, made


def _check_checkpoint(
    name: str, made: checkpoints.Checkpoint, log: _Log, keys: dict[str, ArchivedKey]
) -> Iterator[Problem]:
    if made.verify([key.raw for key in keys.values()]) is None:
        yield Problem(name, "no archived key signed it")
    if log.journal and made.origin != checkpoints.origin(log.journal):
        yield Problem(name, "it is another journal's")
    if made.size > log.size:
        yield Problem(name, f"it covers {made.size} entries and {log.size} are there: the log was cut short")
    elif made.root != log.roots.get(made.size):
        cause = "" if log.damaged_from is None else f"; see entry {log.damaged_from}"
        yield Problem(name, f"its root is not that of the first {made.size} entries{cause}")


def _read_keys(folder: Path, problems: list[Problem]) -> dict[str, ArchivedKey]:
    """Read the archive; keep the keys whose entries are whole and signed by a key of the archive."""
    found: dict[str, tuple[ArchivedKey, str, bytes]] = {}
    for name in _names(folder):
        try:
            found[name] = read_key(folder / f"{name}.json")
        except ValueError:
            problems.append(Problem(f"keys/{name}.json", "this is not an archived key in its one form"))
    for name, (key, signed_by, signature) in list(found.items()):
        signing = found.get(signed_by)
        if signing is None or not signs_entry(signing[0].raw, key, signature):
            problems.append(Problem(f"keys/{name}.json", "no archived key signed this entry"))
    return {name: key for name, (key, _, _) in found.items()}


# -- the folders -----------------------------------------------------------------------------------


def _names(folder: Path) -> list[str]:
    """Return the 64-digit names of a folder's JSON files."""
    return sorted(path.stem for path in folder.glob(f"{'[0-9a-f]' * 64}.json"))


def _extra(path: Path, stored: list[str], statements: Statements, log: _Log, until: float) -> list[str]:
    """Return stored statements that no entry names, giving a writer at work the time to name them."""
    extra = [name for name in stored if name not in statements.seen]
    while extra and time.monotonic() < until:
        if not all(_is_recent(path / "statements" / f"{name}.json") for name in extra):
            break
        time.sleep(0.05)
        later = _read_log(path / "ledger", set()).entries[len(log.entries) :]
        named = {str(entry.event["data"].get("statement")) for entry in later}
        extra = [name for name in extra if name not in named]
    return extra


def _is_recent(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < _IN_FLIGHT
    except OSError:
        return False


def _strangers(path: Path) -> Iterator[str]:
    """Yield files where only ours may lie. Names that begin with a dot are writes under way."""
    for folder, ours in _OURS.items():
        for found in sorted((path / folder).glob("*")):
            if not ours.fullmatch(found.name):
                yield str(found.relative_to(path))
