"""The type in which a secret lives: everything but ``reveal()`` shows a marker."""

from __future__ import annotations

import re
from typing import Any

MARKED = "[redacted: "
"""How every marker begins."""

LONGEST_LABEL = 64
"""More of a label is not in its marker (characters)."""

_NOT_LABEL = re.compile(r"[^A-Za-z0-9 ._:/-]+")


def marker(label: str) -> str:
    """Return the text that stands where a secret was, e.g. ``[redacted: sandbox]``.

    The label names the target or the rule, never the value or a digest of it. It is reduced
    to characters that survive JSON, HTML and a terminal, so that a marker never needs escaping.
    """
    return f"{MARKED}{_NOT_LABEL.sub('_', label)[:LONGEST_LABEL]}]"


class Secret:
    """A text value that no repr, str, format, pickle or traceback shows.

    It is a guard against accidents: code in the same process can always reach the value.

    Args:
        value: The secret text.
        label: What the marker names, usually the target.
    """

    __slots__ = ("_label", "_value")

    def __init__(self, value: str | None, label: str) -> None:
        self._value = value
        self._label = label

    @property
    def label(self) -> str:
        """What the marker names."""
        return self._label

    def reveal(self) -> str:
        """Return the secret text.

        Raises:
            ValueError: If this is a copy that came out of a pickle; it never held the value.
        """
        if self._value is None:
            raise ValueError(f"{marker(self._label)} came out of a pickle and holds no value")
        return self._value

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """What ``vars()`` and inspectors show."""
        return {"label": self._label, "value": marker(self._label)}

    def __repr__(self) -> str:
        return marker(self._label)

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(marker(self._label), spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (Secret, (None, self._label))
