"""Whether a bundle may be taken: it fits its schema, every rule has a name and matters, its cases hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...core.classification import DATA_CLASSES
from ...core.errors import Invalid, QsecError
from ...core.model import ENVIRONMENTS, ROLES, Scope, Tier
from ..catalog import Catalogue, parse_catalog
from .bundle import CASES, SCHEMA, Bundle, Rule
from .cases import Case, Outcome, read_cases, run_cases, wanted
from .context import ACTIONS
from .engine import PolicyEngine
from .reach import judge

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a bundle. A bundle with an error is not taken.

    Attributes:
        code: Stable identifier, such as ``rule.unreachable``.
        place: File and line, as far as known.
        text: What is wrong.
        remedy: What to do about it.
    """

    level: Level
    code: str
    place: str
    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A bundle that fits its schema, ready to decide, and what else there is to say of it."""

    bundle: Bundle
    engine: PolicyEngine
    catalogue: Catalogue
    cases: tuple[Case, ...]
    outcomes: tuple[Outcome, ...]
    problems: tuple[Problem, ...]

    def require(self) -> Checked:
        """Return it when nothing is wrong.

        Raises:
            Invalid: ``policy.refused`` naming the first error.
        """
        errors = [problem for problem in self.problems if problem.level == "error"]
        if errors:
            more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
            raise Invalid(
                "policy.refused",
                "The policy bundle does not check",
                f"{errors[0].place}: {errors[0].text}{more}",
                errors[0].remedy,
            )
        return self


def check(bundle: Bundle) -> Checked:
    """Check a bundle.

    Raises:
        Invalid: It cannot even be parsed, does not fit its schema, or its catalogue or table of cases is
            malformed. Everything that is wrong with one that can is in ``problems``.
    """
    _refuse_duplicates(bundle)
    engine = PolicyEngine(bundle)
    catalogue = parse_catalog(bundle.catalogue)
    cases = read_cases(bundle, catalogue.targets)
    outcomes = tuple(run_cases(cases, engine))
    problems = (
        *_outdated(engine, catalogue),
        *_names(bundle),
        *_reach(bundle),
        *_vocabulary(bundle, catalogue),
        *_outcomes(outcomes),
        *_untested(bundle, outcomes),
    )
    return Checked(bundle, engine, catalogue, cases, outcomes, problems)


def problems_of(bundle: Bundle) -> tuple[Problem, ...]:
    """Return everything that is wrong with a bundle, parsed or not."""
    try:
        return check(bundle).problems
    except QsecError as error:
        return (Problem("error", error.code, bundle.source, error.detail or error.title, error.remedy),)


def _refuse_duplicates(bundle: Bundle) -> None:
    twice = [name for name, count in Counter(rule.id for rule in bundle.rules).items() if count > 1]
    if twice:
        places = ", ".join(rule.place for rule in bundle.rules if rule.id == twice[0])
        raise Invalid(
            "policy.duplicate_id",
            "Two policies have the same id",
            f"{twice[0]} is the id of {places}.",
            "Rename one; a decision must name one rule.",
        )


def _outdated(engine: PolicyEngine, catalogue: Catalogue) -> Iterator[Problem]:
    """Find actions that a schema of an earlier version lacks: nothing can permit them."""
    proxied = any(target.tier == "proxy" for target in catalogue.targets.values())
    for action in sorted(engine.unknown):
        yield Problem(
            "error" if action == "submit" and proxied else "warning",
            "schema.outdated",
            SCHEMA,
            f"it does not have the action {action}, or not its circumstances, so {action} is always refused",
            "Copy action, type and rules from the shipped bundle; `qsec policy init DIR` writes one.",
        )


def _names(bundle: Bundle) -> Iterator[Problem]:
    for rule in bundle.rules:
        if not rule.named:
            yield Problem(
                "error",
                "rule.no_id",
                rule.place,
                "this rule has no @id",
                'Put @id("what-it-says") before it.',
            )
        if not rule.advice and rule.effect == "forbid":
            yield Problem(
                "warning",
                "rule.no_advice",
                rule.place,
                f"{rule.id} refuses without a word on what to do",
                'Put @advice("what the person can do") before it.',
            )


_VERDICTS: dict[str, tuple[Level, str, str]] = {
    "unreachable": (
        "error",
        "its conditions contradict each other, so it never applies",
        "Correct or delete it.",
    ),
    "overruled": ("error", "whatever it permits is forbidden by other rules", "Delete it, or narrow those."),
    "idle": (
        "warning",
        "nothing that it forbids is permitted in the first place",
        "Delete it, or keep it as a guard.",
    ),
    "redundant": ("warning", "other rules do all that it does", "Delete it, or keep it as documentation."),
}


def _reach(bundle: Bundle) -> Iterator[Problem]:
    for name, verdict in judge(bundle.rules, ACTIONS).items():
        level, text, remedy = _VERDICTS[verdict]
        rule = bundle.rule(name)
        yield Problem(level, f"rule.{verdict}", rule.place if rule else "", f"{name}: {text}", remedy)


def _outcomes(outcomes: tuple[Outcome, ...]) -> Iterator[Problem]:
    for outcome in outcomes:
        if not outcome.passed:
            text = f"case {outcome.case.name!r}: expected {wanted(outcome.case)}, was {outcome.reason}"
            yield Problem("error", "case.failed", CASES, text, "Correct the rule, or the case.")


def _untested(bundle: Bundle, outcomes: tuple[Outcome, ...]) -> Iterator[Problem]:
    decided = {name for outcome in outcomes for name in outcome.decision.policies}
    for rule in bundle.rules:
        if rule.id not in decided:
            text = f"{rule.id} decides none of the cases"
            yield Problem("warning", "rule.untested", rule.place, text, f"Add a case for it to {CASES}.")


# -- words that mean nothing -----------------------------------------------------------------------


def _vocabulary(bundle: Bundle, catalogue: Catalogue) -> Iterator[Problem]:
    """Find literals that what they are compared with never is: a slip of the pen matches nothing."""
    known = _words(catalogue)
    for rule in bundle.rules:
        for place, literal in _comparisons(rule):
            if place in known and literal not in known[place]:
                text = f'{rule.id}: {place} is never "{literal}"'
                one_of = f"It is one of {', '.join(sorted(known[place])) or 'none'}."
                yield Problem("error", "rule.unknown_word", rule.place, text, one_of)


def _words(catalogue: Catalogue) -> dict[str, frozenset[str]]:
    return {
        "principal.roles": frozenset(ROLES),
        "principal.scopes": frozenset(get_args(Scope)),
        "principal.targets": frozenset(catalogue.targets),
        "principal.kind": frozenset({"person", "workload"}),
        "resource": frozenset(catalogue.targets),
        "resource.approval": frozenset({"auto", "review"}),
        "resource.environment": frozenset(ENVIRONMENTS),
        "resource.tier": frozenset(get_args(Tier)),
        "resource.classes": frozenset(DATA_CLASSES),
        "context.data_class": frozenset(DATA_CLASSES),
        "context.scope": frozenset(get_args(Scope)),
    }


def _comparisons(rule: Rule) -> Iterator[tuple[str, str]]:
    scope = rule.form["resource"]
    if scope["op"] == "==":
        yield "resource", scope["entity"]["id"]
    for condition in rule.form["conditions"]:
        yield from _compared(condition["body"])


def _compared(body: Any) -> Iterator[tuple[str, str]]:
    """Yield what is compared with which text, anywhere in an expression."""
    if isinstance(body, list):
        for part in body:
            yield from _compared(part)
    if not isinstance(body, dict):
        return
    for kind, part in body.items():
        if kind in {"==", "!=", "contains", "containsAny", "containsAll"}:
            for one, other in ((part["left"], part["right"]), (part["right"], part["left"])):
                yield from ((place, text) for place in _places(one) for text in _texts(other))
        yield from _compared(part)


def _places(body: dict[str, Any]) -> list[str]:
    if "Var" in body:
        return [str(body["Var"])]
    if "." in body and "Var" in body["."]["left"]:
        return [f"{body['.']['left']['Var']}.{body['.']['attr']}"]
    return []


def _texts(body: dict[str, Any]) -> list[str]:
    members = body.get("Set", [body])
    values = [member.get("Value") for member in members if isinstance(member, dict)]
    entities = [
        value["__entity"]["id"] for value in values if isinstance(value, dict) and "__entity" in value
    ]
    return [value for value in values if isinstance(value, str)] + entities


def summary(problems: tuple[Problem, ...]) -> dict[str, int]:
    """Count problems by level."""
    counts = Counter(problem.level for problem in problems)
    return {level: counts[level] for level in get_args(Level)}
