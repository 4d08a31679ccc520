"""IBM Cloud: an API key from the store is exchanged for an IAM bearer; the key itself goes to no kernel.

The exchange is IBM Cloud's token API, ``grant_type=urn:ibm:params:oauth:grant-type:apikey``. The
bearer outlives session and lease, by up to an hour: its true end is what the user is shown.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, ClassVar

import requests

from ....core.errors import Denied, QsecError, Unavailable
from ....core.secret import Secret
from ..broker import TargetSource
from ..naming import Mounts
from ..vault import checked_address
from .engine import Capability, Engine, Material, SessionCalls

TOKEN_URL = "https://iam.cloud.ibm.com/identity/token"  # noqa: S105  # an address
_GRANT = "urn:ibm:params:oauth:grant-type:apikey"
_LIMIT = (2.0, 4.0)  # seconds to connect, and to wait for the answer
_MOST = 64 * 1024


class IbmBearer:
    """Reads the API key with another engine and exchanges it.

    Args:
        keys: Where the key comes from: kv, or IBM's plug-in.
    """

    reads_anew: ClassVar[bool] = False
    name: ClassVar[str] = "ibm-iam"
    revocability: ClassVar[str] = (
        "The API key never reaches the kernel; the bearer made from it cannot be called back and works until "
        "its own end, at most an hour."
    )

    def __init__(self, keys: Engine) -> None:
        self._keys = keys
        self.mount_type = keys.mount_type

    def needs(self, source: TargetSource, mounts: Mounts) -> Mapping[str, Capability]:
        """Read the API key."""
        return self._keys.needs(source, mounts)

    def advice(self, source: TargetSource, mounts: Mounts) -> str:
        """Return how to put the API key there."""
        return self._keys.advice(source, mounts)

    def issue(self, calls: SessionCalls, source: TargetSource) -> Material:
        """Read the key and exchange it."""
        key = self._keys.issue(calls, source)
        sent = time.monotonic()
        answer = exchange(source.token_url or TOKEN_URL, key.value)
        ends = datetime.fromtimestamp(float(answer.get("expiration") or 0), timezone.utc)
        return replace(
            key,
            value=calls.secret(answer.get("access_token"), "the bearer"),
            fields={},
            public={"token_type": "Bearer"},
            lives=max(1.0, (ends - calls.clock()).total_seconds()),
            renewable=False,
            sent=sent,
            outlives=ends,
        )


def exchange(url: str, key: Secret) -> dict[str, Any]:
    """Exchange an API key for a bearer. No redirect, proxy variable or ``.netrc`` is followed.

    Raises:
        Invalid: ``vault.address_refused`` when the address is not https, nor this machine itself.
        Denied: ``iam.key_refused``.
        Unavailable: ``iam.unavailable``.
    """
    origin, slash, rest = url.partition("://")[2].partition("/")
    checked_address(f"{url.partition('://')[0]}://{origin}")
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                f"{url.partition('://')[0]}://{origin}{slash}{rest}",
                data={"grant_type": _GRANT, "apikey": key.reveal()},
                headers={"Accept": "application/json"},
                timeout=_LIMIT,
                allow_redirects=False,
                stream=True,
            )
            text = answer.raw.read(_MOST, decode_content=True)
        if answer.status_code in (400, 401, 403):
            raise _refused()
        if answer.status_code != 200:
            raise _away(f"It answered with status {answer.status_code}.")
        answer._content = text  # read by us, within a limit
        value = answer.json()
    except (requests.RequestException, ValueError, OSError) as error:
        raise _away(f"{type(error).__name__}.") from None
    if not isinstance(value, dict) or not value.get("access_token"):
        raise _away("Its answer holds no token.")
    return value


def _refused() -> QsecError:
    return Denied(
        "iam.key_refused",
        "IBM Cloud does not take the API key",
        "It is wrong, locked or deleted.",
        "Put a good one there: `qsec rotate TARGET`.",
    )


def _away(why: str) -> QsecError:
    return Unavailable(
        "iam.unavailable",
        "The token service of IBM Cloud did not give a bearer",
        why,
        "Try again; check token_url in catalog.toml.",
    )
