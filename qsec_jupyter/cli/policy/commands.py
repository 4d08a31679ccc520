"""The commands. Each reads, decides by the very code of the control plane, prints, and exits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from ...core.errors import Conflict, Invalid

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Check, try, explain and compare policy bundles."
)

Folder = Annotated[
    Path | None, typer.Argument(help="A bundle's folder; what a control plane would read now by default.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("init")
def init(
    folder: Annotated[Path | None, typer.Argument(help="A new folder; policy/ of the state folder.")] = None,
) -> None:
    """Copy the shipped bundle, to make it a site's own."""
    from ...control.policy.bundle import SHIPPED
    from ...core.paths import home

    place = folder or home() / "policy"
    if place.exists():
        raise Conflict("policy.exists", "There is something already", f"{place}.", "Name a new folder.")
    shutil.copytree(SHIPPED, place)
    print(f"{place} holds a copy of the shipped bundle. Edit it, then: qsec policy check {place}")


@app.command("check")
def check(folder: Folder = None, as_json: Json = False) -> None:
    """Say everything that is wrong with a bundle. Exits 0 when it would be taken, else 2."""
    from ...control.policy.check import problems_of, summary
    from .force import chosen
    from .printing import print_problems

    bundle = chosen(folder)
    problems = problems_of(bundle)
    if as_json:
        rows = [{name: getattr(problem, name) for name in problem.__slots__} for problem in problems]
        print(json.dumps({"digest": bundle.digest, "source": bundle.source, "problems": rows}, indent=1))
    else:
        print_problems(bundle, problems)
    raise typer.Exit(2 if summary(problems)["error"] else 0)


@app.command("test")
def try_cases(
    folder: Folder = None,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit report there.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List the cases that pass, too.")] = False,
) -> None:
    """Put every case of tests.toml to the bundle. Exits 1 when one is answered otherwise."""
    from ...control.catalog import parse_catalog
    from ...control.policy.cases import junit as report, read_cases, run_cases
    from ...control.policy.engine import PolicyEngine
    from .force import chosen
    from .printing import print_outcomes

    bundle = chosen(folder)
    cases = read_cases(bundle, parse_catalog(bundle.catalogue).targets)
    outcomes = run_cases(cases, PolicyEngine(bundle))
    if junit is not None:
        junit.write_text(report(outcomes, f"policy {bundle.digest[:12]}"), encoding="utf-8")
    print_outcomes(outcomes, verbose=verbose)
    raise typer.Exit(0 if all(outcome.passed for outcome in outcomes) else 1)


@app.command("explain")
def explain(
    grant: Annotated[str | None, typer.Argument(help="A grant's id: what the ledger says of it.")] = None,
    action: Annotated[str | None, typer.Option(help="Such as request, approve, issue.")] = None,
    target: Annotated[str | None, typer.Option(help="A target of the catalogue.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="A role of who asks; may be repeated.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group of who asks; may be repeated.")] = None,
    who: Annotated[str, typer.Option(help="The name of who asks.")] = "somebody",
    workload: Annotated[bool, typer.Option("--workload", help="A workload asks, not a person.")] = False,
    context: Annotated[
        list[str] | None, typer.Option(help="A circumstance, such as own_request=true; may be repeated.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="A bundle's folder; what is in force by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say why something was, or would be, allowed or refused. Exits 0 when it is allowed, else 3."""
    from .printing import explanation_dict, past_dict, print_explanation, print_past

    if grant is not None:
        from .force import decisions

        past = decisions(grant)
        _show(as_json, [past_dict(one) for one in past], lambda: print_past(past))
        return
    if action is None or target is None:
        raise Invalid(
            "policy.no_question",
            "There is nothing to explain yet",
            "",
            "Name a grant, or give --action and --target with --role.",
        )
    person = {
        "name": who,
        "roles": role or [],
        "groups": group or [],
        "kind": "workload" if workload else "person",
    }
    explained = _explained(policy, person, action, target, context or [])
    _show(as_json, explanation_dict(explained), lambda: print_explanation(explained))
    raise typer.Exit(0 if explained.decision.allowed else 3)


def _explained(
    policy: Path | None, person: dict[str, Any], action: str, target: str, context: list[str]
) -> Any:
    from ...control.catalog import parse_catalog
    from ...control.policy import cases
    from ...control.policy.bundle import Bundle
    from ...control.policy.engine import PolicyEngine
    from ...control.policy.explain import explain as take_apart
    from .force import in_force

    bundle = in_force() if policy is None else Bundle.read(policy)
    targets = parse_catalog(bundle.catalogue).targets
    try:
        question = cases.question(person, action, target, _circumstances(context), targets)
    except ValueError as error:
        raise Invalid("policy.question", "That question cannot be asked", f"{error.args[0]}.") from error
    return take_apart(PolicyEngine(bundle), question)


def _circumstances(told: list[str]) -> dict[str, Any]:
    words = {"true": True, "false": False}
    pairs = (one.partition("=") for one in told)
    return {key: words.get(value, value) for key, _, value in pairs}


@app.command("diff")
def diff(
    folder: Annotated[Path, typer.Argument(help="The bundle that would take the place of what is in force.")],
    as_json: Json = False,
) -> None:
    """Say what a bundle would change. Exits 0 when nothing, 1 when something, 2 when it does not check."""
    from ...control.policy.bundle import Bundle
    from ...control.policy.check import check as checked
    from ...control.policy.difference import compare
    from .force import in_force
    from .printing import difference_dict, print_difference

    old, new = checked(in_force()), checked(Bundle.read(folder))
    found = compare(old, new)
    _show(as_json, difference_dict(old, new, found), lambda: print_difference(old, new, found))
    new.require()
    raise typer.Exit(1 if found else 0)


def _show(as_json: bool, value: Any, printed: Any) -> None:  # the option as it came
    if as_json:
        print(json.dumps(value, indent=1))
    else:
        printed()
