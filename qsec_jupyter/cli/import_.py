"""``qsec import``: move a plaintext credential into the store of a target, and scrub where it lay."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import Invalid, NotFound

if TYPE_CHECKING:
    from ..control.credentials.inventory import Plain

app = typer.Typer(add_completion=False)


@app.command()
def move(
    found: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="What `qsec inventory` printed; `-` reads standard input."),
    ] = None,
    target: Annotated[str, typer.Option(help="The catalogue's target that it is for.")] = "",
    field: Annotated[
        str | None, typer.Option(help="Which part of the target it is; its value if not given.")
    ] = None,
    scrub: Annotated[
        bool | None,
        typer.Option("--scrub/--keep", help="Take it out of its file afterwards; asks if not given."),
    ] = None,
) -> None:
    """Move a plaintext credential into the store, without showing it.

    Without an ID, the default account of qiskit-ibm.json is taken when there is one.
    """
    from ..control.credentials.inventory import scrub as scrub_file
    from .keeping import opened, source_of
    from .terminal import plain as shown

    if not target:
        raise Invalid("import.no_target", "A target is missing", "", "Add --target NAME; see catalog.toml.")
    source = source_of(target)
    plain = _chosen(found)
    if plain.value is None:
        raise Invalid(
            "import.no_value",
            "That is only a place",
            "The scanner names it.",
            "Type the value: `qsec rotate`.",
        )
    with opened() as keeping:
        keeping.put(target, source, {field or source.field: plain.value})
        print(f"{target} has the value of {shown(plain.id)} now, in {keeping.where}.")
    if plain.kind == "file" and _wanted(plain, scrub):
        scrub_file(plain)
        print(
            f"Taken out of {shown(plain.where)}. Copies in backups and git stay: "
            "replace the value at its provider."
        )
    elif plain.kind == "environment":
        print(f"Unset {plain.where} where it is set: no program can do that for its shell.")


def _chosen(found: str | None) -> Plain:
    from ..control.credentials.inventory import Plain, everywhere
    from ..core.secret import Secret

    if found == "-":
        return Plain(
            "typed", "typed", "standard input", "", Secret(sys.stdin.readline().strip("\r\n"), "import")
        )
    known = list(everywhere(Path.home(), os.environ, [Path.cwd()]))
    if found is not None and Path(found.partition("#")[0]).is_file():
        folder = Path(found.partition("#")[0]).resolve().parent
        known += list(everywhere(Path("/nonexistent"), {}, [folder]))
        found = str(folder / Path(found).name)
    usual = "qiskit-ibm.json"
    matching = [one for one in known if one.id == found or (not found and one.where.endswith(usual))]
    if len({one.id for one in matching}) == 1:
        return matching[0]
    raise NotFound(
        "import.not_found" if not matching else "import.which",
        "There is no such credential" if not matching else "There is more than one",
        f"{len(known)} credentials lie in files and variables here; {len(matching)} match.",
        "`qsec inventory` lists them with their IDs.",
    )


def _wanted(plain: Plain, scrub: bool | None) -> bool:
    if scrub is not None or not sys.stdin.isatty():
        return bool(scrub)
    return bool(typer.confirm(f"Take it out of {plain.where}?", default=True))
