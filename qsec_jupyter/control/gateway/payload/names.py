"""Opaque names: the same for the same name, in the order of the names, meaningless without the key."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping

from . import refusals

PREFIX = "qsec_h"
"""What every opaque name begins with. The underscore keeps it out of base64, so looking for it is fast."""

LENGTH = len(PREFIX) + 21
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_RANKS = 32**4
_AUTOMATIC = re.compile(r"(?:circuit-\d+(?:-\d+)?|[qc]\d*|meas\d*|ancilla\d*)")

Sort = str
"""``n`` for a name, ``j`` for a JSON value, which is put in place of the opaque string, quotes and all."""


def is_automatic(name: str) -> bool:
    """Say whether Qiskit itself gives this name, so that it says nothing."""
    return not name or _AUTOMATIC.fullmatch(name) is not None


class Names:
    """The opaque names of one job.

    Args:
        key: Of the grant and target; who does not hold it learns nothing from an opaque name.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ranks: Mapping[str, int] = {}
        self.originals: dict[str, str] = {}

    def rank(self, parameters: Iterable[str]) -> None:
        """Take in the names of all parameters: Qiskit sorts them by name, and values stand in that order.

        Raises:
            Invalid: ``payload.too_costly``.
        """
        ordered = sorted(set(parameters))
        if len(ordered) >= _RANKS:
            raise refusals.too_costly("it has too many parameters")
        self._ranks = {name: number for number, name in enumerate(ordered, 1)}

    def hide(self, name: str) -> str:
        """Return the opaque name for a name."""
        return self._opaque("n", name, self._ranks.get(name, 0))

    def hide_value(self, text: str) -> str:
        """Return the opaque name for a JSON text, to stand in a string of its own."""
        return self._opaque("j", text, 0)

    def _opaque(self, sort: Sort, text: str, rank: int) -> str:
        token = opaque(self._key, sort, text, rank)
        if self.originals.setdefault(token, text) != text:
            raise refusals.unsupported("two names that cannot be told apart")
        return token

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.originals.items())


def opaque(key: bytes, sort: Sort, text: str, rank: int = 0) -> str:
    """Return the opaque name of a text; without a rank it is the same in every job under this key."""
    digest = hmac.digest(key, f"{sort}\0{text}".encode("utf-8", "surrogatepass"), "sha256")
    mac = base64.b32hexencode(digest[:10]).decode().lower()
    digits = "".join(_DIGITS[rank >> shift & 31] for shift in (15, 10, 5, 0))
    return f"{PREFIX}{sort}{digits}{mac}"


def is_value(token: str) -> bool:
    """Say whether an opaque name stands for a JSON value."""
    return token[len(PREFIX)] == "j"
