"""What is kept of gateway tokens over a crash: their digests and what they stand for, never one itself.

A token has 270 random bits, so nobody finds one by its digest. What is kept says nothing of whether it is
good: that is asked of its grant and of policy at each use, as ever.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, delete

from ...core.errors import QsecError
from .. import tables
from ..book import Book
from ..callers import Caller
from ..people import People
from ..store import Store
from .model import Pass

_log = logging.getLogger("qsec.gateway")


class KeptPasses:
    """The tokens of people's kernels, in the database. Thread-safe.

    A workload's are left out: it proves who it is to each control plane anew.
    """

    def __init__(self, store: Store, book: Book, people: People) -> None:
        self._store = store
        self._book = book
        self._people = people
        self._grants: set[str] = set()

    def add(self, digest: bytes, holder: Pass, issued_at: str) -> None:
        """Keep what a token stands for.

        Raises:
            Unavailable: ``store.unwritable``.
        """
        caller = holder.caller
        if caller.principal.kind != "person" or caller.kernel_id is None:
            return
        row = {
            "digest": digest,
            "id": holder.id,
            "grant_id": holder.grant.id,
            "server_id": caller.server_id,
            "kernel_id": caller.kernel_id,
            "subject": caller.principal.subject,
            "scope": holder.scope,
            "issued_at": issued_at,
        }
        self._store.add(tables.passes, row)
        self._grants.add(holder.grant.id)

    def take_up(self, server_id: str, kernels: Iterable[str]) -> Iterator[tuple[bytes, Pass]]:
        """Give what was kept for kernels of a server, oldest first, and forget all else."""
        c = tables.passes.c
        self._remove((c.server_id != server_id) | c.kernel_id.not_in(list(kernels)))
        where = {"server_id": server_id, "kernel_id": list(kernels)}
        for row in sorted(self._store.rows(tables.passes, where), key=lambda row: str(row["issued_at"])):
            person = self._people.find(row["subject"])  # as they are now
            if person is not None:
                self._grants.add(row["grant_id"])
                caller = Caller(person, server_id, row["kernel_id"])
                yield row["digest"], Pass(row["id"], caller, self._book.get(row["grant_id"]), row["scope"])

    def drop(self, digests: Iterable[bytes]) -> None:
        """Forget tokens."""
        self._remove(tables.passes.c.digest.in_(list(digests)))

    def leave(self, server_id: str, kernel_id: str | None) -> None:
        """Forget the tokens of a kernel, or of all of a server."""
        c = tables.passes.c
        here = c.server_id == server_id
        self._remove(here if kernel_id is None else here & (c.kernel_id == kernel_id))

    def keep_only(self, grant_ids: frozenset[str]) -> None:
        """Forget the tokens of all other grants."""
        if gone := self._grants - grant_ids:
            self._remove(tables.passes.c.grant_id.in_(gone))
            self._grants -= gone

    def _remove(self, which: ColumnElement[bool]) -> None:
        try:
            self._store.run(delete(tables.passes).where(which))
        except QsecError as error:  # none is good because of it: its grant has ended, or its kernel is gone
            _log.warning("ended tokens could not be forgotten (%s)", error.code)
