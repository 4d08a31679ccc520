"""The table of cases beside a bundle (``tests.toml``): who may do what, and by which rule.

A case that lists several people, actions or targets stands for every combination of them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product
from typing import Any, Literal, get_args
from xml.etree import ElementTree as ET

from ...core.errors import Invalid
from ...core.model import Principal, Target
from .bundle import CASES, Bundle
from .context import ACTIONS, Action, Context, from_table
from .engine import Decision, PolicyEngine

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Expected = Literal["allowed", "refused"]

_DESCRIBED: dict[str, Any] = {
    "name": "described",
    "title": "Described in a case",
    "provider": "simulator",
    "tier": "deliver",
    "approval": "review",
    "max_duration": 3600,
    "default_duration": 3600,
    "ticket_pattern": None,
    "ticket_required": False,
    "revocability": "",
}
"""What a target that a case describes is, where the case does not say otherwise."""

_KEYS = frozenset({"name", "who", "action", "target", "context", "expect", "by"})


@dataclass(frozen=True, slots=True)
class Case:
    """One question to policy, with the answer that it must give.

    Attributes:
        name: What people read when it fails.
        who: Who asks.
        action: For what.
        target: On which target; a bare name is one of the catalogue, or of none.
        context: Under which circumstances.
        expect: The answer.
        by: The ids of the rules that must give it; ``None`` when any may.
    """

    name: str
    who: Principal
    action: Action
    target: Target | str
    context: Context
    expect: Expected
    by: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What policy answered to a case."""

    case: Case
    decision: Decision

    @property
    def passed(self) -> bool:
        """Whether the answer and its rules are the expected ones."""
        allowed = self.case.expect == "allowed"
        by = self.case.by is None or set(self.case.by) == set(self.decision.policies)
        return by and self.decision.allowed == allowed

    @property
    def reason(self) -> str:
        """What was answered, by which rules."""
        said = "allowed" if self.decision.allowed else "refused"
        return f"{said} by {', '.join(self.decision.policies) or 'no rule'}"


def read_cases(bundle: Bundle, targets: dict[str, Target]) -> tuple[Case, ...]:
    """Return the cases of a bundle.

    Raises:
        Invalid: ``policy.cases`` naming the case that is wrong.
    """
    try:
        data = tomllib.loads(bundle.files.get(CASES, ""))
    except tomllib.TOMLDecodeError as error:
        raise _invalid("the file is not TOML") from error
    if set(data) - {"case"} or not isinstance(data.get("case", []), list):
        raise _invalid("it holds something beside [[case]]")
    found: list[Case] = []
    for number, entry in enumerate(data.get("case", []), 1):
        name = entry.get("name") if isinstance(entry, dict) else None
        try:
            found.extend(_expanded(entry, targets))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _invalid(f"case {name or number!r}: {error.args[0] if error.args else error}") from error
    return tuple(found)


def run_cases(cases: tuple[Case, ...], engine: PolicyEngine) -> list[Outcome]:
    """Put each case to an engine."""
    return [Outcome(case, engine.decide(case.who, case.action, case.target, case.context)) for case in cases]


def junit(outcomes: list[Outcome], name: str) -> str:
    """Return outcomes as a JUnit test suite (the form that Jenkins, GitLab and GitHub actions read)."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    suite = ET.Element(
        "testsuite", name=name, tests=str(len(outcomes)), failures=str(len(failed)), errors="0"
    )
    for outcome in outcomes:
        case = ET.SubElement(
            suite, "testcase", classname=f"policy.{outcome.case.action}", name=outcome.case.name
        )
        if not outcome.passed:
            message = f"expected {wanted(outcome.case)}, was {outcome.reason}"
            ET.SubElement(case, "failure", message=message).text = message
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True)


def wanted(case: Case) -> str:
    """Return what a case expects, as a phrase."""
    return case.expect + (f" by {', '.join(case.by) or 'no rule'}" if case.by is not None else "")


# -- reading one case ------------------------------------------------------------------------------


def _expanded(entry: dict[str, Any], targets: dict[str, Target]) -> Iterator[Case]:
    if unknown := set(entry) - _KEYS:
        raise ValueError(f"{min(unknown)} does not exist")
    if entry["expect"] not in get_args(Expected):
        raise ValueError("expect is neither allowed nor refused")
    combinations = list(product(*(_list(entry[key]) for key in ("who", "action", "target"))))
    for who, action, target in combinations:
        named = [_label(who), action, _label(target)]
        suffix = f" ({', '.join(named)})" if len(combinations) > 1 else ""
        by = entry.get("by")
        yield Case(
            name=f"{entry['name']}{suffix}",
            who=person(who),
            action=_action(action),
            target=described(target, targets),
            context=from_table(_action(action), entry.get("context", {})),
            expect=entry["expect"],
            by=None if by is None else tuple(_list(by)),
        )


def person(told: str | dict[str, Any]) -> Principal:
    """Return who a case or a question is about: a role's name, or a table of a principal's fields.

    Raises:
        ValueError: It has a field that does not exist.
    """
    if isinstance(told, str):
        told = {"roles": [told]}
    known = {field.name for field in fields(Principal)}
    if unknown := set(told) - known:
        raise ValueError(f"who.{min(unknown)} does not exist")
    values: dict[str, Any] = {"name": "somebody", "display_name": "Somebody", "identity_provider": "case"}
    values |= {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
    return Principal(**values)


def described(told: str | dict[str, Any], targets: dict[str, Target]) -> Target | str:
    """Return the target of the catalogue, or the one that a table describes.

    Raises:
        ValueError: It has a field that does not exist.
    """
    if isinstance(told, str):
        return targets.get(told, told)
    if unknown := set(told) - {field.name for field in fields(Target)}:
        raise ValueError(f"target.{min(unknown)} does not exist")
    return Target.from_dict({**_DESCRIBED, **told})


def question(
    who: dict[str, Any], action: str, target: str, context: dict[str, Any], targets: dict[str, Target]
) -> Case:
    """Return a case that expects nothing.

    Raises:
        ValueError: Something in it does not exist.
    """
    known = _action(action)
    asked = from_table(known, context)
    return Case("", person(who), known, described(target, targets), asked, "allowed")


def _action(told: str) -> Action:
    if told not in ACTIONS:
        raise ValueError(f"there is no action {told!r}")
    return told


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told]


def _label(told: Any) -> str:
    if isinstance(told, str):
        return told
    return str(told.get("name") or "+".join(told.get("roles", [])) or told.get("kind") or "described")


def _invalid(what: str) -> Invalid:
    return Invalid(
        "policy.cases", "The table of cases is not valid", f"{CASES}: {what}.", f"Correct {CASES}."
    )
