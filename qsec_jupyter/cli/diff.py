"""``qsec diff``: what changed from one recorded run to another."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A run's id, or its beginning.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Compare two recorded runs: circuit, parameters, backend, execution, environment, source, result."""
    from ..control.evidence import reading
    from ..provenance.difference import difference

    opened = reading.open_journals(os.environ)
    (first, one), (second, other) = reading.find(opened, a), reading.find(opened, b)
    left, right = first.runs.get(one), second.runs.get(other)
    groups = difference(left, right, lambda sha: first.runs.packages(sha) or second.runs.packages(sha))
    if as_json:
        print(json.dumps({"a": left["summary"], "b": right["summary"], "groups": groups}, indent=1))
    else:
        _print(one, other, groups)


def _print(a: str, b: str, groups: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    from .terminal import console, plain

    to = console()
    to.print(f"[red]- {a}[/]\n[green]+ {b}[/]")
    for group in groups:
        to.print(f"[bold]{group['name']}[/]  {'the same' if group['equal'] else 'differs'}")
        for change in group["changes"]:
            field = escape(plain(change["field"]))
            if change["a"] is not None:
                to.print(f"  [red]- {field}: {escape(plain(change['a']))}[/]")
            if change["b"] is not None:
                to.print(f"  [green]+ {field}: {escape(plain(change['b']))}[/]")
