"""How a negative is written down: a line with the text in it that must survive."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ..randoms import WORDS

Text = Callable[[Random], tuple[str, str]]
"""Gives the line and, within it, the text that must survive."""


def line(template: str, make: Callable[[Random], str]) -> Text:
    """Return a line around a fresh value; ``{v}`` stands for it, ``{w}`` for a word, ``{n}`` for a number."""

    def build(rng: Random) -> tuple[str, str]:
        value = make(rng)
        text = template.replace("{w}", rng.choice(WORDS)).replace("{n}", str(rng.randint(1, 999)))
        return text.replace("{v}", value), value

    return build


def whole(*lines: str) -> Text:
    """Return one of ``lines``, all of which must survive."""

    def build(rng: Random) -> tuple[str, str]:
        text = rng.choice(lines).replace("{w}", rng.choice(WORDS))
        return text, text

    return build
