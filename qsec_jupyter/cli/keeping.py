"""What ``qsec rotate`` and ``qsec import`` share: a target, and the store to put a value into."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.errors import NotFound, Unavailable
from ..core.paths import home

if TYPE_CHECKING:  # the command's help must not need the control extra
    from ..control.credentials.broker import TargetSource
    from ..control.credentials.keeping import Keeping


def source_of(target: str) -> TargetSource:
    """Return where a target of the catalogue keeps its value.

    Raises:
        NotFound: ``target.unknown``.
    """
    from ..control.catalog import load_catalog

    catalogue = load_catalog(home())
    if target not in catalogue.sources:
        raise NotFound(
            "target.unknown",
            "There is no such target",
            f"Known targets: {', '.join(sorted(catalogue.sources))}.",
            "Choose one of them, or add it to catalog.toml.",
        )
    return catalogue.sources[target]


@contextmanager
def opened() -> Iterator[Keeping]:
    """Open the store that control planes here use, as a person.

    Raises:
        Unavailable: ``rotate.dev_server`` when that is a dev server, which forgets.
    """
    from ..control.credentials.choose import choose
    from ..control.credentials.keeping import SealedKeeping, VaultKeeping
    from ..control.credentials.keystore import KeyStore, real_keyring
    from ..control.credentials.naming import Mounts
    from ..control.credentials.vault import Endpoint, VaultAdapter
    from .setup import administrator_token

    choice = choose(os.environ)
    if choice.kind == "embedded":
        yield SealedKeeping(home(), KeyStore(home(), real_keyring()))
        return
    if choice.kind == "dev":
        raise Unavailable(
            "rotate.dev_server",
            "The dev server forgets what it is given",
            f"{choice.binary} is on PATH, so each control plane starts a server of its own, in memory.",
            "Set VAULT_ADDR to a Vault that lasts, or take the program off PATH to use the sealed store.",
        )
    adapter = VaultAdapter(Endpoint.from_environ(os.environ))
    try:
        yield VaultKeeping(adapter, administrator_token(os.environ), Mounts.from_environ(os.environ))
    finally:
        adapter.close()
