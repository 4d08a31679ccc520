"""Offers a call of the broker in the place of each secret in a cell's source, ready to run."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...core.model import Finding
from ...scan.literals import ISSUED

_MARKER = re.compile(r"\[redacted: ([^\]]*)\]")
_IMPORT = "import qsec_jupyter as qsec"
_LITERAL = re.compile(r"""[rRuU]?('''|\"\"\"|'|\")(.*)\1""", re.DOTALL)

Span = tuple[int, int, str]
"""Where a secret begins and ends in a source, and the target whose credential takes its place."""


def offer(
    cells: Mapping[str, dict[str, Any]],
    notebook: Mapping[str, Any],
    findings: Iterable[Finding],
    targets: Sequence[Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Return ``cells`` with ``broker`` where a cell's secrets can all be replaced by calls.

    Args:
        cells: Redacted parts of cells, see :class:`.report.ScanReport`.
        notebook: What was scanned.
        findings: What was found in it.
        targets: The catalogue, as the control plane tells it.
    """
    offered = dict(cells)
    for index, parts in cells.items():
        cell = notebook["cells"][int(index)]
        if "source" not in parts or cell.get("cell_type") != "code":
            continue
        source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        own = [one for one in findings if one.cell == int(index) and one.surface == "source"]
        spans = _spans(source, parts["source"], own, targets)
        call = broker_source(source, spans) if spans else None
        if call is not None:
            offered[index] = {**parts, "broker": call}
    return offered


def broker_source(source: str, spans: Sequence[Span]) -> str | None:
    """Return ``source`` with a call in the place of each literal that is a secret as a whole.

    ``None`` when a secret is only a part of a literal, or no literal of Python: then no call would fit.
    """
    try:
        literals = _literals(source)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    for start, end, target in sorted(spans, reverse=True):
        place = next((at for at in literals if at[2:] == (start, end)), None)
        if place is None or not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", target):
            return None
        source = f'{source[: place[0]]}qsec.credential("{target}").reveal(){source[place[1] :]}'
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    return source if _imports(tree) else _with_import(source, tree)


def _literals(source: str) -> list[tuple[int, int, int, int]]:
    """Return begin and end of each literal, and of the text within its quotes."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        literal = _LITERAL.fullmatch(token.string) if token.type == tokenize.STRING else None
        if literal:
            begin = starts[token.start[0] - 1] + token.start[1]
            end = starts[token.end[0] - 1] + token.end[1]
            found.append((begin, end, begin + literal.start(2), begin + literal.end(2)))
    return found


def _spans(
    source: str, redacted: str, findings: Sequence[Finding], targets: Sequence[Mapping[str, Any]]
) -> list[Span]:
    """Return where the secrets lie: between them source and redacted form are the same."""
    lines = source.splitlines(keepends=True)
    hidden = sorted(
        (one for one in findings if one.action == "redacted"), key=lambda one: (one.line, one.column)
    )
    starts = [sum(map(len, lines[: one.line - 1])) + one.column - 1 for one in hidden]
    pieces = _MARKER.split(redacted)  # text, label, text, label, …, text
    if len(pieces) != 2 * len(hidden) + 1:
        return []  # markers were there before
    spans = []
    for number, finding in enumerate(hidden):
        following = starts[number + 1] if number + 1 < len(starts) else len(source)
        end = following - len(pieces[2 * number + 2])
        target = pieces[2 * number + 1] if finding.rule == ISSUED else _target(finding.rule, targets)
        if target is None or not starts[number] < end <= len(source):
            return []
        spans.append((starts[number], end, target))
    return spans


def _target(rule: str, targets: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the target of the rule's family: by its provider or name, else the first of the catalogue."""
    family = set(re.split(r"[^a-z0-9]+", rule.lower()))
    for target in targets:
        if family & set(re.split(r"[^a-z0-9]+", f"{target['provider']} {target['name']}".lower())):
            return str(target["name"])
    return str(targets[0]["name"]) if targets else None


def _imports(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Import)
        and any(a.name == "qsec_jupyter" and a.asname == "qsec" for a in node.names)
        for node in tree.body
    )


def _with_import(source: str, tree: ast.Module) -> str | None:
    """Put the import first, but behind a docstring and imports from ``__future__``."""
    after = 0
    for node in tree.body:
        doc = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (doc or (isinstance(node, ast.ImportFrom) and node.module == "__future__")):
            break
        after = node.end_lineno or 0
    lines = source.splitlines(keepends=True)
    changed = "".join([*lines[:after], _IMPORT + "\n", *lines[after:]])
    try:
        ast.parse(changed)
    except (SyntaxError, ValueError):
        return None
    return changed
