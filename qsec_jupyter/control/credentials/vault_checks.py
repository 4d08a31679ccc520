"""What is right and wrong with a Vault, each tried for real: reach, clock, login, signature, targets."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ...core.errors import NotFound, QsecError
from ...core.secret import Secret
from .broker import Check, IssueRequest, KeyProtection, TargetSource, VaultInfo, VaultKind, VaultOrigin
from .engines import described
from .identity import BrokerIdentity
from .login import HEALTH_QUERY, BrokerToken, log_in
from .naming import Mounts, target_role
from .signers import TransitSigner
from .vault import VaultAdapter
from .vault_errors import Doing
from .wrapping import TransitWrapping

KEEP_GOOD = {
    "vault": 5.0,
    "vault.clock": 60.0,
    "vault.login": 60.0,
    "vault.sign": 60.0,
    "vault.evidence": 60.0,
}
"""Seconds for which a good result is given again, so that a health line may ask often."""
KEEP_TARGET = 600.0
"""The same for a target: trying one is a login, which costs a Vault three storage writes."""
MAX_SKEW = 5
"""Seconds by which the clocks may differ; an assertion lives 60 s and the Vault grants 10 s."""
_PROBE = b"qsec doctor: this text proves that signing works and says nothing else"
_NAMES: dict[VaultKind, str] = {"vault": "Vault", "openbao": "OpenBao"}


def health(adapter: VaultAdapter) -> dict[str, object]:
    """Return the body of ``sys/health``.

    Raises:
        Unavailable: Not reachable, sealed, slow or not a Vault.
    """
    return adapter.call("GET", "sys/health", doing=Doing("say its state", ""), query=HEALTH_QUERY).body


def describe(
    adapter: VaultAdapter, origin: VaultOrigin, protection: KeyProtection | None
) -> tuple[VaultInfo, bool]:
    """Ask a Vault what it is; one that does not answer is described by its address, with ``False``."""
    address = adapter.endpoint.address
    try:
        state = health(adapter)
    except QsecError as error:
        label = f"Vault at {address} ({error.title})"
        return VaultInfo("vault", origin, label, address, protection), False
    # OpenBao's health has no `enterprise` member; Vault's always has.
    kind: VaultKind = "vault" if "enterprise" in state else "openbao"
    version = str(state.get("version", "of unknown version"))[:40]
    where = "dev server, forgotten when it stops" if origin == "dev" else address
    return VaultInfo(kind, origin, f"{_NAMES[kind]} {version} ({where})", address, protection), True


class VaultChecks:
    """Runs the checks; two callers at a time share one run."""

    def __init__(
        self,
        adapter: VaultAdapter,
        mounts: Mounts,
        identity: BrokerIdentity,
        token: BrokerToken,
        targets: Mapping[str, TargetSource],
    ) -> None:
        self.health: dict[str, object] | None = None
        self._adapter = adapter
        self._mounts = mounts
        self._identity = identity
        self._token = token
        self._targets = targets
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Check]] = {}

    def run(self) -> list[Check]:
        """Return all results; a dead Vault costs one time limit, because nothing else is tried then.

        A good result is kept for a while, a failure is tried again at once.
        """
        with self._lock:
            results: list[Check] = []
            for name, check in self._all():
                results.append(self._tried(name, check))
                if not results[-1].ok and name in ("vault", "vault.login"):
                    self._kept.clear()
                    break
            return results

    def _all(self) -> Iterator[tuple[str, Callable[[], Check]]]:
        yield "vault", self._reach
        yield "vault.clock", self._clock
        yield "vault.login", self._login
        yield "vault.sign", self._sign
        yield "vault.evidence", self._evidence
        for target, source in sorted(self._targets.items()):
            yield f"vault.target.{target}", partial(self._target, target, source)

    def _tried(self, name: str, check: Callable[[], Check]) -> Check:
        since, kept = self._kept.get(name, (float("-inf"), None))
        if kept is not None and time.monotonic() - since < KEEP_GOOD.get(name, KEEP_TARGET):
            return kept
        try:
            result = check()
        except QsecError as error:
            result = Check(name, False, f"{error.title}. {error.detail}", error.remedy)
        if result.ok:
            self._kept[name] = (time.monotonic(), result)
        else:
            self._kept.pop(name, None)
        return result

    def _reach(self) -> Check:
        self.health = health(self._adapter)
        version = str(self.health.get("version", "?"))[:40]
        return Check(
            "vault", True, f"{self._adapter.endpoint.address} answers, unsealed, version {version}.", ""
        )

    def _clock(self) -> Check:
        there = (self.health or {}).get("server_time_utc")
        if not isinstance(there, int):
            return Check("vault.clock", True, "The Vault does not say its time.", "")
        skew = there - time.time()
        detail = f"The Vault's clock and ours differ by {abs(skew):.0f} s."
        good = abs(skew) <= MAX_SKEW
        return Check("vault.clock", good, detail, "" if good else "Switch on time synchronisation (NTP).")

    def _login(self) -> Check:
        doing = Doing("look its own token up", "policy qsec-broker")
        self._token.run(
            lambda token: self._adapter.call("GET", "auth/token/lookup-self", doing=doing, token=token)
        )
        return Check(
            "vault.login", True, f"Logged in at auth/{self._mounts.auth} by this machine's own key.", ""
        )

    def _sign(self) -> Check:
        signer = TransitSigner.newest(self._adapter, self._mounts.transit, self._token.run)
        try:
            Ed25519PublicKey.from_public_bytes(signer.public_key).verify(signer.sign(_PROBE), _PROBE)
        except (InvalidSignature, ValueError):
            return Check(
                "vault.sign",
                False,
                "A signature made in the Vault does not verify with the key that it names.",
                "Do not trust this Vault's signatures; ask its operators.",
            )
        return Check("vault.sign", True, f"{signer.name} signs, and the signature verifies.", "")

    def _evidence(self) -> Check:
        wrapping = TransitWrapping(self._adapter, self._mounts.transit, self._token.run)
        if wrapping.unwrap(wrapping.wrap(_PROBE)) != _PROBE:
            return Check(
                "vault.evidence",
                False,
                "A data key that the Vault wrapped comes back as another one.",
                "Do not trust this Vault with evidence; ask its operators.",
            )
        return Check("vault.evidence", True, "Data keys of evidence are wrapped and unwrapped.", "")

    def _target(self, target: str, source: TargetSource) -> Check:
        """Open a session at the target, ask for the secret's field names, end the session."""
        name = f"vault.target.{target}"
        role = target_role(target)
        now = datetime.now(timezone.utc)
        request_id = secrets.token_hex(8)
        request = IssueRequest(
            f"doctor-{request_id}",
            target,
            "qsec-doctor",
            (),
            "doctor",
            "doctor",
            request_id,
            now + timedelta(minutes=1),
        )
        answer = log_in(self._adapter, self._mounts, role, self._identity.for_session(request))
        token = Secret(str(answer.auth["client_token"]), "vault session")
        try:
            return self._usable(name, role, target, source, token)
        finally:
            ending = Doing("end a session", f"policy {role}")
            self._adapter.call("POST", "auth/token/revoke-self", doing=ending, token=token)

    def _usable(self, name: str, role: str, target: str, source: TargetSource, token: Secret) -> Check:
        """Ask what the session may do, and for kv whether the secret is there; nothing is issued."""
        engine = described(source)
        for path, capability in engine.needs(source, self._mounts).items():
            if capability not in capabilities(self._adapter, token, path):
                remedy = "`qsec setup vault --plan` shows what differs."
                return Check(name, False, f"{role} may not {capability} {path}.", remedy)
        for path in engine.needs(source, self._mounts):
            mount, verb, _ = [*path.split("/subkeys/"), "", ""][:3]
            if not verb:
                continue
            found = self._subkeys(f"{mount}/subkeys/{verb}", role, target, token)
            if source.field not in (found.get("subkeys") or {}):
                where = f"No field {source.field!r} at {mount}/{verb}."
                return Check(name, False, where, engine.advice(source, self._mounts))
            if (age := age_of(found)) and source.rotate_after and age > source.rotate_after:
                detail = f"Its value is {age // 86400:.0f} days old; it is to be replaced every "
                detail += f"{source.rotate_after // 86400} days."
                return Check(name, False, detail, f"qsec rotate {target}")
        return Check(name, True, f"{role} may use {source.engine} {source.path}.", "")

    def _subkeys(self, path: str, role: str, target: str, token: Secret) -> dict[str, Any]:
        doing = Doing(f"read the field names of target {target!r}", f"policy {role}")
        try:
            return self._adapter.call("GET", path, doing=doing, token=token).data
        except NotFound:
            return {}


def age_of(found: Mapping[str, Any]) -> float | None:
    """Return how many seconds ago a kv secret's version was written, as its metadata says."""
    try:
        written = str((found.get("metadata") or {})["created_time"])
        since = datetime.fromisoformat(written[:19] + "+00:00")  # RFC 3339 with nanoseconds
    except (KeyError, ValueError):
        return None
    return (datetime.now(timezone.utc) - since).total_seconds()


def capabilities(adapter: VaultAdapter, token: Secret, path: str) -> list[str]:
    """Ask what a token may do at a path; ``["deny"]`` for nothing.

    Raises:
        QsecError: As :meth:`.VaultAdapter.call`.
    """
    doing = Doing("say what a token may do", "sys/capabilities-self")
    body = {"paths": [path]}
    answer = adapter.call("POST", "sys/capabilities-self", doing=doing, token=token, body=body)
    return [str(one) for one in answer.data.get(path) or []]
