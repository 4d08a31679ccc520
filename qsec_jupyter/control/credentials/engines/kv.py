"""kv version 2: a value that somebody put there. No lease; it ends when it is replaced at its provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..broker import TargetSource
from ..naming import Mounts
from .engine import Capability, Material, SessionCalls, missing, mount_of, name_of


class KeyValue:
    """Reads one field, or several, of a secret; read anew at each use, so a rotation arrives at once."""

    name: ClassVar[str] = "kv-v2"
    mount_type: str | None = None  # ours, made with the other two
    reads_anew: ClassVar[bool] = True
    revocability: ClassVar[str] = (
        "Ending the session stops further reads; a copied value stays good until it is replaced at its "
        "provider (`qsec rotate`)."
    )

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Read the secret, and the names of its fields without their values."""
        mount, path = mount_of(source, mounts.kv), name_of(source)
        return {f"{mount}/data/{path}": "read", f"{mount}/subkeys/{path}": "read"}

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return how to put the secret there."""
        wanted = " ".join(f"{name}=-" for name in source.fields or (source.field,))
        return f"vault kv put -mount={mount_of(source, mounts.kv)} {source.path} {wanted}"

    def issue(self, calls: SessionCalls, source: TargetSource) -> Material:
        """Read it."""
        mount, path = mount_of(source, calls.mounts.kv), name_of(source)
        answer = calls.call("GET", f"{mount}/data/{path}", "read the secret")
        values = answer.data.get("data")
        where = f"{mount}/{path} with a text field {source.field!r}"
        found = values if isinstance(values, dict) else {}
        for name in (source.field, *source.fields):
            if not isinstance(found.get(name), str) or not found[name]:
                raise missing(calls.target, where, calls.advice)
        fields = {name: calls.secret(found[name], where) for name in source.fields}
        return Material(calls.secret(found[source.field], where), fields, sent=answer.sent)
