"""Puts the user's names back into an answer that holds QPY, which a stream cannot be looked through for."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from .. import circuits, qpy, text
from ..limits import Limits
from ..names import PREFIX
from ..packing import Room, encode
from ..restorer import Restorer
from ..samplex import Samplex
from .blobs import holders

_MAGIC = b"QISKIT"


class _Restoring:
    """Restores what is packed in one answer; what stands there twice is restored once."""

    def __init__(self, names: Mapping[str, str], limits: Limits) -> None:
        self._names = names
        self._limits = limits
        self._room = Room(limits.unpacked)
        self._done: dict[str, str] = {}

    def circuits(self, told: str) -> str:
        """Return QPY in base64 with the user's names."""
        if told not in self._done:
            self._done[told] = self._read(told)
        return self._done[told]

    def samplex(self, holder: dict[str, Any]) -> str:
        """Return a samplex with the user's names."""
        found = Samplex(holder, self._limits)
        found.expressions["circuit_base64"] = self.circuits(found.expressions["circuit_base64"])
        found.rename(lambda _, name: self._names.get(name, name))
        return str(holder["samplex_json"])

    def _read(self, told: str) -> str:
        data = self._room.decode(told)
        packed = not data.startswith(_MAGIC)
        data = self._room.unpack(data) if packed else data
        if PREFIX.encode() not in data:
            return told
        return encode(qpy.rewrite(circuits.walk(data, self._limits.instructions), self._own), packed=packed)

    def _own(self, place: qpy.Place) -> bytes | None:
        if PREFIX not in place.text:
            return None
        restorer = Restorer(self._names, plain=place.kind != "metadata")
        return restorer.feed(place.text.encode()) + restorer.finish()


def restore(body: bytes, names: Mapping[str, str], limits: Limits) -> bytes:
    """Return the answer as if nothing had been hidden.

    Raises:
        Invalid: As reading a job.
    """
    told = text.read(body, limits.nesting)
    restoring = _Restoring(names, limits)
    for holder, key in holders(told):
        if isinstance(holder[key], str):
            holder[key] = restoring.circuits(holder[key])
    marked = _mark_samplexes(told, restoring)
    restorer = Restorer(names)
    return _put(restorer.feed(text.write(told)) + restorer.finish(), marked)


def _mark_samplexes(told: Any, restoring: _Restoring) -> dict[bytes, str]:
    """Put marks in the place of samplexes, and return what they stand for.

    A samplex is restored by itself: names stand in texts within texts there, and none is looked for again.
    """
    mark, marked = secrets.token_hex(16), dict[bytes, str]()
    waiting = [told]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict) and isinstance(value.get("samplex_json"), str):
            marked[f"{mark}{len(marked)}".encode()] = restoring.samplex(value)
            value["samplex_json"] = f"{mark}{len(marked) - 1}"
        elif isinstance(value, (dict, list)):
            waiting += value.values() if isinstance(value, dict) else value
    return marked


def _put(body: bytes, marked: dict[bytes, str]) -> bytes:
    """Return an answer with what its marks stand for."""
    if not marked:
        return body
    mark = next(iter(marked))[:-1]
    return re.sub(rb'"(' + mark + rb'\d+)"', lambda found: json.dumps(marked[found[1]]).encode(), body)
