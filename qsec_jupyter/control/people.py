"""Who people are now: roles and groups as last seen, so that yesterday's do not count today. Thread-safe."""

from __future__ import annotations

import threading
from dataclasses import asdict, fields, replace

from ..core.model import Principal
from . import tables
from .store import Store


class People:
    """Remembers each person as they were last seen, also over a restart.

    A vote, a grant or a tool's bearer is older than what its person may do now. Whoever uses one asks here.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known = {row["subject"]: _principal(row["principal"]) for row in store.rows(tables.people)}

    def seen(self, principal: Principal, *, alone: bool = False) -> bool:
        """Take note of a person; say whether something about them is new.

        Workloads are left out: who they are is told by the catalogue and by each assertion anew.

        Args:
            principal: As they are now.
            alone: The journal is theirs alone, and so is what it has under their bare name; among several it
                may have been somebody else's name.
        """
        if principal.kind != "person":
            return False
        if alone:
            self._adopt(principal)
        with self._lock:
            before = self._known.get(principal.subject)
            if before == principal:
                return False
            self._known[principal.subject] = principal
            row = {"name": principal.name, "principal": asdict(principal)}
            if not self._store.change(tables.people, {"subject": principal.subject}, row):
                self._store.add(tables.people, {"subject": principal.subject, **row})
            self._store.change(tables.subjects, {"subject": principal.subject}, {"name": principal.name})
        return True

    def _adopt(self, principal: Principal) -> None:
        """Give somebody what was noted under their bare name, before a subject was told as well."""
        bare, subject = principal.name, principal.subject
        if subject == bare or subject in self._known or self._known.pop(bare, None) is None:
            return
        for row in self._store.rows(tables.locks):
            if bare in row["subjects"]:
                self._store.change(tables.locks, {"id": row["id"]}, {"subjects": [*row["subjects"], subject]})
        for table, column in (
            (tables.locks, "locked_by_subject"),
            (tables.grants, "requester_subject"),
            (tables.jobs, "requester_subject"),
            (tables.series, "subject"),
            (tables.subjects, "subject"),
            (tables.people, "subject"),  # last: where it breaks off, the next start does all of it again
        ):
            self._store.change(table, {column: bare}, {column: subject})

    def find(self, subject: str) -> Principal | None:
        """Return a person by what their identity provider calls them."""
        return self._known.get(subject)

    def named(self, name: str) -> list[Principal]:
        """Return everybody who had that name when last seen: it may have passed from one to another."""
        return [known for known in list(self._known.values()) if known.name == name]

    def all(self) -> list[Principal]:
        """Return everybody who was ever seen."""
        return list(self._known.values())

    def current(self, principal: Principal) -> Principal:
        """Return somebody with the roles and groups that they have now.

        What acts for a person (a tool's bearer) has at most theirs; a workload of its own is left as it is.
        """
        known = self._known.get(principal.subject)
        if known is None or principal is known:
            return principal
        if principal.kind == "person":
            return known
        return replace(
            principal,
            roles=tuple(role for role in principal.roles if role in known.roles),
            groups=tuple(group for group in principal.groups if group in known.groups),
        )


def _principal(data: dict[str, object]) -> Principal:
    names = {field.name for field in fields(Principal)}
    told = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    return Principal(**{key: value for key, value in told.items() if key in names})  # type: ignore[arg-type]
