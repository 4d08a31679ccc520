"""The broker's own token in a Vault: got by an assertion, renewed in time, never stored.

It is renewed when it is used after two thirds of its life, so no thread of ours has to run; an
idle broker lets it die and logs in again at the next use.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from ...core.errors import Denied, QsecError, Unavailable
from ...core.secret import Secret
from . import vault_errors
from .identity import BrokerIdentity
from .naming import BROKER_ROLE, Mounts
from .patience import patiently
from .starts import Start
from .vault import Answer, VaultAdapter
from .vault_errors import Doing

_RENEW = Doing("renew the broker's token", f"policy {BROKER_ROLE}")
_QUIET = 30.0
"""Seconds within which a second refusal is taken as the policy's word and not as a dead token."""

T = TypeVar("T")


def log_in(adapter: VaultAdapter, mounts: Mounts, role: str, assertion: Secret) -> Answer:
    """Log in at the jwt auth mount.

    Raises:
        Unavailable: ``vault.not_set_up`` when mount, role or trust in our key is missing,
            ``vault.clock_skew`` when the clocks differ, else as :meth:`.VaultAdapter.call`.
    """
    doing = Doing(f"log in as {role}", f"role {role}")
    body = {"role": role, "jwt": assertion.reveal()}
    try:
        answer = adapter.call("POST", f"auth/{mounts.auth}/login", doing=doing, body=body)
    except QsecError as error:
        if error.code not in ("vault.refused", "vault.forbidden", "vault.not_found"):
            raise
        raise refused_login(adapter, mounts, role) from error
    if not answer.auth.get("client_token") or not answer.auth.get("accessor"):
        raise vault_errors.bad_answer(doing)
    return answer


def refused_login(adapter: VaultAdapter, mounts: Mounts, role: str) -> QsecError:
    """Say why a login was refused: the clocks, when they differ, else what is not set up."""
    skew = clock_skew(adapter)
    if skew is not None and abs(skew) > 5:
        return Unavailable(
            "vault.clock_skew",
            "The Vault's clock and this machine's differ",
            f"By about {abs(skew):.0f} s; an assertion that lives 60 s is then refused.",
            "Switch on time synchronisation (NTP) on both machines.",
        )
    return vault_errors.not_set_up(
        f"It does not let {role} in: the auth mount {mounts.auth!r}, that role, or trust in this "
        "machine's key is missing there."
    )


def clock_skew(adapter: VaultAdapter) -> float | None:
    """Return the Vault's time minus ours in seconds (to about one), ``None`` when it does not say."""
    try:
        answer = adapter.call("GET", "sys/health", doing=Doing("say its time", ""), query=HEALTH_QUERY)
    except QsecError:
        return None
    there = answer.body.get("server_time_utc")
    return there - time.time() if isinstance(there, int) else None


HEALTH_QUERY = {"standbyok": "true", "perfstandbyok": "true"}
"""Lets a standby answer 200 too, so that its body can be read."""


class BrokerToken:
    """Holds the token and hands it to calls. Thread-safe; logs in once however many wait."""

    def __init__(
        self,
        adapter: VaultAdapter,
        mounts: Mounts,
        identity: BrokerIdentity,
        monotonic: Callable[[], float] = time.monotonic,
        start: Start | None = None,
    ) -> None:
        self._start = start
        self._adapter = adapter
        self._mounts = mounts
        self._identity = identity
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._since = 0.0
        self._renew_at = 0.0
        self._ends_at = 0.0
        self._closed = False

    def run(self, call: Callable[[Secret], T]) -> T:
        """Make a call with the token; after a refusal log in once more and repeat it once.

        Only calls that may be repeated belong here: nothing that issues. So one that a failover or an
        overload broke is repeated a few times, with growing waits.
        """
        token = self._current()
        try:
            return patiently(lambda: call(token))
        except Denied as error:
            if error.code not in ("vault.token_rejected", "vault.forbidden") or not self._drop(token):
                raise
        token = self._current()
        return patiently(lambda: call(token))

    def close(self, give_back: bool) -> None:
        """Forget the token for good; ``give_back`` ends it in the Vault, too, when that answers."""
        with self._lock:
            token, self._token = self._token, None
            self._closed = True
        if token is not None and give_back:
            doing = Doing("end the broker's token", f"policy {BROKER_ROLE}")
            try:
                self._adapter.call("POST", "auth/token/revoke-self", doing=doing, token=token)
            except QsecError:
                return  # it dies by itself within its period; nothing else hangs on it

    def _current(self) -> Secret:
        with self._lock:
            now = self._monotonic()
            if self._token is None or now >= self._ends_at:
                return self._logged_in()
            if now >= self._renew_at:
                self._renew(self._token)
            return self._token or self._logged_in()

    def _logged_in(self) -> Secret:
        if self._closed:
            raise vault_errors.closed()
        answer = (
            self._start(self._adapter)
            if self._start
            else log_in(self._adapter, self._mounts, BROKER_ROLE, self._identity.for_broker())
        )
        self._token = Secret(str(answer.auth["client_token"]), "vault token")
        self._since = self._monotonic()
        self._note_life(answer)
        return self._token

    def _renew(self, token: Secret) -> None:
        try:
            self._note_life(
                self._adapter.call("POST", "auth/token/renew-self", doing=_RENEW, token=token, body={})
            )
        except Denied:
            self._token = None  # it was revoked or its role is gone: log in anew
        except QsecError:
            self._renew_at = self._monotonic() + _QUIET  # it is still good; try again later

    def _note_life(self, answer: Answer) -> None:
        life = float(answer.auth.get("lease_duration") or 0)
        # Lifetimes count from the moment of sending: what the way took is taken off, never added.
        self._ends_at = answer.sent + life
        # Jitter keeps the brokers of a site from renewing all at once after an outage.
        self._renew_at = answer.sent + life * 2 / 3 * random.uniform(0.9, 1.0)  # noqa: S311  # no secret

    def _drop(self, token: Secret) -> bool:
        """Forget a refused token; ``False`` when it is so fresh that the policy must be the cause."""
        with self._lock:
            if self._token is token:
                if self._monotonic() - self._since < _QUIET:
                    return False
                self._token = None
            return True
