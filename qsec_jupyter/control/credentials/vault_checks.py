"""What is right and wrong with a Vault, each tried for real: reach, clock, login, signature, targets."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ...core.errors import NotFound, QsecError
from ...core.secret import Secret
from .broker import Check, IssueRequest, KeyProtection, TargetSource, VaultInfo, VaultKind, VaultOrigin
from .identity import BrokerIdentity
from .login import HEALTH_QUERY, BrokerToken, log_in
from .naming import Mounts, target_role
from .signers import TransitSigner
from .vault import VaultAdapter, path_segments
from .vault_errors import Doing

KEEP_GOOD = 10.0
"""Seconds for which a result without a failure is given again; a failure is tried again at once."""
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
        self._kept: tuple[float, list[Check]] | None = None

    def run(self) -> list[Check]:
        """Return all results; a dead Vault costs one time limit, because nothing else is tried then."""
        with self._lock:
            if self._kept is not None and time.monotonic() - self._kept[0] < KEEP_GOOD:
                return self._kept[1]
            results = self._run()
            self._kept = (time.monotonic(), results) if all(check.ok for check in results) else None
            return results

    def _run(self) -> list[Check]:
        results: list[Check] = []
        for name, check in (
            ("vault", self._reach),
            ("vault.clock", self._clock),
            ("vault.login", self._login),
            ("vault.sign", self._sign),
        ):
            results.append(_tried(name, check))
            if not results[-1].ok and name in ("vault", "vault.login"):
                return results
        for target, source in sorted(self._targets.items()):
            results.append(_tried(f"vault.target.{target}", lambda t=target, s=source: self._target(t, s)))  # type: ignore[misc]  # bound now
        return results

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
        doing = Doing(f"read the field names of target {target!r}", f"policy {role}")
        path = f"{self._mounts.kv}/subkeys/{'/'.join(path_segments(source.path))}"
        try:
            fields = self._adapter.call("GET", path, doing=doing, token=token).data.get("subkeys")
        except NotFound:
            fields = None
        finally:
            ending = Doing("end a session", f"policy {role}")
            self._adapter.call("POST", "auth/token/revoke-self", doing=ending, token=token)
        if not isinstance(fields, dict) or source.field not in fields:
            remedy = f"vault kv put -mount={self._mounts.kv} {source.path} {source.field}=-"
            return Check(
                name, False, f"No field {source.field!r} at {self._mounts.kv}/{source.path}.", remedy
            )
        return Check(
            name, True, f"{role} may read {self._mounts.kv}/{source.path}, and the secret is there.", ""
        )


def _tried(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except QsecError as error:
        return Check(name, False, f"{error.title}. {error.detail}", error.remedy)
