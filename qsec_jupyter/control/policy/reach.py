"""Which rules can never matter: their conditions contradict, or other rules always come first.

A rule's scope and conditions become a formula over what Cedar would look up, such as
``principal.roles.contains("x")`` or ``resource.approval == "auto"``. What is not understood is one opaque
atom, so a rule that is reported truly cannot matter; some that cannot may go unreported. Satisfiability is
decided by branching on one atom after another (Davis, Logemann, Loveland 1962).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

from .bundle import Rule

Formula = bool | str | tuple[Any, ...]
"""``True``, ``False``, an atom, or ``("not", f)``, ``("and", f, g …)``, ``("or", f, g …)``."""

Verdict = Literal["unreachable", "overruled", "idle", "redundant"]

_IS = "\x00"
"""Between the two sides of an atom that is an equality with a literal; no JSON holds it."""

_BRANCHES = 20_000
"""A formula that needs more than this many branches is left undecided, and its rule unreported."""


def judge(rules: Iterable[Rule], actions: Iterable[str]) -> dict[str, Verdict]:
    """Return the verdict on each rule that cannot matter.

    * ``unreachable``: its conditions contradict each other, for every action.
    * ``overruled``: a permit; whenever it matches, a forbid does, too.
    * ``idle``: a forbid; nothing that it matches would be permitted without it.
    * ``redundant``: whenever it matches, another rule of the same effect does, too.
    """
    rules, actions = list(rules), list(actions)
    matches = {(rule.id, action): matched(rule, action) for rule in rules for action in actions}
    verdicts: dict[str, Verdict] = {}
    for rule in rules:
        if (verdict := _verdict(rule, rules, actions, matches)) is not None:
            verdicts[rule.id] = verdict
    return verdicts


def _verdict(
    rule: Rule, rules: list[Rule], actions: list[str], matches: dict[tuple[str, str], Formula]
) -> Verdict | None:
    def some(*, only: Formula | None = None, same: bool = False, other: bool = False) -> bool:
        """Say whether the rule matches somewhere, with or without what other rules match."""
        return any(_possible(rule, action, rules, matches, same=same, other=other) for action in actions)

    if not some():
        return "unreachable"
    if not some(other=True):
        return "overruled" if rule.effect == "permit" else "idle"
    return None if some(same=True) else "redundant"


def _possible(
    rule: Rule,
    action: str,
    rules: list[Rule],
    matches: dict[tuple[str, str], Formula],
    *,
    same: bool,
    other: bool,
) -> bool:
    def of(effect: str) -> Formula:
        return _any(matches[r.id, action] for r in rules if r.effect == effect and r is not rule)

    parts = [matches[rule.id, action]]
    if same:
        parts.append(_not(of(rule.effect)))
    if other:
        parts.append(_not(of("forbid")) if rule.effect == "permit" else of("permit"))
    return satisfiable(_all(parts))


# -- from Cedar's JSON form to formulas ------------------------------------------------------------


def matched(rule: Rule, action: str) -> Formula:
    """Return the formula of what a rule matches when ``action`` is asked for."""
    form = rule.form
    parts = [rule.concerns(action), *(_scope(form[var], var) for var in ("principal", "resource"))]
    for condition in form["conditions"]:
        body = _formula(condition["body"])
        parts.append(body if condition["kind"] == "when" else _not(body))
    return _all(parts)


def _scope(scope: dict[str, Any], variable: str) -> Formula:
    if scope["op"] == "All":
        return True
    left = {"Var": variable}
    if scope["op"] == "==":
        return _equal(left, {"Value": {"__entity": scope["entity"]}})
    return _atom({scope["op"]: [left, {key: value for key, value in scope.items() if key != "op"}]})


def _formula(body: dict[str, Any]) -> Formula:
    ((kind, part),) = body.items()
    translate = _TRANSLATIONS.get(kind)
    return translate(part) if translate else _atom(body)


def _value(part: Any) -> Formula:
    return part if isinstance(part, bool) else _atom({"Value": part})


def _choice(part: dict[str, Any]) -> Formula:
    condition, then, otherwise = (_formula(part[key]) for key in ("if", "then", "else"))
    return _any([_all([condition, then]), _all([_not(condition), otherwise])])


def _equal(left: dict[str, Any], right: dict[str, Any]) -> Formula:
    if "Value" in left:
        left, right = right, left
    if "Value" in left or "Value" not in right:
        return _atom({"==": sorted([left, right], key=_atom)})
    if isinstance(right["Value"], bool):
        return _formula(left) if right["Value"] else _not(_formula(left))
    return f"={_atom(left)}{_IS}{_atom(right)}"


def _contains(part: dict[str, Any]) -> Formula:
    if "Set" in part["left"]:
        return _any(_equal(part["right"], member) for member in part["left"]["Set"])
    return _atom({"contains": part})


def _contains_many(part: dict[str, Any], join: Any) -> Formula:
    if "Set" not in part["right"]:
        return _atom({join.__name__: part})
    return join(_contains({"left": part["left"], "right": member}) for member in part["right"]["Set"])  # type: ignore[no-any-return]


def _atom(body: Any) -> str:
    return json.dumps(body, sort_keys=True)


def _not(formula: Formula) -> Formula:
    return not formula if isinstance(formula, bool) else ("not", formula)


def _all(parts: Iterable[Formula]) -> Formula:
    kept = [part for part in parts if part is not True]
    return False if False in kept else ("and", *kept) if kept else True


def _any(parts: Iterable[Formula]) -> Formula:
    kept = [part for part in parts if part is not False]
    return True if True in kept else ("or", *kept) if kept else False


_TRANSLATIONS: dict[str, Any] = {
    "Value": _value,
    "&&": lambda part: _all([_formula(part["left"]), _formula(part["right"])]),
    "||": lambda part: _any([_formula(part["left"]), _formula(part["right"])]),
    "!": lambda part: _not(_formula(part["arg"])),
    "==": lambda part: _equal(part["left"], part["right"]),
    "!=": lambda part: _not(_equal(part["left"], part["right"])),
    "if-then-else": _choice,
    "contains": _contains,
    "containsAny": lambda part: _contains_many(part, _any),
    "containsAll": lambda part: _contains_many(part, _all),
}


# -- satisfiability --------------------------------------------------------------------------------


def satisfiable(formula: Formula) -> bool:
    """Say whether some assignment makes ``formula`` true; when it is too large to tell, yes."""
    return _solve(_under(formula, "", value=True), [_BRANCHES])


def _solve(rest: Formula, budget: list[int]) -> bool:
    if isinstance(rest, bool):
        return rest
    budget[0] -= 1
    if budget[0] < 0:
        return True
    atom = _first(rest)
    return any(_solve(_under(rest, atom, value=value), budget) for value in (True, False))


def _under(formula: Formula, atom: str, *, value: bool) -> Formula:
    """Return the formula with one atom decided."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, str):
        if formula == atom:
            return value
        return False if value and _exclude(formula, atom) else formula
    kind, *parts = formula
    if kind == "not":
        return _not(_under(parts[0], atom, value=value))
    return (_all if kind == "and" else _any)(_under(part, atom, value=value) for part in parts)


def _exclude(one: str, other: str) -> bool:
    """Say whether two atoms compare the same thing with different literals."""
    left, _, _ = one.partition(_IS)
    return one.startswith("=") and other.startswith(left + _IS)


def _first(formula: Formula) -> str:
    while not isinstance(formula, str):
        assert not isinstance(formula, bool)  # what is known has been put in
        formula = formula[1]
    return formula
