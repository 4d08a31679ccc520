"""``qsec verify``: check ledger, checkpoints, statements and keys against one another, offline."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import NotFound
from ..core.paths import home, journals

if TYPE_CHECKING:
    from rich.console import Console

    from ..ledger.verify import Report


def verify(
    path: Annotated[Path | None, typer.Argument(help="A journal's folder; all of yours by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Check ledger and statements offline. Exits 0 when everything is as it was written, else 1."""
    from ..ledger.verify import verify_journal

    folders = [path] if path is not None else journals()
    for folder in folders:
        if not (folder / "ledger").is_dir():
            raise NotFound(
                "verify.no_journal",
                "That is not a journal",
                f"There is no folder `ledger` in {folder}.",
                "Name the folder that holds ledger, statements and keys.",
            )
    reports = [verify_journal(folder) for folder in folders]
    if as_json:
        print(
            json.dumps({"ok": all(r.ok for r in reports), "journals": [_plain(r) for r in reports]}, indent=1)
        )
    else:
        _print(reports)
    raise typer.Exit(0 if all(report.ok for report in reports) else 1)


def _plain(report: Report) -> dict[str, object]:
    return {**asdict(report), "path": str(report.path), "ok": report.ok}


def _print(reports: list[Report]) -> None:
    from rich.console import Console

    # No wrapping: a record's name must stay one piece to be copied.
    console = Console(highlight=False, soft_wrap=True)
    if not reports:
        console.print(f"There is nothing to verify yet in {home()}.", markup=False)
    for report in reports:
        _print_one(console, report)


def _print_one(console: Console, report: Report) -> None:
    from rich.markup import escape

    verdict = "[green]verified[/]" if report.ok else f"[red]{len(report.problems)} problem(s)[/]"
    console.print(f"[bold]{escape(str(report.path))}[/]  {verdict}")
    console.print(
        f"  {report.entries} ledger entries, {report.statements} statements, "
        f"{report.evidence} artefacts, {report.keys} keys, "
        f"{report.checkpoints} checkpoints"
    )
    open_end = report.entries - report.covered
    if open_end > 0:
        console.print(
            f"  the last {open_end} entries stand behind the newest checkpoint: their removal would go unseen"
        )
    for note in report.notes:
        console.print(f"  note: {escape(note)}")
    for problem in report.problems:
        console.print(f"  [red]problem[/] {escape(problem.record)}: {escape(problem.what)}")
