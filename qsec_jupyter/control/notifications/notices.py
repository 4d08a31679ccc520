"""The queue of notifications: written with the index of the ledger, sent at least once, in nobody's way."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, func, select

from ...core.errors import QsecError
from ...core.model import moment, rfc3339
from .. import tables
from ..audit import Audit
from ..events import Events, shown
from ..policy.live import LivePolicy
from ..store import Row, Store
from .channel import Channel
from .senders import send
from .wording import facts

PAUSES = (5, 30, 120, 600, 3600)
"""Seconds between tries; the last of them goes on until :data:`LONGEST_SECONDS` are over."""

LONGEST_SECONDS = 86_400
OLDEST_SECONDS = 3600
"""An event that is found this late, when an index is made anew, is told to nobody any more (seconds)."""

AT_ONCE = 50
DROPPED = "notification.dropped"

_log = logging.getLogger("qsec.notifications")

NOTICES_SECONDS = 1.0


class Notices:
    """Queues what channels want to know, and sends it.

    Args:
        home: The state folder, in which the channels' secrets lie.
        journal: Names this journal; part of every notification's id.
    """

    def __init__(
        self,
        *,
        home: Path,
        journal: str,
        store: Store,
        events: Events,
        audit: Audit,
        policy: LivePolicy,
        clock: Callable[[], datetime],
    ) -> None:
        self._home = home
        self._journal = journal
        self._store = store
        self._audit = audit
        self._policy = policy
        self._clock = clock
        self._trouble: dict[str, str] = {}
        events.with_each(self._queued)

    # -- queueing -----------------------------------------------------------------------------------

    def _queued(self, rows: list[Row]) -> Iterable[tuple[Table, list[Row]]]:
        """Return what to write together with new rows of the index of events."""
        channels = self._policy.catalogue.channels.values()
        oldest = rfc3339(self._clock() - timedelta(seconds=OLDEST_SECONDS))
        told = [
            {
                "channel": channel.name,
                "position": row["position"],
                "queued_at": row["time"],
                "tries": 0,
                "next_at": row["time"],
            }
            for row in rows
            if row["time"] > oldest and row["kind"] != DROPPED
            for channel in channels
            if channel.wants(row["kind"], row["target"])
        ]
        return [(tables.notices, told)]

    # -- sending ------------------------------------------------------------------------------------

    def deliver(self) -> None:
        """Send what is due; each channel for itself, so that one that hangs holds up no other."""
        due = self._due()
        by_channel: dict[str, list[Row]] = {}
        for notice in due:
            by_channel.setdefault(notice["channel"], []).append(notice)
        if not by_channel:
            return
        with ThreadPoolExecutor(min(len(by_channel), 8), thread_name_prefix="qsec-notify") as workers:
            for done in as_completed(
                [workers.submit(self._deliver, name, notices) for name, notices in by_channel.items()]
            ):
                done.result()

    def _due(self) -> list[Row]:
        c = tables.notices.c
        now = rfc3339(self._clock())
        return self._store.ordered(tables.notices, [c.next_at <= now], c.next_at.asc(), AT_ONCE)

    def _deliver(self, name: str, notices: list[Row]) -> None:
        channel = self._policy.catalogue.channels.get(name)
        for notice in notices:
            if channel is None:  # taken out of the catalogue meanwhile
                self._forget(notice)
                continue
            try:
                self._send(channel, notice)
            except QsecError as error:
                self._trouble[name] = f"{error.title}. {error.detail}"
                self._later(notice, error.code)
                return  # the rest of this channel would fare no better now
            self._trouble.pop(name, None)
            self._forget(notice)

    def _send(self, channel: Channel, notice: Row) -> None:
        event = self._store.one(tables.events, {"position": notice["position"]})
        if event is None:
            return
        names = {
            row["id"]: row["name"]
            for row in self._store.rows(
                tables.subjects, {"id": [value for value in event["data"].values() if isinstance(value, str)]}
            )
        }
        grant = self._store.one(tables.grants, {"id": event["grant_id"]}) if event["grant_id"] else None
        told = facts(channel, shown(event, names), grant)
        now = self._clock()
        send(channel, self._identifier(notice), int(now.timestamp()), told, channel.secret(self._home))

    def _identifier(self, notice: Row) -> str:
        named = f"{self._journal}.{notice['channel']}.{notice['position']}"
        return "msg_" + hashlib.sha256(named.encode()).hexdigest()[:32]

    def _later(self, notice: Row, code: str) -> None:
        now = self._clock()
        if now - moment(notice["queued_at"]) > timedelta(seconds=LONGEST_SECONDS):
            _log.error("a notification by %s was given up (%s)", notice["channel"], code)
            self._audit.record_ending(DROPPED, channel=notice["channel"], position=notice["position"])
            self._forget(notice)
            return
        pause = timedelta(seconds=PAUSES[min(notice["tries"], len(PAUSES) - 1)])
        again = {"tries": notice["tries"] + 1, "next_at": rfc3339(now + pause)}
        self._store.change(tables.notices, {"id": notice["id"]}, again)

    def _forget(self, notice: Row) -> None:
        self._store.run(delete(tables.notices).where(tables.notices.c.id == notice["id"]))

    # -- how it stands ------------------------------------------------------------------------------

    def waiting(self) -> int:
        """Count what is queued."""
        return int(self._store.found(select(func.count().label("n")).select_from(tables.notices))[0]["n"])

    def check(self) -> dict[str, Any]:
        """Return the line of the health check."""
        channels = len(self._policy.catalogue.channels)
        trouble = "; ".join(f"{name}: {said}" for name, said in sorted(self._trouble.items()))
        fine = f"{channels} channels" if channels else "no channel is set up"
        return {
            "name": "notifications",
            "ok": not trouble,
            "detail": f"{trouble} {self.waiting()} wait to be sent." if trouble else fine,
            "remedy": "Try `qsec notify --test`; they are sent again by themselves." if trouble else "",
        }
