"""Puts the user's names back into an answer that holds QPY, which a stream cannot be looked through for."""

from __future__ import annotations

from collections.abc import Mapping

from .. import circuits, qpy, text
from ..limits import Limits
from ..names import PREFIX
from ..packing import Room, encode
from ..restorer import Restorer
from .blobs import holders

_MAGIC = b"QISKIT"


def restore(body: bytes, names: Mapping[str, str], limits: Limits) -> bytes:
    """Return the answer as if nothing had been hidden.

    Raises:
        Invalid: As reading a job.
    """
    told = text.read(body, limits.nesting)
    room, done = Room(limits.unpacked), dict[str, str]()
    for holder, key in holders(told):
        if not isinstance(holder[key], str):
            continue
        if holder[key] not in done:
            done[holder[key]] = _restored(holder[key], names, room, limits)
        holder[key] = done[holder[key]]
    restorer = Restorer(names)
    return restorer.feed(text.write(told)) + restorer.finish()


def _restored(told: str, names: Mapping[str, str], room: Room, limits: Limits) -> str:
    data = room.decode(told)
    packed = not data.startswith(_MAGIC)
    data = room.unpack(data) if packed else data
    if PREFIX.encode() not in data:
        return told

    def original(place: qpy.Place) -> bytes | None:
        if PREFIX not in place.text:
            return None
        restorer = Restorer(names, plain=place.kind != "metadata")
        return restorer.feed(place.text.encode()) + restorer.finish()

    return encode(qpy.rewrite(circuits.walk(data, limits.instructions), original), packed=packed)
