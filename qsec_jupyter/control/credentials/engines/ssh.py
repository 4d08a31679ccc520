"""ssh: a user certificate that an authority signed, with a key pair made where it is issued."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import ClassVar

from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from .. import vault_errors
from ..broker import TargetSource
from ..naming import Mounts
from ..vault_errors import Doing
from .engine import Capability, Material, SessionCalls, mount_of, name_of


class SignedSshKey:
    """Issues a certificate for the principals that the catalogue gives."""

    name: ClassVar[str] = "ssh"
    mount_type: str | None = "ssh"
    reads_anew: ClassVar[bool] = False
    revocability: ClassVar[str] = (
        "A signed SSH key has no lease: a copy works until the certificate's own end, keep that short."
    )

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Issue for this one role."""
        return {self._path(source): "update"}

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return how to make the role."""
        mount = mount_of(source, self.name)
        return f"vault write {mount}/roles/{source.path} key_type=ca allow_user_certificates=true ttl=15m ..."

    def issue(self, calls: SessionCalls, source: TargetSource) -> Material:
        """Issue one."""
        body = {"key_type": "ed25519", "cert_type": "user", "valid_principals": source.principals}
        if source.ttl:
            body["ttl"] = source.ttl
        answer = calls.call("POST", self._path(source), "sign an SSH key", body)
        key = calls.secret(answer.data.get("private_key"), "the private key")
        signed = str(answer.data.get("signed_key", "")).strip()
        ends = _end_of(signed, calls.target)
        return Material(
            key,
            {"private_key": key},
            {"signed_key": signed, "serial_number": str(answer.data.get("serial_number", ""))},
            lives=max(1.0, (ends - calls.clock()).total_seconds()),
            sent=answer.sent,
            outlives=ends,
        )

    def _path(self, source: TargetSource) -> str:
        return f"{mount_of(source, self.name)}/issue/{name_of(source)}"


def _end_of(signed: str, target: str) -> datetime:
    """Read ``valid before`` (PROTOCOL.certkeys of OpenSSH) from the certificate itself."""
    try:
        certificate = load_ssh_public_identity(signed.encode())
    except ValueError as error:
        raise vault_errors.bad_answer(Doing(f"sign an SSH key of target {target!r}", "")) from error
    if not isinstance(certificate, SSHCertificate):
        raise vault_errors.bad_answer(Doing(f"sign an SSH key of target {target!r}", ""))
    return datetime.fromtimestamp(certificate.valid_before, timezone.utc)
