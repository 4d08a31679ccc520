"""Why something is allowed or refused: which rules decided, and what the others would have needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cedarpy

from .bundle import Rule, as_set
from .cases import Case
from .engine import Decision, PolicyEngine


@dataclass(frozen=True, slots=True)
class Missed:
    """A rule that would have permitted it, and the conditions that do not hold.

    Attributes:
        conditions: Cedar text of each condition that is not met.
    """

    rule: Rule
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, taken apart.

    Attributes:
        decided: The rules that made it.
        overruled: Rules that would have permitted it, had nothing forbidden it.
        missed: Rules for this action that do not apply, and why.
    """

    case: Case
    decision: Decision
    decided: tuple[Rule, ...]
    overruled: tuple[Rule, ...]
    missed: tuple[Missed, ...]


def explain(engine: PolicyEngine, case: Case) -> Explanation:
    """Take the decision on a case apart."""
    decision = engine.decide(case.who, case.action, case.target, case.context)
    rules = [rule for rule in engine.bundle.rules if rule.concerns(case.action)]
    failing = {rule.id: _failing(engine, case, rule) for rule in rules}
    permits = [rule for rule in rules if rule.effect == "permit"]
    return Explanation(
        case=case,
        decision=decision,
        decided=tuple(rule for rule in rules if rule.id in decision.policies),
        overruled=() if decision.allowed else tuple(rule for rule in permits if not failing[rule.id]),
        missed=tuple(Missed(rule, failing[rule.id]) for rule in permits if failing[rule.id]),
    )


def _failing(engine: PolicyEngine, case: Case, rule: Rule) -> tuple[str, ...]:
    """Return the conditions of a rule that do not hold, each put to Cedar by itself."""
    parts = dict(enumerate(_parts(rule)))
    forms = {str(number): form for number, form in parts.items()}
    policies = cedarpy.PolicySet.from_json_str(as_set(forms))
    holding = set(
        engine.evaluate(policies, case.who, case.action, case.target, case.context).diagnostics.reasons
    )
    return tuple(_text(form) for number, form in parts.items() if str(number) not in holding)


def _parts(rule: Rule) -> Iterator[dict[str, Any]]:
    """Yield one policy for each thing that a rule demands."""
    anything = {"op": "All"}
    bare = {"effect": "permit", "principal": anything, "action": anything, "resource": anything}
    for variable in ("principal", "resource"):
        if rule.form[variable] != anything:
            yield {**bare, variable: rule.form[variable], "conditions": []}
    for condition in rule.form["conditions"]:
        for body in _conjuncts(condition):
            yield {**bare, "conditions": [{"kind": condition["kind"], "body": body}]}


def _conjuncts(condition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Split ``when a && b``; ``unless a || b`` is ``unless a unless b``."""
    join = "&&" if condition["kind"] == "when" else "||"
    body = condition["body"]
    if join in body:
        for side in ("left", "right"):
            yield from _conjuncts({"kind": condition["kind"], "body": body[join][side]})
    else:
        yield body


def _text(form: dict[str, Any]) -> str:
    text: str = cedarpy.policies_from_json_str(as_set({"rule": form})).strip().rstrip(";")
    scope, _, condition = text.partition(")")
    return condition.strip() or scope.removeprefix("permit(")
