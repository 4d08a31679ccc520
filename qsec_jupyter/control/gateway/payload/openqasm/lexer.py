"""A program's words, as the lexer in the OpenQASM 3 specification tells them apart.

Where that lexer ends a line, a comment or a name, this one does: a word that one of two readers does not see
is a way past the one that decides.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from .. import refusals

_WORDS = r"""
    (?P<space>[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)
  | (?P<text>"[^"\r\t\n]+"|'[^'\r\t\n]+')
  | (?P<number>(?:0[xX][0-9a-fA-F](?:_?[0-9a-fA-F])*|0[bB][01](?:_?[01])*|0o[0-7](?:_?[0-7])*
        |(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)
         (?:[eE][+-]?[0-9](?:_?[0-9])*)?(?:dt|ns|us|µs|ms|s|im)?)(?!\w))
  | (?P<qubit>\$[0-9]+(?!\w))
  | (?P<name>[^\W\d]\w*)
  | (?P<sign>->|\#dim|\*\*=|<<=|>>=|\+\+|\*\*|==|!=|<=|>=|&&|\|\||<<|>>
        |[-+*/%&|^~]=|[-+*/%&|^~!<>=;:,(){}\[\]@])
  | (?P<other>.)
"""
_LINE = r"(?P<line>(?:\#?pragma\b|@[^\W\d])[^\r\n]*) |"
_WORD = re.compile(_LINE + _WORDS, re.VERBOSE | re.DOTALL)
_IN_LINE = re.compile(_WORDS, re.VERBOSE | re.DOTALL)

TYPES = frozenset(
    {"bit", "int", "uint", "float", "angle", "bool", "complex", "duration", "stretch", "array", "creg"}
)
MODIFIERS = frozenset({"ctrl", "negctrl", "inv", "pow"})
_RESERVED = """
OPENQASM include defcalgrammar def cal defcal gate extern opaque box let break continue if else end return
for while in switch case default pragma input output const readonly mutable qreg qubit void gphase im
durationof delay reset measure barrier nop true false
"""
KEYWORDS = TYPES | MODIFIERS | frozenset(_RESERVED.split())
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nl"})
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(slots=True)
class Words:
    """The words of a program.

    Attributes:
        kinds: Of each: ``name``, ``keyword``, ``number``, ``qubit`` (``$0``), ``text``, ``sign``, ``line``.
        texts: As they stand there. Those of pragmas stand behind the last word of the program, too.
        size: How many the program itself has.
        closing: Where each bracket closes, by where it opens.
        lines: Of each line: where its words begin and end, and where each stands in the line.
    """

    kinds: list[str]
    texts: list[str]
    size: int = 0
    closing: dict[int, int] = field(default_factory=dict)
    lines: dict[int, tuple[int, int, list[int]]] = field(default_factory=dict)


def read(source: str, most: int) -> Words:
    """Return the words of a program.

    Raises:
        Invalid: ``payload.malformed``, ``payload.too_costly``.
    """
    words = Words([], [])
    _add(words, _WORD, source, most)
    words.size = len(words.texts)
    for at in [at for at, kind in enumerate(words.kinds) if kind == "line"]:
        text = words.texts[at]
        if "//" in text or "/*" in text:
            raise refusals.unsupported("a comment in a pragma")
        start = len(words.texts)
        places = _add(words, _IN_LINE, text.removeprefix("#"), most, shift=text.startswith("#"))
        words.lines[at] = start, len(words.texts), places
    _match(words)
    return words


def _add(words: Words, form: re.Pattern[str], source: str, most: int, *, shift: bool = False) -> list[int]:
    """Add the words of a text; return where each stands in it."""
    kinds, texts, places = words.kinds, words.texts, []
    for found in form.finditer(source):
        kind, text = found.lastgroup, found[0]
        if kind == "space":
            continue
        if kind == "name":
            if text in KEYWORDS:
                kind = "keyword"
            elif not text.isascii():
                _check_letters(text)
        elif kind == "other" or kind is None:
            raise refusals.malformed("a program holds a sign that OpenQASM does not have")
        kinds.append(kind)
        texts.append(text)
        places.append(found.start() + shift)
        if len(texts) > most:
            raise refusals.too_costly("a program of too many words")
    return places


def _check_letters(name: str) -> None:
    if any(not sign.isascii() and unicodedata.category(sign) not in _LETTERS for sign in name):
        raise refusals.malformed("a name holds a sign that names in OpenQASM do not have")


def _match(words: Words) -> None:
    """Find where each bracket closes."""
    open_: list[int] = []
    for at, text in enumerate(words.texts):
        if text in ("(", "[", "{"):
            open_.append(at)
        elif text in _PAIRS:
            if not open_ or words.texts[open_[-1]] != _PAIRS[text]:
                raise refusals.malformed("a bracket that does not close")
            words.closing[open_.pop()] = at
    if open_:
        raise refusals.malformed("a bracket that does not close")
