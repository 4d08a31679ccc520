"""Lets workloads in: a proof of who they are becomes a short-lived bearer, or a recorded refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ...core.errors import Denied
from ...core.secret import Secret
from ..audit import Audit
from ..policy.live import LivePolicy
from .keys import Keys
from .replay import UsedAssertions
from .tokens import Token, Tokens
from .workloads import Verifier


class Admission:
    """The way in for the workloads of the catalogue.

    Args:
        used: Remembers which proofs were used.
        server_id: The server that their bearers belong to.
        clock: Gives the time.
    """

    def __init__(
        self,
        *,
        policy: LivePolicy,
        tokens: Tokens,
        audit: Audit,
        used: UsedAssertions,
        server_id: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._policy = policy
        self._tokens = tokens
        self._audit = audit
        self._keys = Keys()
        self._used = used
        self._server_id = server_id
        self._clock = clock

    def admit(self, assertion: str) -> tuple[Token, Secret]:
        """Return a bearer for a workload that proves who it is; a refusal is recorded.

        Raises:
            Denied: ``workload.*``.
        """
        workloads = self._policy.catalogue.workloads
        try:
            verified = Verifier(workloads, self._keys, self._used, self._clock).verify(assertion)
        except Denied as error:
            self._audit.record("request.refused", None, rule=error.code, action="log_in")
            raise
        return self._tokens.admit(verified, self._server_id)
