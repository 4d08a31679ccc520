"""What was recorded is a kernel's word; on its way to a terminal it loses what a terminal would obey."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rich.console import Console

_CONTROLS = dict.fromkeys((*range(32), *range(127, 160)), "�")


def plain(value: Any) -> str:
    """Return a value as text without control characters (ECMA-48 C0, DEL and C1)."""
    return str(value).translate(_CONTROLS)


def console() -> Console:
    """Return a console for records: nothing in colour by itself, and wide where nobody looks on."""
    made = Console(highlight=False, soft_wrap=True)
    return made if made.is_terminal else Console(highlight=False, soft_wrap=True, width=200)


def print_table(heads: Iterable[str], rows: Iterable[Iterable[Any]], whole: Collection[str]) -> None:
    """Print records as a table; what stands below the heads of ``whole`` is never broken."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, no_wrap=head in whole)
    for row in rows:
        table.add_row(*(escape(plain(value)) for value in row))
    console().print(table)
