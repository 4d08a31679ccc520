"""Go's regular expressions (RE2 syntax) as :mod:`re` takes them over UTF-8 bytes.

Source: https://github.com/google/re2/wiki/Syntax and the documentation of Go's ``regexp/syntax``. Where the
two read the same text differently it is rewritten; what has no counterpart raises :class:`Untranslatable`.
Two differences are left: a dot and a negated set match a byte and not a character, and a repetition
without end stops at :data:`CAP`, since :mod:`re`, unlike RE2, begins anew at each place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

CAP = 4096
"""How often a part without upper bound is repeated at most."""

_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ", "upper": "A-Z", "word": "0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_COUNT = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAME = re.compile(r"\(\?P?<\w+>")
_HEX = re.compile(r"\\x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})")
_PROPERTY = re.compile(r"\\[pP](?:\{[^}]*\}|.)")
_OCTAL = re.compile(r"\\[0-7]{1,3}")


class Untranslatable(ValueError):
    """An expression that has no counterpart, with the reason."""


def translate(expression: str, secret: int = 0) -> str:
    """Return ``expression`` as :mod:`re` takes it, its groups without names.

    Args:
        expression: As Go takes it.
        secret: Number of the group to be named ``secret``; 0 for none.

    Raises:
        Untranslatable: with the reason.
    """
    reader = _Reader(expression, secret)
    pattern = reader.whole()
    if secret > reader.groups:
        raise Untranslatable(f"it has no group {secret}")
    try:
        re.compile(pattern.encode())
    except (re.error, OverflowError, RecursionError) as error:
        raise Untranslatable(f"it does not parse ({error})") from error
    return pattern


def for_re2(pattern: str) -> str:
    """Return what :func:`translate` gave as RE2 takes it again, without our bounds."""
    return pattern.replace(r"\Z", r"\z").replace(f",{CAP}}}", ",}")


class _Flags(NamedTuple):
    i: bool = False
    m: bool = False
    s: bool = False

    def changed(self, on: str, off: str) -> _Flags:
        if "U" in on + off:
            raise Untranslatable("it swaps greedy and lazy (flag U)")
        return self._replace(**dict.fromkeys(on, True), **dict.fromkeys(off, False))


class _Reader:
    """Reads an expression from left to right, once."""

    def __init__(self, text: str, secret: int) -> None:
        self._text = text
        self._at = 0
        self._secret = secret
        self.groups = 0

    def whole(self) -> str:
        """Return all of it, flags that it begins with in front."""
        flags = _Flags()
        match = _FLAGS.match(self._text)
        if match and match[3] == ")":
            self._at = match.end()
            flags = flags.changed(match[1], match[2] or "")
        pattern = self._alternatives(flags)
        if self._at < len(self._text):
            raise Untranslatable("it closes a group that was not opened")
        return f"(?i){pattern}" if flags.i else pattern

    def _alternatives(self, outer: _Flags) -> str:
        """Read up to the end of a group; a flag inside holds to there, in later alternatives too."""
        flags, branches, parts = outer, [], [""]
        while self._at < len(self._text) and self._text[self._at] != ")":
            match = _FLAGS.match(self._text, self._at)
            if self._text[self._at] == "|":
                self._at += 1
                branches.append(_scoped(parts, outer, flags))
                parts = [""]
            elif match and match[3] == ")":
                self._at = match.end()
                parts = [_scoped(parts, outer, flags)]
                flags = flags.changed(match[1], match[2] or "")
                parts.append("")
            else:
                parts[-1] += self._repeated(flags)
        return "|".join([*branches, _scoped(parts, outer, flags)])

    def _repeated(self, flags: _Flags) -> str:
        """Read one part with its repetition."""
        atom = self._atom(flags)
        text = self._text
        if self._at >= len(text):
            return atom
        if (sign := text[self._at]) in "*+?":
            self._at += 1
            count = {"*": f"{{0,{CAP}}}", "+": f"{{1,{CAP}}}", "?": "?"}[sign]
        elif match := _COUNT.match(text, self._at):
            self._at = match.end()
            if int(match[1]) > 1000 or int(match[3] or 0) > 1000:
                raise Untranslatable("it repeats more than a thousand times, which Go refuses")
            most = match[3] or (str(CAP) if match[2] else match[1])
            count = f"{{{match[1]},{most}}}"
        else:
            return atom
        lazy = text[self._at : self._at + 1] == "?"
        self._at += lazy
        if text[self._at : self._at + 1] in {"*", "+", "?"} or _COUNT.match(text, self._at):
            raise Untranslatable("it repeats a repetition, which Go refuses")
        return atom + count + "?" * lazy

    def _atom(self, flags: _Flags) -> str:
        character = self._text[self._at]
        if character == "(":
            return self._group(flags)
        if character in "[\\":
            return self._set() if character == "[" else self._escape()
        self._at += 1
        if character in "*+?":
            raise Untranslatable("it repeats nothing")
        signs = {
            ".": "(?s:.)" if flags.s else ".",
            "^": "(?m:^)" if flags.m else r"\A",
            "$": "(?m:$)" if flags.m else r"\Z",
        }
        if character in "{}#&~- ":
            return "\\" + character
        return signs.get(character) or (character if character.isascii() else f"(?:{character})")

    def _group(self, flags: _Flags) -> str:
        text, start = self._text, self._at
        match = _FLAGS.match(text, start)
        if match:
            self._at = match.end()
            inner = flags.changed(match[1], match[2] or "")
            body = self._alternatives(inner)
            opening = "(?:" if inner.i == flags.i else ("(?i:" if inner.i else "(?-i:")
        elif named := _NAME.match(text, start):
            self._at = named.end()
            opening, body = self._opening(), self._alternatives(flags)
        elif text.startswith("(?", start):
            raise Untranslatable("it looks around or behind, which Go refuses")
        else:
            self._at += 1
            opening, body = self._opening(), self._alternatives(flags)
        if not text.startswith(")", self._at):
            raise Untranslatable("a group is not closed")
        self._at += 1
        return f"{opening}{body})"

    def _opening(self) -> str:
        self.groups += 1
        return "(?P<secret>" if self.groups == self._secret else "("

    def _set(self) -> str:
        text = self._text
        self._at += 1
        members = "["
        if text.startswith("^", self._at):
            self._at += 1
            members += "^"
        first = True
        while first or not text.startswith("]", self._at):
            if self._at >= len(text):
                raise Untranslatable("a set is not closed")
            members += self._member()
            first = False
        self._at += 1
        return members + "]"

    def _member(self) -> str:
        text = self._text
        if text.startswith("[:", self._at):
            end = text.find(":]", self._at)
            name = text[self._at + 2 : end]
            if end < 0 or name not in _POSIX:
                raise Untranslatable("it names a set that has no counterpart")
            self._at = end + 2
            return _POSIX[name]
        if text[self._at] == "\\":
            member = self._escape()
            if member in {r"\b", r"\B", r"\A", r"\Z"} or member.startswith("(?"):
                raise Untranslatable("a set holds what is no character")
            return member
        character = text[self._at]
        if not character.isascii():
            raise Untranslatable("a set holds a character beyond ASCII")
        self._at += 1
        return "\\" + character if character in "[]&~|^" else character

    def _escape(self) -> str:
        text, start = self._text, self._at
        letter = text[start + 1 : start + 2]
        if text.startswith(r"\Q", start):
            end = text.find(r"\E", start)
            end = len(text) if end < 0 else end
            self._at = min(end + 2, len(text))
            return f"(?:{re.escape(text[start + 2 : end])})"
        if match := _HEX.match(text, start):
            self._at = match.end()
            code = int(match[1] or match[2], 16)
            return f"\\x{code:02x}" if code < 0x80 else f"(?:{_character(code)})"
        if _PROPERTY.match(text, start):
            raise Untranslatable("it names a property of Unicode")
        if letter in {"0", "1", "2", "3", "4", "5", "6", "7"}:
            match = _OCTAL.match(text, start)
            assert match
            if letter != "0" and len(match[0]) < 3:
                raise Untranslatable("it refers back to a group, which Go refuses")
            self._at = match.end()
            return f"\\x{int(match[0][1:], 8):02x}"
        self._at += 2
        if letter in {"z", "A", "b", "B", "d", "D", "s", "S", "w", "W", "a", "f", "t", "n", "r", "v"}:
            return r"\Z" if letter == "z" else "\\" + letter
        if not letter or letter.isalnum() or not letter.isascii():
            raise Untranslatable(f"it escapes {letter!r}, which Go refuses")
        return "\\" + letter


def _character(code: int) -> str:
    try:
        chr(code).encode()
    except (ValueError, UnicodeEncodeError) as error:
        raise Untranslatable("it names what is no character") from error
    return re.escape(chr(code))


def _scoped(parts: list[str], outer: _Flags, flags: _Flags) -> str:
    """Join what came before a change of flags with what came behind it."""
    *before, last = parts
    if not last or flags.i == outer.i:
        return "".join(parts)
    return "".join(before) + f"(?{'i' if flags.i else '-i'}:{last})"
