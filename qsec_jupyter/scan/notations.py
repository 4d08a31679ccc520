"""Where a text may be written in another notation: expressions for the engine, and what must stand there.

Matching decides the speed of a save, so an expression for the engine is a rare fixed text wherever one
exists; what is exact is asked in Python, on the few bytes around a hit. Text in base64 or hexadecimal is
known by what a rule would find in it: the names of credentials and the beginnings of tokens, in each of the
forms that they have there. Only short texts that people write (source, metadata, attachments,
configuration) are searched for any text in such a notation (``CLOSE``).
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Any

_QUAD = "[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_-]"
PRINTABLE = r"(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])"
"""A printable character's code in decimal."""

INLINE = "span|b|i|u|em|code|strong|wbr|mark|font|tspan|a|sub|sup|small|kbd|samp|var|tt"
"""HTML elements that do not break a word."""

_BAR = "(?:│|┃|║)"
"""Between the cells of a table that is drawn with lines."""

_NAMED = "token|secret|key|passw(?:or)?d|passphrase|credentials?"


@dataclass(frozen=True, slots=True)
class Trigger:
    """An expression for the engine.

    Attributes:
        pattern: What the engine looks for.
        exact: What must be found around the hit, when ``pattern`` is only a part of it.
        table: The kind of table in which a name stands here: see :func:`.layout.named_cells`.
        near: Whether what stands around the hit is decoded.
    """

    pattern: str
    exact: re.Pattern[bytes] | None = None
    table: str = ""
    near: bool = True

    def places(self, data: bytes, ends: Iterable[int]) -> Iterator[int]:
        """Yield where something is to be read, of hits that end at ``ends``, in this order."""
        for end in ends:
            if self.exact is None or self.exact.search(data, max(0, end - 160), end + 160):
                yield end


class _Heading(Trigger):
    """A list of names that are columns', of which one is a credential's."""

    __slots__ = ()

    def places(self, data: bytes, ends: Iterable[int]) -> Iterator[int]:
        """See :meth:`Trigger.places`."""
        return (end for end in ends if _COLUMNS.match(data, end))


class _Inserted(Trigger):
    """The columns that values are inserted into, of which one is a credential's."""

    __slots__ = ()

    def places(self, data: bytes, ends: Iterable[int]) -> Iterator[int]:
        """See :meth:`Trigger.places`."""
        for end in ends:
            close = data.rfind(b")", max(0, end - 90), end)
            opening = data.rfind(b"(", max(0, close - _LONGEST), close) if close >= 0 else -1
            if opening >= 0 and _INSERT.search(data, opening, close):
                yield end


class _Above(Trigger):
    """A name above a list or an object in which some text looks drawn."""

    __slots__ = ()

    def places(self, data: bytes, ends: Iterable[int]) -> Iterator[int]:
        """See :meth:`Trigger.places`."""
        ends = list(ends)
        return compress(ends, _followed(_ITEM, data, (end - 1 for end in ends), 6000))


class _Header(Trigger):
    """A name in a line, in one of those below which a cell looks drawn."""

    __slots__ = ()

    def places(self, data: bytes, ends: Iterable[int]) -> Iterator[int]:
        """See :meth:`Trigger.places`."""
        ends = list(ends)
        return compress(ends, _followed(_CELL, data, _line_ends(data, ends), 1500))


def _followed(drawn: re.Pattern[bytes], data: bytes, places: Iterable[int], far: int) -> Iterator[bool]:
    """Tell of each place, in their order, whether ``drawn`` is met within ``far`` bytes from there."""
    met, read = -1, 0  # where, and how far that is known
    for place in places:
        if met < place and read < place + far:
            found = drawn.search(data, max(place, read - _OVERLAP), place + far)
            met, read = (found.start(), found.end()) if found else (-1, place + far)
        yield met >= place


def _line_ends(data: bytes, places: Iterable[int]) -> Iterator[int]:
    end = -1
    for place in places:
        if end < place - 1:
            end = data.find(b"\n", place - 1)
            end = len(data) if end < 0 else end
        yield end


_OVERLAP = 400
_LONGEST = 2000

_BREAK = re.compile(rb"[A-Za-z0-9_-]{4}</?(?:%b)(?:\s[^<>]{0,120})?></?(?:%b)" % ((INLINE.encode(),) * 2))
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{20}|(?:[0-9a-fA-F]{2}[ :]?){10}")

