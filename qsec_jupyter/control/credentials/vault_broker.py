"""The broker over a Vault or an OpenBao.

One session a grant (:mod:`.vault_sessions`); what is issued comes from the engine that the target
names (:mod:`.engines`), with that session's token, so that it hangs on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

from ...core.errors import Conflict, NotFound, QsecError
from ...core.secret import Secret
from ...core.signing import Signer
from .broker import (
    Check,
    Issued,
    IssueRequest,
    KeyProtection,
    Operation,
    SessionRef,
    TargetSource,
    VaultInfo,
    VaultOrigin,
    WrappedKey,
)
from .engines import Engine, Material, SessionCalls, engine_of, operator_of
from .identity import BrokerIdentity
from .login import BrokerToken
from .naming import Mounts
from .permissions import PermissionChecks
from .sessions import Slot, refuse_ended
from .signers import TransitSigner
from .starts import Start
from .vault import VaultAdapter
from .vault_checks import VaultChecks, describe
from .vault_sessions import Remember, VaultSessions
from .wrapping import MachineWrapping, TransitWrapping, is_transit

ISSUE_LIMIT = 15.0
"""Seconds after which :meth:`VaultBroker.issue` has ended at the latest: three calls of 5 s each."""


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
        start: How the broker itself logs in; by its own key when not given.
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
        start: Start | None = None,
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
        self._token = BrokerToken(adapter, mounts, identity, monotonic, start)
        self._machine = machine
        self._transit = TransitWrapping(adapter, mounts.transit, self._token.run)
        self._sessions = VaultSessions(adapter, mounts, identity, self._token, clock, monotonic)
        self._checks = VaultChecks(adapter, mounts, identity, self._token, self._targets)
        self._permissions = PermissionChecks(adapter, mounts, identity, self._token, self._targets)
        self._info, self._reached = describe(adapter, origin, key_protection)

    @property
    def info(self) -> VaultInfo:
        """Say which Vault; one that was away at the start is asked again once a check has reached it."""
        if not self._reached and self._checks.health is not None:
            self._info, self._reached = describe(self._adapter, self._origin, self._key_protection)
        return self._info

    def issue(self, request: IssueRequest, remember: Remember) -> Issued:
        """Return the target's credential, made with the grant's session; ends within ``ISSUE_LIMIT``."""
        source = self._source(request.target)
        engine = engine_of(source)
        slot = self._sessions.slot(request)
        with slot.lock:
            refuse_ended(slot)
            self._sessions.ready(slot, request, remember)
            material = self._material(slot, request, engine, source, remember)
            refuse_ended(slot)  # it may have been revoked while the Vault was answering
            return self._issued(slot, request, engine, material)

    def operate(
        self,
        request: IssueRequest,
        remember: Remember,
        operation: Operation,
        data: bytes,
        signature: str = "",
    ) -> str:
        """Use the target's key where it is."""
        source = self._source(request.target)
        operator = operator_of(source)
        slot = self._sessions.slot(request)
        with slot.lock:
            refuse_ended(slot)
            self._sessions.ready(slot, request, remember)
            calls = self._calls(slot, request.target, operator.advice(source, self._mounts))
        try:
            answer = operator.operate(calls, source, operation, data, signature)
        except QsecError as error:
            with slot.lock:
                self._sessions.judge(slot, error)
            raise
        refuse_ended(slot)
        return answer

    def put(self, target: str, values: Mapping[str, Secret]) -> str:
        """Refuse: our own token may read no target's secret, let alone write one."""
        self._source(target)
        raise Conflict(
            "rotate.own_token",
            "A Vault takes a new value from a person only",
            "The control plane's own token may not write there, so that the Vault's log names who did.",
            f"Log in to the Vault and run `qsec rotate {target}` in a terminal.",
        )

    def keep(self, request: IssueRequest) -> None:
        """Renew what is due, ahead of any use; what must be replaced is replaced at the next use."""
        slot = self._sessions.known(request.grant_id)
        if slot is None:
            return
        with slot.lock:
            if slot.ended or slot.token is None:
                return
            now = self._monotonic()
            if slot.renew_at <= now < slot.ends_at:
                self._sessions.renewed(slot, request)
            if slot.held is not None and now >= slot.refresh_at and not self._sessions.renewed_lease(slot):
                slot.drop()

    def revoke(self, session: SessionRef) -> bool:
        """End leases and session, then look whether they are gone; a Vault that is away gives ``False``."""
        return self._sessions.end(session)

    def checks(self) -> list[Check]:
        """Return what is right and wrong; good results are kept for a while, so asking often is cheap."""
        return self._checks.run()

    def permissions(self) -> list[Check]:
        """Return what our tokens lack, and what is too wide, by logging in as each role."""
        return self._permissions.run()

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
        self._sessions.close()
        self._token.close(give_back=self._origin == "external")
        self._adapter.close()
        self._on_close()

    # -- making and holding ------------------------------------------------------------------------

    def _source(self, target: str) -> TargetSource:
        source = self._targets.get(target)
        if source is None:
            raise NotFound(
                "vault.no_such_target", "No such target", f"The catalogue has no target {target!r}."
            )
        return source

    def _calls(self, slot: Slot, target: str, advice: str) -> SessionCalls:
        assert slot.token is not None
        return SessionCalls(self._adapter, self._mounts, slot.token, target, self._clock, advice)

    def _material(
        self, slot: Slot, request: IssueRequest, engine: Engine, source: TargetSource, remember: Remember
    ) -> Material:
        """Return what the grant holds while it is good, else make it; a kv secret is read each time."""
        if slot.held is not None and (
            self._monotonic() < slot.refresh_at or self._sessions.renewed_lease(slot)
        ):
            return slot.held
        slot.drop()
        try:
            calls = self._calls(slot, request.target, engine.advice(source, self._mounts))
            material = engine.issue(calls, source)
        except QsecError as error:
            self._sessions.judge(slot, error)
            raise
        if material.lease_id is not None:
            self._sessions.hang(slot, material.lease_id, remember)
        if not engine.reads_anew:
            slot.held = material
            slot.refresh_at = material.sent + (material.lives or float("inf")) * 2 / 3
        return material

    def _issued(self, slot: Slot, request: IssueRequest, engine: Engine, material: Material) -> Issued:
        assert slot.ref is not None
        left = slot.refresh_at - self._monotonic()
        refresh = self._clock() + timedelta(seconds=left) if left < float("inf") else None
        return Issued(
            material.value,
            request.expires_at,
            slot.ref,
            engine.revocability,
            f"{self._info.kind}:{engine.name}",
            dict(material.fields),
            dict(material.public),
            refresh if refresh is not None and refresh < request.expires_at else None,
            material.outlives,
        )
