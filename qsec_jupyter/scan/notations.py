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
        reach: How far around the hit the notation goes (bytes); 0 is a neighbourhood.
    """

    pattern: str
    exact: re.Pattern[bytes] | None = None
    reach: int = 0

    def places(self, data: bytes, end: int) -> Iterable[int]:
        """Return the ends of what is to be read around a hit that ends at ``end``; none if it is none."""
        if self.exact is not None:
            first, room = max(0, end - 160), 700 if self.reach else 480
            if self.exact.search(data, first, end + room) is None:
                return ()
        if not self.reach:
            return (end,)
        if self.exact is not None and not _ITEM.search(data, max(0, end - self.reach), end + self.reach):
            return ()
        first = max(end - self.reach, 0) // _STEP + 1  # the same places for hits that are near each other
        return (end, *range(first * _STEP, min(end + self.reach, len(data)) + 1, _STEP))


_STEP = 1500
"""No more than what is decoded around one place, so that what lies between places is decoded, too."""

_BREAK = re.compile(rb"[A-Za-z0-9_-]{4}</?(?:%b)(?:\s[^<>]{0,120})?></?(?:%b)" % ((INLINE.encode(),) * 2))
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{20}|(?:[0-9a-fA-F]{2}[ :]?){10}")

_COLUMN = re.compile(  # a cell of the lines below looks drawn
    rb"\n[^\n]{0,300}?(?<![A-Za-z0-9._~+/=-])(?=[A-Za-z._~+/=-]{0,30}[0-9])(?=[0-9._~+/=-]{0,30}[A-Za-z])"
    rb"[A-Za-z0-9._~+/=-]{12,}[\"']?(?:[ |,;\t\r\n&]|$)"
)

_INSERT = re.compile(  # among columns in brackets, right before the word
    rb"(?i)(?:%b)[a-z_]{0,10}[\"'`\]]?\s{0,4}(?:,[^()=]{0,300})?\)[\s\"'`+\\n]{0,60}values?\b"
    % _NAMED.encode()
)

_ITEM = re.compile(  # a text in a list or an object looks drawn
    rb"[\[{,:]\s{0,12}[\"'](?=[^\"'\n]{0,30}[0-9])(?=[^\"'\n]{0,30}[A-Za-z])[A-Za-z0-9._~+/=-]{12,4000}[\"']"
)
_LISTED = r"(?:columns?|headers?|fields|column_names)[\"']?\s{0,4}[:=]\s{0,4}\["
_COLUMNS = re.compile(  # one of the names that follow is a credential's
    rb"(?i)%b[^\[\]]{0,600}?(?:%b)[a-z_]{0,10}[\"']\s{0,12}[,\]]" % (_LISTED.encode(), _NAMED.encode())
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
    Trigger(rf"(?i)(?:{_NAMED})(?:[\s\"'=:]{{0,4}}(?:</?[a-z]|&nbsp;)|&(?:quot|apos|\#))"),
    Trigger(f"></?(?:{INLINE})[ >]", _BREAK),
    Trigger(  # a column of a table
        rf"(?i)(?:[,;|\t&]|  |{_BAR})[\"' ]{{0,3}}[a-z_-]{{0,20}}(?:{_NAMED})[a-z_]{{0,10}}[\"']?"
        rf"(?:[ ]{{0,3}}(?:[,;|\t\n&\\]|{_BAR})|  )"
        rf"|(?:{_NAMED})[a-z_]{{0,10}}[\"']?[ ]{{0,3}}(?:[,;|\t]|{_BAR})",
        _COLUMN,
    ),
    Trigger("<wbr|&(?:shy|ZeroWidthSpace|zwnj|zwj|NoBreak);"),
    Trigger(r"(?i)values?[\s\"',]{0,12}\(", _INSERT),
    Trigger(r"\\[_$#%&]|\\(?:text(?:tt|bf|it)|mathrm|mathtt|verb)\b"),
    Trigger(
        rf"(?i)(?:{_NAMED})\W{{1,12}}(?:join\([\[({{]?\s{{0,40}})?"
        r"[\"'][A-Za-z0-9._~+/=-]{3,200}[\"']\s{0,40}[+,]?\s{0,40}[\"']"
    ),
    # Tables as JSON or Python: names of columns in a list of their own, and a key above a list or an object.
    Trigger(f"(?i){_LISTED}", _COLUMNS, 6000),
    Trigger(rf"(?i)(?:{_NAMED})[a-z_]{{0,10}}[\"']\s{{0,4}}:\s{{0,4}}[\[{{]", _ITEM, 6000),
    Trigger(
        rf"(?i)(?:{_NAMED})[a-z_]{{0,10}}[\"'](?:,[^\[\]]{{0,200}})?\s{{0,12}}\],\s{{0,12}}\[", _ITEM, 6000
    ),
    Trigger(
        rf"(?i)(?:{_NAMED})[a-z_]{{0,10}}[\"']?\s{{0,4}}:\s{{1,4}}\*[a-z0-9_]", reach=24_000
    ),  # YAML's alias
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

    def places(self, data: bytes, end: int) -> Iterable[int]:
        """See :meth:`Trigger.places`."""
        rest = _REST.match(data, end)
        if rest is None:
            return ()
        if onward := _GOES_ON.match(data, rest.end()):
            return super().places(data, onward.end())
        if data[rest.end() : rest.end() + 1] == b"," and _JOINED.search(data[max(0, end - 160) : end]):
            return super().places(data, rest.end() + 1)
        return ()


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
