"""A notebook as typed text units: what a reader sees, piece by piece, with the way back.

A cell becomes a :class:`Group` of units. The walk runs at every save, so it is plain: no copy is made,
image data is left out, numbers are passed over, and bytes and positions are worked out only when asked for.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from typing import Any

MINIMUM = 8
"""Shorter strings are not read: no rule and no known value is shorter (characters)."""

SEPARATOR = b"\n\x00\n"
"""Between units; no value reaches across it."""

_IMAGE_MAGIC = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")
_ESCAPE = re.compile(  # ECMA-48, 5.4: control sequences; 8.3.89: operating system commands
    "\x1b(?:\\[[0-9;:?]*[ -/]*[@-~]|\\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\\\)|[()][A-Z0-9])"
)
_COLOUR = re.compile("\x1b\\[[0-9;]*m")  # nearly all of them; quicker to look for
_ZERO_WIDTH = re.compile(  # what Unicode calls default ignorable, as far as texts hold it
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
)
_UNSEEN = re.compile(f"{_ESCAPE.pattern}|{_ZERO_WIDTH.pattern}")
_UNSEEN_LEADS = tuple(
    map(bytes.fromhex, ("e280", "e281", "efb8", "efbb", "c2ad", "cd8f", "d89c", "e1a0", "f3a0"))
)
"""How each of ``_ZERO_WIDTH`` begins in UTF-8."""

_CLOSE_LIMIT = 200_000
_PLAIN_CELL_KEYS = frozenset(
    {"cell_type", "source", "input", "outputs", "id", "execution_count", "metadata", "attachments"}
)
_PLAIN_OUTPUT_KEYS = frozenset({"output_type", "text", "data", "name", "execution_count", "metadata"})


class Unit:
    """One text that a reader sees as a whole.

    Attributes:
        surface: ``source``, ``output``, ``metadata``, ``attachment`` or ``text``.
        text: As stored, parts joined.
        name: The key of a value in an object, which says what the value is; else empty.
        joint: What joined the parts of a list of strings, or ``None`` for a single string.
    """

    __slots__ = ("_data", "joint", "key", "name", "parent", "surface", "text")

    def __init__(  # called for every string of a notebook: positions are faster
        self, surface: str, text: str, parent: Any, key: Any, name: str = "", joint: str | None = None
    ) -> None:
        self.surface = surface
        self.text = text
        self.parent = parent
        self.key = key
        self.name = name
        self.joint = joint
        self._data: bytes | None = None

    @property
    def data(self) -> bytes:
        """What the engine reads: UTF-8 of what is seen, with the key in front of a value in an object."""
        if self._data is None:
            data = encode(f'{self._lead}{self.text}"' if self.name else self.text)
            if b"\x1b" in data or (len(data) != len(self.text) and _may_hide(data)):
                view = seen(self.text)
                data = encode(f'{self._lead}{view}"' if self.name else view)
            self._data = data
        return self._data

    @property
    def close(self) -> bool:
        """Whether people write such a text, so that it is searched for what is written in other notations."""
        return self.surface != "output" and len(self.text) < _CLOSE_LIMIT

    @property
    def _lead(self) -> str:
        return f'"{self.name}": "' if self.name else ""

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return where bytes ``start:end`` of ``data`` lie in ``text``; ``None`` inside the key."""
        if self.data.isascii():
            first, last = start, end
        else:
            first = len(self.data[:start].decode("utf-8", "surrogatepass"))
            last = first + len(self.data[start:end].decode("utf-8", "surrogatepass"))
        lead = len(self._lead)
        first, last = max(first - lead, 0), last - lead
        if last <= 0:
            return None
        if _has_unseen(self.text):
            first, last = _stored(self.text, first), _stored(self.text, last - 1) + 1
        return first, min(last, len(self.text))

    def position(self, start: int) -> tuple[int, int]:
        """Return line and column, from 1, of ``text[start]`` as the user sees them."""
        column = self.text[self.text.rfind("\n", 0, start) + 1 : start]
        return self.text.count("\n", 0, start) + 1, len(_UNSEEN.sub("", column)) + 1

    def end_column(self, start: int, end: int) -> int:
        """Return the column, from 1, behind ``text[start:end]`` on its first line."""
        stop = self.text.find("\n", start, end)
        shown = _UNSEEN.sub("", self.text[start : end if stop < 0 else stop])
        return self.position(start)[1] + len(shown)

    def replace(self, spans: Iterable[tuple[int, int, str]]) -> str:
        """Write ``text`` with each (start, end, marker) replaced back to where it came from.

        A list of strings stays a list of strings, and an object keeps the order of its keys.

        Returns:
            The new text.
        """
        if self.joint is None or self.joint == "":
            text = splice(self.text, spans)
            if self.joint == "":
                self.parent[self.key] = text.splitlines(keepends=True)
            elif self.key is None:
                rename_key(self.parent, self.text, text)
            else:
                self.parent[self.key] = text
            return text
        parts = splice_parts(self.parent[self.key], self.joint, spans)
        self.parent[self.key] = parts
        return self.joint.join(parts)


