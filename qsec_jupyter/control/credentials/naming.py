"""What our mounts, roles and policies in a Vault are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.errors import Invalid
from .vault import path_segments

BROKER_ROLE = "qsec-broker"
KEY_ADMIN_POLICY = "qsec-key-administrator"
AUDITOR_POLICY = "qsec-auditor"
TRANSIT_KEY = "qsec-ledger"
EVIDENCE_KEY = "qsec-evidence"


@dataclass(frozen=True, slots=True)
class Mounts:
    """Where our three mounts are.

    Attributes:
        auth: The jwt auth mount, without ``auth/``.
        kv: The kv version 2 mount that holds targets' secrets.
        transit: The transit mount that holds the keys of ledger and evidence.
    """

    auth: str = "qsec"
    kv: str = "qsec"
    transit: str = "qsec-transit"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Mounts:
        """Read ``QSEC_VAULT_AUTH_MOUNT``, ``QSEC_VAULT_KV_MOUNT`` and ``QSEC_VAULT_TRANSIT_MOUNT``.

        Raises:
            Invalid: ``vault.path_refused`` for a name that could leave its place.
        """
        default = cls()
        mounts = cls(
            environ.get("QSEC_VAULT_AUTH_MOUNT") or default.auth,
            environ.get("QSEC_VAULT_KV_MOUNT") or default.kv,
            environ.get("QSEC_VAULT_TRANSIT_MOUNT") or default.transit,
        )
        for mount in (mounts.auth, mounts.kv, mounts.transit):
            path_segments(mount)
        return mounts


def target_role(target: str) -> str:
    """Return the name of a target's role and policy.

    Raises:
        Invalid: ``vault.path_refused`` for a name that is more than one part of a path.
    """
    name = f"qsec-target-{target}"
    if len(path_segments(name)) != 1:
        raise Invalid(
            "vault.path_refused",
            "A target's name is refused",
            "It must not hold a slash.",
            "Correct the target's name in the catalogue.",
        )
    return name
