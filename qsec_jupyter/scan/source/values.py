"""Works out what expressions of source come to, without running anything."""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

from .names import constant, name_of
from .pieces import Lines, Piece, Place, Value, changed, formatted, inside, literal, text_of

DEPTH = 14
"""How far names are followed and expressions are entered."""

CHOICES = 4
"""How many values of one expression are kept, where it may have several."""

_LONGEST = 20_000
_MOST_STEPS = 2000
_SAME = frozenset(
    {
        *("str", "bytes", "bytearray", "repr", "print", "copy", "deepcopy", "encode", "decode"),
        *(
            "strip",
            "rstrip",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "dedent",
            "quote",
            "quote_plus",
            "unquote",
        ),
        *("SecretStr", "SecretBytes", "Secret", "AzureKeyCredential", "get_secret_value", "Password"),
        *("field", "Field", "Text", "String", "Markdown", "HTML"),
    }
)
"""Calls whose result shows what they are given."""

Table = dict[str, list[tuple[int, ast.expr]]]
"""What is said of a name, where: (cell, expression)."""


class Values:
    """Evaluates over all cells of a notebook.

    Args:
        lines: Source of each cell.
        bound: What each name is assigned anywhere: (cell, expression).
        added: What is added to each name.
        returned: What each function returns.
    """

    def __init__(self, lines: Mapping[int, Lines], bound: Table, added: Table, returned: Table) -> None:
        self._lines = lines
        self._bound = bound
        self._added = added
        self._returned = returned
        self._steps = 0
        # Notebooks build many texts of the same few names; what a name comes to is worked out once.
        self._known: dict[tuple[ast.expr, int, int], list[Value]] = {}

    def of(self, node: ast.expr, cell: int) -> list[Value]:
        """Return the texts that ``node`` may come to, each with its literals."""
        self._steps = 0
        return [
            value for value in self._of(node, cell, DEPTH) if 0 < sum(len(p.text) for p in value) < _LONGEST
        ]

    def _of(self, node: ast.expr, cell: int, depth: int) -> list[Value]:
        self._steps += 1
        if depth <= 0 or self._steps > _MOST_STEPS:
            return []
        found = self._known.get((node, cell, depth))
        if found is None:
            reader = getattr(self, f"_{type(node).__name__.lower()}", None)
            found = reader(node, cell, depth - 1)[:CHOICES] if reader else []
            if self._steps <= _MOST_STEPS:  # else it may have been cut short
                self._known[node, cell, depth] = found
        return found

    # -- one method for each kind of expression ---------------------------------------------------

    def _constant(self, node: ast.Constant, cell: int, depth: int) -> list[Value]:
        if isinstance(node.value, (str, bytes)):
            return [literal(node, cell, self._lines[cell])]
        return []

    def _joinedstr(self, node: ast.JoinedStr, cell: int, depth: int) -> list[Value]:
        return _joined(
            [
                [(part,)] if isinstance(part, Piece) else self._of(part, cell, depth) or [(Piece("{x}"),)]
                for part in formatted(node, cell, self._lines[cell])
            ]
        )

    def _binop(self, node: ast.BinOp, cell: int, depth: int) -> list[Value]:
        if isinstance(node.op, ast.Add):
            operands: list[ast.expr] = []
            left: ast.expr = node
            while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
                operands.append(left.right)
                left = left.left
            operands.append(left)
            return _joined(
                [self._of(one, cell, depth) or [(Piece("{x}"),)] for one in reversed(operands[-400:])]
            )
        if isinstance(node.op, ast.Mod):
            given = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            return self._filled(node.left, given, r"%(?:\(\w+\))?[-+#0-9.]*[srdx]|\{\}", cell, depth)
        return []

    def _ifexp(self, node: ast.IfExp, cell: int, depth: int) -> list[Value]:
        return self._of(node.body, cell, depth) + self._of(node.orelse, cell, depth)

    def _boolop(self, node: ast.BoolOp, cell: int, depth: int) -> list[Value]:
        return [value for one in node.values for value in self._of(one, cell, depth)]

    def _namedexpr(self, node: ast.NamedExpr, cell: int, depth: int) -> list[Value]:
        return self._of(node.value, cell, depth)

    def _await(self, node: ast.Await, cell: int, depth: int) -> list[Value]:
        return self._of(node.value, cell, depth)

    def _name(self, node: ast.expr, cell: int, depth: int) -> list[Value]:
        name = name_of(node)
        found = [
            v for where, one in self._bound.get(name, ())[-CHOICES:] for v in self._of(one, where, depth)
        ]
        added = [self._of(one, where, depth) for where, one in self._added.get(name, ())]
        if added and all(added):
            found += _joined([found[:1] or [()], *added])
        return found[-CHOICES:]

    def _attribute(self, node: ast.Attribute, cell: int, depth: int) -> list[Value]:
        return self._name(node, cell, depth)

    def _subscript(self, node: ast.Subscript, cell: int, depth: int) -> list[Value]:
        if isinstance(node.slice, ast.Slice):
            step = node.slice.step
            backwards = isinstance(step, ast.UnaryOp) and isinstance(step.op, ast.USub)
            return [
                new
                for value in self._of(node.value, cell, depth)
                if (new := changed(value, lambda text: text[::-1]) if backwards else value) is not None
            ]
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            items = self._items(node.value, cell, depth)
            return (
                self._of(*items[node.slice.value], depth)
                if -len(items) <= node.slice.value < len(items)
                else []
            )
        key = constant(node.slice)
        found = self._keyed(node.value, key, cell, depth) if key else []
        return found or self._name(node, cell, depth)

    def _keyed(self, node: ast.expr, key: str, cell: int, depth: int) -> list[Value]:
        """Look ``key`` up in dictionaries that are written out."""
        found: list[Value] = []
        for where, one in [(cell, node), *self._bound.get(name_of(node), ())]:
            if isinstance(one, ast.Dict):
                for name, value in zip(one.keys, one.values, strict=True):
                    if constant(name) == key:
                        found += self._of(value, where, depth)
        return found

    def _call(self, node: ast.Call, cell: int, depth: int) -> list[Value]:
        name = name_of(node.func)
        if node.args and (found := self._built(node, name, cell, depth)) is not None:
            return found
        if isinstance(node.func, ast.Attribute) and name == "format":
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            return self._filled(node.func.value, given, r"\{[^{}]*\}", cell, depth)
        if name in _SAME:
            return self._unwrapped(node, name, cell, depth)
        return [
            v for where, one in self._returned.get(name, ())[-CHOICES:] for v in self._of(one, where, depth)
        ]

    def _built(self, node: ast.Call, name: str, cell: int, depth: int) -> list[Value] | None:
        """Read a call that makes a text of its arguments; ``None`` for any other."""
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        first = node.args[0]
        if name == "join" and owner is not None:
            return self._join(owner, first, cell, depth)
        if name in ("bytes", "bytearray") and isinstance(first, (ast.List, ast.Tuple)):
            return self._codes(first.elts, cell)
        if name == "decode" and len(node.args) > 1:  # codecs.decode("...", "hex")
            name = constant(node.args[1]) or ""
        if name in _DECODERS:
            return self._changed(first, _DECODERS[name], cell, depth)
        if len(node.args) > 1 and name in ("get", "getenv", "setdefault", "getattr", "pop"):
            return self._of(node.args[-1], cell, depth)
        if len(node.args) > 1 and name == "replace" and owner is not None:
            old, new = constant(first) or "\0", constant(node.args[1]) or ""
            return self._changed(owner, lambda text: text.replace(old, new), cell, depth)
        return None

    def _unwrapped(self, node: ast.Call, name: str, cell: int, depth: int) -> list[Value]:
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        inner = [k.value for k in node.keywords if k.arg in ("default", "value")] or node.args[:1]
        if owner is not None and (name.endswith(("strip", "code", "fix")) or name == "get_secret_value"):
            inner = [owner]
        found = [value for one in inner for value in self._of(one, cell, depth)]
        if name.endswith("strip"):
            return [new for value in found if (new := changed(value, str.strip)) is not None]
        return found

    # -- what they share --------------------------------------------------------------------------

    def _items(self, node: ast.expr, cell: int, depth: int) -> list[tuple[ast.expr, int]]:
        """Return the elements of a list that is written out or that a name stands for."""
        if depth <= 0:
            return []
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [(one, cell) for one in node.elts]
        if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
            return self._items(node.generators[0].iter, cell, depth - 1)
        if (
            isinstance(node, ast.Call)
            and node.args
            and name_of(node.func) in ("map", "list", "tuple", "reversed", "filter")
        ):
            items = self._items(node.args[-1], cell, depth - 1)
            return items[::-1] if name_of(node.func) == "reversed" else items
        if (
            isinstance(node, ast.Call)
            and name_of(node.func) == "splitlines"
            and isinstance(node.func, ast.Attribute)
        ):
            return [(node.func.value, cell)]
        name = name_of(node)
        found = [
            item
            for where, one in self._bound.get(name, ())[-1:]
            for item in self._items(one, where, depth - 1)
        ]
        return found + [(one, where) for where, one in self._added.get(name, ())]

    def _join(self, owner: ast.expr, argument: ast.expr, cell: int, depth: int) -> list[Value]:
        items = self._items(argument, cell, depth)
        if not items:
            return [
                new
                for value in self._of(argument, cell, depth)
                if (new := changed(value, lambda text: "".join(text.split()))) is not None
            ]
        if all(isinstance(one, ast.Constant) and isinstance(one.value, int) for one, _ in items):
            return self._codes([one for one, _ in items], cell)
        between = self._of(owner, cell, depth)[:1] or [()]
        parts: list[list[Value]] = []
        for one, where in items[:200]:
            parts += [self._of(one, where, depth) or [(Piece("{x}"),)], between]
        return _joined(parts[:-1])

    def _codes(self, nodes: Iterable[ast.expr], cell: int) -> list[Value]:
        """Read a list of character codes."""
        pieces = []
        for node in nodes:
            if (
                not isinstance(node, ast.Constant)
                or not isinstance(node.value, int)
                or not 0 < node.value < 256
            ):
                return []
            pieces.append(Piece(chr(node.value), (Place(cell, *self._lines[cell].span(node)),)))
        return [tuple(pieces)]

    def _changed(
        self, node: ast.expr, change: Callable[[str], str | None], cell: int, depth: int
    ) -> list[Value]:
        return [new for value in self._of(node, cell, depth) if (new := changed(value, change)) is not None]

    def _filled(
        self, template: ast.expr, given: Sequence[ast.expr], slot: str, cell: int, depth: int
    ) -> list[Value]:
        """Put ``given`` into the slots of a template, one after another."""
        results: list[Value] = []
        for value in self._of(template, cell, depth)[:1]:
            parts: list[list[Value]] = []
            waiting = iter(given)
            for piece in value:
                at = 0
                for match in re.finditer(slot, piece.text):
                    parts.append([_part(piece, at, match.start())])
                    one = next(waiting, None)
                    parts.append((self._of(one, cell, depth) if one is not None else []) or [(Piece("{x}"),)])
                    at = match.end()
                parts.append([_part(piece, at, len(piece.text))])
            results += _joined(parts)
        return results


