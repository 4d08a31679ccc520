"""Where secrets go: every surface, each with the shapes that it takes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ..draft import Draft
from ..model import Planted
from . import encoded, idioms, issued, metadata, outputs, printed, rich, source, split

Placing = Callable[[Random, Draft, Planted], None]

PLACINGS: tuple[tuple[str, Placing, int], ...] = tuple(
    (f"{module.__name__.rsplit('.', 1)[1]}: {shape.__name__.replace('_', ' ')}", shape, weight)
    for module in (source, idioms, split, outputs, printed, rich, metadata, encoded)
    for shape, weight in module.SHAPES
)
ISSUED = issued.SHAPES

_ONE_LINE = {
    *(shape for shape, _ in split.SHAPES),
    *(shape for shape, _ in encoded.SHAPES),
    *(shape for shape, _ in printed.SHAPES if shape is not printed.repeated),
    *(shape for shape, _ in rich.SHAPES if shape not in (rich.html_text, rich.json_tree)),
    *(shape for shape, _ in idioms.SHAPES if shape is not idioms.binding),
    source.magic, source.comment, source.header, source.broken,
    outputs.coloured, outputs.invisible, outputs.table, outputs.listing,
    metadata.widget, metadata.papermill,
}  # fmt: skip
"""Placings that a value of several lines does not fit."""

_NO_URL = {source.header, printed.statement_sql, idioms.markup, outputs.error_name, rich.latex}
"""Placings where a whole URL or connection string would not stand."""


def fits(placing: Placing, planted: Planted) -> bool:
    """Say whether people would write this value in this way."""
    form = planted.format
    if form.multiline and placing in _ONE_LINE:
        return False
    whole = form.name.endswith(("URL", "webhook", "string", "authorization"))
    return not (whole and placing in (_NO_URL | {rich.html_attribute, rich.script}))