def seen(text: str) -> str:
    """Return ``text`` as a reader sees it: without control sequences and zero-width characters."""
    if "\x1b" in text:
        text = _COLOUR.sub("", text)
        if "\x1b" in text:
            text = _ESCAPE.sub("", text)
    if not text.isascii() and _ZERO_WIDTH.search(text):
        text = _UNSEEN.sub("", text)
    return text


def _may_hide(data: bytes) -> bool:
    """Tell whether there may be zero-width characters; single bytes are found 50 times faster than two."""
    return any(lead[:1] in data and lead[1:] in data and lead in data for lead in _UNSEEN_LEADS)


def _has_unseen(text: str) -> bool:
    return "\x1b" in text or (not text.isascii() and _ZERO_WIDTH.search(text) is not None)


def encode(text: str) -> bytes:
    """Return ``text`` in UTF-8, lone surrogates as they are."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _stored(text: str, offset: int) -> int:
    """Return the index in ``text`` of the character at ``offset`` among those that are seen."""
    passed = 0  # characters of text that are not seen, up to here
    for match in _UNSEEN.finditer(text):
        if match.start() - passed > offset:
            break
        passed += match.end() - match.start()
    return offset + passed


def splice(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    """Return ``text`` with each (start, end, replacement) put in; spans do not overlap."""
    pieces, at = [], 0
    for start, end, replacement in sorted(spans):
        pieces += [text[at:start], replacement]
        at = end
    return "".join([*pieces, text[at:]])


def splice_parts(parts: list[str], joint: str, spans: Iterable[tuple[int, int, str]]) -> list[str]:
    """Do the same on ``joint.join(parts)``, part by part: a span over several is cut from each."""
    result, offset, wanted = [], 0, sorted(spans)
    for part in parts:
        stop = offset + len(part)
        local = [
            (max(start - offset, 0), min(end, stop) - offset, replacement if start >= offset else "")
            for start, end, replacement in wanted
            if start < stop and end > offset
        ]
        result.append(splice(part, local))
        offset = stop + len(joint)
    return result


def rename_key(tree: Any, old: str, new: str) -> None:
    """Rename ``old`` wherever it is a key of an object in ``tree``, keeping the order of keys."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if old in node:
                items = list(node.items())
                node.clear()
                for key, value in items:
                    name = new if key == old else key
                    while key == old and name in dict(items):
                        name += "_"
                    node[name] = value
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


class Group:
    """The units of one cell, or of what a notebook holds beside its cells.

    Attributes:
        cell: Index of the cell from 0, or ``None``.
        tree: What holds the units: a list of the one cell, or the notebook without its cells.
    """

    __slots__ = ("cell", "tree", "units", "walk")

    def __init__(self, cell: int | None, tree: Any, walk: Callable[[Any, list[Unit]], None]) -> None:
        self.cell = cell
        self.tree = tree
        self.walk = walk
        self.units: list[Unit] = []
        walk(tree, self.units)

    def copy(self) -> Group:
        """Return the same group over a deep copy of its tree, to be written to."""
        return Group(self.cell, copy.deepcopy(self.tree), self.walk)

    @property
    def cell_id(self) -> str | None:
        """Nbformat's cell id, when the cell has one."""
        cell = self.tree[0] if self.cell is not None else None
        identifier = cell.get("id") if isinstance(cell, dict) else None
        return identifier if isinstance(identifier, str) else None


