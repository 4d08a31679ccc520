"""Tells by its literals whether source is worth a syntax tree: in most of it none could be a secret.

A tree and its evaluation take a hundred times as long as a look at the literals. What rules find in a text as
it stands needs no tree: one is needed for what gets its name elsewhere, and for what is put together.
"""

from __future__ import annotations

import re

_CHARACTER = r"[A-Za-z0-9._~+/=!@#$%^&*:?\\-]"
# The closing quote is left for the next match: an apostrophe in a comment must not turn the rest inside out.
_LITERAL = re.compile(rf"[\"'}}] {{0,2}}({_CHARACTER}{{4,}})(?=[\"'\n{{])")
_SHORT = re.compile(rf"(?:[\"']{_CHARACTER}{{1,8}}[\"']\s{{0,9}}[,+]?\s{{0,9}}){{4,200}}")
_BETWEEN = re.compile(r"[\"'\s,]|\+(?=\s*[\"'])")
_RUN = re.compile(r"[A-Za-z0-9!#$%^&*]{4,}")
_WORDS = re.compile(  # perhaps with a number, and few letters behind it: Standard_NC48ads_A100_v4
    r"[$%!*]?(?:[a-z]?(?:[A-Z]{0,5}[a-z]{2,}|[A-Z]{2,})*[A-Z]?[a-z]?"
    r"|(?:[A-Z]?[a-z]{3,}|[A-Z]{2,}(?![a-z]))*[A-Za-z]?[a-z]?[0-9]*(?:[a-z]{0,5}|[A-Z]{0,4}))[$%!*]?"
    r"|#[0-9a-fA-F]{3,8}|(?:%[A-Za-z])+"
)
_ADDRESS = re.compile(r"https?://[^@?=]*$")


def worthwhile(source: str) -> bool:
    """Tell whether ``source`` has a literal that looks drawn, or many short ones that do together."""
    return any(_drawn(match[1]) for match in _LITERAL.finditer(source)) or any(
        _drawn(_BETWEEN.sub("", match[0])) for match in _SHORT.finditer(source)
    )


def _drawn(text: str) -> bool:
    """Tell whether a run of letters and digits is more than words and a number."""
    return not _ADDRESS.match(text) and any(not _WORDS.fullmatch(run) for run in _RUN.findall(text))
