"""Engines that make a credential at each read and end it with its lease: databases, AWS, plug-ins alike.

``GET <mount>/creds/<role>`` is one call for all of them (Vault's API, "Generate credentials"); they
differ in what the parts are called, which of them are secret and what the end of a lease does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from ..broker import TargetSource
from ..naming import Mounts
from ..vault import Answer
from .engine import Capability, Material, SessionCalls, mount_of, name_of


class Leased:
    """Makes a credential of a role and hangs it on the session.

    Attributes:
        verb: The part of the path between mount and role.
        secret: The parts that are secret; the first is the value when the catalogue names none.
        public: The parts that are not.
        outlives: Whether a copy works on until its own end although its lease was revoked.
    """

    name: ClassVar[str]
    mount_type: str | None
    revocability: ClassVar[str]
    reads_anew: ClassVar[bool] = False
    verb: ClassVar[str] = "creds"
    secret: ClassVar[tuple[str, ...]] = ("password",)
    public: ClassVar[tuple[str, ...]] = ("username",)
    outlives: ClassVar[bool] = False

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Make a credential of this one role."""
        return {self._path(source): "read"}

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return how to make the role."""
        return f"vault write {mount_of(source, self.name)}/roles/{source.path} ..."

    def issue(self, calls: SessionCalls, source: TargetSource) -> Material:
        """Make one; the answer's lease is the caller's to remember."""
        answer = calls.call("GET", self._path(source), "make a credential")
        return self._material(calls, source, answer)

    def _material(self, calls: SessionCalls, source: TargetSource, answer: Answer) -> Material:
        data: dict[str, Any] = answer.data
        fields = {name: calls.secret(data[name], name) for name in self.secret if data.get(name)}
        value = calls.secret(data.get(source.field or self.secret[0]), self._path(source))
        life = float(answer.body.get("lease_duration") or 0)
        return Material(
            value,
            fields,
            {name: str(data[name]) for name in self.public if data.get(name)},
            str(answer.body.get("lease_id") or "") or None,
            bool(answer.body.get("renewable")),
            life or None,
            answer.sent,
            calls.clock() + timedelta(seconds=life) if self.outlives else None,
        )

    def _path(self, source: TargetSource) -> str:
        return f"{mount_of(source, self.name)}/{self.verb}/{name_of(source)}"


class Database(Leased):
    """A user of a database, made for one grant."""

    name: ClassVar[str] = "database"
    mount_type: str | None = "database"
    revocability: ClassVar[str] = (
        "Ending the session drops the user in the database; an open connection may stay until it closes."
    )


class Aws(Leased):
    """Temporary credentials of AWS STS (an assumed role or a federation token)."""

    name: ClassVar[str] = "aws"
    mount_type: str | None = "aws"
    verb: ClassVar[str] = "sts"
    secret: ClassVar[tuple[str, ...]] = ("secret_key", "security_token")
    public: ClassVar[tuple[str, ...]] = ("access_key", "arn")
    outlives: ClassVar[bool] = True
    revocability: ClassVar[str] = (
        "AWS cannot call temporary credentials back: a copy works until its own end, whatever ends here."
    )


class IbmCloudKey(Leased):
    """A service id's API key of IBM Cloud, by IBM's plug-in for Vault."""

    name: ClassVar[str] = "ibmcloud"
    mount_type: str | None = "ibmcloud"
    secret: ClassVar[tuple[str, ...]] = ("api_key",)
    public: ClassVar[tuple[str, ...]] = ()
    revocability: ClassVar[str] = (
        "Ending the session deletes the API key; a bearer that was made from it works on for up to an hour."
    )
