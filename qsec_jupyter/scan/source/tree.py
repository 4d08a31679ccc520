"""Source as a syntax tree, also when parts of it are no Python."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

LIMIT = 200_000
"""A longer text is not parsed (characters): it is data, and rules read it all the same."""

_NO_PYTHON = re.compile(r"^[ \t]*(?:[%!?][^\n]*|[^\n]*\?{1,2}[ \t]*)$", re.MULTILINE)
_CELL_MAGIC = re.compile(r"\A\s*%%(?!time|capture|prun|timeit|debug|python|qsec)\w+")


def statements(text: str) -> list[ast.stmt]:
    """Return the statements of ``text`` with their places in it; what cannot be parsed is left out.

    Magics, shell commands and questions to IPython are blanked first. A text that is broken is parsed block
    by block, and a broken block line by line.
    """
    if len(text) > LIMIT or _CELL_MAGIC.match(text):
        return []
    if any(sign in text for sign in "%!?"):
        text = _NO_PYTHON.sub(lambda match: " " * len(match[0]), text)
    whole = _parse(text)
    if whole is not None:
        return whole
    found: list[ast.stmt] = []
    for first, block in _blocks(text):
        parsed = _parse(block)
        if parsed is not None:
            found += _moved(parsed, first, 0)
            continue
        for number, line in enumerate(block.split("\n")):
            plain = line.lstrip()
            single = _parse(plain.rstrip(", ") if plain.endswith(",") else plain) if plain else None
            found += _moved(single or [], first + number, _size(line) - _size(plain))
    return found


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _parse(text: str) -> list[ast.stmt] | None:
    try:
        with warnings.catch_warnings():  # of the user's code, such as invalid escapes
            warnings.simplefilter("ignore")
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of what begins at the left margin, with what is indented below it."""
    lines = text.split("\n")
    start = 0
    for number in range(1, len(lines) + 1):
        if number == len(lines) or (lines[number][:1] not in ("", " ", "\t", ")", "]", "}")):
            yield start, "\n".join(lines[start:number])
            start = number


def _moved(body: list[ast.stmt], lines: int, columns: int) -> list[ast.stmt]:
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, (ast.expr, ast.stmt)):
                node.lineno += lines
                node.col_offset += columns
                if node.end_lineno is not None and node.end_col_offset is not None:
                    node.end_lineno += lines
                    node.end_col_offset += columns
    return body
