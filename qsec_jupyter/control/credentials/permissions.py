"""Asks a Vault what our tokens may do, and says what is missing and what is too much.

A Vault answers for each path with the capabilities that all policies of a token add up to
(``sys/capabilities-self``), so a policy that somebody else attached shows, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ...core.errors import QsecError
from ...core.secret import Secret
from .broker import Check, IssueRequest, TargetSource
from .engines import described
from .identity import BrokerIdentity
from .login import BrokerToken, log_in
from .naming import BROKER_ROLE, EVIDENCE_KEY, TRANSIT_KEY, Mounts, target_role
from .vault import VaultAdapter
from .vault_errors import Doing

_NOTHING = frozenset({"deny"})
_REMEDY = "Compare with what is shipped: `qsec setup vault --plan`, then `--apply`."


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a token needs, and where it must get nothing.

    Attributes:
        needs: Each path with the one capability that is used there.
        never: Paths at which any capability is too much.
    """

    needs: Mapping[str, str]
    never: tuple[str, ...]


def of_broker(mounts: Mounts, targets: Mapping[str, TargetSource]) -> Permissions:
    """Return what the control plane's own token needs, and what it must never have."""
    transit, auth = mounts.transit, mounts.auth
    needs = {
        f"{transit}/sign/{TRANSIT_KEY}": "update",
        f"{transit}/keys/{TRANSIT_KEY}": "read",
        f"{transit}/encrypt/{EVIDENCE_KEY}": "update",
        f"{transit}/decrypt/{EVIDENCE_KEY}": "update",
        "auth/token/revoke-accessor": "update",
        "auth/token/lookup-accessor": "update",
        "sys/leases/revoke": "update",
        "sys/leases/renew": "update",
        "sys/leases/lookup": "update",
        "sys/capabilities-self": "update",
        "auth/token/renew-self": "update",
        "auth/token/lookup-self": "read",
        "auth/token/revoke-self": "update",
    }
    managing = (f"{transit}/keys/{TRANSIT_KEY}/rotate", f"{transit}/keys/{TRANSIT_KEY}/config")
    exporting = (f"{transit}/export/signing-key/{TRANSIT_KEY}", f"{transit}/backup/{TRANSIT_KEY}")
    return Permissions(needs, (*managing, *exporting, *_administering(auth), *_of_targets(targets, mounts)))


def of_session(target: str, mounts: Mounts, targets: Mapping[str, TargetSource]) -> Permissions:
    """Return what a grant's session at a target needs, and what it must never have."""
    mine = described(targets[target]).needs(targets[target], mounts)
    needs = {
        **mine,
        "sys/capabilities-self": "update",
        "auth/token/renew-self": "update",
        "auth/token/revoke-self": "update",
    }
    others = [path for path in _of_targets(targets, mounts) if path not in mine]
    ours = (f"{mounts.transit}/sign/{TRANSIT_KEY}", f"{mounts.transit}/decrypt/{EVIDENCE_KEY}")
    ending = (
        "auth/token/revoke-accessor",
        "auth/token/lookup-accessor",
        "sys/leases/revoke",
        "sys/leases/lookup",
    )
    return Permissions(needs, (*others, *ours, *ending, *_administering(mounts.auth)))


def _administering(auth: str) -> tuple[str, ...]:
    return (
        f"auth/{auth}/config",
        f"auth/{auth}/role/qsec-probe",
        "auth/token/create",
        "auth/token/create-orphan",
        "auth/token/accessors",
        "sys/policies/acl/qsec-probe",
        "sys/mounts/qsec-probe",
        "sys/auth/qsec-probe",
        "sys/audit/qsec-probe",
        "sys/leases/revoke-prefix/qsec-probe",
        "sys/leases/revoke-force/qsec-probe",
        "sys/raw/qsec-probe",
        "sys/seal",
        "sys/step-down",
        "identity/entity",
    )


def _of_targets(targets: Mapping[str, TargetSource], mounts: Mounts) -> list[str]:
    found = [path for source in targets.values() for path in described(source).needs(source, mounts)]
    return list(dict.fromkeys(found))


class PermissionChecks:
    """Logs in as the broker and as a session at each target, asks, and ends the sessions."""

    def __init__(
        self,
        adapter: VaultAdapter,
        mounts: Mounts,
        identity: BrokerIdentity,
        token: BrokerToken,
        targets: Mapping[str, TargetSource],
    ) -> None:
        self._adapter = adapter
        self._mounts = mounts
        self._identity = identity
        self._token = token
        self._targets = targets

    def run(self) -> list[Check]:
        """Return what is missing and what is too much, one check for each."""
        wanted = of_broker(self._mounts, self._targets)
        results = list(self._token.run(lambda token: self._judged(BROKER_ROLE, wanted, token)))
        for target in sorted(self._targets):
            results += self._session(target)
        return results

    def _session(self, target: str) -> list[Check]:
        role = target_role(target)
        name = secrets.token_hex(8)
        ends = datetime.now(timezone.utc) + timedelta(minutes=1)
        request = IssueRequest(f"doctor-{name}", target, "qsec-doctor", (), "doctor", "doctor", name, ends)
        try:
            answer = log_in(self._adapter, self._mounts, role, self._identity.for_session(request))
            token = Secret(str(answer.auth["client_token"]), "vault session")
            try:
                return self._judged(role, of_session(target, self._mounts, self._targets), token)
            finally:
                ending = Doing("end a session", f"policy {role}")
                self._adapter.call("POST", "auth/token/revoke-self", doing=ending, token=token)
        except QsecError as error:
            return [Check(f"permission.{role}", False, f"{error.title}. {error.detail}", error.remedy)]

    def _judged(self, role: str, wanted: Permissions, token: Secret) -> list[Check]:
        there = _capabilities(self._adapter, token, [*wanted.needs, *wanted.never])
        wrong = list(_wrong(role, wanted, there))
        total = len(wanted.needs) + len(wanted.never)
        return wrong or [
            Check(f"permission.{role}", True, f"{total} paths asked: all that is needed, no more.", "")
        ]


def _wrong(role: str, wanted: Permissions, there: Mapping[str, frozenset[str]]) -> Iterable[Check]:
    for path, capability in wanted.needs.items():
        has = there.get(path, _NOTHING)
        if "root" in has:
            yield Check(f"permission.{role}", False, "It is a root token: it may do everything.", _REMEDY)
            return
        if capability not in has:
            yield Check(f"permission.{role}", False, f"Missing: {capability} at {path}.", _REMEDY)
        if extra := has - {capability} - _NOTHING:
            yield Check(
                f"permission.{role}", False, f"Too wide: {', '.join(sorted(extra))} at {path}.", _REMEDY
            )
    for path in wanted.never:
        if extra := there.get(path, _NOTHING) - _NOTHING:
            yield Check(
                f"permission.{role}", False, f"Too wide: {', '.join(sorted(extra))} at {path}.", _REMEDY
            )


def _capabilities(adapter: VaultAdapter, token: Secret, paths: list[str]) -> dict[str, frozenset[str]]:
    doing = Doing("say what a token may do", "path sys/capabilities-self")
    answer = adapter.call("POST", "sys/capabilities-self", doing=doing, token=token, body={"paths": paths})
    return {path: frozenset(map(str, answer.data.get(path) or ())) for path in paths}
