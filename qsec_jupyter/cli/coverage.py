"""``qsec coverage``: which ways out of a notebook are covered, and which are not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from ..core.errors import NotFound
from .servers import serving

_STYLE = {"redacted": "green", "scanned": "green", "reported": "yellow", "not covered": "red"}


def coverage(
    notebook: Annotated[Path, typer.Argument(help="A notebook.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Say for each way out of a notebook whether it is covered now, by what, and what is not.

    The server that serves the notebook answers. Where none runs, nothing but git stands in the way.
    """
    if not notebook.is_file():
        raise NotFound("coverage.no_notebook", "There is no such notebook", str(notebook))
    place = serving(notebook)
    if place is None:
        rows = _without_server(notebook)
    else:
        server, path = place
        rows = server.ask(f"coverage?path={quote(path)}")["rows"]
    if as_json:
        print(json.dumps({"path": str(notebook), "rows": rows}, indent=1))
    else:
        _print(rows)


def _without_server(notebook: Path) -> list[dict[str, str]]:
    from dataclasses import asdict

    from ..server.coverage.git import rows

    why = "no running Jupyter Server with qsec serves this notebook"
    alone = {"surface": "notebook", "route": "every way through Jupyter", "state": "not covered", "by": ""}
    return [{**alone, "note": why}, *[asdict(row) for row in rows(notebook)]]


def _print(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("surface", "way out", "state", "by", "note")
    for row in rows:
        state = f"[{_STYLE[row['state']]}]{row['state']}[/]"
        table.add_row(
            *map(escape, (row["surface"], row["route"])), state, *map(escape, (row["by"], row["note"]))
        )
    Console(highlight=False).print(table)
