"""What is right and wrong with a control plane, for the health line and for whoever watches it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ..ledger.log import Ledger
from .audit import Audit
from .changes import Changes
from .credentials.broker import Broker
from .evidence import Evidence
from .gateway.gateway import Gateway
from .gateway.jobs.office import JobOffice
from .notifications.notices import Notices
from .policy.live import LivePolicy
from .sessions import Sessions
from .upkeep import Upkeep

HEALTH_SECONDS = 15.0
"""How often the store of credentials is looked at (seconds)."""


class Health:
    """Asks every part how it is. The store of credentials is asked by a timer, all others when asked."""

    def __init__(
        self,
        *,
        broker: Broker,
        upkeep: Upkeep,
        changes: Changes,
        audit: Audit,
        evidence: Evidence,
        sessions: Sessions,
        ledger: Ledger,
        policy: LivePolicy,
        notices: Notices,
        gateway: Gateway,
        office: JobOffice,
    ) -> None:
        self._broker = broker
        self._upkeep = upkeep
        self._changes = changes
        self._audit = audit
        self._evidence = evidence
        self._sessions = sessions
        self._ledger = ledger
        self._policy = policy
        self._notices = notices
        self._gateway = gateway
        self._office = office
        self._checks: list[dict[str, Any]] = []

    def look(self) -> None:
        """Look at the store of credentials, and tell who waits when something is otherwise than before."""
        before = self._checks
        self._checks = [asdict(check) for check in self._broker.checks()]
        self._checks.append(self._rotation_check())
        if before != self._checks:
            self._changes.bump()

    def report(self) -> dict[str, Any]:
        """Return status and checks; those of the store are at most ``HEALTH_SECONDS`` old."""
        checks = [*self._checks, *self._own_checks()]
        broken = [check for check in checks if not check["ok"]]
        return {"status": "degraded" if broken else "ok", "checks": checks}

    def _own_checks(self) -> list[dict[str, Any]]:
        owed, gaps, pending = self._audit.owed, self._evidence.gap_count(), self._sessions.pending()
        return [
            _check(
                "ledger",
                not owed,
                f"{self._ledger.size} entries; {owed} wait for the disk"
                if owed
                else f"{self._ledger.size} entries",
                "Free some space or repair the disk; they are written by themselves then.",
            ),
            self._policy_check(),
            self._notices.check(),
            self._gateway_check(),
            _check(
                "gaps",
                not gaps,
                f"{gaps} gaps in the record of runs" if gaps else "the record of runs has no gaps",
                "`%qsec provenance` names what is missing of a run.",
            ),
            _check(
                "revocations",
                not pending,
                f"{pending} sessions are not verified gone yet" if pending else "nothing is pending",
                "They are tried again by themselves; they end at their expiry at the latest.",
            ),
            *(_check(*check) for check in self._office.checks()),
        ]

    def _rotation_check(self) -> dict[str, Any]:
        overdue = self._upkeep.overdue()
        said = f"handed to somebody who left: {', '.join(overdue)}" if overdue else "nobody left with a value"
        return _check("rotation", not overdue, said, "Replace them: `qsec rotate TARGET`, or in the panel.")

    def _policy_check(self) -> dict[str, Any]:
        failures, refused = self._policy.failures, self._policy.refused
        said = f"bundle {self._policy.digest[:12]}"
        if refused is not None:
            said += f" stays in force; its files as they are now are not taken: {refused.detail}"
        elif failures:
            said += f"; {failures} decisions failed and were refused"
        remedy = "Run `qsec policy check`, and correct what it names; the files are then taken by themselves."
        return _check("policy", not failures and refused is None, said, remedy)

    def _gateway_check(self) -> dict[str, Any]:
        proxied, address = sorted(self._policy.catalogue.gateways), self._gateway.address
        said = f"{address or 'it does not listen'}, for {', '.join(proxied) or 'no target'}"
        return _check("gateway", bool(address) or not proxied, said, "Start the control plane anew.")


def _check(name: str, ok: bool, detail: str, remedy: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail, "remedy": "" if ok else remedy}
