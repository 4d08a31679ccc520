"""An OpenQASM 3 program as words: how wide, deep and long it is, its hash, and the same with other names.

What Braket's SDK writes is one statement after the other, so words are enough. Loops, subroutines and
pulses are refused: how long they run cannot be told from the text. Words are those of the lexer in the
OpenQASM 3 specification.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ...model import Circuit
from .. import refusals

ALGORITHM = "qsec-openqasm-v1"

MAX_QUBITS = 1_000_000

_WORD = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
  | (?P<line>(?:\#\s*pragma|pragma\b|@[A-Za-z_])[^\n]*)
  | (?P<text>"[^"\n]*"|'[^'\n]*')
  | (?P<number>0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
      |(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?[A-Za-zµ]*)
  | (?P<name>\$\d+|[^\W\d]\w*)
  | (?P<sign>->|\+\+|\*\*|==|!=|<=|>=|&&|\|\||<<|>>|[-+*/%&|^~!<>=;:,.(){}\[\]@])
    """,
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"[^\W\d]\w*")
_INTEGER = re.compile(r"0[xX][0-9a-fA-F_]+|0[bBoO][0-7_]+|\d[\d_]*")
_LINE_HEAD = re.compile(r"#?\s*pragma\s+\w+\s+\w+")
_IN_LINE = re.compile(r"[^\W\d]\w*\b(?!\s*\()")
"""What may name a register in a pragma: a word that is not called."""

