"""The account at Amazon, as the control plane itself looks after it: finds and cancels tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import requests

from .....core.errors import Unavailable
from ...jobs.account import RemoteJob, RemoteState
from ...model import Reservation
from ...request import Outgoing
from ...settings import GatewaySettings
from ..session import plain_session
from . import signing
from .place import Place

_LOOK_BACK = timedelta(days=2)
"""How far back a task is looked for by its tag: it is looked for right after it was sent."""

_AGENT = {"user-agent": "qsec-gateway"}
_PAGE = 100
_MOST_PAGES = 500
_MOST_BYTES = 16 * 1024 * 1024
_STATES: dict[str, RemoteState] = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "COMPLETED": "done",
    "FAILED": "failed",
    "CANCELLING": "running",
    "CANCELLED": "cancelled",
}


class BraketAccount:
    """See :class:`...jobs.account.Account`. Blocking and thread-safe.

    Args:
        settings: Where it is.
        key: What authorises it.
    """

    def __init__(self, settings: GatewaySettings, key: signing.AwsKey) -> None:
        self._settings = settings
        self._region = Place.of(settings).region
        self._key: signing.AwsKey | None = key
        self._session = plain_session()

    def close(self) -> None:
        """Let go of connections, and of the key."""
        self._key = None
        self._session.close()

    def find(self, tag: str) -> list[RemoteJob]:
        """Return the tasks that carry a tag."""
        since = datetime.now(timezone.utc) - _LOOK_BACK
        return [one for one in self._listed(since) if tag in one.tags]

    def jobs(self, since: datetime) -> list[RemoteJob]:
        """Return every task that was created since then."""
        return list(self._listed(since))

    def job(self, job_id: str) -> RemoteJob | None:
        """Return a task."""
        status, told = self._ask("GET", f"/quantum-task/{quote(job_id, safe='-_.~')}")
        return None if status == 404 else _remote(told)

    def cancel(self, job_id: str) -> None:
        """Ask for a task to be cancelled; a conflict says that it is over."""
        path = f"/quantum-task/{quote(job_id, safe='-_.~')}/cancel"
        self._ask("PUT", path, {"clientToken": job_id[-36:]}, also=frozenset({404, 409}))

    def close_session(self, session_id: str) -> bool:
        """Return ``True``: there are no sessions."""
        return True

    def reservations(self) -> list[Reservation]:
        """Return the catalogue's: Braket lists no reservations."""
        return list(self._settings.reservations)

    def _listed(self, since: datetime) -> Iterator[RemoteJob]:
        asked: dict[str, Any] = {
            "filters": [{"name": "createdAt", "operator": "GTE", "values": [since.isoformat()]}],
            "maxResults": _PAGE,
        }
        for _ in range(_MOST_PAGES):
            _, told = self._ask("POST", "/quantum-tasks", asked)
            for row in told.get("quantumTasks") or ():
                yield _remote(row)
            if not told.get("nextToken"):
                return
            asked["nextToken"] = told["nextToken"]

    def _ask(
        self, method: str, path: str, body: Any = None, also: frozenset[int] = frozenset({404})
    ) -> tuple[int, dict[str, Any]]:
        """Send one request; return its status and what it says. ``also``: statuses that are no failure."""
        assert self._key is not None
        url = self._settings.addresses["braket"] + path
        outgoing = Outgoing(method, url, None if body is None else json.dumps(body).encode())
        headers = {
            "host": signing.host_of(url),
            "user-agent": "qsec-gateway",
            "content-type": "application/json",
        }
        signed = signing.sign(outgoing, headers, self._key, "braket", self._region)
        try:
            with self._session.request(
                method,
                url,
                data=outgoing.body,
                headers=signed,
                timeout=(self._settings.connect, self._settings.answer),
                allow_redirects=False,
                stream=True,
            ) as answer:
                text, status = answer.raw.read(_MOST_BYTES, decode_content=True), answer.status_code
        except (requests.RequestException, OSError) as error:
            raise _away(f"{type(error).__name__}.") from error
        if not 200 <= status < 300 and status not in also:
            raise _away(f"It answered with status {status}.")
        try:
            told = json.loads(text) if text and status < 300 else {}
        except ValueError as error:
            raise _nonsense() from error
        if not isinstance(told, dict):
            raise _nonsense()
        return status, told


def _remote(row: Any) -> RemoteJob:
    try:
        tags = row.get("tags") or {}
        return RemoteJob(
            id=str(row["quantumTaskArn"]),
            state=_STATES[str(row["status"])],
            backend=str(row.get("deviceArn") or ""),
            created_at=_moment(row["createdAt"]) if row.get("createdAt") else None,
            tags=tuple(str(value) for value in tags.values()),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _nonsense() from error


def _moment(told: Any) -> datetime:
    return datetime.fromisoformat(str(told).replace("Z", "+00:00"))


def _nonsense() -> Unavailable:
    return Unavailable(
        "gateway.nonsense",
        "The provider's answer cannot be read",
        "It is not what such a request answers.",
        "Try again later, or check the target's addresses.",
    )


def _away(why: str) -> Unavailable:
    return Unavailable(
        "gateway.provider_away", "The provider cannot be asked", why, "It is tried again by itself."
    )