_CELL = re.compile(  # a cell that looks drawn
    rb"(?<![A-Za-z0-9._~+/=-])(?=[A-Za-z._~+/=-]{0,30}[0-9])(?=[0-9._~+/=-]{0,30}[A-Za-z])"
    rb"[A-Za-z0-9._~+/=-]{12,}[\"']?(?:[ |,;\t\r\n&]|$)"
)

_INSERT = re.compile(rb"(?i)(?:%b)[a-z_]{0,10}[\"'`\]]?\s{0,4}(?:,|\Z)" % _NAMED.encode())

_ITEM = re.compile(  # a text in a list or an object looks drawn
    rb"[\[{,:]\s{0,12}[\"'](?=[^\"'\n]{0,30}[0-9])(?=[^\"'\n]{0,30}[A-Za-z])[A-Za-z0-9._~+/=-]{12,4000}[\"']"
)
_LISTED = r"(?:columns?|headers?|fields|column_names|values)[\"']?\s{0,4}[:=]\s{0,4}\["
_COLUMNS = re.compile(
    rb"(?i)\s{0,40}[\"'][^\[\]]{0,20000}?(?:%b)[a-z_]{0,10}"
    rb"(?:(?:<|\\u003c)/\w{1,6}(?:>|\\u003e))?[\"']\s{0,12}[,\]]" % _NAMED.encode()
)

EVERYWHERE = (
    Trigger("H4sI[A-Za-z0-9+/_-]{24}"),  # gzip (RFC 1952)
    Trigger("SDRzSU[A-Za-z0-9+/_-]{24}"),  # gzip in base64 of base64
    Trigger("(?:^|[^A-Za-z0-9+/_-])e[AFJN][A-Za-z0-9+/_-]{30}"),  # zlib (RFC 1950)
    Trigger(rf"[\[({{]\s{{0,4}}(?:{PRINTABLE},\s{{0,4}}){{10}}"),
    Trigger(
        r"(?:\\{1,4}x[0-9a-fA-F]{2}){2}|\\{1,4}u00[2-7][0-9a-fA-F]|\\U0000[0-9a-fA-F]{4}|(?:\\[0-7]{3}){2}"
    ),
    Trigger("&#x?[0-9a-fA-F]{2,5};|[A-Za-z0-9]&(?:amp|lt|gt|plus|equals|sol|lowbar|period|hyphen);"),
    Trigger("(?:%(?:25)?[2-7][0-9A-Fa-f]){2}|[A-Za-z0-9_]{3}%(?:25)?(?:2[BFbf]|3[ADad]|40)"),
    Trigger(rf"(?i)(?:{_NAMED})(?:[\s\"'=:]{{0,4}}(?:</?[a-z]|&nbsp;)|&(?:quot|apos|\#))", table="html"),
    Trigger(f"></?(?:{INLINE})[ >]", _BREAK),
    _Header(  # a column of a table
        rf"(?i)(?:[,;|\t&]|  |{_BAR})[\"' ]{{0,3}}[a-z_-]{{0,20}}(?:{_NAMED})[a-z_]{{0,10}}[\"']?"
        rf"(?:[ ]{{0,3}}(?:[,;|\t\n&\\]|{_BAR})|  )"
        rf"|(?:{_NAMED})[a-z_]{{0,10}}[\"']?[ ]{{0,3}}(?:[,;|\t]|{_BAR})",
        table="lines",
        near=False,
    ),
    Trigger("<wbr|&(?:shy|ZeroWidthSpace|zwnj|zwj|NoBreak);"),
    _Inserted(r"(?i)values?[\s\"',]{0,12}\(", table="insert", near=False),
    Trigger(r"\\[_$#%&]|\\(?:text(?:tt|bf|it)|mathrm|mathtt|verb)\b"),
    Trigger(
        rf"(?i)(?:{_NAMED})\W{{1,12}}(?:join\([\[({{]?\s{{0,40}})?"
        r"[\"'][A-Za-z0-9._~+/=-]{3,200}[\"']\s{0,40}[+,]?\s{0,40}[\"']"
    ),
    # Tables as JSON or Python: names of columns in a list of their own, and a key above a list or an object.
    _Heading(f"(?i){_LISTED}", table="nested", near=False),
    _Above(rf"(?i)(?:{_NAMED})[a-z_]{{0,10}}[\"']\s{{0,4}}:\s{{0,4}}[\[{{]", table="nested", near=False),
    _Above(
        rf"(?i)(?:{_NAMED})[a-z_]{{0,10}}[\"'](?:,[^\[\]]{{0,200}})?\s{{0,12}}\],\s{{0,12}}\[",
        table="nested",
        near=False,
    ),
    Trigger(
        rf"(?i)(?:{_NAMED})[a-z_]{{0,10}}[^\w\"'%{{}}]{{1,6}}%\{{customdata\[", table="nested", near=False
    ),
    Trigger(  # YAML's alias
        rf"(?i)(?:{_NAMED})[a-z_]{{0,10}}[\"']?\s{{0,4}}:\s{{1,4}}\*[a-z0-9_]", table="alias", near=False
    ),
)
"""Notations that betray themselves."""