def _part(piece: Piece, start: int, end: int) -> Value:
    return (Piece(piece.text[start:end], inside(piece, start, end), piece.exact),) if start < end else ()


def _joined(parts: Sequence[Sequence[Value]]) -> list[Value]:
    """Return every way to put one choice of each part together, at most :data:`CHOICES`."""
    several = 1
    kept = []
    for choices in parts:
        several *= min(len(choices), 2)
        kept.append(choices[:1] if several > CHOICES else choices[:2])
    return [tuple(piece for value in way for piece in value) for way in product(*kept)][:CHOICES]


def _base64(text: str) -> str | None:
    try:
        raw = base64.b64decode(text.translate(_STANDARD) + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return raw.decode("utf-8", "replace") if raw else None


def _hexadecimal(text: str) -> str | None:
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        return None


_STANDARD = str.maketrans("-_", "+/")
_DECODERS: dict[str, Callable[[str], str | None]] = {
    "b64decode": _base64,
    "urlsafe_b64decode": _base64,
    "standard_b64decode": _base64,
    "decodebytes": _base64,
    "base64": _base64,
    "fromhex": _hexadecimal,
    "hex": _hexadecimal,
    "unhexlify": _hexadecimal,
    **dict.fromkeys(("rot13", "rot_13"), lambda text: codecs.encode(text, "rot13")),
    "reversed": lambda text: text[::-1],
}

CARRYING = _SAME.union(
    _DECODERS,
    (
        "join",
        "bytes",
        "bytearray",
        "decode",
        "get",
        "getenv",
        "setdefault",
        "getattr",
        "pop",
        "replace",
        "format",
    ),
    ("map", "list", "tuple", "reversed", "filter", "splitlines"),
)
"""Calls whose result may be made of what they are given or called on; that of others never is."""


def opaque(value: Value) -> bool:
    """Tell whether a value may be a secret, or is put together from parts, which no rule sees."""
    text = text_of(value)
    if len(text) < 8 or "\n" in text.strip():
        return len(value) > 1 and len(text) >= 8
    return (
        len(value) > 1
        or not value[0].exact
        or (
            any(map(str.isalpha, text))
            and (any(map(str.isdigit, text)) or not text.isalnum())
            and " " not in text
        )
    )
