"""What goes wrong with a Vault, each said once: code, title, detail, remedy.

Upstream text is looked at to tell two causes of one status apart; it is never repeated, because
it may quote what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...core.errors import Denied, NotFound, QsecError, Unavailable

UNKNOWN_OUTCOME = frozenset({"vault.timeout", "vault.interrupted", "vault.bad_answer"})
"""Codes after which the Vault may or may not have done what it was asked."""

NOT_DONE = frozenset({"vault.unreachable", "vault.standby", "vault.sealed"})
"""Codes after which a call was surely not done, so that another node of the cluster may be asked at once."""

SETUP = "Run `qsec setup vault --plan`, then `--apply` with an administrator's token."


@dataclass(frozen=True, slots=True)
class Doing:
    """What a call is for, in words for its errors.

    Attributes:
        what: Completes "The Vault refused to …".
        policy: The policy or role that should allow it.
    """

    what: str
    policy: str


def closed() -> QsecError:
    """The broker was closed; only a call that was under way meanwhile sees this."""
    return Unavailable(
        "vault.closed",
        "The control plane is stopping",
        "Its way to the Vault is closed already.",
        "Try again when it has started anew.",
    )


def unreachable(address: str) -> QsecError:
    """Nothing listens there, or the name does not resolve."""
    return Unavailable(
        "vault.unreachable",
        "The Vault cannot be reached",
        f"No connection to {address} within the time limit.",
        "Check that it runs and that VAULT_ADDR names it. Credentials that were issued keep working.",
    )


def untrusted(address: str) -> QsecError:
    """TLS failed."""
    return Unavailable(
        "vault.untrusted",
        "The Vault's certificate is not trusted",
        f"TLS with {address} failed.",
        "Set VAULT_CACERT to the PEM file of the authority that signed the Vault's certificate.",
    )


def timed_out(doing: Doing, seconds: float) -> QsecError:
    """No complete answer in time; the outcome is unknown."""
    return Unavailable(
        "vault.timeout",
        "The Vault is too slow",
        f"It did not {doing.what} within {seconds:g} s; whether it was done is unknown.",
        "Try again; if it stays slow, ask the Vault's operators. Credentials that were issued keep working.",
    )


def interrupted(doing: Doing) -> QsecError:
    """The connection broke after the request was sent."""
    return Unavailable(
        "vault.interrupted",
        "The Vault broke off the connection",
        f"It was asked to {doing.what}; whether it was done is unknown.",
        "Try again; if it happens often, look at the Vault's and its load balancer's logs.",
    )


def bad_answer(doing: Doing) -> QsecError:
    """The answer is cut off or is no JSON object."""
    return Unavailable(
        "vault.bad_answer",
        "The Vault's answer is damaged",
        f"It was asked to {doing.what}; what came back is incomplete or not Vault's JSON.",
        "Check that VAULT_ADDR names a Vault and not another server, then try again.",
    )


def not_set_up(what: str) -> QsecError:
    """A mount, role or key of ours is missing."""
    return Unavailable("vault.not_set_up", "The Vault is not set up for qsec", what, SETUP)


def token_rejected(doing: Doing) -> QsecError:
    """The token itself is unknown, expired or revoked."""
    return Denied(
        "vault.token_rejected",
        "The Vault does not accept the token",
        f"The token used to {doing.what} is wrong, expired or revoked.",
        "For `qsec setup vault`: log in anew (`vault login`). Else the program logs in again by itself.",
    )


def forbidden(doing: Doing) -> QsecError:
    """The token is good, its policies are too narrow."""
    return Denied(
        "vault.forbidden",
        "The Vault's policy forbids this",
        f"The Vault refused to {doing.what}.",
        f"Compare {doing.policy} with what is shipped: `qsec setup vault --plan` shows the difference.",
    )


def standby(status: int) -> QsecError:
    """A redirect, or one of the statuses by which a node says that another one is active."""
    return Unavailable(
        "vault.standby",
        "This Vault node is not the active one",
        f"It answered with status {status}; a redirect would carry the token away and is not followed.",
        "Let VAULT_ADDR name the active node or a load balancer in front of the cluster.",
    )


def not_found(doing: Doing) -> QsecError:
    """Nothing at that path."""
    detail = f"Nothing was found when asked to {doing.what}."
    return NotFound("vault.not_found", "The Vault has nothing there", detail, SETUP)


def no_such_accessor(doing: Doing) -> QsecError:
    """The session that an accessor names is not there (any more)."""
    detail = f"No session of that accessor was found when asked to {doing.what}."
    return NotFound("vault.no_such_accessor", "The session is gone", detail)


def no_such_lease(doing: Doing) -> QsecError:
    """The lease is not there (any more)."""
    return NotFound("vault.no_such_lease", "The lease is gone", f"No such lease when asked to {doing.what}.")


class Busy(Unavailable):
    """A rate limit, and after how many seconds to come back."""

    seconds: float = 1.0


def busy(wait: str) -> QsecError:
    """A rate limit; ``wait`` is the Retry-After header."""
    asked = f" It asks to wait {wait} s." if wait.isdigit() else ""
    error = Busy(
        "vault.busy",
        "The Vault refuses more calls for now",
        f"A rate limit was reached.{asked}",
        "Wait and try again; ask the Vault's operators for a higher quota if it happens often.",
    )
    error.seconds = float(wait) if wait.isdigit() else 1.0
    return error


def sealed() -> QsecError:
    """The Vault's key is not in its memory."""
    return Unavailable(
        "vault.sealed",
        "The Vault is sealed",
        "It answers, and gives nothing until its operators unseal it.",
        "Ask its operators to unseal it. Credentials that were issued keep working.",
    )


def refused(doing: Doing) -> QsecError:
    """The Vault finds the request wrong: a role, mount or claim is not what we expect."""
    detail = f"It answered with status 400 when asked to {doing.what}."
    return Unavailable("vault.refused", "The Vault does not take the request", detail, SETUP)


def failed(status: int, doing: Doing) -> QsecError:
    """Any other status."""
    return Unavailable(
        "vault.failed",
        "The Vault failed",
        f"It answered with status {status} when asked to {doing.what}.",
        "Look at the Vault's own log. Credentials that were issued keep working.",
    )


_TOLD_APART = (
    ((400, 403, 404), "invalid accessor", no_such_accessor),
    ((400, 404), "invalid lease", no_such_lease),
    ((403,), "invalid token", token_rejected),
)
"""Causes that share a status, by words of Vault and OpenBao."""


def from_status(status: int, headers: Mapping[str, str], text: str, doing: Doing) -> QsecError:
    """Return the error for an HTTP status that is not a success."""
    if 300 <= status < 400 or status in (412, 472, 473):
        return standby(status)
    if status == 429:
        return busy(headers.get("Retry-After", ""))
    if status == 503 and ("is sealed" in text or '"sealed":true' in text):
        return sealed()
    for statuses, words, error in _TOLD_APART:
        if status in statuses and words in text:
            return error(doing)
    by_status = {400: refused, 403: forbidden, 404: not_found}.get(status)
    return by_status(doing) if by_status else failed(status, doing)
