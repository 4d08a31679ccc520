"""Which name means what: each word that is a name, and what declares it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from .. import refusals
from .lexer import Words
from .statements import Statement
from .symbols import Bindings, Symbol

_NUMBERED = re.compile(r"n[0-9]+")
_CONSTANTS = frozenset({"pi", "π", "tau", "τ", "euler", "ℇ"})
_BUILT_IN = """
arccos arcsin arctan ceiling cos exp floor log mod popcount pow real imag rotl rotr sin sizeof sqrt tan
abs
"""
_FUNCTIONS = frozenset(_BUILT_IN.split())
_INCLUDED = frozenset({'"stdgates.inc"', '"qelib1.inc"', "'stdgates.inc'", "'qelib1.inc'"})
_GRAMMARS = frozenset({'"openpulse"', "'openpulse'"})


def bind(words: Words, program: list[Statement], pragmas: frozenset[str]) -> Bindings:
    """Find what each name means.

    Args:
        words: The program's.
        program: Its statements.
        pragmas: Words that a pragma may hold beside names and numbers; none where there are no pragmas.

    Raises:
        Invalid: ``payload.malformed``, ``payload.unsupported``.
    """
    binder = _Binder(words, pragmas)
    for statement in program:
        binder.statement(statement)
    return binder.found


class _Binder:
    def __init__(self, words: Words, pragmas: frozenset[str]) -> None:
        self._kinds, self._texts, self._words = words.kinds, words.texts, words
        self._pragmas = pragmas
        self.found = Bindings()
        self._gates: dict[str, Symbol] = {}
        self._functions: dict[str, Symbol] = {}
        self._seen: dict[str, Symbol] = {}  # variables that can be seen from here
        self._here: set[str] = set()  # those of them that this scope declares
        self._hidden: list[tuple[str, Symbol | None]] = []  # what they meant outside of their scopes
        self._pulse_names: dict[str, Symbol] = {}
        self._in_pulses = False
        self._depth = 0
        self._used: set[str] = set()  # what was carried out so far, by its name
        self._binders = {
            "alias": self._alias,
            "cal": self._cal,
            "call": self._call,
            "declare": self._declaration,
            "def": self._def,
            "defcal": self._defcal,
            "for": self._loop,
            "gate": self._gate,
            "grammar": self._grammar,
            "include": self._include,
            "line": self._line,
            "qubits": self._register,
            "version": self._version,
        }

    # -- statements -------------------------------------------------------------------------------

    def statement(self, statement: Statement) -> None:
        """Bind the names in a statement, and what it declares."""
        bind = self._binders.get(statement.kind)
        if bind is not None:
            bind(statement)
            return
        if statement.end > statement.at:
            self._used.add(self._texts[statement.at])
            self._use(statement.at, statement.end)
        for block in statement.blocks:
            with self._scope():
                self._statements(block)

    def _statements(self, block: list[Statement]) -> None:
        for statement in block:
            self.statement(statement)

    @contextmanager
    def _scope(self) -> Iterator[None]:
        outside, mark = self._here, len(self._hidden)
        self._here = set()
        self._depth += 1
        yield
        self._depth -= 1
        self._here = outside
        while len(self._hidden) > mark:
            name, symbol = self._hidden.pop()
            if symbol is None:
                del self._seen[name]
            else:
                self._seen[name] = symbol

    def _call(self, statement: Statement) -> None:
        """Bind a gate's call: modifiers, a name, perhaps values in parentheses, operands."""
        at, end, texts = statement.at, statement.end, self._texts
        while self._kinds[at] == "keyword" and texts[at] != "gphase":
            stop = at + 1
            if texts[stop] == "(":
                stop = self._words.closing[stop] + 1
            if stop >= end or texts[stop] != "@":
                raise refusals.malformed("a modifier without a gate")
            self._use(at + 1, stop)
            at = stop + 1
            if at >= end:
                raise refusals.malformed("a modifier without a gate")
        if self._kinds[at] == "name":
            self._gate_name(at)
        elif texts[at] != "gphase":
            raise refusals.malformed("a statement that is none")
        self._use(at + 1, end)

    def _gate_name(self, at: int) -> None:
        name = self._texts[at]
        self._used.add(name)
        symbol = self._gates.get(name)
        if symbol is not None:
            self.found.of[at] = symbol
        else:
            self._leave(name)

    def _register(self, statement: Statement) -> None:
        if self._depth:
            raise refusals.unsupported("a register of qubits within a block")
        self._declaration(statement)

    def _alias(self, statement: Statement) -> None:
        at, end = statement.at, statement.end
        if end < at + 4 or self._texts[at + 2] != "=":
            raise refusals.malformed("a declaration of another form")
        self._use(at + 2, end)
        self._declare(statement, at + 1)

    def _declaration(self, statement: Statement) -> None:
        name = self._name_at(statement.at, statement.end)
        self._use(statement.at, statement.end, skip=name)
        symbol = self._declare(statement, name)
        if self._texts[statement.at] == "input":
            self.found.inputs.append(symbol.name)

    def _name_at(self, at: int, end: int) -> int:
        """Return where a declaration has its name: the first one behind its type."""
        while at < end and self._texts[at] in ("const", "input", "output", "readonly", "mutable"):
            at += 1
        at += 1
        while at < end and self._texts[at] == "[":
            at = self._words.closing[at] + 1
        if at >= end or self._kinds[at] != "name":
            raise refusals.malformed("a declaration without a name")
        return at

    def _gate(self, statement: Statement) -> None:
        at, end = statement.at, statement.end
        self._define(statement, self._gates)
        with self._scope():
            for place in range(at + 2, end):
                if self._kinds[place] == "name":
                    self._declare(statement, place)
                elif self._texts[place] not in ("(", ")", ","):
                    raise refusals.malformed("a gate's definition of another form")
            self._statements(statement.blocks[0])

    def _def(self, statement: Statement) -> None:
        at, end = statement.at, statement.end
        self._define(statement, self._functions)
        if self._texts[at + 2] != "(":
            raise refusals.malformed("a function's definition of another form")
        close = self._words.closing[at + 2]
        with self._scope():
            self._arguments(statement, at + 3, close)
            self._use(close, end)
            self._statements(statement.blocks[0])

    def _cal(self, statement: Statement) -> None:
        with self._pulses():
            self._statements(statement.blocks[0])
            self._pulse_names |= {name: self._seen[name] for name in self._here}

    def _defcal(self, statement: Statement) -> None:
        at, end = statement.at + 1, statement.end
        name = self._texts[at]
        if name in self._used:
            raise refusals.unsupported("a calibration of what was carried out before it")
        if self._kinds[at] != "name" and name not in ("measure", "reset"):
            raise refusals.unsupported("a calibration of what is no instruction")
        if self._kinds[at] == "name":
            self._gate_name(at)
            self._used.discard(name)
        with self._pulses():
            at += 1
            if self._texts[at] == "(":
                close = self._words.closing[at]
                self._arguments(statement, at + 1, close)
                at = close + 1
            while at < end and self._texts[at] != "->":
                if self._kinds[at] == "name":
                    self._declare(statement, at)
                at += 1
            self._statements(statement.blocks[0])

    @contextmanager
    def _pulses(self) -> Iterator[None]:
        if self._depth:
            raise refusals.unsupported("a definition within a block")
        self.found.pulses = self._in_pulses = True
        with self._scope():
            yield
        self._in_pulses = False

    def _arguments(self, statement: Statement, at: int, end: int) -> None:
        """Bind what a definition is given: types with names, or the values that it is for."""
        while at < end:
            stop = at
            while stop < end and self._texts[stop] != ",":
                stop = self._words.closing.get(stop, stop) + 1
            if self._kinds[at] == "keyword" and self._texts[at + 1] != "(":
                name = self._name_at(at, stop)
                self._use(at, stop, skip=name)
                self._declare(statement, name)
            else:
                self._use(at, stop)
            at = stop + 1

    def _loop(self, statement: Statement) -> None:
        at, end = statement.at, statement.end
        over = self._texts.index("in", at, end)
        self._use(over, end)
        with self._scope():
            if over > at + 1:
                self._use(at + 1, over, skip=over - 1)
                self._declare(statement, over - 1)
            self._statements(statement.blocks[0])

    def _version(self, statement: Statement) -> None:
        if self._only_word(statement).partition(".")[0] != "3":
            raise refusals.unsupported("a program in another version of OpenQASM", "Submit it as OpenQASM 3.")

    def _include(self, statement: Statement) -> None:
        if self._only_word(statement) not in _INCLUDED:
            raise refusals.unsupported("a file that is included", "Put what it holds into the program.")

    def _grammar(self, statement: Statement) -> None:
        if self._only_word(statement) not in _GRAMMARS:
            raise refusals.unsupported("a language of pulses that is not OpenPulse")
        self.found.pulses = True

    def _only_word(self, statement: Statement) -> str:
        return self._texts[statement.at + 1] if statement.end == statement.at + 2 else ""

    # -- names ------------------------------------------------------------------------------------

    def _define(self, statement: Statement, known: dict[str, Symbol]) -> None:
        at = statement.at + 1
        name = self._texts[at]
        if self._depth:
            raise refusals.unsupported("a definition within a block")
        if name in self._used or name in known:
            raise refusals.unsupported("what is defined twice, or after it is called")
        if self._kinds[at] != "name":
            raise refusals.malformed("a definition without a name")
        known[name] = self._add(statement, at)

    def _declare(self, statement: Statement, at: int) -> Symbol:
        name = self._texts[at]
        if self._kinds[at] != "name":
            raise refusals.malformed("a declaration without a name")
        if name in self._here:
            raise refusals.malformed("a name is declared twice")
        self._here.add(name)
        self._hidden.append((name, self._seen.get(name)))
        symbol = self._seen[name] = self._add(statement, at)
        return symbol

    def _add(self, statement: Statement, at: int) -> Symbol:
        symbol = self.found.of[at] = Symbol(self._texts[at], statement.kind)
        self.found.declares.setdefault(statement.at, []).append(symbol)
        self.found.names[symbol.name] = None
        return symbol

    def _use(self, at: int, end: int, *, skip: int = -1) -> None:
        """Bind the names in an expression or in operands."""
        kinds, texts, seen, of = self._kinds, self._texts, self._seen, self.found.of
        for place in range(at, end):
            if kinds[place] != "name" or place == skip:
                if texts[place] == "measure":
                    self._used.add("measure")
                continue
            name = texts[place]
            if place + 1 < end and texts[place + 1] == "(":
                self._function(place)
            elif self._in_pulses:
                self._use_in_pulses(place)
            elif (symbol := seen.get(name)) is not None:
                of[place] = symbol
            elif name not in _CONSTANTS:
                raise refusals.unsupported("a name that nothing declares")

    def _use_in_pulses(self, at: int) -> None:
        """Bind a name in a block of pulses, where ports and frames are the vendor's."""
        name = self._texts[at]
        near, earlier = self._seen.get(name), self._pulse_names.get(name)
        if near and earlier and near is not earlier:  # it is either: nothing is known of it but its name
            self.found.of[at] = Symbol(name, "cal")
        elif symbol := near or earlier:
            self.found.of[at] = symbol
        else:
            self._leave(name)

    def _function(self, at: int) -> None:
        name = self._texts[at]
        symbol = self._functions.get(name)
        if symbol is not None:
            self.found.of[at] = symbol
        elif not self._in_pulses and name not in _FUNCTIONS:
            raise refusals.unsupported("a function that nothing defines before it is called")
        else:
            self._leave(name)
            self._used.add(name)

    def _leave(self, name: str) -> None:
        """Leave a name that its vendor knows; one that a hash may hold for another name is nobody's."""
        if _NUMBERED.fullmatch(name):
            raise refusals.malformed("a name that nothing declares")

    # -- pragmas ----------------------------------------------------------------------------------

    def _line(self, statement: Statement) -> None:
        start, end, _ = self._words.lines[statement.at]
        if self._texts[start] != "pragma" or not self._pragmas:
            raise refusals.unsupported("a pragma or an annotation that nobody here knows")
        for place in range(start + 1, end):
            name, kind = self._texts[place], self._kinds[place]
            if kind not in ("name", "keyword"):
                if name in ("{", "}", ";", "=") or (kind == "text" and set(name) - set("01_\"'")):
                    raise refusals.unsupported("a pragma that nobody here knows")
                continue
            following = self._texts[place + 1] if place + 1 < end else ""
            symbol = self._seen.get(name)
            own = following in {"(", "all"} or (name == "all" and following != "[")
            if symbol is not None and place > start + self._fixed(start) and not own:
                self.found.of[place] = symbol
            elif name not in self._pragmas:
                raise refusals.unsupported("a pragma that nobody here knows")

    def _fixed(self, start: int) -> int:
        """Return how many words a pragma's kind has, behind the first."""
        return 3 if self._texts[start + 2 : start + 3] == ["result"] else 2
