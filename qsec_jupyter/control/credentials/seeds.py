"""What a new store keeps at first: made-up values, so that a first run needs no real account, or a file's."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from ...core.errors import NotFound, QsecError, Unavailable
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


def first_value(source: TargetSource) -> str:
    """Return what a target holds at first: the first line of its seed file, else a made-up token.

    Raises:
        Unavailable: ``seed.file`` when the file is not there, empty, or readable by others.
    """
    if not source.seed_file:
        return made_up_token()
    try:
        file = Path(source.seed_file)
        open_to_others = file.stat().st_mode & 0o077
        lines = file.read_text(encoding="utf-8").split()
    except (OSError, ValueError):
        open_to_others, lines = 0, []
    if open_to_others or not lines:
        raise Unavailable(
            "seed.file",
            "A target's first value cannot be read",
            "Its seed_file is readable by others."
            if open_to_others
            else "Its seed_file is missing or empty.",
            "Give the file the mode 0600 and one line.",
        )
    return lines[0]


def seed(
    adapter: VaultAdapter, token: Secret, mounts: Mounts, targets: Mapping[str, TargetSource]
) -> list[str]:
    """Give each target that has no secret its first one; returns which ones. Never replaces any."""
    made = []
    for name, source in sorted(targets.items()):
        if source.engine != "kv-v2":
            continue  # made by its engine, not kept
        path = f"{mounts.kv}/data/{'/'.join(path_segments(source.path))}"
        # `cas` 0 lets the Vault itself refuse when there is a version already, also a deleted one.
        body = {"data": {source.field: first_value(source)}, "options": {"cas": 0}}
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
