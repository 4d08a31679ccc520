"""The broker over a Vault or an OpenBao.

One session a grant: the broker signs an assertion for user, server, target and grant, logs in at
the target's role and reads the secret with the session's token. The token stays in this process;
its accessor, which opens nothing, is remembered so that the session can be ended after a crash.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import structlog

from ...core.errors import Denied, Invalid, NotFound, QsecError
from ...core.secret import Secret
from ...core.signing import Signer
from .broker import (
    Check,
    Issued,
    IssueRequest,
    KeyProtection,
    SessionRef,
    TargetSource,
    VaultInfo,
    VaultOrigin,
    WrappedKey,
)
from .identity import BrokerIdentity
from .login import BrokerToken, log_in
from .naming import Mounts, target_role
from .sessions import Sessions, Slot, refuse_ended
from .setup import SESSION_TTL
from .signers import TransitSigner
from .vault import Answer, VaultAdapter, path_segments
from .vault_checks import VaultChecks, describe
from .vault_errors import UNKNOWN_OUTCOME, Doing
from .wrapping import MachineWrapping, TransitWrapping, is_transit

ISSUE_LIMIT = 15.0
"""Seconds after which :meth:`VaultBroker.issue` has ended at the latest: three calls of 5 s each."""
REVOCABILITY = (
    "Ending the session stops further reads; a copied value stays good until it is replaced at its provider."
)
_log = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class VaultBroker:
    """See :class:`.broker.Broker` for the methods.

    Args:
        adapter: The Vault.
        mounts: Names of our mounts in it.
        identity: The broker's key pair.
        targets: Where each target keeps its secret.
        local: Returns the signer on this machine; called at first use.
        machine: Wraps on this machine what a dev server, which forgets, must not.
        origin: ``external``, or ``dev`` for our own dev server.
        key_protection: Where the identity's key lies, ``None`` when in memory only.
        on_close: Stops what was started for this broker.
        clock: Present time, for absolute expiries.
        monotonic: Seconds that only grow, for lifetimes.
    """

    def __init__(
        self,
        adapter: VaultAdapter,
        *,
        mounts: Mounts,
        identity: BrokerIdentity,
        targets: Mapping[str, TargetSource],
        local: Callable[[], Signer],
        machine: MachineWrapping,
        origin: VaultOrigin,
        key_protection: KeyProtection | None,
        on_close: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = _utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._adapter = adapter
        self._mounts = mounts
        self._identity = identity
        self._targets = dict(targets)
        self._local = local
        self._origin: VaultOrigin = origin
        self._key_protection = key_protection
        self._on_close = on_close
        self._clock = clock
        self._monotonic = monotonic
        self._token = BrokerToken(adapter, mounts, identity, monotonic)
        self._machine = machine
        self._transit = TransitWrapping(adapter, mounts.transit, self._token.run)
        self._sessions = Sessions()
        self._cleaning = ThreadPoolExecutor(2, thread_name_prefix="qsec-revoke")
        self._checks = VaultChecks(adapter, mounts, identity, self._token, self._targets)
        self._info, self._reached = describe(adapter, origin, key_protection)

    @property
    def info(self) -> VaultInfo:
        """Say which Vault; one that was away at the start is asked again once a check has reached it."""
        if not self._reached and self._checks.health is not None:
            self._info, self._reached = describe(self._adapter, self._origin, self._key_protection)
        return self._info

    def issue(self, request: IssueRequest, remember: Callable[[SessionRef], None]) -> Issued:
        """Return the target's secret, read anew with the grant's session; ends within ``ISSUE_LIMIT``."""
        source = self._source(request.target)
        slot = self._sessions.slot(request.grant_id, request.target)
        with slot.lock:
            refuse_ended(slot)
            self._ready(slot, request, remember)
            value = self._read(slot, request, source)
            refuse_ended(slot)  # it may have been revoked while the Vault was answering
            assert slot.ref is not None
            return Issued(
                value, request.expires_at, slot.ref, REVOCABILITY, f"{self._info.kind}:{source.engine}"
            )

    def revoke(self, session: SessionRef) -> bool:
        """End leases and session, then look whether it is gone; a Vault that is away gives ``False``."""
        self._sessions.end(session.accessor)
        if session.accessor is None:
            return False
        try:
            return self._revoke(session.accessor, session.lease_ids)
        except QsecError as error:
            _log.warning("vault.revocation_unverified", code=error.code)
            return False

    def checks(self) -> list[Check]:
        """Return what is right and wrong; good results are kept for a while, so asking often is cheap."""
        return self._checks.run()

    def signer(self) -> Signer:
        """Return the Vault's transit key in its newest version."""
        return TransitSigner.newest(self._adapter, self._mounts.transit, self._token.run)

    def local_signer(self) -> Signer:
        """Return the key on this machine."""
        return self._local()

    def wrap(self, key: bytes) -> WrappedKey:
        """Wrap in an external Vault; a dev server's keys die with it, so this machine's key does it there."""
        return (self._transit if self._origin == "external" else self._machine).wrap(key)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """Unwrap where it was wrapped."""
        return (self._transit if is_transit(wrapped) else self._machine).unwrap(wrapped)

    def close(self) -> None:
        """Forget all tokens, give the broker's own back, stop the dev server when there is one."""
        self._sessions.clear()
        self._cleaning.shutdown(wait=False, cancel_futures=True)
        self._token.close(give_back=self._origin == "external")
        self._adapter.close()
        self._on_close()

    # -- opening a session -----------------------------------------------------------------------

    def _source(self, target: str) -> TargetSource:
        source = self._targets.get(target)
        if source is None:
            raise NotFound(
                "vault.no_such_target", "No such target", f"The catalogue has no target {target!r}."
            )
        if source.engine != "kv-v2":
            raise Invalid(
                "vault.engine_unknown",
                "The target's secrets engine is not supported",
                f"The catalogue says {source.engine!r} for {target!r}.",
                "Use kv-v2 in catalog.toml.",
            )
        return source

    def _ready(self, slot: Slot, request: IssueRequest, remember: Callable[[SessionRef], None]) -> None:
        """Open the session when there is none, renew it when two thirds of its life are over."""
        now = self._monotonic()
        if slot.token is not None and now < slot.renew_at:
            return
        if slot.token is not None and now < slot.ends_at and self._renewed(slot, request):
            return
        slot.forget()
        self._open(slot, request, remember)

    def _open(self, slot: Slot, request: IssueRequest, remember: Callable[[SessionRef], None]) -> None:
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
                self._renewed(slot, request)  # a renewal to less shortens it to the grant's end
        except BaseException:
            self._give_up(slot, accessor)
            raise

    def _renewed(self, slot: Slot, request: IssueRequest) -> bool:
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

    # -- reading with it -------------------------------------------------------------------------

    def _read(self, slot: Slot, request: IssueRequest, source: TargetSource) -> Secret:
        role = target_role(request.target)
        doing = Doing(f"read the secret of target {request.target!r}", f"policy {role}")
        assert slot.ref is not None
        accessor = slot.ref.accessor
        path = "/".join(path_segments(source.path))
        try:
            answer = self._adapter.call(
                "GET", f"{self._mounts.kv}/data/{path}", doing=doing, token=slot.token
            )
        except NotFound as error:
            raise _secret_missing(request.target, source, self._mounts) from error
        except QsecError as error:
            if error.code == "vault.token_rejected":
                # Ended in the Vault before its time: somebody meant it, so no second one is opened.
                slot.ended = True
                refuse_ended(slot)
            if error.code in UNKNOWN_OUTCOME:
                self._give_up(slot, accessor)
            raise
        values = answer.data.get("data")
        value = values.get(source.field) if isinstance(values, dict) else None
        if not isinstance(value, str) or not value:
            raise _secret_missing(request.target, source, self._mounts)
        return Secret(value, request.target)

    # -- ending ----------------------------------------------------------------------------------

    def _give_up(self, slot: Slot, accessor: str | None) -> None:
        """End a session whose state is unknown, in the background: the caller has waited enough."""
        slot.forget()
        if accessor is not None:
            self._cleaning.submit(self.revoke, SessionRef(accessor, (), self._clock()))

    def _revoke(self, accessor: str, lease_ids: tuple[str, ...]) -> bool:
        ending = Doing("end a session", "policy qsec-broker")
        for lease in lease_ids:
            body = {"lease_id": lease, "sync": True}
            self._call("sys/leases/revoke", body, ending)
        try:
            self._call("auth/token/revoke-accessor", {"accessor": accessor}, ending)
            self._call(
                "auth/token/lookup-accessor",
                {"accessor": accessor},
                Doing("look a session up", ending.policy),
            )
        except NotFound as error:
            return error.code == "vault.no_such_accessor"
        return False  # it can still be looked up, so it is not gone

    def _call(self, path: str, body: Mapping[str, object], doing: Doing) -> Answer:
        return self._token.run(
            lambda token: self._adapter.call("POST", path, doing=doing, token=token, body=body)
        )


def _life(answer: Answer) -> float:
    return float(answer.auth.get("lease_duration") or 0)


def _secret_missing(target: str, source: TargetSource, mounts: Mounts) -> NotFound:
    return NotFound(
        "vault.secret_missing",
        "The Vault has no secret for this target",
        f"{mounts.kv}/{source.path} with a text field {source.field!r} is not there (target {target!r}).",
        f"An administrator puts it there: vault kv put -mount={mounts.kv} {source.path} {source.field}=-",
    )
