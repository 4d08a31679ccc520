"""Made-up values, so that a first run needs no real account."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping

from ...core.errors import NotFound, QsecError
from ...core.secret import Secret
from .broker import TargetSource
from .naming import Mounts
from .vault import VaultAdapter, path_segments
from .vault_errors import Doing

_LIMIT = 5.0  # a new kv mount is ready within a second or so
_SEEDING = Doing("keep a made-up secret", "the token's policies (an administrator is needed)")


def made_up_token() -> str:
    """Return 44 random characters in the form of an IBM Quantum API token; it opens nothing.

    The form is IBM Cloud's for API keys: 44 characters of the URL-safe base64 alphabet.
    """
    return secrets.token_urlsafe(33)  # 33 bytes are exactly 44 characters, without padding


def seed(
    adapter: VaultAdapter, token: Secret, mounts: Mounts, targets: Mapping[str, TargetSource]
) -> list[str]:
    """Give each target that has no secret a made-up one; returns which ones. Never replaces any."""
    made = []
    for name, source in sorted(targets.items()):
        if source.engine != "kv-v2":
            continue  # made by its engine, not kept
        path = f"{mounts.kv}/data/{'/'.join(path_segments(source.path))}"
        # `cas` 0 lets the Vault itself refuse when there is a version already, also a deleted one.
        body = {"data": {source.field: made_up_token()}, "options": {"cas": 0}}
        if not _there(adapter, token, path):
            _put(adapter, token, path, body)
            made.append(name)
    return made


def _there(adapter: VaultAdapter, token: Secret, path: str) -> bool:
    metadata = path.replace("/data/", "/metadata/", 1)
    try:
        adapter.call("GET", metadata, doing=_SEEDING, token=token)
    except NotFound:
        return False
    except QsecError as error:
        if error.code != "vault.refused":  # not ready yet, see _put
            raise
        return False
    return True


def _put(adapter: VaultAdapter, token: Secret, path: str, body: Mapping[str, object]) -> None:
    deadline = time.monotonic() + _LIMIT
    while True:
        try:
            adapter.call("POST", path, doing=_SEEDING, token=token, body=body)
            return
        except QsecError as error:
            # A new kv version 2 mount answers 400 until it has prepared itself.
            if error.code != "vault.refused" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
