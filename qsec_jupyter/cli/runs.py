"""``qsec runs``: find recorded runs, in the state folder, whether a server runs or not."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer


def runs(
    words: Annotated[
        list[str] | None, typer.Argument(help="Words of id, backend, operation, notebook, cell or circuit.")
    ] = None,
    framework: Annotated[str | None, typer.Option(help="Such as qiskit.")] = None,
    backend: Annotated[str | None, typer.Option(help="A backend's name.")] = None,
    status: Annotated[str | None, typer.Option(help="running, done, failed or unknown.")] = None,
    since: Annotated[str | None, typer.Option(help="Date or RFC 3339 time.")] = None,
    until: Annotated[str | None, typer.Option(help="Date (the last one) or RFC 3339 time.")] = None,
    kernel: Annotated[str | None, typer.Option(help="A kernel's id.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """List recorded runs, newest first."""
    from ..control.evidence import reading
    from ..control.evidence.runs import Query

    query = Query(" ".join(words or ()) or None, framework, backend, status, since, until, kernel)
    found = reading.search(reading.open_journals(os.environ), query, limit)
    if as_json:
        print(json.dumps({"runs": found}, indent=1))
    else:
        _print(found)


def _print(found: list[dict[str, Any]]) -> None:
    from .terminal import print_table

    if not found:
        print("No recorded run matches.")
        return
    rows = (
        (
            run["run_id"][:12],
            str(run["started_at"])[:19].replace("T", " "),
            run["operation"],
            run["backend"],
            "" if run["shots"] is None else run["shots"],
            run["status"],
            len(run["gaps"]) or "",
            run["notebook"] or "",
        )
        for run in found
    )
    heads = ("Run", "Started", "Operation", "Backend", "Shots", "Status", "Gaps", "Notebook")
    print_table(heads, rows, whole={"Run", "Started", "Status"})
