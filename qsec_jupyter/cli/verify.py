"""``qsec verify``: check ledger, checkpoints, statements and keys against one another, offline.

A file is the bundle of one run, as ``qsec export --format in-toto`` writes it; it is checked by itself.
"""

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
    from ..ledger.verify_bundle import BundleReport


def verify(
    path: Annotated[
        Path | None,
        typer.Argument(help="A journal's folder, or an exported run; all your journals by default."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option(help="A folder of archived keys to trust, beside those of your journals.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Check ledger and statements offline. Exits 0 when everything is as it was written, else 1."""
    from ..ledger.verify import verify_journal

    if path is not None and path.is_file():
        raise typer.Exit(0 if _verify_file(path, keys, as_json=as_json) else 1)
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


def _verify_file(path: Path, keys: Path | None, *, as_json: bool) -> bool:
    from ..ledger.bundle import MAX_BYTES, read
    from ..ledger.verify_bundle import verify_bundle

    with path.open("rb") as file:
        bundle = read(file.read(MAX_BYTES + 1))
    folders = [journal / "keys" for journal in journals()] + ([keys] if keys else [])
    trusted = frozenset(found.stem for folder in folders for found in folder.glob("*.json"))
    report = verify_bundle(bundle, trusted)
    if as_json:
        print(json.dumps({**asdict(report), "ok": report.ok}, indent=1))
    else:
        _print_bundle(path, report)
    return report.ok


def _print_bundle(path: Path, report: BundleReport) -> None:
    from rich.markup import escape

    from .terminal import console, plain

    to = console()
    verdict = "[green]verified[/]" if report.ok else f"[red]{len(report.problems)} problem(s)[/]"
    to.print(f"[bold]{escape(str(path))}[/]  {verdict}")
    to.print(
        f"  run {escape(plain(report.run_id))}, {len(report.statements)} statements, "
        f"journal {escape(plain(report.journal))}"
    )
    if not report.covered:
        to.print("  no signed checkpoint covers them yet: export again in a minute")
    for key in report.keys:
        known = (
            "not known on this machine: compare it with its owner"
            if key in report.untrusted
            else "known here"
        )
        to.print(f"  key {key}: {known}")
    for problem in report.problems:
        to.print(f"  [red]problem[/] {escape(problem.record)}: {escape(problem.what)}")


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
