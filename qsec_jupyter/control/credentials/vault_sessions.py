"""One session a grant in a Vault: opened by an assertion, renewed in time, ended until that is seen.

The token stays in this process; its accessor, which opens nothing, is remembered so that the
session can be ended after a crash.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import structlog

from ...core.errors import Denied, NotFound, QsecError
from ...core.secret import Secret
from .broker import IssueRequest, SessionRef
from .identity import BrokerIdentity
from .login import BrokerToken, log_in
from .naming import Mounts, target_role
from .sessions import Sessions, Slot, refuse_ended
from .setup import SESSION_TTL
from .vault import Answer, VaultAdapter
from .vault_errors import UNKNOWN_OUTCOME, Doing

Remember = Callable[[SessionRef], None]
_ENDING = Doing("end a session", "policy qsec-broker")
_LEASE = Doing("end a lease", "policy qsec-broker")
_log = structlog.get_logger(__name__)


class VaultSessions:
    """Opens, renews and ends sessions.

    Args:
        adapter: The Vault.
        mounts: Names of our mounts in it.
        identity: Mints assertions.
        token: The broker's own token.
        clock: Present time, for absolute expiries.
        monotonic: Seconds that only grow, for lifetimes.
    """

    def __init__(
        self,
        adapter: VaultAdapter,
        mounts: Mounts,
        identity: BrokerIdentity,
        token: BrokerToken,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._adapter = adapter
        self._mounts = mounts
        self._identity = identity
        self._token = token
        self._clock = clock
        self._monotonic = monotonic
        self._slots = Sessions()
        self._cleaning = ThreadPoolExecutor(2, thread_name_prefix="qsec-revoke")

    def slot(self, request: IssueRequest) -> Slot:
        """Return the grant's slot; its lock is the caller's to take."""
        return self._slots.slot(request.grant_id, request.target)

    def known(self, grant_id: str) -> Slot | None:
        """Return the slot of a grant that has one."""
        return self._slots.known(grant_id)

    def ready(self, slot: Slot, request: IssueRequest, remember: Remember) -> None:
        """Open the session when there is none, renew it when two thirds of its life are over."""
        now = self._monotonic()
        if slot.token is not None and now < slot.renew_at:
            return
        if slot.token is not None and now < slot.ends_at and self.renewed(slot, request):
            return
        slot.forget()
        self._open(slot, request, remember)

    def _open(self, slot: Slot, request: IssueRequest, remember: Remember) -> None:
        role = target_role(request.target)
        answer = log_in(self._adapter, self._mounts, role, self._identity.for_session(request))
        accessor = str(answer.auth["accessor"])
        token = Secret(str(answer.auth["client_token"]), "vault session")
        ref = SessionRef(accessor, (), self._clock() + timedelta(seconds=_life(answer)))
        try:
            remember(ref)  # durable before anything is read with it
            slot.ref, slot.token = ref, token
            self._note_life(slot, answer)
            if self._remaining(request) < _life(answer):
                self.renewed(slot, request)  # a renewal to less shortens it to the grant's end
        except BaseException:
            self.give_up(slot, accessor)
            raise

    def renewed(self, slot: Slot, request: IssueRequest) -> bool:
        """Renew to the grant's end or the usual life, what is less; ``False`` when it must be opened anew."""
        increment = max(1, math.ceil(min(SESSION_TTL, self._remaining(request))))
        doing = Doing(f"renew a session at {request.target}", f"policy {target_role(request.target)}")
        body = {"increment": f"{increment}s"}
        try:
            answer = self._adapter.call(
                "POST", "auth/token/renew-self", doing=doing, token=slot.token, body=body
            )
        except Denied as error:
            if error.code == "vault.token_rejected":
                return False
            raise
        self._note_life(slot, answer)
        return True

    def _note_life(self, slot: Slot, answer: Answer) -> None:
        slot.ends_at = answer.sent + _life(answer)
        slot.renew_at = answer.sent + _life(answer) * 2 / 3

    def _remaining(self, request: IssueRequest) -> float:
        return (request.expires_at - self._clock()).total_seconds()

    # -- leases ----------------------------------------------------------------------------------

    def hang(self, slot: Slot, lease_id: str, remember: Remember) -> None:
        """Remember a lease with its session; one that cannot be remembered is ended at once."""
        assert slot.ref is not None
        ref = SessionRef(slot.ref.accessor, (*slot.ref.lease_ids, lease_id), slot.ref.expires_at)
        try:
            remember(ref)
        except BaseException:
            self.give_up(slot, ref.accessor, (lease_id,))
            raise
        slot.ref = ref

    def renewed_lease(self, slot: Slot) -> bool:
        """Renew the lease of what is held; ``False`` when it must be replaced.

        A Vault answers with less than was asked when the role's longest life comes near: what is left is
        then no more made longer, and another one is made while this one still works.
        """
        held = slot.held
        if held is None or held.lease_id is None or not held.renewable or not held.lives:
            return False
        doing = Doing("renew a lease", "policy qsec-broker")
        try:
            answer = self._call("sys/leases/renew", {"lease_id": held.lease_id}, doing)
        except QsecError as error:
            if error.kind == "unavailable" and error.code != "vault.refused":
                raise
            return False
        life = float(answer.body.get("lease_duration") or 0)
        slot.refresh_at = answer.sent + life * 2 / 3
        return life >= held.lives / 2

    # -- what a refusal means ----------------------------------------------------------------------

    def judge(self, slot: Slot, error: QsecError) -> None:
        """After a failed use: end what is unknown, and tell an ended session from a narrow policy.

        Raises:
            Denied: ``vault.session_ended`` when the session is gone; it is never opened a second time.
        """
        accessor = slot.ref.accessor if slot.ref else None
        if error.code == "vault.token_rejected" or (
            error.code == "vault.forbidden" and accessor is not None and self._gone(accessor)
        ):
            slot.ended = True
            refuse_ended(slot)
        if error.code in UNKNOWN_OUTCOME:
            self.give_up(slot, accessor, slot.ref.lease_ids if slot.ref else ())

    def _gone(self, accessor: str) -> bool:
        try:
            self._lookup(accessor)
        except QsecError as error:
            return error.code == "vault.no_such_accessor"
        return False

    # -- ending ----------------------------------------------------------------------------------

    def give_up(self, slot: Slot, accessor: str | None, lease_ids: tuple[str, ...] = ()) -> None:
        """End a session whose state is unknown, in the background: the caller has waited enough."""
        slot.forget()
        if accessor is not None:
            self._cleaning.submit(self.end, SessionRef(accessor, lease_ids, self._clock()))

    def end(self, session: SessionRef) -> bool:
        """End leases and session, then look whether they are gone; a Vault that is away gives ``False``.

        A lease that does not end (its database is away, say) holds up neither the others nor the session.
        """
        self._slots.end(session.accessor)
        leases_gone = [self._seen_gone(partial(self._end_lease, lease)) for lease in session.lease_ids]
        accessor = session.accessor
        if accessor is None:
            return False
        return self._seen_gone(partial(self._end_accessor, accessor)) and all(leases_gone)

    def _seen_gone(self, end: Callable[[], bool]) -> bool:
        try:
            return end()
        except QsecError as error:
            _log.warning("vault.revocation_unverified", code=error.code)
            return False

    def _end_lease(self, lease: str) -> bool:
        """Wait for the engine to do it (``sync``), for a revoked token ends its leases only later."""
        try:
            self._call("sys/leases/revoke", {"lease_id": lease, "sync": True}, _LEASE)
            self._call("sys/leases/lookup", {"lease_id": lease}, _LEASE)
        except NotFound as error:
            return error.code == "vault.no_such_lease"
        return False  # it can still be looked up, so it is not gone

    def _end_accessor(self, accessor: str) -> bool:
        try:
            self._call("auth/token/revoke-accessor", {"accessor": accessor}, _ENDING)
            self._lookup(accessor)
        except NotFound as error:
            return error.code == "vault.no_such_accessor"
        return False

    def _lookup(self, accessor: str) -> Answer:
        doing = Doing("look a session up", _ENDING.policy)
        return self._call("auth/token/lookup-accessor", {"accessor": accessor}, doing)

    def _call(self, path: str, body: Mapping[str, object], doing: Doing) -> Answer:
        return self._token.run(
            lambda token: self._adapter.call("POST", path, doing=doing, token=token, body=body)
        )

    def close(self) -> None:
        """Forget all tokens; revokes nothing."""
        self._slots.clear()
        self._cleaning.shutdown(wait=False, cancel_futures=True)


def _life(answer: Answer) -> float:
    return float(answer.auth.get("lease_duration") or 0)
