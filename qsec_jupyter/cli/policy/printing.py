"""How problems, outcomes, explanations and differences look on a terminal and as JSON."""

from __future__ import annotations

import difflib
from typing import Any

from ...control.policy.bundle import Bundle, Rule
from ...control.policy.cases import Outcome, wanted
from ...control.policy.check import Checked, Problem, summary
from ...control.policy.difference import Change, Difference
from ...control.policy.explain import Explanation
from ..terminal import plain
from .force import Past


def print_problems(bundle: Bundle, problems: tuple[Problem, ...]) -> None:
    """Print what is wrong, errors first."""
    for problem in sorted(problems, key=lambda one: one.level):
        print(f"{problem.level}: {problem.place}: {plain(problem.text)} ({problem.code})")
        if problem.remedy:
            print(f"    {problem.remedy}")
    counts = summary(problems)
    verdict = "is not taken" if counts["error"] else "checks"
    found = f"{counts['error']} errors, {counts['warning']} warnings"
    print(f"{bundle.source} {verdict}: {found}, {bundle.digest[:12]}")


def print_outcomes(outcomes: list[Outcome], *, verbose: bool) -> None:
    """Print each case that failed, and how many there are."""
    for outcome in outcomes:
        if not outcome.passed:
            print(
                f"FAILED  {plain(outcome.case.name)}: expected {wanted(outcome.case)}, was {outcome.reason}"
            )
        elif verbose:
            print(f"ok      {plain(outcome.case.name)}: {outcome.reason}")
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"{len(outcomes)} cases, {failed} failed")


# -- why -------------------------------------------------------------------------------------------


def print_explanation(explained: Explanation) -> None:
    """Print a decision, its rules, and what would have been needed."""
    case, decision = explained.case, explained.decision
    target = case.target if isinstance(case.target, str) else case.target.name
    roles = ", ".join(case.who.roles) or "no role"
    verdict = "ALLOWED" if decision.allowed else "REFUSED"
    print(f"{verdict}: {case.action} on {plain(target)} by {plain(case.who.name)} ({case.who.kind}, {roles})")
    for rule in explained.decided:
        print(f"  by {_titled(rule)}")
    if decision.policies == ("policy-error",):
        print("  because a rule could not be evaluated; that is always a refusal")
    elif not explained.decided:
        print("  because no rule permits it")
    for rule in explained.overruled:
        print(f"  although {_titled(rule)} would permit it")
    if not decision.allowed:
        for missed in explained.missed:
            print(f"  {missed.rule.id} would permit it, but this does not hold:")
            for condition in missed.conditions:
                print(f"      {condition}")
    if decision.advice:
        print(f"Advice: {decision.advice}")


def explanation_dict(explained: Explanation) -> dict[str, Any]:
    """Return the same as JSON."""
    return {
        "allowed": explained.decision.allowed,
        "policies": list(explained.decision.policies),
        "advice": explained.decision.advice,
        "rules": [_rule(rule) for rule in explained.decided],
        "overruled": [_rule(rule) for rule in explained.overruled],
        "missed": [{**_rule(one.rule), "conditions": list(one.conditions)} for one in explained.missed],
    }


def print_past(past: list[Past]) -> None:
    """Print what the ledger says of a grant, with the text of the rules as they were."""
    for one in past:
        data = one.event["data"]
        digest = str(data.get("policy") or "")[:12]
        print(f"{one.event.get('time', '')}  {one.event['type']}  {plain(data.get('target') or '')}")
        if digest:
            print(f"    policy {digest}{'' if one.bundle else ' (no copy is left)'}")
        if data.get("rule"):
            print(f"    refused: {plain(data['rule'])}")
        for name in one.policies:
            rule = one.bundle.rule(name) if one.bundle else None
            print(f"    by {_titled(rule) if rule else name}")


def past_dict(past: Past) -> dict[str, Any]:
    """Return the same as JSON."""
    rules = [past.bundle.rule(name) for name in past.policies] if past.bundle else []
    return {"event": past.event, "rules": [_rule(rule) for rule in rules if rule is not None]}


def _titled(rule: Rule) -> str:
    return f"{rule.id} ({rule.effect}, {rule.place}){f': {rule.advice}' if rule.advice else ''}"


def _rule(rule: Rule) -> dict[str, Any]:
    return {"id": rule.id, "effect": rule.effect, "place": rule.place, "advice": rule.advice}


# -- against what is in force ----------------------------------------------------------------------


def print_difference(old: Checked, new: Checked, found: Difference) -> None:
    """Print what changes, as unified differences, then the cases that are decided otherwise."""
    print(f"--- {old.bundle.source} ({old.bundle.digest[:12]})")
    print(f"+++ {new.bundle.source} ({new.bundle.digest[:12]})")
    if not found:
        print("Nothing changes.")
    if found.schema:
        print("The schema changes.")
    for change in (*found.rules, *found.catalogue):
        _print_change(change)
    for pair in found.cases:
        print(f"case {plain(pair.after.case.name)!r}: was {pair.before.reason}, would be {pair.after.reason}")


def _print_change(change: Change) -> None:
    print(f"{change.kind} {change.what}")
    lines = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), lineterm="", n=2)
    for line in list(lines)[3:] if change.kind == "changed" else []:
        print(f"    {plain(line)}")
    if change.kind == "added":
        print("\n".join(f"    +{plain(line)}" for line in change.after.splitlines()))
    if change.kind == "removed":
        print("\n".join(f"    -{plain(line)}" for line in change.before.splitlines()))


def difference_dict(old: Checked, new: Checked, found: Difference) -> dict[str, Any]:
    """Return the same as JSON."""
    return {
        "before": old.bundle.digest,
        "after": new.bundle.digest,
        "schema": found.schema,
        "rules": [_change(change) for change in found.rules],
        "catalogue": [_change(change) for change in found.catalogue],
        "cases": [
            {"name": pair.after.case.name, "before": pair.before.reason, "after": pair.after.reason}
            for pair in found.cases
        ],
    }


def _change(change: Change) -> dict[str, str]:
    return {"kind": change.kind, "what": change.what, "before": change.before, "after": change.after}