CLOSE = (
    # Base64 of printable ASCII: which sextets are possible follows from the top bits of each byte (RFC 4648).
    Trigger(f"(?:{_QUAD}){{5}}"),
    Trigger("(?:[2-7][0-9a-fA-F][ :]?){14}"),
    Trigger(f"(?:{PRINTABLE},\\s{{0,4}}){{10}}"),
)
"""Any text in base64, hexadecimal or as a list of numbers; each costs as much as all rules together."""

_TURN = "(?:[a-z][A-Z0-9]|[A-Z][a-z0-9]|[0-9][A-Za-z])[A-Za-z0-9._~+/=!@#$%^&*:-]{0,24}"
_PIECE = "[A-Za-z0-9._~+/=!@#$%^&*:-]"
_ENDING = f"[0-9]{_PIECE}{{0,40}}[\"']"
DRAWN = Trigger(
    f"[\"'}}][ ]{{0,2}}{_PIECE}{{0,24}}{_TURN * 3}"
    f"|[\"']{_PIECE}{{0,40}}{_ENDING}\\s{{0,9}}[+,]?\\s{{0,9}}[\"']"
)
"""A literal that looks drawn, or one with a digit before another: why source is worth parsing."""

_WORDS = (
    *("token", "secret", "passw", "credential", "apikey", "api_key"),
    *("bearer ", "basic ", "_key", "key=", 'key"', "key:", "://"),
)


_PART = re.compile(  # a part that looks drawn
    rb"[\"'](?=[^\"'\n]{0,80}[0-9])(?=[^\"'\n]{0,80}[A-Za-z])[A-Za-z0-9._~+/=-]{6,400}[\"']"
)

_REST = re.compile(rb"[A-Za-z0-9._~+/=-]{0,80}[\"']")
_GOES_ON = re.compile(rb"\s{0,20}\\?\+?\s{0,20}[bfrBFR]?[\"'][A-Za-z0-9._~+/=-]")
# A list of texts is one text only where it is joined.
_JOINED = re.compile(rb"join\([\s\[({]{0,20}[\"'][\w.-]*\Z")


class _Split(Trigger):
    """A literal that begins as a token does, and goes on in the next one.

    The engine looks for the beginning alone: what follows is rare enough to be asked here.
    """

    def places(self, data: bytes, ends: Iterable[int]) -> Iterator[int]:
        """See :meth:`Trigger.places`."""
        return super().places(data, (onward for end in ends if (onward := _onward(data, end))))


def _onward(data: bytes, end: int) -> int:
    """Return where a literal that begins a token goes on; 0 when it does not."""
    rest = _REST.match(data, end)
    if rest is None:
        return 0
    if onward := _GOES_ON.match(data, rest.end()):
        return onward.end()
    if data[rest.end() : rest.end() + 1] == b"," and _JOINED.search(data[max(0, end - 160) : end]):
        return rest.end() + 1
    return 0


SPLIT = _Split("", _PART)
"""Stands for the expression of :func:`split`."""

HINT = Trigger("", _RUN)
"""Stands for each expression of :func:`hints`."""

_EXPRESSION = 12_000  # the longest that Hyperscan takes is 16,000 characters


def trigger(number: int) -> Trigger:
    """Return the trigger of an engine's expression, counted from the first of :data:`EVERYWHERE`."""
    return (*EVERYWHERE, SPLIT)[number] if number <= len(EVERYWHERE) else HINT


