"""What a rule leaves alone although its expression matches: what gitleaks calls an allowlist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

LONGEST = 1024
"""Expressions of exemptions see so much of what they are for (bytes)."""


class Where(NamedTuple):
    """Where a text lies, as far as rules ask.

    Attributes:
        path: As the user names the file, with slashes.
        commit: The whole id, for what is read from history.
    """

    path: str = ""
    commit: str = ""

    @property
    def name(self) -> bytes:
        """The path for expressions over bytes."""
        return self.path.encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Exemption:
    """Values, places and commits that a rule leaves alone.

    Attributes:
        paths: Expressions over the path.
        commits: Whole ids, in lower case.
        regexes: Expressions over what ``target`` names.
        target: ``secret``, ``match`` (all that the rule's expression matched) or ``line``.
        stopwords: Texts in lower case that occur in the value, in whatever case.
        every: Whether all kinds of these that are given must hold, and not just one.
    """

    paths: tuple[str, ...] = ()
    commits: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()
    target: Literal["secret", "match", "line"] = "secret"
    stopwords: tuple[str, ...] = ()
    every: bool = False

    @cached_property
    def _paths(self) -> re.Pattern[bytes]:
        return _any_of(self.paths)

    @cached_property
    def _regexes(self) -> re.Pattern[bytes]:
        return _any_of(self.regexes)

    @property
    def by_place(self) -> bool:
        """Whether it depends on where a text lies."""
        return bool(self.paths or self.commits)

    def covers(self, data: bytes, match: tuple[int, int], value: tuple[int, int], where: Where) -> bool:
        """Tell whether the value ``data[slice(*value)]`` in a match of a rule is left alone."""
        return (all if self.every else any)(self._tests(data, match, value, where))

    def _tests(
        self, data: bytes, match: tuple[int, int], value: tuple[int, int], where: Where
    ) -> Iterator[bool]:
        if self.commits:
            yield where.commit.lower() in self.commits
        if self.paths:
            yield bool(where.path and self._paths.search(where.name))
        if self.regexes:
            start, end = {"secret": value, "match": match}.get(self.target) or _line(data, *match)
            yield self._regexes.search(data[start : min(end, start + LONGEST)]) is not None
        if self.stopwords:
            text = data[slice(*value)].decode("utf-8", "replace").lower()
            yield any(word in text for word in self.stopwords)


def pack(exemptions: Sequence[Exemption]) -> list[dict[str, Any]]:
    """Return exemptions as JSON takes them."""
    return [asdict(one) for one in exemptions]


def unpack(kept: Sequence[Mapping[str, Any]]) -> tuple[Exemption, ...]:
    """Return what :func:`pack` was given."""

    def one(values: Mapping[str, Any]) -> Exemption:
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        return Exemption(**fields)

    return tuple(map(one, kept))


def _any_of(patterns: Sequence[str]) -> re.Pattern[bytes]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns).encode())


def _line(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the lines of a match begin and end, half of ``LONGEST`` before it at most."""
    first, last = max(0, start - LONGEST // 2), min(len(data), end + LONGEST)
    stop = data.find(b"\n", end, last)
    return data.rfind(b"\n", first, start) + 1 or first, last if stop < 0 else stop
