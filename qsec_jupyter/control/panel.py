"""All that somebody's panel shows, in one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from ..core.model import Grant
from .callers import Caller
from .changes import Changes
from .credentials.broker import Broker
from .events import Events
from .evidence import Runs
from .findings import Findings
from .gateway.gateway import Gateway
from .gateway.jobs.office import JobOffice
from .health import Health
from .judge import Judge
from .locks import Locks
from .lookup import Lookup
from .policy.live import LivePolicy


class Panel:
    """Collects what a caller may see. Changes nothing.

    Args:
        keeps_for: Says whether this journal is the one of a caller's server.
    """

    def __init__(
        self,
        *,
        keeps_for: Callable[[Caller], bool],
        events: Events,
        changes: Changes,
        policy: LivePolicy,
        broker: Broker,
        lookup: Lookup,
        gateway: Gateway,
        office: JobOffice,
        locks: Locks,
        runs: Runs,
        findings: Findings,
        judge: Judge,
        health: Health,
    ) -> None:
        self._keeps_for = keeps_for
        self._events = events
        self._changes = changes
        self._policy = policy
        self._broker = broker
        self._lookup = lookup
        self._gateway = gateway
        self._office = office
        self._locks = locks
        self._runs = runs
        self._findings = findings
        self._judge = judge
        self._health = health

    def snapshot(self, caller: Caller) -> dict[str, Any]:
        """Return all that the caller's panel shows."""
        catalogue = self._policy.catalogue
        mine = self._keeps_for(caller) or self._events.sees_all(caller)
        return {
            "version": self._changes.version,
            "newest_event": self._events.newest,
            "mode": catalogue.runs.mode,
            "principal": asdict(caller.principal),
            "vault": asdict(self._broker.info),
            "targets": [asdict(target) for target in catalogue.targets.values()],
            "grants": [asdict(grant) for grant in self._lookup.listed(caller)],
            "approvals": [self._approval(grant) for grant in self._lookup.awaiting(caller)],
            "shared": self._shared(caller),
            "gateway": self._gateway.address,
            "limits": self._office.limits.listed(caller.principal.subject),
            "locks": [asdict(lock) for lock in self._locks.listed()],
            "projects": [
                asdict(project) for project in catalogue.projects.values() if project.has(caller.principal)
            ],
            "runs": self._runs.newest(None, 20) if mine else [],
            "findings": self._findings.listed() if mine else [],
            "data_classes": catalogue.data_policy.to_dict(),
            "health": self._health.report(),
        }

    def _shared(self, caller: Caller) -> list[dict[str, Any]]:
        """Return the caller's shared kernels: who is there, and in which roles everybody may act."""
        return [
            {
                "kernel_id": kernel_id,
                "present": [one.display_name for one in others],
                "roles": list(self._judge.least(caller.by(kernel_id)).roles),
            }
            for kernel_id, others in sorted(self._judge.shared(caller.server_id).items())
        ]

    def _approval(self, grant: Grant) -> dict[str, Any]:
        digest = grant.payload.digest if grant.payload else None
        return {**asdict(grant), "payload_digest": digest, "changes": self._lookup.changed(grant)}
