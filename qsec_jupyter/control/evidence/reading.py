"""The runs of this account's journals, read from the state folder; no server has to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.exc import OperationalError

from ...core.errors import Conflict, Invalid, NotFound, QsecError, Unavailable
from ...core.paths import home, journals
from ...ledger import segment
from ...ledger.evidence import StatementStore
from ...ledger.keys import KeyArchive
from .. import tables
from ..credentials.broker import KeyOpener
from ..credentials.choose import Opener
from ..store import Row, Store, open_to_read
from .artefacts import Artefacts
from .runs import Query, Runs

SHORTEST = 4
"""Characters of an id that may stand for all of it."""


@dataclass(frozen=True, slots=True)
class Journal:
    """One journal, opened to be read.

    Attributes:
        path: Its folder.
        runs: Its runs.
        artefacts: Its evidence; opening one may need the Vault that wrapped its key.
    """

    path: Path
    store: Store
    runs: Runs
    artefacts: Artefacts


def open_journals(environ: Mapping[str, str]) -> list[Journal]:
    """Open every journal of the state folder that has runs."""
    keys = Opener(home(), environ)
    return [_open(path, keys) for path in journals() if (path / "qsec.db").exists()]


def search(opened: list[Journal], query: Query, limit: int) -> list[Row]:
    """Return run summaries of all journals, newest first.

    Raises:
        Unavailable: ``journal.older`` for a journal that only a newer control plane can bring up to date.
    """
    found: list[Row] = []
    for journal in opened:
        try:
            found += journal.runs.search(query, limit)[0]
        except OperationalError as error:
            raise _older(journal) from error
    return sorted(found, key=lambda row: str(row["started_at"]), reverse=True)[:limit]


def find(opened: list[Journal], asked: str) -> tuple[Journal, str]:
    """Return the journal and the whole id of a run, of which the beginning may be given.

    Raises:
        Invalid: ``run.id_malformed``.
        NotFound: ``run.unknown``.
        Conflict: ``run.ambiguous``.
    """
    if not SHORTEST <= len(asked) <= 64 or not (asked.isascii() and asked.isalnum()):
        raise Invalid(
            "run.id_malformed",
            "That is not the id of a run",
            f"An id is letters and digits; {SHORTEST} of them are enough.",
            "`qsec runs` lists the runs.",
        )
    found: list[tuple[Journal, str]] = []
    for journal in opened:
        begins = tables.runs.c.run_id.startswith(asked.lower(), autoescape=True)
        try:
            found += [(journal, row["run_id"]) for row in journal.store.newest(tables.runs, [begins], 3)]
        except OperationalError as error:
            raise _older(journal) from error
    if not found:
        raise NotFound(
            "run.unknown", "There is no such run", f"None begins with {asked}.", "`qsec runs` lists the runs."
        )
    if len(found) > 1:
        raise Conflict(
            "run.ambiguous", "More than one run begins like that", f"{asked}…", "Give more of the id."
        )
    return found[0]


def artefact(journal: Journal, reference: Any) -> bytes | None:
    """Return the bytes that a record's reference names; ``None`` when there is none or it was not kept.

    Raises:
        QsecError: What keeps evidence that is there from being opened.
    """
    sha256 = reference.get("sha256") if isinstance(reference, dict) else None
    if not isinstance(sha256, str) or sha256 not in journal.artefacts:
        return None
    return journal.artefacts.get(sha256).data


def _open(path: Path, keys: KeyOpener) -> Journal:
    store = Store(open_to_read(path / "qsec.db"))
    artefacts = Artefacts(path / "evidence", keys)
    statements, archive = StatementStore(path / "statements"), KeyArchive(path / "keys")
    return Journal(path, store, Runs(store, statements, archive, journal_id(path), artefacts), artefacts)


def journal_id(path: Path) -> str:
    """Return the id of the journal in a folder.

    Raises:
        Unavailable: ``ledger.damaged``.
    """
    try:
        first = segment.paths(path / "ledger")[0]
        with first.open("rb") as file:
            header = segment.Header.decode(file.read(segment.HEADER_SIZE))
    except (OSError, ValueError, IndexError) as error:
        raise Unavailable(
            "ledger.damaged", "A ledger cannot be read", f"In {path.name}.", "Run `qsec verify`."
        ) from error
    return str(UUID(bytes=header.journal))


def _older(journal: Journal) -> QsecError:
    return Unavailable(
        "journal.older",
        "A journal is of an older version",
        f"{journal.path.name} has no index of runs yet.",
        "Start the Jupyter Server once; its control plane brings the journal up to date.",
    )
