"""The user's own names in the place of the opaque ones."""

from __future__ import annotations

from collections.abc import Mapping

from .payload import Restorer


def restorer(names: Mapping[str, str], *, plain: bool = False) -> Restorer | None:
    """Return what puts names back into a stream; ``None`` where nothing was hidden."""
    return Restorer(names, plain=plain) if names else None


def restored(text: bytes, names: Mapping[str, str]) -> bytes:
    """Return an answer that is held whole, with the user's names."""
    made = restorer(names)
    return text if made is None else made.feed(text) + made.finish()
