"""transit, tier *operate*: the key stays in the store, which signs and encrypts for whoever holds a grant."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import ClassVar

from ....core.errors import Invalid
from .. import vault_errors
from ..broker import Operation, TargetSource
from ..naming import EVIDENCE_KEY, TRANSIT_KEY, Mounts
from ..vault_errors import Doing
from .engine import Capability, SessionCalls, mount_of, name_of

_ANSWER: dict[Operation, str] = {
    "sign": "signature",
    "verify": "valid",
    "encrypt": "ciphertext",
    "decrypt": "plaintext",
}


class Transit:
    """Uses one named key; ending the session ends all use at once, for nothing was ever handed out."""

    name: ClassVar[str] = "transit"
    mount_type: str | None = "transit"
    revocability: ClassVar[str] = "Ending the session ends every use at once: the key never left the store."

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Use this one key; what the catalogue lists under ``fields``, all four when nothing."""
        mount, key = mount_of(source, mounts.transit), name_of(source)
        if key in (TRANSIT_KEY, EVIDENCE_KEY):
            raise Invalid(
                "catalog.reserved_key",
                "A target cannot use a key of the record itself",
                f"{key} signs or wraps the record.",
                "Name another transit key in catalog.toml.",
            )
        return {f"{mount}/{operation}/{key}": "update" for operation in operations_of(source)}

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return how to make the key."""
        return f"vault write -f {mount_of(source, mounts.transit)}/keys/{source.path} type=ed25519"

    def operate(
        self, calls: SessionCalls, source: TargetSource, operation: Operation, data: bytes, signature: str
    ) -> str:
        """Do it; encrypting and signing answer in the store's own text form (``vault:v1:…``)."""
        check_offered(source, operation)
        path = f"{mount_of(source, calls.mounts.transit)}/{operation}/{name_of(source)}"
        answer = calls.call("POST", path, f"{operation} with the key", _body(operation, data, signature))
        got = answer.data.get(_ANSWER[operation])
        if not isinstance(got, (str, bool)) or got == "":
            raise vault_errors.bad_answer(Doing(f"{operation} for target {calls.target!r}", ""))
        return str(got).lower() if isinstance(got, bool) else got


def key_type(source: TargetSource) -> str:
    """Return the type of key that can do what a source offers."""
    offered = set(operations_of(source))
    if not offered & {"encrypt", "decrypt"}:
        return "ed25519"
    return "rsa-3072" if offered & {"sign", "verify"} else "aes256-gcm96"


def check_offered(source: TargetSource, operation: Operation) -> None:
    """Refuse what a source does not let its grants do.

    Raises:
        Invalid: ``operation.not_offered``.
    """
    if operation not in operations_of(source):
        raise Invalid(
            "operation.not_offered",
            "The target does not offer this",
            f"It offers {', '.join(operations_of(source))}.",
            "Ask for another target, or have it added to catalog.toml.",
        )


def operations_of(source: TargetSource) -> tuple[Operation, ...]:
    """Return what a source lets its grants do."""
    every: tuple[Operation, ...] = ("sign", "verify", "encrypt", "decrypt")
    return tuple(one for one in every if not source.fields or one in source.fields)


def _body(operation: Operation, data: bytes, signature: str) -> dict[str, str]:
    text = base64.b64encode(data).decode()
    if operation == "verify":
        return {"input": text, "signature": signature}
    if operation == "decrypt":
        return {"ciphertext": data.decode("ascii", "replace")}
    return {"input" if operation == "sign" else "plaintext": text}
