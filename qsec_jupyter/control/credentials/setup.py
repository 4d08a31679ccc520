"""What a Vault must hold for us, compared with what it holds, and written when asked.

The same code prepares an external Vault (`qsec setup vault`) and our own dev server. It is
idempotent: applying a plan twice changes nothing the second time.
"""

from __future__ import annotations

import difflib
import os
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from ...core.errors import Conflict, NotFound, QsecError
from ...core.secret import Secret
from .broker import TargetSource
from .engines import described, key_type, mount_of, name_of
from .identity import ALGORITHM, AUDIENCE, BROKER_SUBJECT, ISSUER
from .naming import (
    AUDITOR_POLICY,
    BROKER_ROLE,
    EVIDENCE_KEY,
    KEY_ADMIN_POLICY,
    TRANSIT_KEY,
    Mounts,
    target_role,
)
from .vault import Endpoint, VaultAdapter
from .vault_errors import Doing

Action = Literal["create", "update", "keep"]
BROKER_PERIOD = 20 * 60
"""Seconds: the broker's token dies when it is not renewed for this long."""
SESSION_TTL = 15 * 60
"""Seconds: a session dies when it is not renewed for this long."""
SESSION_MAX = 8 * 3600
"""Seconds after which a session cannot be renewed any more."""


_NAMED = {"transit": "operated key", "identity": "identity role"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing in the Vault: what is done to it, and what differs.

    Attributes:
        what: ``policy``, ``role``, ``mount`` …, in words.
        path: Where it is written, below ``/v1/``.
        differences: Lines that begin with ``+`` or ``-``.
        body: What is written.
    """

    what: str
    name: str
    action: Action
    differences: tuple[str, ...]
    path: str
    body: Mapping[str, Any]


class VaultSetup:
    """Plans and applies.

    Args:
        adapter: The Vault.
        token: An administrator's token; kept only as long as this object.
        mounts: Names of our mounts.
    """

    def __init__(self, adapter: VaultAdapter, token: Secret, mounts: Mounts) -> None:
        self._adapter = adapter
        self._token = token
        self._mounts = mounts

    def plan(self, targets: Mapping[str, TargetSource], public_keys: Iterable[str]) -> list[Change]:
        """Compare; reads only.

        Args:
            targets: The catalogue's targets.
            public_keys: PEM keys to trust, beside those that are trusted already.

        Raises:
            Conflict: ``setup.mount_taken`` when something else lives where our mounts belong.
            Denied: ``vault.token_rejected``, or ``vault.forbidden`` when the token is no administrator's.
        """
        self._read("auth/token/lookup-self")  # a wrong token is said before anything else
        changes = [*self._mount_changes(), *self._engine_mounts(targets), self._trust_change(public_keys)]
        changes += [
            self._key_change("signing key", TRANSIT_KEY, "ed25519"),
            self._key_change("evidence key", EVIDENCE_KEY, "aes256-gcm96"),
        ]
        changes += [self._named(source) for source in _distinct(targets) if source.engine in _NAMED]
        changes += [self._policy_change(name, text) for name, text in self._policies(targets).items()]
        changes += [self._role_change(name, role) for name, role in self._roles(targets).items()]
        return changes

    def apply(self, changes: Iterable[Change]) -> int:
        """Write what differs, in order; returns how many things were written."""
        wanted = [change for change in changes if change.action != "keep"]
        for change in wanted:
            self._write(change.path, change.body)
        return len(wanted)

    # -- what is wanted --------------------------------------------------------------------------

    def _mount_changes(self) -> list[Change]:
        mounts = self._mounts
        about = {"description": "qsec-jupyter"}
        return [
            self._mount_change(f"sys/auth/{mounts.auth}", {"type": "jwt", **about}),
            self._mount_change(
                f"sys/mounts/{mounts.kv}", {"type": "kv", "options": {"version": "2"}, **about}
            ),
            self._mount_change(f"sys/mounts/{mounts.transit}", {"type": "transit", **about}),
        ]

    def _engine_mounts(self, targets: Mapping[str, TargetSource]) -> list[Change]:
        """Mounts of the engines that targets name; an administrator configures what stands behind them."""
        wanted: dict[str, str] = {}
        for source in targets.values():
            kind = described(source).mount_type
            if kind is not None:
                wanted[mount_of(source, self._mounts.transit if kind == "transit" else kind)] = kind
        wanted.pop(self._mounts.transit, None)  # ours
        return [
            self._mount_change(f"sys/mounts/{mount}", {"type": kind, "description": "qsec-jupyter"})
            for mount, kind in sorted(wanted.items())
        ]

    def _named(self, source: TargetSource) -> Change:
        """The transit key or identity role of a target; an own one that is there already is left as it is."""
        if source.engine == "transit":
            path = f"{mount_of(source, self._mounts.transit)}/keys/{name_of(source)}"
            wanted: dict[str, Any] = {"type": key_type(source), "exportable": False}
        else:
            path = f"identity/oidc/role/{name_of(source)}"
            wanted = {"key": "default", "ttl": source.ttl or "10m"}
        what = _NAMED[source.engine]
        if self._read(path) is not None:
            return Change(what, source.path, "keep", (), path, {})
        return self._compared(what, source.path, path, wanted, None)

    def _policies(self, targets: Mapping[str, TargetSource]) -> dict[str, str]:
        common = {
            "auth": self._mounts.auth,
            "kv": self._mounts.kv,
            "transit": self._mounts.transit,
            "transit_key": TRANSIT_KEY,
            "evidence_key": EVIDENCE_KEY,
        }
        policies = {
            BROKER_ROLE: policy_text("broker", common),
            KEY_ADMIN_POLICY: policy_text("key-administrator", common),
            AUDITOR_POLICY: policy_text("auditor", common),
        }
        for target, source in sorted(targets.items()):
            policies[target_role(target)] = policy_text("target", self._target_names(target, source))
        return policies

    def _target_names(self, target: str, source: TargetSource) -> dict[str, str]:
        needs = described(source).needs(source, self._mounts)
        return {"target": target, "engine": source.engine, "needs": "".join(map(_path_rule, needs.items()))}

    def _roles(self, targets: Mapping[str, TargetSource]) -> dict[str, dict[str, Any]]:
        common: dict[str, Any] = {
            "role_type": "jwt",
            "user_claim": "sub",
            "bound_audiences": [AUDIENCE],
            "token_type": "service",
            "token_no_default_policy": True,
            "token_num_uses": 0,
            # By default clocks may differ by 60 s, and a claim of time that is missing is filled in
            # with 150 s; -1 switches the latter off.
            "expiration_leeway": -1,
            "not_before_leeway": -1,
            "clock_skew_leeway": 10,
        }
        roles = {
            BROKER_ROLE: {
                **common,
                "bound_subject": BROKER_SUBJECT,
                "bound_claims": {"use": "broker"},
                "token_policies": [BROKER_ROLE],
                "token_period": BROKER_PERIOD,
            }
        }
        for target in sorted(targets):
            name = target_role(target)
            roles[name] = {
                **common,
                "bound_claims": {"use": "session", "target": target},
                # These land in the token's metadata, so the Vault's audit log names grant and request.
                "claim_mappings": {
                    "target": "target",
                    "grant": "grant",
                    "server": "server",
                    "request_id": "request_id",
                },
                "token_policies": [name],
                "token_ttl": SESSION_TTL,
                "token_explicit_max_ttl": SESSION_MAX,
            }
        return roles

    # -- compared with what is there -------------------------------------------------------------

    def _mount_change(self, path: str, wanted: dict[str, Any]) -> Change:
        # `sys/mounts/auth/<path>` and `sys/mounts/<path>` answer for one mount; listing needs more rights.
        found = self._read(path.replace("sys/auth/", "sys/mounts/auth/"))
        name = path.removeprefix("sys/mounts/").replace("sys/auth/", "auth/")
        if found is None:
            return Change("mount", name, "create", (f"+ type = {wanted['type']}",), path, wanted)
        version = (found.get("options") or {}).get("version")
        right_version = "options" not in wanted or version == wanted["options"]["version"]
        if found.get("type") != wanted["type"] or not right_version:
            raise Conflict(
                "setup.mount_taken",
                "Something else lives where a mount of ours belongs",
                f"{name!r} must be of type {wanted['type']}{' version 2' if 'options' in wanted else ''}.",
                "Set QSEC_VAULT_AUTH_MOUNT, QSEC_VAULT_KV_MOUNT or QSEC_VAULT_TRANSIT_MOUNT to another name.",
            )
        return Change("mount", name, "keep", (), path, {})

    def _trust_change(self, public_keys: Iterable[str]) -> Change:
        path = f"auth/{self._mounts.auth}/config"
        found = self._read(path) or {}
        trusted = [str(key) for key in found.get("jwt_validation_pubkeys") or []]
        known = {key.strip() for key in trusted}
        keys = trusted + [key for key in public_keys if key.strip() not in known]
        wanted = {
            "jwt_validation_pubkeys": keys,
            "bound_issuer": ISSUER,
            "jwt_supported_algs": [ALGORITHM],
        }
        return self._compared("trusted keys", f"auth/{self._mounts.auth}", path, wanted, found)

    def _key_change(self, what: str, name: str, kind: str) -> Change:
        path = f"{self._mounts.transit}/keys/{name}"
        found = self._read(path)
        if found is not None and (found.get("type") != kind or found.get("exportable")):
            raise Conflict(
                "setup.key_taken",
                f"The {what} is not one that this program may use",
                f"{path} must be of type {kind} and not exportable; neither can be changed later.",
                "Set QSEC_VAULT_TRANSIT_MOUNT to another name.",
            )
        wanted = {"type": kind, "exportable": False, "allow_plaintext_backup": False}
        return self._compared(what, name, path, wanted, found)

    def _policy_change(self, name: str, text: str) -> Change:
        path = f"sys/policies/acl/{name}"
        found = self._read(path)
        if found is None:
            lines = tuple(f"+ {line}" for line in text.splitlines())
            return Change("policy", name, "create", lines, path, {"policy": text})
        there = str(found.get("policy", ""))
        if there.strip() == text.strip():
            return Change("policy", name, "keep", (), path, {})
        diff = list(difflib.unified_diff(there.splitlines(), text.splitlines(), lineterm="", n=1))[2:]
        return Change("policy", name, "update", tuple(diff), path, {"policy": text})

    def _role_change(self, name: str, wanted: dict[str, Any]) -> Change:
        path = f"auth/{self._mounts.auth}/role/{name}"
        return self._compared("role", name, path, wanted, self._read(path))

    def _compared(
        self, what: str, name: str, path: str, wanted: dict[str, Any], found: Mapping[str, Any] | None
    ) -> Change:
        there = found or {}
        lines: list[str] = []
        for key, value in wanted.items():
            if there.get(key) == value:
                continue
            if key in there and there[key] not in (None, "", []):
                lines.append(f"- {key} = {_shown(there[key])}")
            lines.append(f"+ {key} = {_shown(value)}")
        action: Action = "create" if not there else ("update" if lines else "keep")
        return Change(what, name, action, tuple(lines), path, wanted)

    # -- the wire --------------------------------------------------------------------------------

    def _read(self, path: str) -> dict[str, Any] | None:
        doing = Doing(f"read {path}", "the token's policies (an administrator is needed)")
        try:
            return self._adapter.call("GET", path, doing=doing, token=self._token).data
        except NotFound:
            return None
        except QsecError as error:
            # `sys/mounts/<name>` says 400 for a mount that is not there.
            if error.code == "vault.refused" and path.startswith("sys/mounts/"):
                return None
            raise

    def _write(self, path: str, body: Mapping[str, Any]) -> None:
        doing = Doing(f"write {path}", "the token's policies (an administrator is needed)")
        self._adapter.call("POST", path, doing=doing, token=self._token, body=body)


def apply_with_token(token: str, *, seed: bool = False) -> int:
    """Prepare the Vault of ``VAULT_ADDR`` for this machine and its catalogue; for ``qsec demo``.

    Args:
        token: An administrator's token; used here and kept nowhere.
        seed: Give each target that has no secret a made-up one, never replacing any.

    Returns:
        How many things were written, secrets not counted.
    """
    from ...core.paths import home
    from ..catalog import load_catalog
    from . import identity, keystore, seeds

    targets = load_catalog(home()).sources
    keys = keystore.KeyStore(home(), keystore.real_keyring())
    adapter, mounts = VaultAdapter(Endpoint.from_environ(os.environ)), Mounts.from_environ(os.environ)
    administrator = Secret(token, "administrator's token")
    try:
        setup = VaultSetup(adapter, administrator, mounts)
        written = setup.apply(setup.plan(targets, [identity.own_public_pem(keys)]))
        if seed:
            seeds.seed(adapter, administrator, mounts, targets)
        return written
    finally:
        adapter.close()


def _distinct(targets: Mapping[str, TargetSource]) -> list[TargetSource]:
    """Return one source for each engine, mount and name."""
    seen = {(source.engine, source.mount, source.path): source for source in targets.values()}
    return [seen[key] for key in sorted(seen)]


def _path_rule(need: tuple[str, str]) -> str:
    path, capability = need
    return f'path "{path}" {{\n  capabilities = ["{capability}"]\n}}\n'


def policy_text(name: str, values: Mapping[str, str]) -> str:
    """Return a shipped policy with its names filled in; a name without value is a bug and raises."""
    text = resources.files(__package__).joinpath("policies").joinpath(f"{name}.hcl").read_text("utf-8")
    return string.Template(text).substitute(values)


def _shown(value: Any) -> str:
    """Return a value for the diff; a PEM key becomes one line with its last characters."""
    if isinstance(value, list):
        return "[" + ", ".join(_shown(item) for item in value) + "]"
    text = str(value)
    if text.startswith("-----BEGIN PUBLIC KEY"):
        body = "".join(text.split("-----")[2].split())
        return f"public key …{body[-16:]}"
    return text
