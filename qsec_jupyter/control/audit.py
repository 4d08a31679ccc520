"""What happens goes to the ledger first. Where it cannot, nothing is granted; endings go on."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from ..core.errors import QsecError
from ..core.model import Grant, Principal
from ..ledger.entries import Event
from ..ledger.log import Entered, Ledger
from . import tables
from .store import Store

_DECIDED = (
    "grant.",
    "request.",
    "credential.issued",
    "credential.refused",
    "run.permitted",
    "run.refused",
    "job.refused",
    "job.intended",
    "series.",
    "lock.",
    "token.",
    "notebook.shared",
)
"""Events that say what policy decided; each holds the digest of the bundle that was in force."""


class Audit:
    """Writes events with pseudonyms in the place of persons.

    A leaf cannot be taken out of a ledger, so none holds a name or a reason: a person is a random id, and
    a reason is an HMAC under that person's key. Both are told by the database, which can forget.

    Args:
        ledger: Where events go.
        store: Knows the persons behind the pseudonyms.
        policy: Gives the digest of the bundle in force.
    """

    def __init__(self, ledger: Ledger, store: Store, policy: Callable[[], str]) -> None:
        self._ledger = ledger
        self._store = store
        self._policy = policy
        self._owed: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def record(self, name: str, actor: Principal | None = None, **data: Any) -> int:
        """Write an event and return its index once it is durable.

        Raises:
            Unavailable: ``ledger.unwritable``; what was to be done must then not be done.
        """
        return self.enter(name, actor, **data).wait()[0]

    def record_steps(self, steps: Sequence[tuple[str, Principal | None, dict[str, Any]]]) -> None:
        """Write steps of one thing, each an event, its actor and its data, with one wait for the disk.

        Raises:
            Unavailable: As :meth:`record`. None is written without those before it.
        """
        self.settle()
        entries = [{"type": name, "data": self._data(name, actor, data)} for name, actor, data in steps]
        self._ledger.enter(entries, in_turn=True).wait()

    def enter(self, name: str, actor: Principal | None = None, **data: Any) -> Entered:
        """Put an event behind those that were told before, and return what waits until it is durable."""
        self.settle()
        return self._ledger.enter([{"type": name, "data": self._data(name, actor, data)}])

    def record_ending(self, name: str, actor: Principal | None = None, **data: Any) -> None:
        """Write an event about an ending. When the ledger refuses, it is owed and written later."""
        self.record_endings([(name, self._data(name, actor, data))])

    def record_endings(self, entries: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Write events about several endings that nobody in particular caused, with one wait for the disk."""
        with self._lock:
            self._owed += [(name, self._data(name, None, data)) for name, data in entries]
        self.settle()

    def settle(self) -> bool:
        """Write what is owed; say whether nothing is owed any more."""
        if not self._owed:
            return True
        with self._lock:
            entries = [{"type": name, "data": data} for name, data in self._owed]
            try:
                self._ledger.append_all(entries)
            except QsecError:
                return False
            self._owed.clear()
        return True

    @property
    def owed(self) -> int:
        """How many events wait for the ledger."""
        return len(self._owed)

    def about(self, grant: Grant) -> dict[str, Any]:
        """Return what an event says of a grant."""
        return {
            "grant": grant.id,
            "target": grant.target,
            "kernel": grant.kernel_id,
            "requester": self.pseudonym(grant.holder),
            "reason_hmac": self.reason_hmac(grant.holder, grant.reason),
            "ticket": grant.ticket,
            "duration": grant.duration,
            "policies": list(grant.policies),
        }

    def pseudonym(self, person: Principal) -> str:
        """Return what stands for a person in the ledger."""
        return self._store.subject(person)[0]

    def reason_hmac(self, person: Principal, reason: str) -> str:
        """Return what stands for a person's reason: it can be checked against the text, not read."""
        key = self._store.subject(person)[1]
        return hmac.new(key, reason.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def told(self, kinds: Collection[str], grant_ids: Collection[str]) -> Iterator[Event]:
        """Yield the entries of some kinds about some grants: from the index, else from the ledger."""
        indexed = self._store.rows(tables.events, {"kind": list(kinds), "grant_id": list(grant_ids)})
        for row in sorted(indexed, key=lambda row: row["position"]):
            yield {"type": row["kind"], "time": row["time"], "data": row["data"]}
        for event in self._ledger.read(self._store.highest(tables.events.c.position) + 1):
            if event["type"] in kinds and event["data"].get("grant") in grant_ids:
                yield event

    def _data(self, name: str, actor: Principal | None, data: dict[str, Any]) -> dict[str, Any]:
        about = {"policy": self._policy(), **data} if name.startswith(_DECIDED) else data
        return {**about, "actor": self._store.subject(actor)[0]} if actor else about
