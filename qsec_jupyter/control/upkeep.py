"""Keeps the values behind targets fresh: replaces them, ends what leaked, names what leavers have seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from ..core.errors import Denied, Invalid
from ..core.secret import Secret
from . import tables
from .audit import Audit
from .callers import Caller
from .credentials.broker import Broker, TargetSource
from .credentials.keeping import KEPT
from .ending import Ending
from .judge import Judge
from .people import People
from .policy.context import Situation
from .policy.live import LivePolicy
from .store import Store

LEAKED = "issued-credential"
"""The rule by which the scanner finds what was issued."""


class Upkeep:
    """Replaces values, and ends what must not go on."""

    def __init__(
        self,
        *,
        ending: Ending,
        store: Store,
        audit: Audit,
        judge: Judge,
        policy: LivePolicy,
        broker: Broker,
        people: People,
    ) -> None:
        self._ending = ending
        self._store = store
        self._audit = audit
        self._judge = judge
        self._policy = policy
        self._broker = broker
        self._people = people

    def replace(self, caller: Caller, name: str, values: Mapping[str, Secret]) -> dict[str, Any]:
        """Keep a new value for a target; kernels get it at their next use.

        Args:
            caller: A person; never a kernel.
            name: The target.
            values: By the names of its parts; an empty name stands for the value itself.

        Raises:
            Denied: ``policy.denied``.
            Invalid: ``rotate.no_such_field``, ``rotate.empty``, or what the store refuses.
        """
        target = self._policy.catalogue.target(name)
        situation = Situation(from_kernel=caller.kernel_id is not None, single_user=self._judge.single_user)
        try:
            self._policy.decide(caller.principal, "rotate", target, situation).require("rotate", name)
        except Denied as error:
            self._judge.refused(caller, error, action="rotate", target=name)
            raise
        source = self._policy.catalogue.sources[name]
        parts = {part or source.field: secret for part, secret in values.items()}
        _check(source, parts)
        where = self._broker.put(name, parts)
        self._audit.record_ending("credential.rotated", caller.principal, target=name, parts=sorted(parts))
        return {"target": name, "where": where, "parts": sorted(parts)}

    def leaked(self, caller: Caller, findings: list[dict[str, Any]]) -> list[str]:
        """End the grants whose credentials a scan has found, where the catalogue says so.

        Returns:
            The ids of the grants that ended.
        """
        found = {one["target"] for one in findings if one["rule"] == LEAKED and one.get("target")}
        sources = self._policy.catalogue.sources
        leaking = [name for name in sorted(found) if name in sources and ends_on_finding(sources[name])]
        return [grant for name in leaking for grant in self._ending.leaked(caller, name)]

    def overdue(self) -> list[str]:
        """Return the targets whose kept value somebody was handed who may ask for nothing any more."""
        left = [one for one in self._people.all() if not one.roles]
        found: set[str] = set()
        for person in left:
            subject = self._store.one(tables.subjects, {"subject": person.subject})
            found |= self._seen_by(subject["id"]) if subject else set()
        return sorted(found)

    def _seen_by(self, subject: str) -> set[str]:
        """Return the targets whose present value was handed to somebody."""
        c = tables.concerned.c
        issued = (
            select(c.target, func.max(c.position).label("last"))
            .where(c.subject == subject, c.kind == "credential.issued")
            .group_by(c.target)
        )
        sources = self._policy.catalogue.sources
        kept = [row for row in self._store.found(issued) if _is_kept(sources.get(row["target"]))]
        return {row["target"] for row in kept if self._rotated(row["target"]) < row["last"]}

    def _rotated(self, target: str) -> int:
        c = tables.events.c
        last = select(func.max(c.position).label("last")).where(
            c.kind == "credential.rotated", c.target == target
        )
        return int(self._store.found(last)[0]["last"] or -1)


def ends_on_finding(source: TargetSource) -> bool:
    """Say whether a leak ends what is held: as the catalogue says, else where that makes a copy worthless."""
    if source.revoke_on_finding is not None:
        return source.revoke_on_finding
    return source.engine in {"database", "ibmcloud", "ibmcloud-iam"}


def _is_kept(source: TargetSource | None) -> bool:
    return source is not None and source.engine in KEPT


def _check(source: TargetSource, parts: Mapping[str, Secret]) -> None:
    if set(parts) - {source.field, *source.fields}:
        raise Invalid(
            "rotate.no_such_field",
            "The target has no such part",
            f"Its parts: {', '.join(dict.fromkeys((source.field, *source.fields)))}.",
            "Name none for its value.",
        )
    if any(not secret.reveal().strip() for secret in parts.values()):
        raise Invalid("rotate.empty", "No new value was given", "", "Paste it.")