class Document:
    """All groups of a notebook and what was left out of them.

    Attributes:
        images: How many images were passed over.
        image_size: Their size as stored, in characters.
        shape: nbformat ``4`` or ``3``; ``other`` when every string was read without knowing its place.
    """

    def __init__(self, notebook: dict[str, Any]) -> None:
        self.images = 0
        self.image_size = 0
        self.shape = _shape(notebook)
        if self.shape == "other":
            self.groups = [Group(None, notebook, self._text)]
        else:
            self.groups = [Group(None, without_cells(notebook), self._metadata)]
            self.groups += [Group(index, [cell], self._cell) for index, cell in enumerate(cells_of(notebook))]

    # -- walks, each appending units in a fixed order ---------------------------------------------

    def _text(self, tree: Any, units: list[Unit]) -> None:
        self._leaves(tree, "text", units)

    def _metadata(self, tree: Any, units: list[Unit]) -> None:
        self._leaves(tree, "metadata", units)

    def _cell(self, tree: list[Any], units: list[Unit]) -> None:
        cell = tree[0]
        if not isinstance(cell, dict):
            self._leaves(tree, "text", units)
            return
        self._multiline(cell, "source", "source", units)
        if "input" in cell:  # nbformat 3
            self._multiline(cell, "input", "source", units)
        outputs = cell.get("outputs")
        if isinstance(outputs, list):
            for index, output in enumerate(outputs):
                if isinstance(output, dict):
                    self._output(output, units)
                else:
                    self._value(outputs, index, "output", units)
        elif outputs:
            self._value(cell, "outputs", "output", units)
        if cell.get("attachments"):
            self._attachments(cell, units)
        if cell.get("metadata"):
            self._value(cell, "metadata", "metadata", units)
        if not _PLAIN_CELL_KEYS.issuperset(cell):
            self._others(cell, _PLAIN_CELL_KEYS, "metadata", units)

    def _output(self, output: dict[str, Any], units: list[Unit]) -> None:
        if "text" in output:
            self._multiline(output, "text", "output", units)
        if "data" in output:
            if isinstance(output["data"], dict):
                self._bundle(output["data"], "output", units)
            else:
                self._value(output, "data", "output", units)
        if output.get("metadata"):
            self._value(output, "metadata", "metadata", units)
        traceback = output.get("traceback")
        if isinstance(traceback, list) and traceback and all(isinstance(line, str) for line in traceback):
            units.append(Unit("output", "\n".join(traceback), output, "traceback", joint="\n"))
            self._others(output, _PLAIN_OUTPUT_KEYS | {"traceback"}, "output", units)
        elif not _PLAIN_OUTPUT_KEYS.issuperset(output):
            self._others(output, _PLAIN_OUTPUT_KEYS, "output", units)

    def _others(self, tree: dict[str, Any], known: frozenset[str], surface: str, units: list[Unit]) -> None:
        for key in tree:
            if key not in known:
                self._value(tree, key, surface, units)

    def _value(self, parent: Any, key: Any, surface: str, units: list[Unit]) -> None:
        """Read whatever is at ``parent[key]``."""
        value = parent[key]
        if isinstance(value, list) and value and _lines(value):
            units.append(Unit(surface, "".join(value), parent, key, joint=""))
        elif not isinstance(value, str):
            self._leaves(value, surface, units)
        elif len(value) >= MINIMUM and not self._image(value):
            units.append(Unit(surface, value, parent, key))

    def _attachments(self, cell: dict[str, Any], units: list[Unit]) -> None:
        attachments = cell["attachments"]
        if isinstance(attachments, dict) and all(isinstance(bundle, dict) for bundle in attachments.values()):
            self._keys(attachments, "attachment", units, attachments)
            for bundle in attachments.values():
                self._bundle(bundle, "attachment", units)
        else:
            self._value(cell, "attachments", "attachment", units)

    def _bundle(self, bundle: dict[str, Any], surface: str, units: list[Unit]) -> None:
        for mime, value in bundle.items():
            if isinstance(value, str) or (isinstance(value, list) and not str(mime).endswith("json")):
                self._multiline(bundle, mime, surface, units)
            elif value is not None:
                self._leaves(value, surface, units)

    def _multiline(self, tree: dict[str, Any], key: str, surface: str, units: list[Unit]) -> None:
        """Read a string, or a list of strings that nbformat joins."""
        value = tree.get(key)
        joint = None
        if isinstance(value, list):
            try:
                value, joint = "".join(value), ""
            except TypeError:  # not a list of strings
                self._leaves(value, surface, units)
                return
        elif not isinstance(value, str):
            self._leaves(value, surface, units)
            return
        if len(value) >= MINIMUM and not self._image(value):
            units.append(Unit(surface, value, tree, key, joint=joint))

    def _image(self, value: str) -> bool:
        """Tell whether ``value`` is an image in base64, by its first bytes and its length, and count it."""
        if len(value) < 64 or not value.startswith(_IMAGE_MAGIC) or not _base64_only(value):
            return False
        self.images += 1
        self.image_size += len(value)
        return True

    def _leaves(self, tree: Any, surface: str, units: list[Unit]) -> None:
        """Read every string of a JSON value, with its key; iterative, so that depth costs no stack."""
        stack = [tree]
        seen: set[str] = set()
        while stack:
            node = stack.pop()
            if isinstance(node, dict):
                stack.extend(reversed(self._object(node, surface, units, seen, tree)))
            elif isinstance(node, list):
                stack.extend(reversed(self._array(node, surface, units)))

    def _object(
        self, node: dict[str, Any], surface: str, units: list[Unit], seen: set[str], tree: Any
    ) -> list[Any]:
        """Read the keys and strings of one object; return what is nested in it."""
        nested: list[Any] = []
        for key, value in node.items():
            if len(key) >= MINIMUM and key not in seen:
                seen.add(key)
                units.append(Unit(surface, key, tree, None))
            if isinstance(value, str):
                if len(value) >= MINIMUM and not self._image(value):
                    units.append(Unit(surface, value, node, key, name=key))
            elif isinstance(value, (dict, list)) and value:
                if isinstance(value, list) and _lines(value):
                    units.append(Unit(surface, "".join(value), node, key, name=key, joint=""))
                else:
                    nested.append(value)
        return nested

    def _array(self, node: list[Any], surface: str, units: list[Unit]) -> list[Any]:
        """Read the strings of one array; return what is nested in it."""
        nested: list[Any] = []
        if _numbers(node):
            return nested
        for index, value in enumerate(node):
            if isinstance(value, str):
                if len(value) >= MINIMUM and not self._image(value):
                    units.append(Unit(surface, value, node, index))
            elif isinstance(value, (dict, list)) and value:
                nested.append(value)
        return nested

    def _keys(self, node: dict[str, Any], surface: str, units: list[Unit], tree: Any) -> None:
        units.extend(Unit(surface, key, tree, None) for key in node if len(key) >= MINIMUM)


