"""Asks policy about grants: who somebody is to a grant, and under which circumstances they act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ..core.errors import Denied, QsecError
from ..core.model import Grant, Principal, Project, Round, Vote
from .audit import Audit
from .callers import Caller
from .locks import Locks
from .people import People
from .policy.context import Action, Situation
from .policy.engine import Decision
from .policy.live import LivePolicy
from .series import AllSeries

_FOR_THE_KERNEL = frozenset({"request", "auto_approve", "extend", "issue"})
"""What gives rights to the kernel of a grant."""


class Judge:
    """Decides what a caller may do with a grant.

    Args:
        policy: The rules.
        single_user: Whether one person owns this installation and may approve their own requests.
    """

    def __init__(
        self,
        *,
        policy: LivePolicy,
        locks: Locks,
        series: AllSeries,
        people: People,
        audit: Audit,
        single_user: bool,
    ) -> None:
        self._policy = policy
        self._locks = locks
        self._series = series
        self._people = people
        self._audit = audit
        self.single_user = single_user
        self._present: dict[tuple[str, str], tuple[Principal, ...]] = {}

    def decide(self, action: Action, grant: Grant, caller: Caller) -> Decision:
        """Return what policy says."""
        # A grant outlives its target when that is taken out of the catalogue; it must still end.
        target = self._policy.catalogue.targets.get(grant.target)
        situation = self._situation(action, grant, caller)
        # Whoever asks at the panel asks for a kernel: others may be present there.
        whose = caller.by(grant.kernel_id) if action in _FOR_THE_KERNEL else caller
        return self._policy.decide(self.least(whose), action, target or grant.target, situation)

    def permit(self, action: Action, grant: Grant, caller: Caller) -> Decision:
        """Return the decision that permits; a refusal is recorded, for it may be an attempt at more.

        Raises:
            Denied: ``policy.denied``.
        """
        try:
            return self.decide(action, grant, caller).require(action, grant.target)
        except Denied as error:
            self.refused(caller, error, grant=grant.id, target=grant.target, action=action)
            raise

    def permit_lock(self, caller: Caller) -> None:
        """Refuse a caller who may not lock anything.

        Locks themselves do not count here: a lock of the site must not keep those out who can lift it.

        Raises:
            Denied: ``policy.denied``.
        """
        situation = Situation(from_kernel=caller.kernel_id is not None)
        try:
            self._policy.decide(caller.principal, "lock", "site", situation).require("lock", "site")
        except Denied as error:
            self.refused(caller, error, action="lock")
            raise

    def refused(self, caller: Caller, error: QsecError, **data: Any) -> None:
        """Record that something was refused."""
        who = caller.principal
        self._audit.record("request.refused", who, kernel=caller.kernel_id, rule=error.code, **data)

    # -- rounds of approval -------------------------------------------------------------------------

    def rounds(self, grant: Grant) -> tuple[Round, ...]:
        """Return the rounds of approval that a grant has to go through."""
        target = self._policy.catalogue.targets.get(grant.target)
        if self.single_user or target is None:
            return (Round(),)  # there is nobody else
        return target.rounds

    def round(self, grant: Grant) -> int:
        """Return the round that a request is in; the number of rounds when all are through.

        Each vote is judged anew: one whose reviewer could not give it any more does not count.
        """
        rounds = self.rounds(grant)
        for number, one in enumerate(rounds):
            votes = [vote for vote in grant.votes if vote.round == number]
            # Who is asked costs a decision each, so only where there are enough to begin with.
            if len({vote.subject for vote in votes}) < one.quorum:
                return number
            if len({vote.subject for vote in votes if self._stands(vote, grant, one)}) < one.quorum:
                return number
        return len(rounds)

    def _stands(self, vote: Vote, grant: Grant, asked: Round) -> bool:
        who = self._people.find(vote.subject)
        if who is None:
            return False
        situation = Situation(
            own_request=may_be_own(grant, who),
            single_user=self.single_user,
            reviewer=asked.takes(who),
            locked=self._locks.on(who, "", grant.target) is not None,
            break_glass=grant.break_glass,
            data_class=grant.data_class,
            scope=grant.scope,
        )
        return self._policy.decide(who, "approve", grant.target, situation).allowed

    def holds(self, grant: Grant, server_id: str) -> bool:
        """Say whether what was approved still is: its holder may still ask, and its reviewers still agree."""
        agreed = not grant.votes or self.round(grant) >= len(self.rounds(grant))
        return agreed and self.may_hold(grant, server_id)

    def may_hold(self, grant: Grant, server_id: str) -> bool:
        """Say whether the holder of a grant might still ask for it, with the roles that they have now."""
        holder = self._people.find(grant.requester_subject) or grant.holder
        who = Caller(holder, server_id, grant.kernel_id)
        return self.decide("request", grant, who).allowed

    # -- shared kernels -----------------------------------------------------------------------------

    def share(self, kernel: Caller, present: Iterable[Principal]) -> bool:
        """Take note of who is present at a kernel beside its owner; say whether that is new.

        It gets the least of their rights from now on.
        """
        key, others = _key(kernel), tuple(present)
        before = self._present.pop(key, ())
        if others:
            self._present[key] = others
        return before != others

    def forget(self, kernel: Caller) -> None:
        """Forget who was present at a kernel that ended."""
        self._present.pop(_key(kernel), None)

    def shared(self, server_id: str) -> dict[str, tuple[Principal, ...]]:
        """Return the shared kernels of a server, with who is present beside its owner."""
        return {kernel: others for (server, kernel), others in self._present.items() if server == server_id}

    def least(self, caller: Caller) -> Principal:
        """Return the caller with the rights that everybody has who shares the kernel."""
        who = caller.principal
        for other in self._others(caller):
            roles = tuple(role for role in who.roles if role in other.roles)
            groups = tuple(group for group in who.groups if group in other.groups)
            who = replace(who, roles=roles, groups=groups)
        return who

    def _others(self, caller: Caller) -> tuple[Principal, ...]:
        return self._present.get(_key(caller), ())

    # -- circumstances ------------------------------------------------------------------------------

    def _situation(self, action: Action, grant: Grant, caller: Caller) -> Situation:
        who = caller.principal
        own = may_be_own(grant, who) if action == "approve" else is_own(grant, who)
        rounds, present = self.rounds(grant), self.round(grant)
        return Situation(
            from_kernel=caller.kernel_id is not None,
            own_request=own,
            own_kernel=caller.kernel_id == grant.kernel_id,
            single_user=self.single_user,
            reviewer=present >= len(rounds) or rounds[present].takes(who),
            # What is decided is refused as such, to whoever may decide.
            voted=grant.state == "requested" and any(vote.subject == who.subject for vote in grant.votes),
            member=not own or self.member(grant, caller.by(grant.kernel_id)),
            locked=self._locks.on(who, caller.server_id, grant.target) is not None,
            standing=action == "auto_approve" and self._series.of(grant) is not None,
            break_glass=grant.break_glass,
            data_class=grant.data_class,
            scope=grant.scope,
        )

    def member(self, grant: Grant, caller: Caller) -> bool:
        """Say whether all who share a caller's kernel belong to a grant's project, if it names one."""
        return grant.project is None or self._all_members(grant.project, caller)

    def _all_members(self, name: str, caller: Caller) -> bool:
        project: Project | None = self._policy.catalogue.projects.get(name)
        return project is not None and all(map(project.has, (caller.principal, *self._others(caller))))


def _key(kernel: Caller) -> tuple[str, str]:
    """Name a kernel: another server's may have the same id, as far as anybody can tell."""
    return kernel.server_id, kernel.kernel_id or ""


def is_own(grant: Grant, who: Principal) -> bool:
    """Say whether a grant is somebody's own: by what stays when a name changes."""
    return grant.requester_subject == who.subject


def may_be_own(grant: Grant, who: Principal) -> bool:
    """Say whether a request might be somebody's own: theirs, or one that was made under their name."""
    return is_own(grant, who) or grant.requester == who.name
