"""identity: a signed OIDC token that says who the session is, for services that trust its issuer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from ..broker import TargetSource
from ..naming import Mounts
from .engine import Capability, Material, SessionCalls, name_of


class IdentityToken:
    """Mints a token of the role that the catalogue names (Vault's identity secrets engine)."""

    name: ClassVar[str] = "identity"
    mount_type: str | None = None  # every Vault and OpenBao has it
    reads_anew: ClassVar[bool] = False
    revocability: ClassVar[str] = "A signed token cannot be called back: a copy is taken until it expires."

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Mint tokens of this one role."""
        return {self._path(source): "read"}

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return how to make the role."""
        return f"vault write identity/oidc/role/{source.path} key=default ttl=10m"

    def issue(self, calls: SessionCalls, source: TargetSource) -> Material:
        """Mint one."""
        answer = calls.call("GET", self._path(source), "mint an identity token")
        life = float(answer.data.get("ttl") or 0)
        return Material(
            calls.secret(answer.data.get("token"), "the token"),
            public={"client_id": str(answer.data.get("client_id", ""))},
            lives=max(1.0, life),
            sent=answer.sent,
            outlives=calls.clock() + timedelta(seconds=life),
        )

    def _path(self, source: TargetSource) -> str:
        return f"identity/oidc/token/{name_of(source)}"
