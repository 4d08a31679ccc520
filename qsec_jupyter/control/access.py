"""Requests, decisions and credentials: policy decides, the ledger is told, then the state changes."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from ..core.duration import format_duration, parse_duration
from ..core.errors import Conflict, Denied, Invalid, QsecError, Unavailable
from ..core.model import Grant, Principal, Vote, moment, rfc3339
from .asking import Wish, check
from .audit import Audit
from .book import Book
from .callers import Caller
from .ending import Ending, said
from .grants import check_reason, step
from .judge import Judge, is_own
from .policy.engine import Decision
from .policy.live import LivePolicy
from .series import AllSeries, Series
from .sessions import Sessions
from .timetable import Timetable


class Access:
    """Every way in which a grant is asked for, decided, begins and runs out.

    Args:
        judge: Asks policy.
        ending: How grants end early.
        clock: Gives the time.
    """

    def __init__(
        self,
        *,
        book: Book,
        audit: Audit,
        judge: Judge,
        policy: LivePolicy,
        timetable: Timetable,
        sessions: Sessions,
        ending: Ending,
        series: AllSeries,
        clock: Callable[[], datetime],
    ) -> None:
        self._book = book
        self._audit = audit
        self._judge = judge
        self._policy = policy
        self._timetable = timetable
        self._sessions = sessions
        self._ending = ending
        self._series = series
        self._clock = clock
        self._looked: tuple[int, datetime | None] = (-1, None)

    # -- asking -----------------------------------------------------------------------------------

    def request(self, caller: Caller, wish: Wish) -> Grant:
        """Ask for a target on behalf of a kernel; policy may approve at once.

        Raises:
            Invalid, NotFound, Denied: The rule that the request breaks; recorded as ``request.refused``.
        """
        try:
            grant = check(wish, caller, self._policy.catalogue, self._clock())
            decision = self._judge.decide("request", grant, caller).require("request", grant.target)
        except QsecError as error:
            self._judge.refused(caller, error, target=wish.target[:40])
            raise
        with self._book.lock:  # counted and entered in one step, however many ask at the same moment
            self._refuse_over_cap(grant, caller)
            return self._enter(replace(grant, policies=decision.policies), caller)

    def extend(self, caller: Caller, grant_id: str, duration: str, reason: str | None) -> Grant:
        """Ask for more time; the request is a grant of its own, which moves the other's end when approved.

        Raises:
            Conflict: ``grant.wrong_state`` for one that is not active.
            Invalid: ``duration.over_cap`` when the whole would be longer than the target allows.
        """
        grant = self._book.get(grant_id)
        now = self._clock()
        try:
            self._judge.decide("extend", grant, caller).require("extend", grant.target)
            seconds = self._extension(grant, parse_duration(duration))
            wanted = replace(
                grant,
                id=secrets.token_hex(16),
                state="requested",
                extends=grant.id,
                reason=check_reason(reason or grant.reason),
                duration=seconds,
                requested_at=rfc3339(now),
                pending_until=grant.expires_at,
                decided_by=None,
                decided_at=None,
                decision_comment=None,
                activated_at=None,
                expires_at=None,
                start_at=None,
                votes=(),
            )
        except QsecError as error:
            self._judge.refused(caller, error, target=grant.target, grant=grant.id)
            raise
        return self._enter(wanted, caller)

    def _extension(self, grant: Grant, seconds: int) -> int:
        if grant.state != "active" or grant.activated_at is None or grant.expires_at is None:
            raise Conflict(
                "grant.wrong_state", "Only an active grant can be extended", f"It is {grant.state}."
            )
        whole = (moment(grant.expires_at) - moment(grant.activated_at)).total_seconds() + seconds
        most = self._policy.catalogue.target(grant.target).max_duration
        if whole > most:
            raise Invalid(
                "duration.over_cap",
                "That is longer than this target allows",
                f"The rule: {grant.target} is given out for at most {format_duration(most)} in all.",
                "Ask for less, or make a new request when it is over.",
            )
        return seconds

    def _enter(self, grant: Grant, caller: Caller) -> Grant:
        with self._book.lock:
            if self._ending.closed(caller.server_id):
                raise Unavailable(
                    "control.ending", "The control plane is ending", remedy="Ask again when it is back."
                )
            self._book.add(grant, caller.server_id, caller.principal)
            automatic = self._judge.decide("auto_approve", grant, caller)
            if not automatic.allowed:
                return grant
            if not self._uses_up(grant, automatic):
                return grant
            if grant.break_glass:
                about = self._audit.about(grant)
                self._audit.record("grant.break_glass", caller.principal, **about)
            return self._approve(grant, "policy", None, automatic, None)

    def _uses_up(self, grant: Grant, decision: Decision) -> bool:
        """Count a request against its series, where that is what approves it."""
        if decision.policies != ("a-series-is-approved-once",):
            return True
        series = self._series.of(grant)
        return series is not None and self._series.use(series)

    def _refuse_over_cap(self, grant: Grant, caller: Caller) -> None:
        most = self._policy.catalogue.caps.grants_per_user
        theirs = self._book.open({"requester_subject": grant.requester_subject})
        if sum(one.parent is None for one in theirs) >= most:
            error = Denied(
                "request.too_many",
                "You hold too many grants and requests",
                f"The rule: at most {most} of a person are open at once.",
                "Hand some back with qsec.revoke().",
            )
            self._judge.refused(caller, error, target=grant.target)
            raise error

    # -- deciding ---------------------------------------------------------------------------------

    def decide(
        self,
        caller: Caller,
        grant_id: str,
        verdict: Literal["approve", "deny"],
        comment: str | None = None,
        payload: str | None = None,
    ) -> Grant:
        """Approve or deny a request. One denial ends it, whoever has approved.

        Args:
            caller: The reviewer.
            grant_id: Which.
            verdict: ``approve`` or ``deny``.
            comment: What the reviewer says.
            payload: The digest of the payload that the reviewer saw, for a request that is bound to one.

        Raises:
            Denied: ``policy.denied``; a kernel never decides.
            Conflict: ``grant.wrong_state``, or ``grant.other_payload``.
        """
        with self._book.lock:
            grant = self._book.get(grant_id)
            decision = self._judge.permit(verdict, grant, caller)
            if self._ending.closed(self._book.server_of(grant_id)):
                raise Unavailable("control.ending", "The control plane is ending")
            if self._timetable.deadline(grant) <= self._clock():
                self.keep_time()  # a machine that slept is later than its timers think
                grant = self._book.get(grant_id)
            step(grant, verdict, self._clock())  # refuses what is decided already
            who = caller.principal
            if verdict == "deny":
                denied = self._decided(
                    step(grant, "deny", self._clock()), self._named(grant, who), comment, decision
                )
                return self._book.commit(denied, who)
            if (
                grant.payload
                and payload != grant.payload.digest
                and not (payload is None and self._judge.single_user)
            ):
                raise Conflict(
                    "grant.other_payload",
                    "That is not what you have looked at",
                    "The request is bound to another payload than the one that was approved.",
                    "Look at the request again.",
                )
            return self._vote(grant, who, comment, decision)

    def _vote(self, grant: Grant, who: Principal, comment: str | None, decision: Decision) -> Grant:
        rounds = self._judge.rounds(grant)
        present = self._judge.round(grant)
        vote = Vote(who.name, who.subject, "approve", present, rfc3339(self._clock()), said(comment))
        grant = replace(grant, votes=(*grant.votes, vote))
        if self._judge.round(grant) < len(rounds):
            policies = list(decision.policies)
            return self._book.commit(grant, who, event="grant.voted", round=present, by_policies=policies)
        return self._approve(grant, self._named(grant, who), comment, decision, who)

    def _approve(
        self, grant: Grant, who: str, comment: str | None, decision: Decision, actor: Principal | None
    ) -> Grant:
        now = self._clock()
        approved = self._decided(step(grant, "approve", now), who, comment, decision)
        self._book.commit(approved, actor, self_approval=who.endswith("(own request)"))
        return self._begin(approved, actor)

    def _decided(self, grant: Grant, who: str, comment: str | None, decision: Decision) -> Grant:
        return replace(
            grant,
            decided_by=who,
            decided_at=rfc3339(self._clock()),
            decision_comment=said(comment),
            policies=tuple(dict.fromkeys((*grant.policies, *decision.policies))),
        )

    def approve_series(self, caller: Caller, grant_id: str, times: int, days: int) -> Series:
        """Approve requests like this one in advance; this one is decided by itself."""
        with self._book.lock:
            grant = self._book.get(grant_id)
            self._judge.permit("approve", grant, caller)
            return self._series.approve(caller.principal, grant, times, days)

    def end_series(self, caller: Caller, series_id: str) -> None:
        """End a series early; who may approve may do so."""
        known = next((one for one in self._series.listed() if one.id == series_id), None)
        if known is not None:
            self._judge.permit("deny", self._book.get(known.grant_id), caller)
        self._series.end(caller.principal, series_id)

    def _named(self, grant: Grant, who: Principal) -> str:
        return f"{who.name} (own request)" if is_own(grant, who) else who.name

    # -- beginning --------------------------------------------------------------------------------

    def _begin(self, grant: Grant, actor: Principal | None) -> Grant:
        """Activate an approved grant when its start has come, its window is open and its approval holds."""
        if grant.extends is not None:
            return self._lengthen(grant, actor)
        now = self._clock()
        if self._timetable.starts(grant, now) > now:
            return grant
        if not self._judge.holds(grant, self._book.server_of(grant.id)):
            return self._book.commit(step(self._fallen(grant), "revoke", now), None, ending=True)
        return self._book.commit(step(grant, "activate", now, self._timetable.closes(grant, now)), actor)

    def _lengthen(self, extension: Grant, actor: Principal | None) -> Grant:
        assert extension.extends is not None
        now, grant = self._clock(), self._book.get(extension.extends)
        if grant.state != "active" or grant.expires_at is None:
            return self._book.commit(step(extension, "cancel", now), actor, ending=True)
        if not self._judge.holds(extension, self._book.server_of(extension.id)):
            return self._book.commit(step(self._fallen(extension), "revoke", now), actor, ending=True)
        most = self._policy.catalogue.target(grant.target).max_duration
        until = moment(grant.expires_at) + timedelta(seconds=extension.duration)
        if grant.activated_at:  # another extension may have begun since this one was asked for
            until = min(until, moment(grant.activated_at) + timedelta(seconds=most))
        if closes := self._timetable.closes(grant, now):
            until = min(until, closes)
        self._book.commit(
            step(grant, "extend", now, until), actor, event="grant.extended", until=rfc3339(until)
        )
        active = replace(step(extension, "activate", now), expires_at=rfc3339(until))
        return self._book.commit(active, actor)

    def _fallen(self, grant: Grant) -> Grant:
        return replace(grant, decision_comment="Who asked or who approved may not do so any more.")

    # -- keeping time -----------------------------------------------------------------------------

    def keep_time(self) -> float | None:
        """Begin what is due, end what has run out; return the seconds until the next of either.

        Where nothing has changed since it was last looked, and nothing is due, nothing is looked at again.
        """
        now, nearest, version = self._clock(), None, self._book.version
        if version == self._looked[0] and (self._looked[1] is None or now < self._looked[1]):
            due = self._looked[1]
            return None if due is None else (due - now).total_seconds()
        expired: list[str] = []
        for grant in self._book.open():
            left = (self._timetable.due(grant, now) - now).total_seconds()
            if left > 0:
                nearest = left if nearest is None else min(nearest, left)
            elif self._turn(grant.id, now):
                expired.append(grant.id)
        due = None if nearest is None else now + timedelta(seconds=nearest)
        self._looked = (-1 if expired else version, due)
        self._sessions.end(*expired)  # after all are marked: a store that hangs delays no expiry
        return nearest

    def _turn(self, grant_id: str, now: datetime) -> bool:
        """Begin or end a grant whose time has come; say whether it ended."""
        with self._book.lock:
            grant = self._book.get(grant_id)
            if self._timetable.due(grant, now) > now:
                return False  # it went on meanwhile
            try:
                if grant.state == "approved" and self._timetable.deadline(grant) > now:
                    self._begin(grant, None)
                    return False
                self._book.commit(step(grant, "expire", now), None, ending=True)
            except Conflict:
                return False  # somebody ended it meanwhile
            return True

    # -- afterwards -------------------------------------------------------------------------------

    def review(self, caller: Caller, grant_id: str, comment: str | None) -> Grant:
        """Note that somebody other than its holder has looked at a use of break-glass.

        Raises:
            Conflict: ``grant.wrong_state`` for a grant that was no emergency, or was looked at.
        """
        with self._book.lock:
            grant = self._book.get(grant_id)
            self._judge.permit("approve", grant, caller)
            if not grant.break_glass or grant.reviewed_by:
                raise Conflict("grant.wrong_state", "There is nothing to review")
            seen = replace(grant, reviewed_by=caller.principal.name)
            words = said(comment)
            hmac = self._audit.reason_hmac(caller.principal, words) if words else None
            return self._book.commit(seen, caller.principal, event="grant.reviewed", comment_hmac=hmac)

    def settle(self) -> bool:
        """Write down the endings that the database did not take; say whether none is left."""
        return self._book.settle()
