"""pki: a client certificate for mTLS. The key is made where the certificate is issued, and sent once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import ClassVar

from ..broker import TargetSource
from ..naming import Mounts
from ..vault import Answer
from .engine import Capability, Material, SessionCalls, mount_of, name_of


class ClientCertificate:
    """Issues a certificate whose common name the catalogue gives, else the target's name.

    The role needs ``generate_lease=true``: then ending the session puts the certificate on the list
    of revoked ones. Without it the certificate is good until its end, and the user is told so.
    """

    name: ClassVar[str] = "pki"
    mount_type: str | None = "pki"
    reads_anew: ClassVar[bool] = False
    revocability: ClassVar[str] = (
        "Ending the session puts the certificate on the authority's list of revoked ones; a server that does "
        "not read that list takes a copy until it expires."
    )

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Issue for this one role."""
        return {self._path(source): "update"}

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return how to make the role."""
        mount = mount_of(source, self.name)
        return f"vault write {mount}/roles/{source.path} client_flag=true generate_lease=true ttl=1h ..."

    def issue(self, calls: SessionCalls, source: TargetSource) -> Material:
        """Issue one."""
        body = {"common_name": source.common_name or calls.target}
        if source.ttl:
            body["ttl"] = source.ttl
        answer = calls.call("POST", self._path(source), "issue a certificate", body)
        return self._material(calls, answer)

    def _material(self, calls: SessionCalls, answer: Answer) -> Material:
        data = answer.data
        key = calls.secret(data.get("private_key"), "the private key")
        chain = data.get("ca_chain") or [data.get("issuing_ca") or ""]
        ends = datetime.fromtimestamp(int(data.get("expiration") or 0), timezone.utc)
        return Material(
            key,
            {"private_key": key},
            {
                "certificate": str(data.get("certificate", "")),
                "ca_chain": "\n".join(map(str, chain)),
                "serial_number": str(data.get("serial_number", "")),
            },
            str(answer.body.get("lease_id") or "") or None,
            renewable=False,
            lives=max(1.0, (ends - calls.clock()).total_seconds()),
            sent=answer.sent,
            outlives=ends,
        )

    def _path(self, source: TargetSource) -> str:
        return f"{mount_of(source, self.name)}/issue/{name_of(source)}"
