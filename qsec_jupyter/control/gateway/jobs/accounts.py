"""The control plane's own way to a provider: a credential for housekeeping, as long as one block lasts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from ....core.errors import Unavailable
from ...credentials.broker import Issued, IssueRequest
from ...sessions import Sessions
from .account import Account

SUBJECT = "qsec-gateway"
"""Whom the store of credentials sees: the gateway itself, and nobody's groups."""

_LIFE = timedelta(minutes=5)

Speak = Callable[[str, Issued], AbstractContextManager[Account]]
"""Makes the account of a target from a credential.

Raises:
    Unavailable: ``gateway.no_account`` for a target without a provider's module.
"""


def no_account(target: str, _: Issued) -> AbstractContextManager[Account]:
    """Refuse, for a target whose provider has no module.

    Raises:
        Unavailable: ``gateway.no_account``.
    """
    raise Unavailable(
        "gateway.no_account",
        "The gateway cannot ask that target's provider",
        f"{target} has no provider's module.",
        "Give it a gateway in catalog.toml.",
    )


class Accounts:
    """Opens accounts. Thread-safe.

    Args:
        sessions: Issue and end credentials.
        speak: Makes an account of a credential, by the provider's module.
        server_id: Whose control plane this is.
    """

    def __init__(
        self, sessions: Sessions, speak: Speak, server_id: str, clock: Callable[[], datetime]
    ) -> None:
        self._sessions = sessions
        self._speak = speak
        self._server_id = server_id
        self._clock = clock

    @contextmanager
    def open(self, target: str) -> Iterator[Account]:
        """Open the account behind a target, with a session of its own that ends with the block.

        Raises:
            Unavailable: The store gives no credential, or the target has no account.
        """
        name = f"gateway-{secrets.token_hex(8)}"
        request = IssueRequest(
            grant_id=name,
            target=target,
            subject=SUBJECT,
            groups=(),
            server_id=self._server_id,
            kernel_id="gateway",
            request_id=secrets.token_hex(16),
            expires_at=self._clock() + _LIFE,
        )
        with self._sessions.held(name), self._speak(target, self._sessions.issue(request)) as account:
            yield account
