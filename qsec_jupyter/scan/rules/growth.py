"""Tries whether the time that an expression takes grows faster than the text it reads.

:mod:`re` backtracks: an expression such as ``(a+)+b`` takes twice as long for each further character. Which
ones do is not decided from their form but tried, on texts pumped up from the expression's own parts, from a
few characters on and only until one takes too long. So the trial itself is bounded.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from ..notations import parsed

SIZES = (64, 128, 256, 512, 1024, 2048)
"""Texts that are longer than the shortest match by so many characters: on less some expressions give up."""

_FIRST_SIZES = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32)

LIMIT_SECONDS = 0.03
"""What 2,048 characters may take; an expression without fault takes a tenth of that."""

_WORTH_SECONDS = 0.0015
_FOUR_TIMES = 9.0
"""How much longer four times the text may take: in proportion it would be 4, by its square 16."""

_MOST_PUMPS = 60
_MOST_EMPTY = 8
_COUNT = re.compile(r"(?<!\\)\{(\d+)(?:(,)(\d*))?\}")
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_ALPHABET = ("a", "A", "0", "_", "-", " ", "\n", "=", '"', "'", ".", "/", "\\", ":", "a0", "a-", 'a"', "a=")
_ENDS = ("", "\0")
_EVERY = [chr(code) for code in (*range(97, 123), *range(65, 91), *range(48, 58), *range(32, 127), 10, 9)]
_CATEGORIES = {
    "CATEGORY_DIGIT": "0", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_WORD": "-", "CATEGORY_NOT_SPACE": "a",
}  # fmt: skip


def grows(pattern: str, longest: int | None = None) -> bool:
    """Tell whether ``pattern``, over bytes, takes more than in proportion for some text.

    Args:
        pattern: For :mod:`re`.
        longest: Texts are never longer than this; a square that ends there is let pass.
    """
    tree = parsed(pattern)
    if _repeats_nothing(tree):
        return True
    least = int(tree.getwidth()[0])
    trial = _Trial(re.compile(pattern.encode()), re.compile(_loosened(pattern).encode()), least, longest)
    return any(
        trial.fails(prefix, pump, end) for prefix, pump in islice(_pumps(tree), _MOST_PUMPS) for end in _ENDS
    )


class _Trial:
    """Times one expression.

    Args:
        expression: What is tried.
        loose: The same, content with few repetitions: what doubles with each character shows on few.
        least: Length of its shortest match.
        longest: See :func:`grows`.
    """

    def __init__(
        self, expression: re.Pattern[bytes], loose: re.Pattern[bytes], least: int, longest: int | None
    ) -> None:
        self._expression = expression
        self._loose = loose
        self._least = least
        self._longest = longest

    def fails(self, prefix: str, pump: str, end: str) -> bool:
        """Tell whether a text takes too long that repeats ``pump``."""
        for size in _FIRST_SIZES:
            if _seconds(self._loose, _text(prefix, pump, end, size)) > LIMIT_SECONDS:
                return True
        last = 0.0
        for size in (one for one in SIZES if one <= (self._longest or one)):
            last = _seconds(self._expression, _text(prefix, pump, end, self._least + size))
            if last > LIMIT_SECONDS:
                return True
        if self._longest or last <= _WORTH_SECONDS:
            return False
        longer = _text(prefix, pump, end, 4 * (self._least + SIZES[-1]))
        return _seconds(self._expression, longer) > _FOUR_TIMES * last


def _text(prefix: str, pump: str, end: str, size: int) -> bytes:
    return (prefix + pump * (size // len(pump) + 1) + end).encode()


def _seconds(expression: re.Pattern[bytes], text: bytes) -> float:
    """Return the least of up to three times that reading all of ``text`` takes on this thread."""
    best = float("inf")
    for _ in range(3):
        start = time.thread_time()
        for _ in expression.finditer(text):
            pass
        best = min(best, time.thread_time() - start)
        if best <= _WORTH_SECONDS:
            break
    return best


def _loosened(pattern: str) -> str:
    """Return ``pattern`` with two repetitions at least wherever it wants more."""

    def fewer(match: re.Match[str]) -> str:
        least, comma, most = match.groups()
        return f"{{{min(int(least), 2)},{most if comma else least}}}"

    loose = _COUNT.sub(fewer, pattern)
    try:
        re.compile(loose.encode())
    except re.error:  # what looked like a count was none
        return pattern
    return loose


def _repeats_nothing(tree: Any) -> bool:
    """Tell whether something that may be empty is repeated many times: then each time is a choice."""
    for operation, value in tree:
        kind = str(operation)
        if kind in _REPEATS and int(value[1]) > _MOST_EMPTY and not value[2].getwidth()[0]:
            return True
        if any(map(_repeats_nothing, _inside(kind, value))):
            return True
    return False


def _inside(kind: str, value: Any) -> tuple[Any, ...]:
    """Return the trees in one part of an expression."""
    if kind == "BRANCH":
        return tuple(value[1])
    if kind in _REPEATS:
        return (value[2],)
    if kind == "SUBPATTERN":
        return (value[-1],)
    return (value,) if kind == "ATOMIC_GROUP" else ()


def _pumps(tree: Any) -> Iterator[tuple[str, str]]:
    """Yield pairs of what leads to a repeated part and what it repeats, then plain texts."""
    seen: set[tuple[str, str]] = set()
    for pair in (*_repeats(tree, ""), *(("", text) for text in _ALPHABET)):
        if pair not in seen and pair[1]:
            seen.add(pair)
            yield pair


def _repeats(tree: Iterable[Any], prefix: str) -> Iterator[tuple[str, str]]:
    for operation, value in tree:
        kind = str(operation)
        if kind in _REPEATS and int(value[1]) > 4:
            for pick in range(3):
                yield prefix, _sample(value[2], pick)
        for inner in _inside(kind, value):
            yield from _repeats(inner, prefix)
        prefix += _sample([(operation, value)], 0)


def _sample(tree: Iterable[Any], pick: int) -> str:
    """Return a text that the expression matches; ``pick`` chooses among several."""
    return "".join(_one(str(operation), value, pick) for operation, value in tree)


def _one(kind: str, value: Any, pick: int) -> str:
    choose = _KINDS.get(kind)  # what looks around, and anchors, match no text
    return choose(value, pick) if choose else ""


def _times(value: Any, pick: int) -> str:
    least, most, inner = value
    return _sample(inner, pick) * min(max(int(least), 1 if int(most) and pick else 0), 64)


def _member(members: Any, pick: int) -> str:
    """Return a character that a set holds."""
    if str(members[0][0]) == "NEGATE":
        fitting = [one for one in _EVERY if not any(_holds(member, one) for member in members[1:])]
        return fitting[(pick * 26) % len(fitting)] if fitting else ""
    operation, value = members[pick % len(members)]
    kind = str(operation)
    if kind == "RANGE":
        return chr(value[0])
    return chr(value) if kind == "LITERAL" else _CATEGORIES.get(str(value), "a")


def _holds(member: Any, character: str) -> bool:
    kind, value = str(member[0]), member[1]
    if kind == "LITERAL":
        return bool(ord(character) == value)
    if kind == "RANGE":
        return bool(value[0] <= ord(character) <= value[1])
    name = str(value).removeprefix("CATEGORY_")
    test = {"DIGIT": str.isdigit, "SPACE": str.isspace}.get(
        name.removeprefix("NOT_"), lambda one: one == "_" or one.isalnum()
    )
    return test(character) != name.startswith("NOT_")


_KINDS: dict[str, Callable[[Any, int], str]] = {
    "LITERAL": lambda value, _: chr(value),
    "NOT_LITERAL": lambda value, _: next(one for one in _EVERY if ord(one) != value),
    "ANY": lambda _, pick: "a0 "[pick % 3],
    "IN": _member,
    "MAX_REPEAT": _times,
    "MIN_REPEAT": _times,
    "POSSESSIVE_REPEAT": _times,
    "SUBPATTERN": lambda value, pick: _sample(value[-1], pick),
    "ATOMIC_GROUP": _sample,
    "BRANCH": lambda value, pick: _sample(value[1][pick % len(value[1])], pick),
}
