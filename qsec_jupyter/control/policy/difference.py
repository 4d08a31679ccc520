"""What one bundle changes against another: rules, catalogue, and who may do what."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Literal

import cedarpy

from .bundle import SCHEMA, Bundle, Rule, as_set
from .cases import Case, Outcome, run_cases
from .check import Checked

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One rule, or one entry of the catalogue, that is not the same in both.

    Attributes:
        what: The rule's id, or the entry's name such as ``targets.pilot``.
        before: As it was, as text; empty when it was not.
        after: As it is, as text; empty when it is not.
    """

    kind: Kind
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A case that the two bundles decide in another way."""

    before: Outcome
    after: Outcome


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that the new bundle does otherwise."""

    rules: tuple[Change, ...]
    catalogue: tuple[Change, ...]
    schema: bool
    cases: tuple[Otherwise, ...]

    def __bool__(self) -> bool:
        return bool(self.rules or self.catalogue or self.schema or self.cases)


def compare(old: Checked, new: Checked) -> Difference:
    """Return what ``new`` changes. The cases of both are put to both."""
    return Difference(
        rules=_changes(
            {rule.id: _text(rule) for rule in old.bundle.rules},
            {rule.id: _text(rule) for rule in new.bundle.rules},
        ),
        catalogue=_changes(_entries(old.bundle), _entries(new.bundle)),
        schema=old.bundle.files[SCHEMA] != new.bundle.files[SCHEMA],
        cases=_otherwise(old, new),
    )


def _changes(old: dict[str, str], new: dict[str, str]) -> tuple[Change, ...]:
    found = []
    for what in sorted({*old, *new}):
        before, after = old.get(what, ""), new.get(what, "")
        if before != after:
            kind: Kind = "changed" if before and after else "added" if after else "removed"
            found.append(Change(kind, what, before, after))
    return tuple(found)


def _text(rule: Rule) -> str:
    text: str = cedarpy.format_policies(cedarpy.policies_from_json_str(as_set({"rule": rule.form})))
    return text.strip()


def _entries(bundle: Bundle) -> dict[str, str]:
    """Return the catalogue's entries, one a target, a project, a workload, a data class."""
    found: dict[str, str] = {}
    for section, content in tomllib.loads(bundle.catalogue).items():
        inner = content if isinstance(content, dict) else {}
        tables = {name: entry for name, entry in inner.items() if isinstance(entry, dict)}
        found.update({f"{section}.{name}": _lines(entry) for name, entry in tables.items()})
        rest = {k: v for k, v in inner.items() if k not in tables} if inner else content
        if rest:
            found[section] = _lines(rest)
    return found


def _lines(entry: Any) -> str:
    if not isinstance(entry, dict):
        return repr(entry)
    return "\n".join(f"{key} = {value!r}" for key, value in sorted(entry.items()))


def _otherwise(old: Checked, new: Checked) -> tuple[Otherwise, ...]:
    pairs = []
    for case in _every(old, new):
        name = case.target if isinstance(case.target, str) else case.target.name
        before, after = (
            run_cases((_on(case, side.catalogue.targets.get(name, case.target)),), side.engine)[0]
            for side in (old, new)
        )
        same_rules = before.decision.policies == after.decision.policies
        if before.decision.allowed != after.decision.allowed or not same_rules:
            pairs.append(Otherwise(before, after))
    return tuple(pairs)


def _on(case: Case, target: Any) -> Case:
    return Case(case.name, case.who, case.action, target, case.context, case.expect, case.by)


def _every(old: Checked, new: Checked) -> list[Case]:
    return list({case.name: case for case in (*old.cases, *new.cases)}.values())
