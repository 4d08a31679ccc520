"""Instant locks of a user, a role, a server, a target or the whole site."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from ..core.errors import Conflict, Invalid, NotFound
from ..core.model import Principal, rfc3339
from . import tables
from .audit import Audit
from .changes import Changes
from .people import People
from .store import Store

LockKind = Literal["user", "role", "server", "target", "site"]
LOCK_KINDS: tuple[str, ...] = get_args(LockKind)


@dataclass(frozen=True, slots=True)
class Lock:
    """What is locked, by whom and why. A lock of the site has the name ``*``.

    Attributes:
        subjects: Of a user: what the identity provider calls whoever had the name; a new one is no way out.
    """

    id: str
    kind: LockKind
    name: str
    reason: str
    locked_by: str
    locked_at: str
    subjects: tuple[str, ...] = ()
    locked_by_subject: str = ""
    lifted_by: str | None = None
    lifted_at: str | None = None

    def holds(self, principal: Principal, server_id: str, target: str | None) -> bool:
        """Say whether it holds for what somebody does from a server at a target."""
        if self.kind == "user":
            return self.name == principal.name or principal.subject in {self.name, *self.subjects}
        if self.kind == "role":
            return self.name in principal.roles
        return self.kind == "site" or self.name == (server_id if self.kind == "server" else target)


class Locks:
    """Sets and lifts locks, and says which one holds. Reads come from memory: every decision asks."""

    def __init__(
        self, store: Store, audit: Audit, people: People, changes: Changes, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._audit = audit
        self._people = people
        self._changes = changes
        self._clock = clock
        rows = store.rows(tables.locks, {"lifted_at": None})
        self._locks = {row["id"]: Lock(**{**row, "subjects": tuple(row["subjects"])}) for row in rows}

    def set(self, principal: Principal, kind: str, name: str, reason: str | None) -> Lock:
        """Lock something.

        Raises:
            Invalid: ``lock.kind``, ``lock.name_missing`` or ``lock.reason_missing``.
            Conflict: ``lock.exists``.
        """
        name, why = "*" if kind == "site" else (name or "").strip()[:200], (reason or "").strip()[:500]
        if kind not in LOCK_KINDS:
            raise Invalid("lock.kind", "That cannot be locked", f"What can: {', '.join(LOCK_KINDS)}.")
        if not name:
            raise Invalid("lock.name_missing", "A lock needs a name", f"Which {kind}?", "Name it.")
        if not why:
            raise Invalid("lock.reason_missing", "A lock needs a reason", remedy="Say why; auditors read it.")
        if any((lock.kind, lock.name) == (kind, name) for lock in self.listed()):
            raise Conflict("lock.exists", "That is locked already")
        lock = Lock(
            id=secrets.token_hex(16),
            kind=kind,  # type: ignore[arg-type]
            name=name,
            reason=why,
            locked_by=principal.name,
            locked_at=rfc3339(self._clock()),
            subjects=tuple(one.subject for one in self._people.named(name)) if kind == "user" else (),
            locked_by_subject=principal.subject,
        )
        self._locks[lock.id] = lock  # holds even where it cannot be written down
        self._changes.rights.bump()
        self._audit.record_ending("lock.set", principal, **self._about(lock))
        self._store.add(tables.locks, {**asdict(lock), "subjects": list(lock.subjects)})
        return lock

    def lift(self, principal: Principal, lock_id: str) -> Lock:
        """Lift a lock; what it ended stays ended.

        Raises:
            NotFound: ``lock.unknown``.
        """
        lock = self._locks.get(lock_id)
        if lock is None:
            raise NotFound("lock.unknown", "There is no such lock", remedy="It may have been lifted already.")
        lifted = replace(lock, lifted_by=principal.name, lifted_at=rfc3339(self._clock()))
        self._audit.record("lock.lifted", principal, **self._about(lock))
        self._store.change(
            tables.locks, {"id": lock_id}, {"lifted_by": lifted.lifted_by, "lifted_at": lifted.lifted_at}
        )
        self._locks.pop(lock_id, None)
        self._changes.rights.bump()
        return lifted

    def listed(self) -> list[Lock]:
        """Return the locks that hold, oldest first."""
        return sorted(self._locks.values(), key=lambda lock: lock.locked_at)

    def on(self, principal: Principal, server_id: str, target: str | None) -> Lock | None:
        """Return a lock that holds for somebody at a server and a target, if there is one."""
        return next((lock for lock in self.listed() if lock.holds(principal, server_id, target)), None)

    def _about(self, lock: Lock) -> dict[str, str]:
        # A person stands in the ledger by a pseudonym.
        whom = Principal.noted(lock.name, lock.subjects[0] if lock.subjects else "")
        name = self._audit.pseudonym(whom) if lock.kind == "user" else lock.name
        hmac = self._audit.reason_hmac(Principal.noted(lock.locked_by, lock.locked_by_subject), lock.reason)
        return {"lock": lock.id, "kind": lock.kind, "locked": name, "reason_hmac": hmac}
