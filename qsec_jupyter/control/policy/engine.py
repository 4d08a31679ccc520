"""Decides by the Cedar bundle. An error, or no decision, is a deny."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import cedarpy

from ...core.errors import Bug, Denied
from ...core.model import Principal, Target

Action = Literal[
    "request", "auto_approve", "approve", "deny", "issue", "revoke", "cancel", "run", "extend", "view", "lock"
]
BUNDLE = Path(__file__).parent
_ID = re.compile(r'@id\("([^"]+)"\)')


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision depends on beside who and what; the schema's ``Situation``."""

    from_kernel: bool = False
    own_request: bool = False
    own_kernel: bool = False
    single_user: bool = False
    granted: bool = False
    local: bool = False
    reviewer: bool = True
    voted: bool = False
    member: bool = True
    locked: bool = False
    standing: bool = False
    break_glass: bool = False
    data_class: str = "internal"
    scope: str = "submit"


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, and the ``@id`` of each policy that made it so."""

    allowed: bool
    policies: tuple[str, ...]

    def require(self, action: Action, target: str) -> Decision:
        """Return the decision, or raise it as a refusal that names its policies.

        Raises:
            Denied: ``policy.denied``.
        """
        if not self.allowed:
            rule = ", ".join(self.policies) or "nothing permits it"
            raise Denied(
                "policy.denied",
                "Refused by policy",
                f"{action} on {target}: {rule}.",
                "Ask somebody whom the policy permits, or have the policy changed.",
            )
        return self


class PolicyEngine:
    """The bundle, parsed once: text policies on each call cost four times as much.

    Args:
        policies: Cedar policies, each with an ``@id``.
        schema: Cedar schema; the policies are validated against it.

    Raises:
        Bug: ``policy.invalid`` when the bundle does not fit its schema.
    """

    def __init__(self, policies: str, schema: str) -> None:
        checked = cedarpy.validate_policies(policies, schema)
        if not checked.validation_passed:
            raise Bug("policy.invalid", "The policy bundle is not valid", "It does not fit its schema.")
        self._policies = cedarpy.PolicySet.from_str(policies)
        self._schema = cedarpy.Schema.from_str(schema)
        # Cedar answers with positions (policy0, policy1 …); people need the names.
        self._names = {f"policy{position}": name for position, name in enumerate(_ID.findall(policies))}
        self.failures = 0
        """Decisions that a failing policy turned into a deny."""
        self.digest = hashlib.sha256((policies + schema).encode()).hexdigest()

    @classmethod
    def shipped(cls) -> PolicyEngine:
        """Load the bundle of this package."""
        policies = "\n".join(path.read_text() for path in sorted(BUNDLE.glob("*.cedar")))
        return cls(policies, (BUNDLE / "schema.cedarschema").read_text())

    def decide(
        self, principal: Principal, action: Action, target: Target | str, situation: Situation
    ) -> Decision:
        """Return the decision with the policies that made it.

        Args:
            principal: Who wants it.
            action: What.
            target: On what; the bare name of one that the catalogue does not hold (any more).
            situation: Under which circumstances.
        """
        name = target if isinstance(target, str) else target.name
        user, resource = _uid("User", principal.name), _uid("Target", name)
        person = {"roles": list(principal.roles), "groups": list(principal.groups), "kind": principal.kind}
        entities: list[dict[str, Any]] = [
            {"uid": user, "attrs": person, "parents": []},
            {"uid": resource, "attrs": _about(target), "parents": []},
        ]
        request = {
            "principal": user,
            "action": _uid("Action", action),
            "resource": resource,
            "context": asdict(situation),
        }
        result = cedarpy.is_authorized(request, self._policies, entities, self._schema)
        errors = list(result.diagnostics.errors)
        names = tuple(sorted(self._names.get(reason, reason) for reason in result.diagnostics.reasons))
        if errors:
            # Cedar skips a policy that fails, a forbid too; that must not turn into an allow.
            self.failures += 1
            return Decision(False, ("policy-error",))
        return Decision(result.decision == cedarpy.Decision.Allow, names)


def _about(target: Target | str) -> dict[str, Any]:
    if isinstance(target, str):  # nothing can be had there; what is open must still be able to end
        return {"approval": "review", "tier": "", "environment": "", "classes": [], "break_glass": False}
    return {
        "approval": target.approval,
        "tier": target.tier,
        "environment": target.environment,
        "classes": list(target.classes),
        "break_glass": target.break_glass,
    }


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}
