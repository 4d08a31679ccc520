"""Tells by its literals where source is worth a syntax tree: in most of it none could be a secret.

A tree and its evaluation take a hundred times as long as a look at the literals. What rules find in a text as
it stands needs no tree: one is needed for what gets its name elsewhere, and for what is put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CHARACTER = r"[A-Za-z0-9._~+/=!@#$%^&*:?\\-]"
# The closing quote is left for the next match: an apostrophe in a comment must not turn the rest inside out.
_LITERAL = re.compile(
    rf"[\"'}}] {{0,2}}({_CHARACTER}{{4,}})(?=[\"'\n{{])|[\"']([^\"'\n;]*;[^\"'\n]*)(?=[\"'\n])"
)
_SHORT = re.compile(rf"(?:[\"']{_CHARACTER}{{1,8}}[\"']\s{{0,9}}[,+]?\s{{0,9}}){{4,200}}")
_QUOTE = re.compile(r"[\"']")
_BETWEEN = re.compile(r"[\"'\s,]|\+(?=\s*[\"'])")
_RUN = re.compile(r"[A-Za-z0-9!#$%^&*]{4,}")
_WORDS = re.compile(  # perhaps with a number, and few letters behind it: Standard_NC48ads_A100_v4
    r"[$%!*]?(?:[a-z]?(?:[A-Z]{0,5}[a-z]{2,}|[A-Z]{2,})*[A-Z]?[a-z]?"
    r"|(?:[A-Z]?[a-z]{3,}|(?<![A-Z])[A-Z]{2,12}(?![a-z]))*[A-Za-z]?[a-z]?[0-9]*(?:[a-z]{0,5}|[A-Z]{0,4}))[$%!*]?"
    r"|#[0-9a-fA-F]{3,8}|(?:%[A-Za-z])+"
)
_ADDRESS = re.compile(r"https?://[^@?=]*$")


def spots(source: str) -> Iterator[int]:
    """Yield where ``source`` has a literal that looks drawn, or many short ones that do together."""
    for match in _LITERAL.finditer(source):
        if _drawn(match[1] or match[2]):
            yield match.start(match.lastindex or 0)
    for match in _SHORT.finditer(source):
        if _drawn(_BETWEEN.sub("", match[0])):
            yield from (quote.start() for quote in _QUOTE.finditer(source, *match.span()))


def _drawn(text: str) -> bool:
    """Tell whether a run of letters and digits is more than words and a number."""
    return not _ADDRESS.match(text) and any(not _WORDS.fullmatch(run) for run in _RUN.findall(text))
