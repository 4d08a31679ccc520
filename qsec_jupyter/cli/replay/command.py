"""The command: which run, on what, how strictly; and the verdict on a screen or as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...core.errors import Unavailable

if TYPE_CHECKING:
    from ...control.evidence.reading import Journal
    from .judge import Judgement

_COLOUR = {"verified": "cyan", "bit-identical": "green", "statistically equal": "green", "different": "red"}
_MOST_SHOWN = 20


def replay(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its beginning.")],
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:NAME", help="Run on this backend or primitive instead of the recorded one."
        ),
    ] = None,
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="Check the artefacts; run nothing.")
    ] = False,
    alpha: Annotated[
        float, typer.Option(min=1e-6, max=0.5, help="Probability to call equal outcomes different.")
    ] = 0.01,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Run a recorded run again. Exits 0 unless the verdict is *different*, then 1."""
    from ...control.evidence import reading

    journal, whole = reading.find(reading.open_journals(os.environ), run_id)
    run = journal.runs.get(whole)
    try:
        judgement = _judged(journal, whole, run, backend, alpha, verify_only=verify_only)
    except ModuleNotFoundError as error:
        raise Unavailable(
            "install.extra_missing",
            "A part of qsec-jupyter is not installed",
            f"`qsec replay` needs the package {error.name}.",
            "Install it with: pip install 'qsec-jupyter[quantum]'",
        ) from error
    if as_json:
        print(json.dumps(judgement.to_json(), indent=1))
    else:
        _print(judgement)
    raise typer.Exit(0 if judgement.ok else 1)


def _judged(
    journal: Journal,
    run_id: str,
    run: dict[str, Any],
    backend: str | None,
    alpha: float,
    *,
    verify_only: bool,
) -> Judgement:
    from .artefacts import gather
    from .judge import judge, verified
    from .rebuild import NotRebuilt, run as run_again

    material = gather(journal, run)
    if verify_only or material.mismatches:
        return verified(run_id, material, "it was not run again")
    try:
        result = run_again(material, backend)
    except NotRebuilt as error:
        return verified(run_id, material, f"it was not run again: {error}; --backend names another")
    return judge(run_id, material, result, alpha)


def _print(judgement: Judgement) -> None:
    from rich.markup import escape

    from ..terminal import console, plain

    to = console()
    to.print(f"run {judgement.run_id}  [{_COLOUR[judgement.verdict]}]{judgement.verdict}[/]")
    for why in judgement.why:
        to.print(f"  {escape(plain(why))}")
    for test in judgement.tests[:_MOST_SHOWN]:
        shown = [f"{test.name}: {test.test}"]
        shown += [f"statistic {test.statistic:.4g}"] if test.statistic is not None else []
        shown += [f"{test.freedom} degrees of freedom"] if test.freedom is not None else []
        shown += [f"p {test.p:.3g}, corrected {test.adjusted:.3g}", f"distance {test.distance:.3g}"]
        shown += [f"power at distance 0.1: {test.power:.3g}"] if test.power is not None else []
        shown += [f"sees {test.detectable:.3g} with 0.8"] if test.detectable is not None else []
        to.print(f"  {escape(plain(', '.join(shown)))}")
    for field, then, now in judgement.environment[:_MOST_SHOWN]:
        to.print(f"  environment: {escape(plain(field))} was {escape(plain(then))}, is {escape(plain(now))}")
    more = len(judgement.environment) - _MOST_SHOWN
    if more > 0:
        to.print(f"  and {more} more differences of the environment; --json lists all")
