"""Names in a job of IBM's runtime become opaque, wherever they stand in it.

What a name names stays what it is: registers keep their order, parameters sort as they did, values stand by
position or by the new name. Nothing that the runtime itself acts on is touched.
"""

from __future__ import annotations

import base64
import json
import re
from struct import Struct, error as StructError  # noqa: N812
from typing import Any

from .. import qpy, refusals, samplex
from ..names import Names, is_automatic
from .blobs import Blobs
from .samplexes import Randomised
from .texts import Texts

_PARAMETER = Struct("!H16s")
_SORTED = frozenset({"parameter", "vector"})
_USUAL = frozenset({"circuit", "register", "variable", "gate", "declared"})
"""Kinds of which a usual name stays. Of parameters none does: some hidden and some not would sort anew."""

_GIVEN = re.compile(r"p\d+", re.ASCII)
"""Names that samplomatic gives parameters of a circuit that it randomises; there are thousands of them."""

_EMPTY = ("", "{}", "null")


class Hiding:
    """Hides the names of one job.

    Args:
        names: Receives them.
        body: The job; it is changed.
        blobs: The QPY in it.
        randomised: Its items with a samplex.
        texts: The OpenQASM in it.
    """

    def __init__(
        self,
        names: Names,
        body: dict[str, Any],
        blobs: Blobs,
        randomised: list[Randomised],
        texts: Texts,
    ) -> None:
        self._names = names
        self._body = body
        self._blobs = blobs
        self._randomised = randomised
        self._texts = texts
        self._made: dict[tuple[str, str], bytes | None] = {}
        self.seen: dict[tuple[str, str], str] = {}
        self.tags: dict[str, str] = {}
        self.given: set[str] = set()

    def hide(self) -> dict[bytes, bytes]:
        """Hide all that can be hidden; return each QPY that changed, as it was and as it is."""
        randomised = self._find_randomised()
        self._names.rank(self._parameters() - self.given)
        changed: dict[bytes, bytes] = {}
        for blob in self._blobs.all:
            before = blob.file.data
            if before not in changed:
                rename = self._rename_but_given if before in randomised else self._rename
                changed[before] = qpy.rewrite(blob.file, rename)
            if changed[before] != before:
                blob.put(changed[before])
        for one in self._randomised:
            one.rename(self._name)
        self._texts.rename(self._name)
        self._hide_parameters(self._body)
        self._hide_tags()
        rename_passthrough(self._body, self._name)
        return {before: after for before, after in changed.items() if before != after}

    def _parameters(self) -> set[str]:
        found = {
            place.text for blob in self._blobs.all for place in blob.file.places if place.kind in _SORTED
        }
        found |= {name for one in self._texts.all for name in one.inputs}
        for value in _objects(self._body):
            found |= set(_bound(value))
        return {name.partition("[")[0] if name.endswith("]") else name for name in found} | found

    def _find_randomised(self) -> set[bytes]:
        """Return the files whose parameters all have names that say nothing, and that none other has.

        They stay: to hide thousands of them takes longer than all the rest.
        """
        if self._body.get("program_id") != "executor":
            return set()
        named = {
            blob.file.data: {place.text for place in blob.file.places if place.kind in _SORTED}
            for blob in self._blobs.all
        }
        found = {data for data, names in named.items() if all(map(_GIVEN.fullmatch, names))}
        others = set[str]().union(*[names for data, names in named.items() if data not in found])
        found = {data for data in found if not named[data] & others}
        self.given = set[str]().union(*[named[data] for data in found])
        return found

    def _rename_but_given(self, place: qpy.Place) -> bytes | None:
        return None if place.kind in _SORTED else self._rename(place)

    def _rename(self, place: qpy.Place) -> bytes | None:
        at = (place.kind, place.text)
        if at not in self._made:
            self._made[at] = self._new(place)
        return self._made[at]

    def _new(self, place: qpy.Place) -> bytes | None:
        if place.kind == "metadata":
            return self._metadata(place.text)
        name = self._name(place.kind, place.text)
        return None if name == place.text else name.encode()

    def _name(self, kind: str, text: str) -> str:
        """Return what stands for a name of this kind, wherever it stands."""
        if not text or (is_automatic(text) and kind in _USUAL):
            return text
        token = self.seen[kind, text] = self._names.hide(text)
        return token

    def _metadata(self, text: str) -> bytes | None:
        """Return metadata with opaque keys, and an opaque string for each value."""
        if text in _EMPTY:
            return None
        try:
            told = json.loads(text)
        except ValueError as error:
            raise refusals.malformed("a circuit's metadata is not JSON") from error
        if not isinstance(told, dict):
            raise refusals.malformed("a circuit's metadata is no JSON object")
        hidden = {
            self._names.hide(key): self._names.hide_value(json.dumps(value)) for key, value in told.items()
        }
        new = json.dumps(hidden, separators=(",", ":"))
        self.seen["metadata", text] = new
        return new.encode()

    def _hide_parameters(self, body: dict[str, Any]) -> None:
        """Hide parameters' names where values stand by name, and parameters that stand by themselves."""
        for value in _objects(body):
            if value.get("__type__") == "Parameter":
                value["__value__"] = self._parameter(value["__value__"])
            elif value.get("__type__") == "BindingsArray":
                data = value["__value__"]["data"]
                value["__value__"]["data"] = {self._key(key): found for key, found in data.items()}
        place = 1 if body.get("program_id") == "sampler" else 2  # an estimator's observables stand before
        for pub in _pubs(body):
            values = pub[place] if len(pub) > place else None
            if isinstance(values, dict) and "__type__" not in values:
                pub[place] = {self._names_of(key): found for key, found in values.items()}

    def _key(self, key: str) -> str:
        """Return a key of bindings, which is a JSON list of names, with opaque ones."""
        try:
            told = json.loads(key)
        except ValueError as error:
            raise refusals.malformed("bindings without names") from error
        if not isinstance(told, list) or any(not isinstance(name, str) for name in told):
            raise refusals.malformed("bindings without names")
        return json.dumps([self._names_of(name) for name in told])

    def _names_of(self, name: str) -> str:
        """Return the opaque name of a parameter, or of an element of a vector by that of the vector."""
        vector, bracket, index = name.partition("[")
        if bracket and index.endswith("]") and ("vector", vector) in self.seen:
            return f"{self.seen['vector', vector]}[{index}"
        return self._names.hide(name)

    def _parameter(self, told: Any) -> str:
        try:
            data = base64.b64decode(told, validate=True)
            length, uuid = _PARAMETER.unpack_from(data)
            name = data[_PARAMETER.size :].decode()
        except (TypeError, ValueError, StructError) as error:
            raise refusals.malformed("a parameter that is none") from error
        if len(data) != length + _PARAMETER.size:
            raise refusals.malformed("a parameter that is none")
        token = self._names.hide(name).encode()
        return base64.b64encode(_PARAMETER.pack(len(token), uuid) + token).decode()

    def _hide_tags(self) -> None:
        tags = self._body.get("tags")
        if tags:
            self.tags = {tag: self._names.hide(tag) for tag in tags}
            self._body["tags"] = [self.tags[tag] for tag in tags]


