"""The account at IBM, as the control plane itself looks after it: finds and cancels jobs, closes sessions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import requests

from .....core.errors import Unavailable
from .....core.secret import Secret
from ...jobs.account import RemoteJob, RemoteState
from ...model import Reservation
from ...settings import GatewaySettings
from ..session import plain_session

_VERSION = "2026-04-15"
_PAGE = 200
_MOST_PAGES = 500
_MOST_BYTES = 16 * 1024 * 1024
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_STATES: dict[str, RemoteState] = {
    "queued": "queued",
    "running": "running",
    "completed": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
_GONE = frozenset({404, 410})
_OVER = frozenset({404, 409, 410})


class IbmAccount:
    """See :class:`...jobs.account.Account`. Blocking and thread-safe.

    Args:
        settings: Where it is.
        bearer: What authorises it.
    """

    def __init__(self, settings: GatewaySettings, bearer: Secret) -> None:
        self._settings = settings
        self._base = settings.addresses["runtime"]
        self._session = plain_session()
        self._session.headers = {
            "Authorization": f"Bearer {bearer.reveal()}",
            "Service-CRN": settings.instance,
            "IBM-API-Version": _VERSION,
            "Accept": "application/json",
            "User-Agent": "qsec-gateway",
        }

    def close(self) -> None:
        """Let go of connections, and of the bearer."""
        self._session.headers = {}
        self._session.close()

    def find(self, tag: str) -> list[RemoteJob]:
        """Return the jobs that carry a tag."""
        return [one for one in self._listed([("tags", tag)]) if tag in one.tags]

    def jobs(self, since: datetime) -> list[RemoteJob]:
        """Return every job that was created since then."""
        return list(self._listed([("created_after", since.isoformat())]))

    def job(self, job_id: str) -> RemoteJob | None:
        """Return a job with its usage."""
        status, found = self._ask("GET", f"/jobs/{_checked(job_id)}", [("exclude_params", "true")])
        return None if status in _GONE else _remote(_is(found, dict))

    def cancel(self, job_id: str) -> None:
        """Ask for a job to be cancelled; 409 says that it is over."""
        self._ask("POST", f"/jobs/{_checked(job_id)}/cancel", also=_OVER)

    def close_session(self, session_id: str) -> bool:
        """Cancel what waits in a session, and let it take no more."""
        status, _ = self._ask(
            "DELETE", f"/sessions/{_checked(session_id)}/close", also=frozenset({409, *_GONE})
        )
        if status in _GONE:
            return True
        _, session = self._ask("GET", f"/sessions/{_checked(session_id)}")
        return not (isinstance(session, dict) and session.get("accepting_jobs", False))

    def reservations(self) -> list[Reservation]:
        """Return the instance's reservations; the catalogue's where the provider lists none."""
        status, found = self._ask("GET", "/reservations", also=_GONE)
        if status in _GONE:
            return list(self._settings.reservations)
        try:
            rows = _is(found, dict)["reservations"]
            return [
                Reservation(_moment(one["start"]), _moment(one["end"]), str(one.get("backend") or ""))
                for one in rows
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise _nonsense() from error

    def _listed(self, query: list[tuple[str, str]]) -> Iterator[RemoteJob]:
        seen = 0
        for _ in range(_MOST_PAGES):
            asked = [*query, ("exclude_params", "true"), ("limit", str(_PAGE)), ("offset", str(seen))]
            page = _is(self._ask("GET", "/jobs", asked)[1], dict)
            rows, count = page.get("jobs"), page.get("count")
            if not isinstance(rows, list) or not isinstance(count, int):
                raise _nonsense()
            for row in rows:
                yield _remote(_is(row, dict))
            seen += len(rows)
            if not rows or seen >= count:
                return

    def _ask(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        *,
        also: frozenset[int] = frozenset({404}),
    ) -> tuple[int, Any]:
        """Send one request; return its status and what it says. ``also``: statuses that are no failure."""
        try:
            with self._session.request(
                method,
                self._base + path,
                params=query,
                timeout=(self._settings.connect, self._settings.answer),
                allow_redirects=False,
                stream=True,
            ) as answer:
                text = answer.raw.read(_MOST_BYTES, decode_content=True)
                status = answer.status_code
            if not 200 <= status < 300 and status not in also:
                raise _away(f"It answered with status {status}.")
            return status, _json(text) if text and status < 300 else None
        except (requests.RequestException, OSError) as error:
            raise _away(f"{type(error).__name__}.") from error


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _nonsense() from error


def _remote(row: dict[str, Any]) -> RemoteJob:
    try:
        said = str(row.get("status") or row["state"]["status"])
        state = _STATES[said.partition(" ")[0].lower()]
        usage = row.get("usage") or {}
        seconds = usage.get("quantum_seconds", usage.get("seconds"))
        return RemoteJob(
            id=str(row["id"]),
            state=state,
            backend=str(row.get("backend") or ""),
            created_at=_moment(row["created"]) if row.get("created") else None,
            tags=tuple(map(str, row.get("tags") or ())),
            session=row.get("session_id"),
            usage_seconds=None if seconds is None else float(seconds),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _nonsense() from error


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _checked(identifier: str) -> str:
    if not _ID.fullmatch(identifier):
        raise _nonsense()
    return identifier


def _is(value: Any, kind: type[dict[str, Any]]) -> dict[str, Any]:
    if not isinstance(value, kind):
        raise _nonsense()
    return value


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