def split(patterns: Iterable[str]) -> str:
    """Return how a match of ``patterns`` begins in the first of several literals, whatever they are called.

    A beginning in both cases is that of a name, and names are looked for by :data:`EVERYWHERE`.
    """
    starts = {start for pattern in patterns for start in beginnings(pattern)}
    drawn = [  # the longest first, which any engine then finds
        start
        for start in sorted(starts, key=lambda start: (-len(start), start))
        if re.fullmatch(r"[\w.-]+", start, re.ASCII) and not (start.isalpha() and start.swapcase() in starts)
    ]
    # Fixed texts cost Hyperscan nothing; a choice of quotes before them costs a third of its time.
    return "|".join(quote + re.escape(start) for start in drawn for quote in "\"'") or "\0"


def hints(patterns: Iterable[str]) -> list[str]:
    """Return how beginnings of ``patterns`` and names of credentials look in base64 and in hexadecimal.

    Expressions of many fixed texts, which cost an engine nothing; base64 of base64 is among them.
    """
    texts = {form.encode() for word in _WORDS for form in (word, word.upper(), word.capitalize())}
    wide = {text.decode().encode("utf-16-le") for text in texts}
    once = {form for text in texts | wide for form in offsets(text)}
    twice = {inner for form in once for inner in offsets(form.encode())}
    starts = {start.encode() for pattern in patterns for start in beginnings(pattern)}
    once |= {form for text in starts for form in offsets(text)}
    codes = {text.hex() for text in texts | starts if len(text) > 3}
    codes |= {code.upper() for code in codes} | {text.hex(" ") for text in texts if len(text) > 3}
    return list(_joined(sorted(once | twice | codes)))


def _joined(texts: Iterable[str]) -> Iterator[str]:
    expression = ""
    for text in map(re.escape, texts):
        if len(expression) + len(text) > _EXPRESSION:
            yield expression
            expression = ""
        expression += "|" * bool(expression) + text
    yield expression


def offsets(data: bytes, least: int = 4) -> Iterator[str]:
    """Yield the base64 of ``data`` at each offset in a longer text, without what its neighbours decide."""
    for offset in range(3):
        padded = b"\0" * offset + data
        text = base64.b64encode(padded)[(0, 2, 3)[offset] : len(padded) * 8 // 6].decode("ascii")
        if len(text) >= least:
            yield text
            yield text.translate(_URLSAFE)


_URLSAFE = str.maketrans("+/", "-_")
_MOST_STARTS = 24


def beginnings(pattern: str) -> list[str]:
    """Return the fixed texts of three or more characters with which matches of ``pattern`` begin, if few."""
    try:
        tree = parsed(pattern)
    except (re.error, RecursionError, OverflowError):
        return []
    texts = _starts(tree)
    forms = [text.upper() for text in texts] if pattern.startswith("(?i)") else []
    return [text for text in [*texts, *forms] if len(text) >= 3]


def parsed(pattern: str | bytes) -> Any:
    """Return the tree of an expression, as :mod:`re` itself parses it."""
    if sys.version_info >= (3, 11):
        from re import _parser as parser  # type: ignore[attr-defined]  # what re itself parses with
    else:
        import sre_parse as parser
    return parser.parse(pattern)  # type: ignore[arg-type]  # bytes, too


def _starts(tree: Any) -> list[str]:
    """Return every fixed beginning of a parsed expression; a place with too many choices ends them."""
    texts = [""]
    for operation, value in tree:
        kind = str(operation)
        choices = _choices(kind, value)
        if not choices or len(texts) * len(choices) > _MOST_STARTS:
            break
        texts = [text + choice for text in texts for choice in choices]
        if kind in ("SUBPATTERN", "BRANCH"):  # how far it was followed is not known here
            break
    return texts


def _choices(kind: str, value: Any) -> list[str]:
    if kind == "LITERAL":
        return [chr(value)]
    if kind == "IN" and all(str(one) == "LITERAL" for one, _ in value):
        return [chr(code) for _, code in value]
    if kind == "SUBPATTERN":
        return _starts(value[-1])
    if kind == "BRANCH":
        return [text for branch in value[1] for text in _starts(branch)]
    return []
