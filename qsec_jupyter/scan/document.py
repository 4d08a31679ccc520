"""A notebook as groups of typed text units, one group a cell.

The walk runs at every save, so it is plain: no copy is made, images and numbers are passed over.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from .nested import MOST_NAME, NAME, templated
from .units import MINIMUM, Unit

_IMAGE_MAGIC = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")
_PLAIN_CELL_KEYS = frozenset(
    {"cell_type", "source", "input", "outputs", "id", "execution_count", "metadata", "attachments"}
)
_PLAIN_OUTPUT_KEYS = frozenset({"output_type", "text", "data", "name", "execution_count", "metadata"})

_HOLDERS = frozenset({"value", "val", "default", "content", "data"})
"""Keys that say nothing of their value: something beside or above them does."""

_LABELS = ("description", "label", "name", "key", "placeholder", "title")
_BARE = re.compile(r"\s*[\"']?[A-Za-z0-9._~+/=-]{12,200}[\"']?\s*")
_ASKED = re.compile(r"([A-Za-z_]\w*)\W{0,4}\Z")

_Named = tuple["str | list[Any]", Any]
"""Something nested, and the key that names it, or the columns that name its parts."""


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
        shape: nbformat ``4`` or ``3``; ``other`` when every string was read without knowing its place.
    """

    def __init__(self, notebook: dict[str, Any]) -> None:
        self.shape = _shape(notebook)
        walk = _Walk()
        if self.shape == "other":
            self.groups = [Group(None, notebook, walk.text)]
        else:
            self.groups = [Group(None, without_cells(notebook), walk.metadata)]
            self.groups += [Group(index, [cell], walk.cell) for index, cell in enumerate(cells_of(notebook))]
        self.images = walk.images


class _Walk:
    """Finds units, each method in a fixed order.

    It knows no group: groups know it, and a circle would keep every notebook until Python looks for circles.
    """

    def __init__(self) -> None:
        self.images = 0

    def text(self, tree: Any, units: list[Unit]) -> None:
        """Read every string, whatever the tree means."""
        self._leaves(tree, "text", units)

    def metadata(self, tree: Any, units: list[Unit]) -> None:
        """Read what a notebook holds beside its cells."""
        self._leaves(tree, "metadata", units)

    def cell(self, tree: list[Any], units: list[Unit]) -> None:
        """Read a cell, the only one in a list."""
        cell = tree[0]
        if not isinstance(cell, dict):
            self._leaves(tree, "text", units)
            return
        self._multiline(cell, "source", "source", units, 1)  # "q = k" passes a value on
        if "input" in cell:  # nbformat 3
            self._multiline(cell, "input", "source", units, 1)
        first = len(units)
        outputs = cell.get("outputs")
        if isinstance(outputs, list):
            for index, output in enumerate(outputs):
                if isinstance(output, dict):
                    self._output(output, units)
                else:
                    self._value(outputs, index, "output", units)
        elif outputs:
            self._value(cell, "outputs", "output", units)
        _name_bare(units, first)
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

    def _multiline(
        self, tree: dict[str, Any], key: str, surface: str, units: list[Unit], least: int = MINIMUM
    ) -> None:
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
        if len(value) >= least and not self._image(value):
            units.append(Unit(surface, value, tree, key, joint=joint))

    def _image(self, value: str) -> bool:
        """Tell whether ``value`` is an image in base64, by its first bytes and its length, and count it."""
        if len(value) < 64 or not value.startswith(_IMAGE_MAGIC) or not _base64_only(value):
            return False
        self.images += 1
        return True

    def _leaves(self, tree: Any, surface: str, units: list[Unit]) -> None:
        """Read every string of a JSON value, with its key; iterative, so that depth costs no stack."""
        stack: list[_Named] = [("", tree)]
        seen: set[str] = set()
        while stack:
            name, node = stack.pop()
            if isinstance(node, dict):
                stack.extend(reversed(self._object(node, name, surface, units, seen, tree)))
            elif isinstance(node, list):
                stack.extend(reversed(self._array(node, name, surface, units)))

    def _object(
        self,
        node: dict[str, Any],
        name: str | list[Any],
        surface: str,
        units: list[Unit],
        seen: set[str],
        tree: Any,
    ) -> list[_Named]:
        """Read the keys and strings of one object; return what is nested in it, with what names it."""
        nested: list[_Named] = []
        columns = _columns(node)
        above = name if isinstance(name, str) else ""
        for key, value in node.items():
            if len(key) >= MINIMUM and key not in seen:
                seen.add(key)
                units.append(Unit(surface, key, tree, None))
            if isinstance(value, str):
                if len(value) >= MINIMUM and not self._image(value):
                    units.append(Unit(surface, value, node, key, name=_called(node, key, above)))
            elif isinstance(value, (dict, list)) and value:
                if isinstance(value, list) and _lines(value):
                    units.append(Unit(surface, "".join(value), node, key, name=key, joint=""))
                elif key in columns and _rows(value):
                    nested += [(columns[key], row) for row in value]
                elif key == "cells" and columns.get(key):
                    nested.append((columns[key], value))
                elif key == "values" and isinstance(name, list) and isinstance(value, list):
                    nested += [
                        (_MARKS.sub("", str(column)), cells)
                        for column, cells in zip_longest(name, value, fillvalue="")
                    ]
                elif key == "state" and node.get("model_name") == "PasswordModel":  # of a widget
                    nested.append(("password", value))
                else:
                    nested.append((above if key.isdigit() else key, value))
        return nested

    def _array(self, node: list[Any], name: str | list[Any], surface: str, units: list[Unit]) -> list[_Named]:
        """Read the strings of one array, or of one row of a table; return what is nested in it."""
        nested: list[_Named] = []
        if _numbers(node):
            return nested
        names = _names(name, len(node))
        header = _header(node)
        for index, value in enumerate(node):
            if isinstance(value, str):
                if len(value) >= MINIMUM and not self._image(value):
                    units.append(Unit(surface, value, node, index, name=names[index] if names else ""))
            elif isinstance(value, (dict, list)) and value:
                nested.append((header if header and index else name, value))
        return nested

    def _keys(self, node: dict[str, Any], surface: str, units: list[Unit], tree: Any) -> None:
        units.extend(Unit(surface, key, tree, None) for key in node if len(key) >= MINIMUM)


