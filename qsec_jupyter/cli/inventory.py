"""``qsec inventory``: plaintext quantum credentials that lie around on this machine, without their values."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..control.credentials.inventory import Plain


def inventory(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders of notebooks and code; the current one if not given.")
    ] = None,
    history: Annotated[bool, typer.Option(help="Read the history of git, too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
) -> None:
    """List plaintext credentials: vendors' own files, the environment, .env files, notebooks, git history.

    Exit status 1 when something was found. Values are never printed.
    """
    from ..control.credentials.inventory import everywhere

    folders = [path.resolve() for path in paths or [Path.cwd()]]
    count = 0
    for one in _all(everywhere(Path.home(), os.environ, folders), folders, history):
        count += 1
        print(json.dumps(_shown(one)) if as_json else _said(one))
    if not as_json:
        print(_end(count))
    raise typer.Exit(1 if count else 0)


def _all(first: Iterator[Plain], folders: list[Path], history: bool) -> Iterator[Plain]:
    from .inventory_scan import in_history, in_notebooks

    yield from first
    for folder in folders:
        yield from in_notebooks(folder)
        if history:
            yield from in_history(folder)


def _shown(one: Plain) -> dict[str, object]:
    return {
        "vendor": one.vendor,
        "kind": one.kind,
        "where": one.where,
        "key": one.key,
        "line": one.line or None,
        "note": one.note,
        "id": one.id,
    }


def _said(one: Plain) -> str:
    from .terminal import plain

    place = f"{one.where}:{one.line}" if one.line else one.id
    note = f"  ({one.note})" if one.note else ""
    return plain(f"{one.vendor:<12} {one.kind:<12} {place}{note}")


def _end(count: int) -> str:
    if not count:
        return "Nothing found."
    return (
        f"\n{count} found. `qsec import ID --target T` moves one from a file or variable; `qsec scan --fix` "
        "takes them from notebooks. What git's history holds, or was shared, is to be replaced there."
    )