_TYPES = frozenset(
    {"qubit", "bit", "int", "uint", "float", "angle", "bool", "complex", "duration", "stretch", "array"}
)
_BEFORE = frozenset({"input", "output", "const"})
_REFUSED = frozenset(
    {"for", "while", "def", "extern", "cal", "defcal", "defcalgrammar", "let", "switch", "return", "end"}
)
_AROUND = frozenset({"if", "else", "box"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the program: what kind it is, and its text."""

    kind: str
    text: str


class Program:
    """A program that was read.

    Args:
        source: Its text.
        most: How many statements it may have.

    Raises:
        Invalid: ``payload.malformed``, ``payload.unsupported``, ``payload.too_costly``.
    """

    def __init__(self, source: str, most: int) -> None:
        self.words = list(_words(source, 40 * most))
        self.names: list[str] = []
        self._shared: set[str] = set()
        self._local: dict[int, frozenset[str]] = {}  # what only its gate's definition knows, by its words
        self._sizes: dict[str, int] = {}
        self._levels: dict[tuple[str, int], int] = {}
        self._size = 0
        self._most = most
        self._read()

    def circuit(self) -> Circuit:
        """Return what is known of it."""
        width = sum(self._sizes.values()) + len({name for name, _ in self._levels if name.startswith("$")})
        return Circuit(self.hash(), width, max(self._levels.values(), default=0), self._size)

    def hash(self) -> str:
        """Return the SHA-256 of its words, with each name that it declares replaced by its number."""
        numbers = {name: f"n{number}" for number, name in enumerate(self.names)}
        text = self.renamed(lambda name: numbers[name])
        return hashlib.sha256(f"{ALGORITHM}\n{text}".encode()).hexdigest()

    def renamed(self, rename: Callable[[str], str]) -> str:
        """Return the program with other names, without comments."""
        every = {name: rename(name) for name in self.names}
        outside = {name: every[name] for name in self._shared}
        within = {names: outside | {name: every[name] for name in names} for names in self._local.values()}
        parts: list[str] = []
        for place, word in enumerate(self.words):
            new = within[self._local[place]] if place in self._local else outside
            if word.kind == "line":
                parts.append(_renamed_line(word.text, new))
            elif word.text in (";", "{", "}"):
                parts.append(f"{word.text}\n")
            else:
                parts.append(f"{new.get(word.text, word.text) if word.kind == 'name' else word.text} ")
        return "".join(parts)

    # -- statements -------------------------------------------------------------------------------

    def _read(self) -> None:
        statement: list[str] = []
        gate = start = 0  # braces around the body of a gate's definition, and where it begins
        local: frozenset[str] = frozenset()
        for place, word in enumerate(self.words):
            if word.kind == "line":
                continue
            if word.text == "{":
                if statement[:1] == ["gate"] and not gate:
                    start, local = place - len(statement) + 2, frozenset(_names_in(statement[2:]))
                gate = self._open(statement, gate)
                statement = []
            elif word.text == "}":
                if gate:
                    gate -= 1
                    if not gate:
                        self._local.update(dict.fromkeys(range(start, place), local))
            elif word.text == ";":
                if statement and not gate:
                    self._statement(statement)
                statement = []
            else:
                statement.append(word.text)
        if statement:
            raise refusals.malformed("a program ends within a statement")

    def _open(self, statement: list[str], gate: int) -> int:
        head = statement[0] if statement else ""
        if gate:
            return gate + 1
        if head == "gate":
            self._declare(*_names_in(statement[1:2]))
            self._number(*_names_in(statement[2:]))
            return 1
        if head in _AROUND:
            return 0
        raise refusals.unsupported("a block whose length cannot be told")

    def _statement(self, words: list[str]) -> None:
        head = words[0]
        if head in ("OPENQASM", "include"):
            return
        if head in _REFUSED:
            raise refusals.unsupported("a statement whose length cannot be told")
        if head in ("qubit", "qreg"):
            self._register(words)
        elif head in _BEFORE or head in _TYPES or head == "creg":
            self._declare(_declared(words))
            if "measure" in words:
                self._measure(words)
        elif head in ("barrier", "delay", "gphase"):
            return
        elif head == "reset":
            self._apply([words[1:]])
        elif "measure" in words:
            self._measure(words)
        elif "=" in words and "@" not in words:
            return  # a classical assignment
        else:
            self._gate(words)

    def _register(self, words: list[str]) -> None:
        name = _declared(words)
        size = _whole(words[words.index("[") + 1]) if "[" in words[:-1] else 1
        if size is None or ("[" in words and words[words.index("[") + 2 :][:1] != ["]"]):
            raise refusals.unsupported("a register whose size is no number")
        self._sizes[name] = size
        if self._sizes[name] > MAX_QUBITS:
            raise refusals.too_costly("a register of too many qubits")
        self._declare(name)

    def _declare(self, *names: str) -> None:
        self._shared.update(names)
        self._number(*names)

    def _number(self, *names: str) -> None:
        self.names += [name for name in names if name not in self.names]

    def _measure(self, words: list[str]) -> None:
        end = words.index("->") if "->" in words else len(words)
        self._apply([words[words.index("measure") + 1 : end]])

    def _gate(self, words: list[str]) -> None:
        """Apply a gate: modifiers, a name, perhaps values in parentheses, operands."""
        while "@" in words:
            words = words[words.index("@") + 1 :]
        if not words or not _NAME.fullmatch(words[0]):
            raise refusals.malformed("a statement that is none")
        rest = words[1:]
        if rest and rest[0] == "(":
            rest = rest[_closing(rest) + 1 :]
        self._apply(_split(rest))

    def _apply(self, operands: list[list[str]]) -> None:
        places = [self._places(operand) for operand in operands if operand]
        if not places:
            return
        times = max(len(place) for place in places)
        self._size += times
        if self._size > self._most:
            raise refusals.too_costly(f"more than {self._most} instructions")
        for number in range(times):
            bits = [place[number % len(place)] for place in places]
            level = max(self._levels.get(bit, 0) for bit in bits) + 1
            self._levels.update(dict.fromkeys(bits, level))

    def _places(self, operand: list[str]) -> list[tuple[str, int]]:
        """Return the qubits of an operand: ``$3``, ``q``, ``q[3]`` or ``q[0:2]``."""
        name = operand[0]
        if name.startswith("$"):
            return [(name, 0)]
        if name not in self._sizes:
            raise refusals.unsupported("an operand that is no qubit of a register")
        size = self._sizes[name]
        if len(operand) == 1:
            return [(name, index) for index in range(size)]
        parts = [_whole(part) for part in "".join(operand[2:-1]).split(":")]
        if len(parts) > 3 or None in parts or (last := parts[-1] or 0) >= size:
            raise refusals.unsupported("a qubit whose index is no number of its register")
        step = (parts[1] or 1) if len(parts) == 3 else 1
        return [(name, index) for index in range(parts[0] or 0, last + 1, step)]


def _words(source: str, most: int) -> Iterator[Word]:
    at = count = 0
    while at < len(source):
        found = _WORD.match(source, at)
        if found is None or found.lastgroup is None:
            raise refusals.malformed("a program holds a sign that OpenQASM does not have")
        at = found.end()
        if found.lastgroup != "space":
            count += 1
            yield Word(found.lastgroup, found[0])
        if count > most:
            raise refusals.too_costly("a program of too many words")


def _declared(words: list[str]) -> str:
    """Return the name that a declaration declares: the last one before any value or size behind it."""
    end = words.index("=") if "=" in words else len(words)
    depth, name = 0, ""
    for word in words[1:end]:
        depth += (word in "[(") - (word in "])")
        if depth == 0 and _NAME.fullmatch(word) and word not in _TYPES:
            name = word
    if not name:
        raise refusals.malformed("a declaration without a name")
    return name


def _renamed_line(line: str, new: Mapping[str, str]) -> str:
    head = _LINE_HEAD.match(line)
    at = head.end() if head else 0
    return f"\n{line[:at]}{_IN_LINE.sub(lambda found: new.get(found[0], found[0]), line[at:])}\n"


def _names_in(words: list[str]) -> list[str]:
    return [word for word in words if _NAME.fullmatch(word)]


def _whole(word: str) -> int | None:
    """Return the whole number that a word is, in any of OpenQASM's notations."""
    return int(word.replace("_", ""), 0 if word[1:2].isalpha() else 10) if _INTEGER.fullmatch(word) else None


def _closing(words: list[str]) -> int:
    depth = 0
    for index, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if depth == 0:
            return index
    raise refusals.malformed("a parenthesis that does not close")


def _split(words: list[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == ",":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts
