"""Copies of notebooks that were made to be given away: who, when, which bytes. Never what was found."""

from __future__ import annotations

import secrets
from typing import Any

from ..core.model import Principal
from .audit import Audit


class Shares:
    """Writes each share to the ledger; the ledger is the record."""

    def __init__(self, audit: Audit, principal: Principal) -> None:
        self._audit = audit
        self._principal = principal

    def record(self, share: dict[str, Any]) -> dict[str, Any]:
        """Record a share; return its id and its position in the ledger.

        Args:
            share: Digest and size of the copy, what was kept and removed, and the paths. A path may
                name a person, so the ledger holds an HMAC that can be checked against it.
        """
        who, share_id = self._principal, secrets.token_hex(16)
        about = {key: value for key, value in share.items() if key not in {"path", "source"}}
        index = self._audit.record(
            "notebook.shared",
            who,
            share=share_id,
            path_hmac=self._audit.reason_hmac(who, share["path"]),
            source_hmac=self._audit.reason_hmac(who, share["source"]),
            **about,
        )
        return {"share_id": share_id, "ledger_index": index}