def _called(node: dict[str, Any], key: str, above: str) -> str:
    """Return what the text at ``node[key]`` is called: by its key, or else beside or above it."""
    if key.isdigit():
        return above or key
    if key not in _HOLDERS:
        return key
    beside = (label for one in _LABELS if isinstance(label := node.get(one), str))
    names = (one for one in (*beside, above) if len(one) < MOST_NAME and NAME.search(one))
    return next(names, key).rstrip(": ")


def _name_bare(units: list[Unit], first: int) -> None:
    """Give outputs of one word, from ``units[first]`` on, the name that the last line of source asks for."""
    bare = [unit for unit in units[first:] if not unit.name and _BARE.fullmatch(unit.text)]
    if bare and first and units[first - 1].surface == "source":
        last = units[first - 1].text.rstrip().rpartition("\n")[2]
        if NAME.search(last) and (asked := _ASKED.search(last)):
            for unit in bare:
                unit.name = asked[1]


_MARKS = re.compile(r"<[^<>]{1,20}>")
"""Plotly's headers are often bold."""


def _columns(node: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the names of the columns of tables in an object, by the key of their rows: pandas', Plotly's."""
    found: dict[str, list[Any]] = {}
    if isinstance(columns := node.get("columns"), list):
        found["data"] = columns
    if isinstance(header := node.get("header"), dict) and isinstance(header.get("values"), list):
        found["cells"] = header["values"]
    template, rows = node.get("hovertemplate"), node.get("customdata")
    if isinstance(template, str) and isinstance(rows, list) and rows and isinstance(rows[0], list):
        names = templated(template)
        found["customdata"] = names + [""] * (len(rows[0]) - len(names))
    return found


def _header(node: list[Any]) -> list[Any]:
    """Return the names of columns, where the first of the lists in a list holds such."""
    first = node[0] if len(node) > 1 and isinstance(node[1], list) else None
    return first if isinstance(first, list) and _names(first, len(first)) else []


def _rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) for row in value)


def _names(name: str | list[Any], size: int) -> list[str]:
    """Return what each of ``size`` texts in a list is called; nothing when no name is a credential's."""
    names = [name] * size if isinstance(name, str) else [one if isinstance(one, str) else "" for one in name]
    named = [one if NAME.search(one) else "" for one in dict.fromkeys(names)]
    if len(names) != size or not any(named):
        return []
    return [one if one in named else "" for one in names]


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