def rename_passthrough(body: dict[str, Any], name: samplex.Name) -> None:
    """Put other texts in what comes back as it was given; numbers and arrays in it stay."""
    quantum = (body.get("params") or {}).get("quantum_program")
    if isinstance(quantum, dict) and quantum.get("passthrough_data") is not None:
        quantum["passthrough_data"] = _renamed(quantum["passthrough_data"], name)


def _renamed(value: Any, name: samplex.Name) -> Any:
    if isinstance(value, str):
        return name("passthrough", value)
    if isinstance(value, list):
        return [_renamed(item, name) for item in value]
    if isinstance(value, dict) and not samplex.is_array(value):
        return {name("passthrough", key): _renamed(item, name) for key, item in value.items()}
    return value


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return all objects in a value."""
    found, waiting = [], [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found.append(value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def _bound(value: dict[str, Any]) -> list[str]:
    """Return the names by which bindings are given."""
    if value.get("__type__") != "BindingsArray":
        return []
    inner = value.get("__value__")
    if not isinstance(inner, dict) or not isinstance(inner.get("data"), dict):
        raise refusals.malformed("bindings without names")
    try:
        return [name for key in inner["data"] for name in json.loads(key) if isinstance(name, str)]
    except (ValueError, TypeError) as error:
        raise refusals.malformed("bindings without names") from error


def _pubs(body: dict[str, Any]) -> list[list[Any]]:
    pubs = (body.get("params") or {}).get("pubs")
    return pubs if isinstance(pubs, list) else []
