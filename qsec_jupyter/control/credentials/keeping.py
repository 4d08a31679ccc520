"""Puts a value where a target keeps it: into the Vault's kv mount, or into the embedded store.

Used by people at a terminal (``qsec rotate``, ``qsec import``), never by a kernel. In a Vault it is
written with the person's own token, so the Vault's policy and audit log see the person.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ...core.errors import Invalid, QsecError
from ...core.secret import Secret
from .broker import TargetSource
from .engines import described, key_type, mount_of, name_of
from .keystore import KeyStore
from .naming import Mounts
from .sealed import Content, SealedFile, part_name
from .signers import new_seed
from .vault import VaultAdapter
from .vault_errors import Doing

KEPT = ("kv-v2", "ibm-iam")
"""Engines whose value is one that somebody puts there."""


class Keeping(Protocol):
    """Where values are put."""

    @property
    def where(self) -> str:
        """Say where, in words."""
        ...

    def put(self, target: str, source: TargetSource, values: Mapping[str, Secret]) -> None:
        """Replace a target's value; ``values`` by field name, those that are not named stay.

        Raises:
            Invalid: ``rotate.not_kept`` for a target whose engine makes its values itself.
            QsecError: The store does not answer or refuses.
        """
        ...

    def rotate_key(self, target: str, source: TargetSource) -> None:
        """Make a new version of a key that never leaves its store.

        Raises:
            QsecError: The store does not answer, refuses, or cannot do it.
        """
        ...


class VaultKeeping:
    """Puts values into a Vault with a person's token.

    Args:
        adapter: The Vault.
        token: The person's; kept only as long as this object.
        mounts: Names of our mounts.
    """

    def __init__(self, adapter: VaultAdapter, token: Secret, mounts: Mounts) -> None:
        self._adapter = adapter
        self._token = token
        self._mounts = mounts

    @property
    def where(self) -> str:
        """Name the Vault."""
        return f"the Vault at {self._adapter.endpoint.address}"

    def put(self, target: str, source: TargetSource, values: Mapping[str, Secret]) -> None:
        """Write a new version; the one before stays in the Vault's history until it is destroyed there."""
        check_kept(target, source)
        path = f"{mount_of(source, self._mounts.kv)}/data/{name_of(source)}"
        doing = Doing(f"keep a new value for {target!r}", "your own token's policies")
        old = self._old(path, doing)
        body = {
            "data": {**old[0], **{name: value.reveal() for name, value in values.items()}},
            "options": {"cas": old[1]},  # somebody else's write in between is not lost
        }
        self._adapter.call("POST", path, doing=doing, token=self._token, body=body)

    def rotate_key(self, target: str, source: TargetSource) -> None:
        """Make a new version of the transit key; older signatures stay verifiable."""
        path = f"{mount_of(source, self._mounts.transit)}/keys/{name_of(source)}/rotate"
        doing = Doing(f"rotate the key of {target!r}", "your own token's policies")
        self._adapter.call("POST", path, doing=doing, token=self._token, body={})

    def _old(self, path: str, doing: Doing) -> tuple[dict[str, object], int]:
        try:
            data = self._adapter.call("GET", path, doing=doing, token=self._token).data
        except QsecError as error:
            if error.kind == "not_found":
                return {}, 0
            raise
        values, metadata = data.get("data"), data.get("metadata")
        version = metadata.get("version", 0) if isinstance(metadata, dict) else 0
        return (values if isinstance(values, dict) else {}), int(version)


class SealedKeeping:
    """Puts values into the embedded store.

    Args:
        home: The state folder.
        keys: Where the store's key lies.
    """

    def __init__(self, home: Path, keys: KeyStore) -> None:
        self._file = SealedFile(home, keys)

    @property
    def where(self) -> str:
        """Name the store."""
        return "the embedded sealed store"

    def put(self, target: str, source: TargetSource, values: Mapping[str, Secret]) -> None:
        """Write the store anew; the value before is gone from it."""
        check_kept(target, source)
        named = {
            part_name(target, "" if name == source.field else name): value for name, value in values.items()
        }
        named |= {part_name(target, name): value for name, value in values.items() if name in source.fields}

        def changed(old: Content | None) -> Content:
            content = old or Content(new_seed(), {})
            new = {name: value.reveal() for name, value in named.items()}
            return Content(content.signing_key, {**content.secrets, **new})

        self._file.change(changed)

    def rotate_key(self, target: str, source: TargetSource) -> None:
        """Refuse: this store keeps one version, so that older signatures could not be verified any more."""
        raise Invalid(
            "rotate.needs_vault",
            "The embedded store cannot rotate a key",
            f"{key_type(source)} key of {target!r}: it keeps no versions.",
            "Use a Vault or OpenBao.",
        )


def check_kept(target: str, source: TargetSource) -> None:
    """Refuse a target whose engine makes its values itself.

    Raises:
        Invalid: ``rotate.not_kept``.
    """
    if source.engine not in KEPT:
        raise Invalid(
            "rotate.not_kept",
            "No value is kept for this target",
            f"{target!r} is of engine {source.engine}, which makes a new one for each grant. "
            f"{described(source).revocability}",
            "End its grants: the next ones get new credentials.",
        )
