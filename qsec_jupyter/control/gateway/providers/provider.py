"""What a provider's module says and does; ``docs/developers/providers.md`` shows how to write one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ....core.errors import QsecError
from ...credentials.broker import Issued
from ..answers import Answer
from ..jobs.account import Account
from ..keys import Key
from ..request import Outgoing, Request
from ..routes import Table
from ..settings import GatewaySettings


class Provider(Protocol):
    """One provider's dialect. Stateless; one instance serves every target."""

    name: str
    addresses: Mapping[str, str]
    """Its apis, and where each of them usually is."""
    table: Table
    """All that may be called."""

    def token(self, request: Request, body: bytes | None) -> str | None:
        """Return the gateway token that a client sent, from where its dialect carries it.

        Args:
            request: The request.
            body: Its body, for an exchange of tokens (operation ``token``); such a body is small.
        """
        ...

    def key(self, issued: Issued, settings: GatewaySettings) -> Key:
        """Return what requests are authorised with, from what the broker issued. May block.

        Raises:
            QsecError: When the provider does not take the credential.
        """
        ...

    def headers(
        self, request: Request, outgoing: Outgoing, key: Key, settings: GatewaySettings
    ) -> dict[str, str]:
        """Return all headers of what goes to the provider: the few that are passed on, and the authority."""
        ...

    def tagged(self, body: bytes, tag: str) -> bytes:
        """Return a submission with one more label, by which the provider finds the job again."""
        ...

    def job_id(self, body: bytes) -> str | None:
        """Return the job's id from the answer to a submission; ``None`` when there is none."""
        ...

    def accepted(self, job_id: str) -> Answer:
        """Return the answer to a submission of which only the job's id is known."""
        ...

    def session_id(self, body: bytes) -> str | None:
        """Return a session's id from the answer that opened it; ``None`` when there is none."""
        ...

    def refusal(self, error: QsecError, trace: str, *, once: bool) -> Answer:
        """Return a refusal in the provider's own form, so that its client shows code, title and remedy.

        Args:
            error: What is refused, and why.
            trace: Names this answer in the log.
            once: It must not be sent again; some clients do so by themselves after some statuses.
        """
        ...

    def account(self, settings: GatewaySettings, key: Key) -> ProviderAccount:
        """Return the account, for the control plane's own look-ups and endings."""
        ...


class ProviderAccount(Account, Protocol):
    """An account that is let go of after use."""

    def close(self) -> None:
        """Let go of connections and credential."""
        ...
