"""Decides whether a kernel may submit a run, in enforce mode.

What a kernel says of its run is its own claim, so this guides; the gateway and the provider enforce.
"""

from __future__ import annotations

from typing import Any

from ..core.errors import Denied, QsecError
from ..core.model import Payload
from .asking import changes
from .audit import Audit
from .callers import Caller
from .judge import Judge
from .locks import Locks
from .lookup import Lookup
from .policy.context import Situation
from .policy.live import LivePolicy

UNLISTED = "unlisted"
"""The resource that policy sees for a backend of no target."""


class Permits:
    """Asks policy about each run, and writes down what it said before it is answered.

    Args:
        lookup: Which grants are active.
        policy: Decides; its catalogue says which target a backend belongs to, and what is local.
        judge: Knows who shares a kernel.
        audit: Where decisions are written.
        locks: What is locked.
    """

    def __init__(
        self,
        *,
        lookup: Lookup,
        policy: LivePolicy,
        judge: Judge,
        audit: Audit,
        locks: Locks,
    ) -> None:
        self._lookup = lookup
        self._policy = policy
        self._judge = judge
        self._audit = audit
        self._locks = locks

    def decide(self, run: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Permit a run.

        Args:
            run: ``run_id``, ``operation``, ``backend`` {name, type}, ``circuits`` (hashes) and ``shots``.
            caller: The kernel that asks.

        Returns:
            ``{"run_id", "target", "grant_id", "policies"}``; the target is ``None`` for a local simulator.

        Raises:
            Denied: ``run.unlisted_backend``, ``run.no_grant`` or ``policy.denied``; recorded.
        """
        about = {
            "run": run["run_id"],
            "kernel": caller.kernel_id,
            "operation": run["operation"],
            "backend": run["backend"]["name"],
            "circuits": run["circuits"],
            "shots": run["shots"],
            "policy": self._policy.digest,
        }
        try:
            permit = self._decide(run, caller)
        except QsecError as error:
            self._audit.record("run.refused", caller.principal, **about, rule=error.code)
            raise
        said = {"target": permit["target"], "grant": permit["grant_id"], "policies": permit["policies"]}
        self._audit.record("run.permitted", caller.principal, **about, **said)
        return permit

    def _decide(self, run: dict[str, Any], caller: Caller) -> dict[str, Any]:
        rules, backend = self._policy.catalogue.runs, run["backend"]
        targets = rules.targets_of(backend["name"])
        grant = next(filter(None, (self._lookup.active(caller, target) for target in targets)), None)
        local = not targets and rules.is_local(backend["type"] or "")
        target = grant.target if grant else (targets or [UNLISTED])[0]
        situation = Situation(
            from_kernel=True,
            own_kernel=True,
            own_request=True,
            granted=grant is not None,
            local=local,
            locked=self._locks.on(caller.principal, caller.server_id, target) is not None,
        )
        who, known = self._judge.least(caller), self._policy.catalogue.targets.get(target)
        decision = self._policy.decide(who, "run", known or target, situation)
        if not decision.allowed and not local:
            _explain(backend["name"], targets, granted=grant is not None)
        decision.require("run", target)
        if grant is not None and grant.payload is not None:
            _require_payload(grant.payload, run)
        return {
            "run_id": run["run_id"],
            "target": None if local else target,
            "grant_id": grant.id if grant else None,
            "policies": list(decision.policies),
        }


def _require_payload(approved: Payload, run: dict[str, Any]) -> None:
    """Raise when a run is not what was approved; fewer shots are.

    Raises:
        Denied: ``run.other_payload``, naming what differs.
    """
    asked = Payload(tuple(sorted(run["circuits"])), run["backend"]["name"], run["shots"] or approved.shots)
    differs = [one["field"] for one in changes(asked, approved)]
    if "shots" in differs and asked.shots < approved.shots:
        differs.remove("shots")
    if differs:
        raise Denied(
            "run.other_payload",
            "This run was not submitted: it is not what was approved",
            f"What differs: {', '.join(differs)}.",
            "Request the target again with what you want to run.",
        )


def _explain(backend: str, targets: list[str], *, granted: bool) -> None:
    """Raise what a person can do about a refusal, where policy alone would not say it."""
    if not targets:
        raise Denied(
            "run.unlisted_backend",
            "This run was not submitted: its backend belongs to no target",
            f"No target of the catalogue names {backend}.",
            "Have the backend added to a target in catalog.toml.",
        )
    if not granted:
        raise Denied(
            "run.no_grant",
            "This run was not submitted: there is no active grant for its backend",
            f"{backend} needs a grant for {' or '.join(targets)}.",
            f'Ask with qsec.request("{targets[0]}", reason="...").',
        )
