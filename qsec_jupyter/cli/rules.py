"""``qsec rules``: what the scanner looks for, whether it finds it, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.errors import NotFound, QsecError
from ..scan import detect, settings
from ..scan.foreign import Refused, collect
from ..scan.rules import loader
from ..scan.rules.explain import Explanation, explain
from ..scan.rules.loader import Rule
from .terminal import console, plain

app = typer.Typer(help="List, test and explain the rules of the scanner.", no_args_is_help=True)

_Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--rules",
        help="More rules: our form, a gitleaks.toml, a .secrets.baseline (its own plugins are run), "
        "or `kingfisher`; beside those that the settings name, may be repeated.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object.")]


@dataclass(frozen=True)
class _Catalogue:
    rules: list[Rule]
    refused: tuple[Refused, ...]


@app.command("list")
def list_rules(sources: _Sources = None, as_json: _Json = False) -> None:
    """List every rule by family, and what is not used."""
    catalogue = _catalogue(sources)
    if as_json:
        keys = ("id", "title", "severity", "confidence", "action", "family", "source")
        rows = [{key: getattr(rule, key) for key in keys} for rule in catalogue.rules]
        print(json.dumps({"rules": rows, "refused": [_as_dict(one) for one in catalogue.refused]}, indent=1))
        return
    _print_list(catalogue)


@app.command("test")
def try_rules(
    sources: _Sources = None, seed: Annotated[int, typer.Option(help="Draws other samples.")] = 0
) -> None:
    """Try every rule on samples that are drawn anew: it must find the positive and no negative one.

    Exit status: 0 every rule with samples passes and nothing is refused, 1 otherwise.
    """
    catalogue = _catalogue(sources)
    failed, untested = [], 0
    for rule in catalogue.rules:
        untested += not rule.positive
        try:
            loader.prove(rule, seed)
        except QsecError as error:
            failed.append(error.detail)
    out = console()
    for line in (*failed, *map(str, catalogue.refused)):
        out.print(plain(line), markup=False)
    total, bad = len(catalogue.rules) - untested, len(failed) + len(catalogue.refused)
    out.print(f"{total} rules tested, {bad} failed or refused; {untested} of other scanners have no samples")
    if bad:
        raise typer.Exit(1)


@app.command("explain")
def explain_rule(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="As findings and `qsec rules list` name it.")],
    sources: _Sources = None,
    as_json: _Json = False,
) -> None:
    """Say what a rule finds, how, what to do about a finding, and what it leaves alone."""
    explanation = _explanation(rule_id, sources)
    if as_json:
        print(json.dumps(explanation.as_dict(), indent=1, ensure_ascii=False))
        return
    out = console()
    for name, value in explanation.rows():
        for number, line in enumerate(value.split("\n")):
            out.print(f"{name if not number else '':<12} {plain(line)}", markup=False)


def _catalogue(sources: list[str] | None) -> _Catalogue:
    shipped = [*loader.load(), *detect.rules()]
    found = collect(settings.find(Path()).rules, shipped, sources or ())
    others = [rule for finder in found.finders for rule in finder.rules]
    return _Catalogue([*shipped, *found.rules, *others], found.refused)


def _explanation(rule_id: str, sources: list[str] | None) -> Explanation:
    from ..scan.literals import ISSUED as ISSUED_ID
    from ..scan.rules.explain import ISSUED

    if rule_id == ISSUED_ID:
        return ISSUED
    catalogue = _catalogue(sources)
    by_id = {rule.id: rule for rule in catalogue.rules}
    if rule_id in by_id:
        return explain(by_id[rule_id])
    for refused in catalogue.refused:
        if refused.rule == rule_id:
            raise NotFound("rule.refused", "This rule is not used", str(refused), "Correct it there.")
    near = get_close_matches(rule_id, [*by_id, ISSUED_ID], n=3)
    remedy = f"Close to it: {', '.join(near)}." if near else "`qsec rules list` names every rule."
    raise NotFound("rule.unknown", "There is no such rule", plain(rule_id), remedy)


def _print_list(catalogue: _Catalogue) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    for family, rules in groupby(sorted(catalogue.rules, key=_family), key=_family):
        table = Table("rule", "severity", "what it finds", title=escape(plain(family)), title_justify="left")
        for rule in rules:
            what = rule.title + ("" if rule.action == "redact" else " (reported, not redacted)")
            table.add_row(*(escape(plain(text)) for text in (rule.id, rule.severity, what)))
        out.print(table)
    _print_refused(catalogue.refused)
    out.print(f"{len(catalogue.rules)} rules, {len(catalogue.refused)} not used")


def _print_refused(refused: Iterable[Refused]) -> None:
    for one in refused:
        console().print(f"not used: {plain(one)}", markup=False)


def _family(rule: Rule) -> str:
    return rule.family or rule.source


def _as_dict(refused: Refused) -> dict[str, Any]:
    return {"file": refused.file, "rule": refused.rule, "why": refused.why}
