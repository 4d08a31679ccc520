"""A program as statements within one another. Only its form is looked at here, no name and no number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from .. import refusals
from .lexer import MODIFIERS, TYPES, Words

Kind = Literal[
    "version",
    "include",
    "line",
    "declare",
    "qubits",
    "alias",
    "gate",
    "def",
    "call",
    "wait",
    "reset",
    "measure",
    "classical",
    "leave",
    "if",
    "for",
    "while",
    "switch",
    "case",
    "box",
    "scope",
    "cal",
    "defcal",
    "grammar",
]

_HEADS: dict[str, Kind] = {
    **dict.fromkeys(TYPES - {"bool"} | {"bool", "const", "input", "output"}, "declare"),
    **dict.fromkeys(MODIFIERS | {"gphase"}, "call"),
    **dict.fromkeys(("qubit", "qreg"), "qubits"),
    **dict.fromkeys(("barrier", "delay", "nop"), "wait"),
    **dict.fromkeys(("break", "continue", "end", "return"), "leave"),
    "OPENQASM": "version",
    "include": "include",
    "let": "alias",
    "reset": "reset",
    "measure": "measure",
    "defcalgrammar": "grammar",
}
_PULSE_TYPES = frozenset({"port", "frame", "waveform"})
_UNKNOWN = {"extern": "a function that is defined elsewhere", "opaque": "a gate that is defined elsewhere"}


@dataclass(slots=True)
class Statement:
    """A statement.

    Attributes:
        kind: What it does.
        at: Its first word.
        end: Behind its last word: that before ``;``, or before its first block.
        blocks: What stands in it.
    """

    kind: Kind
    at: int
    end: int
    blocks: tuple[list[Statement], ...] = ()


def read(words: Words, nesting: int) -> list[Statement]:
    """Return a program's statements.

    Raises:
        Invalid: ``payload.malformed``, ``payload.unsupported``, ``payload.too_costly``.
    """
    return _Reader(words, nesting).program()


class _Reader:
    def __init__(self, words: Words, nesting: int) -> None:
        self._kinds, self._texts, self._size = words.kinds, words.texts, words.size
        self._closing = words.closing
        self._has_lines = bool(words.lines)
        self._nesting = nesting
        self._in_pulses = False
        self._blocks: dict[str, Callable[[int], tuple[Statement, int]]] = {
            "{": self._scope,
            "box": self._box,
            "cal": partial(self._pulses, "cal"),
            "def": partial(self._definition, "def"),
            "defcal": partial(self._pulses, "defcal"),
            "for": self._for,
            "gate": partial(self._definition, "gate"),
            "if": self._if,
            "switch": self._switch,
            "while": self._while,
        }

    def program(self) -> list[Statement]:
        found, at = [], 0
        while at < self._size:
            statement, at = self._statement(at)
            found.append(statement)
        return found

    def _statement(self, at: int) -> tuple[Statement, int]:
        """Return the statement that begins here, and where the next one does."""
        text = self._texts[at]
        block = self._blocks.get(text)
        if block is not None:
            self._nesting -= 1
            if self._nesting < 0:
                raise refusals.too_costly("it nests too deeply")
            found = block(at)
            self._nesting += 1
            return found
        if self._kinds[at] == "line":
            return Statement("line", at, at + 1), at + 1
        if text in _UNKNOWN:
            raise refusals.unsupported(_UNKNOWN[text])
        try:
            end = self._texts.index(";", at, self._size)
        except ValueError as error:
            raise refusals.malformed("a program ends within a statement") from error
        if end == at:
            return Statement("scope", at, end, ([],)), end + 1
        self._check(at, end)
        return Statement(_HEADS.get(text) or self._plain(at, end), at, end), end + 1

    def _check(self, at: int, end: int) -> None:
        """Refuse a statement with something in it that begins another one."""
        held = self._texts[at:end]
        if "{" in held or "}" in held:
            opened = [place for place in range(at, end) if self._texts[place] == "{"]
            if any(self._closing[place] > end for place in opened):
                raise refusals.unsupported("a block within an expression")
            if len(opened) != held.count("}"):
                raise refusals.malformed("a block ends within a statement")
        if self._has_lines and "line" in self._kinds[at:end]:
            raise refusals.malformed("a pragma within a statement")

    def _plain(self, at: int, end: int) -> Kind:
        """Return what a statement is that begins with no word of the language."""
        if self._kinds[at] not in ("name", "sign"):
            raise refusals.malformed("a statement that is none")
        if self._kinds[at] == "sign":
            return "classical"
        place = at + 1
        while place < end and self._texts[place] in ("(", "["):
            place = self._closing[place] + 1
        if place < end and self._kinds[place] in ("name", "qubit"):
            return "declare" if self._in_pulses and self._texts[at] in _PULSE_TYPES else "call"
        return "classical"

    # -- blocks -----------------------------------------------------------------------------------

    def _block(self, at: int) -> tuple[list[Statement], int]:
        """Return what stands between braces, and where it goes on behind them."""
        if at >= self._size or self._texts[at] != "{":
            raise refusals.malformed("a block is missing")
        end, found = self._closing[at], []
        at += 1
        while at < end:
            statement, at = self._statement(at)
            found.append(statement)
        if at != end:
            raise refusals.malformed("a statement that goes on behind its block")
        return found, end + 1

    def _body(self, at: int) -> tuple[list[Statement], int]:
        """Return a block, or the one statement that stands for it."""
        if at < self._size and self._texts[at] != "{":
            statement, at = self._statement(at)
            return [statement], at
        return self._block(at)

    def _brackets(self, at: int, opening: str) -> int:
        """Return where it goes on behind brackets."""
        if at >= self._size or self._texts[at] != opening:
            raise refusals.malformed(f"a {opening} is missing")
        return self._closing[at] + 1

    def _scope(self, at: int) -> tuple[Statement, int]:
        block, end = self._block(at)
        return Statement("scope", at, at, (block,)), end

    def _box(self, at: int) -> tuple[Statement, int]:
        head = at + 1
        if self._text(head) == "[":
            head = self._closing[head] + 1
        block, end = self._block(head)
        return Statement("box", at, head, (block,)), end

    def _if(self, at: int) -> tuple[Statement, int]:
        head = self._brackets(at + 1, "(")
        block, end = self._body(head)
        blocks: tuple[list[Statement], ...] = (block,)
        if self._text(end) == "else":
            other, end = self._body(end + 1)
            blocks = block, other
        return Statement("if", at, head, blocks), end

    def _while(self, at: int) -> tuple[Statement, int]:
        head = self._brackets(at + 1, "(")
        block, end = self._body(head)
        return Statement("while", at, head, (block,)), end

    def _for(self, at: int) -> tuple[Statement, int]:
        head = at + 1
        while self._text(head) != "in":
            head = self._closing.get(head, head) + 1
            if head >= self._size or head > at + 8:
                raise refusals.malformed("a loop over nothing")
        head += 1
        if self._text(head) in ("[", "{"):
            head = self._closing[head] + 1
        else:
            head += 1
            while self._text(head) in ("[", "("):
                head = self._closing[head] + 1
        block, end = self._body(head)
        return Statement("for", at, head, (block,)), end

    def _switch(self, at: int) -> tuple[Statement, int]:
        head = self._brackets(at + 1, "(")
        if self._text(head) != "{":
            raise refusals.malformed("a block is missing")
        end, cases, place = self._closing[head], [], head + 1
        while place < end:
            if self._text(place) not in ("case", "default"):
                raise refusals.malformed("a switch with something else in it than cases")
            start = place
            while place < end and self._texts[place] != "{":
                place += 1
            block, behind = self._block(place)
            cases.append(Statement("case", start, place, (block,)))
            place = behind
        return Statement("switch", at, head, (cases,)), end + 1

    def _definition(self, kind: Kind, at: int) -> tuple[Statement, int]:
        head = at
        while head < self._size and self._texts[head] != "{":
            if self._texts[head] == ";":
                raise refusals.malformed("a definition without a body")
            head += 1
        block, end = self._block(head)
        return Statement(kind, at, head, (block,)), end

    def _pulses(self, kind: Kind, at: int) -> tuple[Statement, int]:
        before, self._in_pulses = self._in_pulses, True
        found = self._definition(kind, at)
        self._in_pulses = before
        return found

    def _text(self, at: int) -> str:
        return self._texts[at] if at < self._size else ""