def _shape(notebook: dict[str, Any]) -> str:
    if isinstance(notebook.get("cells"), list) and notebook.get("nbformat", 4) == 4:
        return "4"
    sheets = notebook.get("worksheets")
    whole = isinstance(sheets, list) and all(
        isinstance(sheet, dict) and isinstance(sheet.get("cells"), list) for sheet in sheets
    )
    return "3" if whole and notebook.get("nbformat") == 3 else "other"


def cells_of(notebook: dict[str, Any]) -> list[Any]:
    """Return the cells of a notebook of nbformat 4, or of all worksheets of one of nbformat 3."""
    if notebook.get("nbformat") != 3:
        return list(notebook["cells"])
    return [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]


def without_cells(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return what a notebook holds beside its cells."""
    if notebook.get("nbformat") != 3:
        return {key: value for key, value in notebook.items() if key != "cells"}
    sheets = [
        {key: value for key, value in sheet.items() if key != "cells"} for sheet in notebook["worksheets"]
    ]
    return {**notebook, "worksheets": sheets}


def with_cells(notebook: dict[str, Any], rest: dict[str, Any], cells: list[Any]) -> dict[str, Any]:
    """Return ``rest`` with ``cells``, keys in the order of ``notebook``."""
    if notebook.get("nbformat") != 3:
        return _put(notebook, rest, cells)
    sheets, at = [], 0
    for old, sheet in zip(notebook["worksheets"], rest["worksheets"], strict=True):
        size = len(old["cells"])
        sheets.append(_put(old, sheet, cells[at : at + size]))
        at += size
    return {**rest, "worksheets": sheets}


def _put(old: dict[str, Any], rest: dict[str, Any], cells: list[Any]) -> dict[str, Any]:
    items = list(rest.items())
    items.insert(list(old).index("cells"), ("cells", cells))
    return dict(items)


def _numbers(node: list[Any]) -> bool:
    """Tell whether an array holds numbers only. Adding them up is four times faster than asking each."""
    try:
        sum(node)
    except (TypeError, OverflowError):
        return False
    return True


_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+\Z")


def _base64_only(value: str) -> bool:
    """Tell whether the ends and the middle of ``value`` are base64: enough to know an image from a text."""
    middle = len(value) // 2
    return all(_BASE64.match(part) for part in (value[:64], value[middle : middle + 64], value[-64:]))


def _lines(value: list[Any]) -> bool:
    """Tell whether a list is one text stored line by line, as nbformat stores texts."""
    first = value[0]
    return isinstance(first, str) and first.endswith("\n") and all(isinstance(line, str) for line in value)
