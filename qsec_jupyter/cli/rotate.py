"""``qsec rotate TARGET``: replace the value, or make a new version of the key, behind a target."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import Invalid
from ..core.secret import Secret

if TYPE_CHECKING:
    from ..control.credentials.broker import TargetSource


def rotate(
    target: Annotated[str, typer.Argument(help="Its name in the catalogue.")],
    field: Annotated[
        list[str] | None, typer.Option(help="Which part to replace; the target's value if not given.")
    ] = None,
) -> None:
    """Replace the value behind a target, or make a new version of its key.

    The new value is typed at a prompt that does not echo, or read from standard input, one line a
    field. Kernels that hold a grant get it at their next use. Replace it at the provider first and
    delete the old one there afterwards: nothing else ends a copy.
    """
    from .keeping import opened, source_of

    source = source_of(target)
    with opened() as keeping:
        if source.engine == "transit":
            keeping.rotate_key(target, source)
            print(f"{target} has a new key in {keeping.where}; older signatures stay verifiable.")
            return
        from ..control.credentials.keeping import check_kept

        check_kept(target, source)
        keeping.put(target, source, _asked(target, source, field or [source.field]))
        print(f"{target} has a new value, in {keeping.where}.")
        print("Now delete the old one at its provider: a copy of it works until then.")


def _asked(target: str, source: TargetSource, names: list[str]) -> dict[str, Secret]:
    unknown = set(names) - {source.field, *source.fields}
    if unknown:
        raise Invalid(
            "rotate.no_such_field",
            "The target has no such part",
            f"Its parts: {', '.join(dict.fromkeys((source.field, *source.fields)))}.",
            "Leave --field out for its value.",
        )
    return {name: Secret(_line(f"New {name} of {target}"), target) for name in names}


def _line(prompt: str) -> str:
    if sys.stdin.isatty():
        text = str(typer.prompt(prompt, hide_input=True, confirmation_prompt=True))
    else:
        text = sys.stdin.readline()
    text = text.strip("\r\n")
    if not text.strip():
        raise Invalid(
            "rotate.empty", "No new value was given", "", "Type it, or send one line to standard input."
        )
    return text
