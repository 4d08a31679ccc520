"""Decides by a Cedar bundle. An error, or no decision, is a deny."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cedarpy

from ...core.errors import Denied, Invalid
from ...core.model import Principal, Target
from .bundle import Bundle, as_set
from .context import ACTIONS, Action, Context, kind_of, to_cedar

REMEMBERED = 2048
"""How many decisions of a bundle stay in memory."""


class _Failed(Exception):
    """A policy could not be evaluated; never remembered."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or not, the ``@id`` of each policy that made it so, and what a refusal advises."""

    allowed: bool
    policies: tuple[str, ...]
    advice: str = ""

    def require(self, action: Action, target: str) -> Decision:
        """Return the decision, or raise it as a refusal that names its policies and shows their advice.

        Raises:
            Denied: ``policy.denied``.
        """
        if not self.allowed:
            rule = ", ".join(self.policies) or "nothing permits it"
            raise Denied(
                "policy.denied",
                "Refused by policy",
                f"{action} on {target}: {rule}.",
                self.advice or "Ask somebody whom the policy permits, or have the policy changed.",
            )
        return self


class PolicyEngine:
    """A bundle, parsed once: text policies on each call cost four times as much.

    Args:
        bundle: Its policies are validated against its schema.

    Raises:
        Invalid: ``policy.invalid`` when the bundle does not fit its schema.
    """

    def __init__(self, bundle: Bundle) -> None:
        validate(bundle)
        self.bundle = bundle
        self._policies = cedarpy.PolicySet.from_json_str(bundle.policy_set())
        self._schema = cedarpy.Schema.from_str(bundle.schema)
        self._rules = {rule.id: rule for rule in bundle.rules}
        self._unknown = frozenset(action for action in ACTIONS if not self._knows(action))
        # Cedar's answer depends on nothing else, no clock either, and a kernel asks the same again and again;
        # the jobs of a loop that turns angles are alike, too.
        self._remembered = lru_cache(REMEMBERED)(self._decide)
        self.failures = 0
        """Decisions that a failing policy turned into a deny."""

    @property
    def unknown(self) -> frozenset[Action]:
        """Actions that the bundle's schema does not have; they are refused, whoever wants them."""
        return self._unknown

    @property
    def digest(self) -> str:
        """The bundle's digest."""
        return self.bundle.digest

    @classmethod
    def shipped(cls) -> PolicyEngine:
        """Load the bundle of this package."""
        return cls(Bundle.shipped())

    def decide(
        self, principal: Principal, action: Action, target: Target | str, context: Context
    ) -> Decision:
        """Return the decision with the policies that made it.

        Args:
            principal: Who wants it.
            action: What.
            target: On what; the bare name of one that the catalogue does not hold (any more).
            context: Under which circumstances; of the kind that :func:`.context.kind_of` names.
        """
        if action in self._unknown:
            return Decision(allowed=False, policies=(), advice=_OUTDATED)
        try:
            return self._remembered(principal, action, target, context)
        except _Failed:
            self.failures += 1
            return Decision(allowed=False, policies=("policy-error",), advice=_FAILED)

    def _decide(
        self, principal: Principal, action: Action, target: Target | str, context: Context
    ) -> Decision:
        result = self.evaluate(self._policies, principal, action, target, context)
        if result.diagnostics.errors or result.decision == cedarpy.Decision.NoDecision:
            # Cedar skips a policy that fails, a forbid too; that must not turn into an allow.
            raise _Failed
        names = tuple(sorted(result.diagnostics.reasons))
        if result.decision == cedarpy.Decision.Allow:
            return Decision(allowed=True, policies=names)
        return Decision(allowed=False, policies=names, advice=self._advice(names, action))

    def evaluate(
        self, policies: Any, principal: Principal, action: Action, target: Target | str, context: Context
    ) -> Any:
        """Return Cedar's own answer under some policies, those of the bundle or others."""
        name = target if isinstance(target, str) else target.name
        user, resource = _uid("User", principal.name), _uid("Target", name)
        entities: list[dict[str, Any]] = [
            {"uid": user, "attrs": _person(principal), "parents": []},
            {"uid": resource, "attrs": _place(target), "parents": []},
        ]
        request = {
            "principal": user,
            "action": _uid("Action", action),
            "resource": resource,
            "context": to_cedar(context),
        }
        return cedarpy.is_authorized(request, policies, entities, self._schema)

    def _knows(self, action: Action) -> bool:
        """Say whether the schema has an action, with the circumstances that it is decided by."""
        anything = {"op": "All"}
        nothing = {"effect": "forbid", "conditions": [], "principal": anything, "resource": anything}
        form = {**nothing, "action": {"op": "==", "entity": _uid("Action", action)}}
        policies = cedarpy.PolicySet.from_json_str(as_set({"probe": form}))
        somebody = Principal("", "", "")
        answer = self.evaluate(policies, somebody, action, "", kind_of(action)())
        reasons: list[str] = answer.diagnostics.reasons
        return "probe" in reasons

    def _advice(self, forbidding: tuple[str, ...], action: str) -> str:
        """Return the advice of the rules that forbid; where none does, of those that could permit."""
        rules = [self._rules[name] for name in forbidding] or [
            rule for rule in self.bundle.rules if rule.effect == "permit" and rule.concerns(action)
        ]
        return " ".join(dict.fromkeys(rule.advice for rule in rules if rule.advice))


_OUTDATED = "Tell who keeps the policy: its schema is an older one; `qsec policy check` says what it lacks."
_FAILED = "Tell who keeps the policy: a rule of it fails; `qsec policy explain` names it."


def validate(bundle: Bundle) -> None:
    """Make sure that a bundle's policies fit its schema.

    Raises:
        Invalid: ``policy.schema``, ``policy.syntax`` or ``policy.invalid``, naming where.
    """
    try:
        schema = cedarpy.Schema.from_str(bundle.schema)
    except ValueError as error:
        raise Invalid(
            "policy.schema",
            "The policy bundle's schema is not Cedar",
            "schema.cedarschema cannot be parsed.",
            "Correct it; the shipped one shows its form.",
        ) from error
    for rule in bundle.rules:
        checked = cedarpy.validate_policies(
            cedarpy.policies_from_json_str(as_set({"rule": rule.form})), schema
        )
        if not checked.validation_passed:
            raise Invalid(
                "policy.invalid",
                "The policy bundle does not fit its schema",
                f"{rule.id} ({rule.place}) names what the schema does not have, or compares unlike things.",
                "Correct the rule; schema.cedarschema lists what there is.",
            )


def _person(principal: Principal) -> dict[str, Any]:
    return {
        "roles": list(principal.roles),
        "groups": list(principal.groups),
        "kind": principal.kind,
        "scopes": list(principal.scopes),
        "targets": [{"__entity": _uid("Target", name)} for name in principal.targets],
    }


def _place(target: Target | str) -> dict[str, Any]:
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
