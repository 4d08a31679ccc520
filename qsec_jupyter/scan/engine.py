"""Finds where a rule may match: Hyperscan, or :mod:`re` when it is not installed.

An engine only says "rule n, ending near byte e"; :meth:`.rules.loader.Rule.find` confirms on a
window around it. So both engines give the same findings, and a slow expression never sees more
than the neighbourhood of a hit.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import Invalid
from . import detect, notations
from .compiled import Cache
from .rules import loader
from .rules.loader import Rule

FORMAT = 3
"""Version of the cache file's layout and of what rule fields mean."""

_KEPT_FIELDS = (
    "id", "label", "title", "severity", "remedy", "pattern", "trigger", "before", "after", "action",
    "unless", "checks", "entropy", "source", "confidence",
)  # fmt: skip


class Engine(Protocol):
    """Finds the ends of possible matches."""

    name: str

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of expression, byte offset where a possible match ends)."""


class HyperscanEngine:
    """All expressions in one pass, about 300 MB/s.

    Args:
        database: A compiled or loaded ``hyperscan.Database`` in block mode.
    """

    name = "hyperscan"

    def __init__(self, database: Any) -> None:
        self._database = database
        self._lock = threading.Lock()  # a database has one scratch space

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of expression, end offset) of every hit."""
        hits: list[tuple[int, int]] = []

        def note(index: int, start: int, end: int, flags: int, context: object) -> None:
            hits.append((index, end))

        with self._lock:
            self._database.scan(data, match_event_handler=note)
        return hits


class PatternEngine:
    """The fallback: one expression after the other with :mod:`re`, some hundred times slower."""

    name = "re"

    def __init__(self, patterns: Iterable[bytes]) -> None:
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        """Return (index of expression, end offset) of every hit."""
        return [
            (index, match.end())
            for index, pattern in enumerate(self._patterns)
            for match in pattern.finditer(data)
        ]


def hyperscan_module() -> Any | None:
    """Return the ``hyperscan`` module, or ``None`` where it is not installed."""
    try:
        import hyperscan
    except ImportError:
        return None
    return hyperscan


def literals(texts: Sequence[bytes]) -> Engine:
    """Return an engine for fixed texts. It is never written to disk: these are secrets."""
    hyperscan = hyperscan_module()
    if hyperscan is None:
        # Longest first, since one alternation reports one of several texts that begin at a place.
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        return _Alternation(texts, order)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(expressions=list(texts), ids=list(range(len(texts))), literal=True)
    return HyperscanEngine(database)


class _Alternation:
    """Fixed texts with :mod:`re`; overlapping hits are found one byte further on."""

    name = "re"

    def __init__(self, texts: Sequence[bytes], order: Sequence[int]) -> None:
        self._index = {texts[index]: index for index in order}
        self._pattern = re.compile(b"(?=(" + b"|".join(re.escape(texts[index]) for index in order) + b"))")

    def scan(self, data: bytes) -> list[tuple[int, int]]:
        return [(self._index[match[1]], match.end(1)) for match in self._pattern.finditer(data)]


class RuleSet:
    """Compiled rules.

    Attributes:
        rules: The rules; an engine's index points into them.
        version: Digest of everything that decides what is found.
        engine: The matcher in use, over :func:`triggers`; ``engine.name`` is ``hyperscan`` or ``re``.
        close: The matcher for texts that people write, over :data:`.notations.CLOSE`.
    """

    def __init__(
        self, rules: Sequence[Rule], version: str, engine: Engine, close: Engine | None = None
    ) -> None:
        self.rules = tuple(rules)
        self.version = version
        self.engine = engine
        self.close = close or PatternEngine(pattern.encode() for pattern in _CLOSE)
        self._triggered = _by_trigger(rules)

    def windows(self, data: bytes) -> list[tuple[Rule, int, int]]:
        """Return where each rule must be confirmed, neighbouring windows joined."""
        return self.look(data)[0]

    def look(self, data: bytes, *, close: bool = False) -> tuple[list[tuple[Rule, int, int]], list[int]]:
        """Return where each rule must be confirmed, and the ends of what :mod:`.decode` may read.

        Args:
            data: A text.
            close: Look for any text in base64, hexadecimal or numbers, too.
        """
        spans: dict[int, list[list[int]]] = {}
        encoded = [end for number, end in self.close.scan(data) if number != _DRAWN] if close else []
        for trigger, end in sorted(self.engine.scan(data)):
            if trigger >= len(self._triggered):
                if notations.trigger(trigger - len(self._triggered)).confirmed(data, end):
                    encoded.append(end)
                continue
            for index in self._triggered[trigger]:
                rule = self.rules[index]
                start, stop = max(0, end - rule.before), min(len(data), end + rule.after)
                joined = spans.setdefault(index, [])
                if joined and start <= joined[-1][1]:
                    joined[-1][1] = stop
                else:
                    joined.append([start, stop])
        return [(self.rules[index], a, b) for index, joined in spans.items() for a, b in joined], encoded

    def drawn(self, data: bytes) -> bool:
        """Tell whether source has a literal that looks drawn, or one in another notation."""
        return bool(self.close.scan(data))


_CLOSE = [trigger.pattern for trigger in (*notations.CLOSE, notations.DRAWN)]
_DRAWN = len(notations.CLOSE)


def triggers(rules: Sequence[Rule]) -> list[str]:
    """Return the expressions for an engine, each once (rules may share one), then those of notations."""
    own = list(dict.fromkeys(rule.trigger for rule in rules))
    return [*own, *(trigger.pattern for trigger in notations.EVERYWHERE), *notations.hints(own)]


def _by_trigger(rules: Sequence[Rule]) -> list[list[int]]:
    members: dict[str, list[int]] = {}
    for index, rule in enumerate(rules):
        members.setdefault(rule.trigger, []).append(index)
    return list(members.values())


def load_rules(cache: Path | None = None, files: Sequence[Path] = ()) -> RuleSet:
    """Return the shipped rules with detect-secrets' ones, compiled or from the cache.

    Args:
        cache: Folder for the compiled form; default the user's cache folder. It holds no secret, and what
            is read from it must have been written by this user: see :mod:`.compiled`.
        files: The user's own rule files, in our form.

    Raises:
        Invalid: ``rule.invalid`` with file and rule.
    """
    hyperscan = hyperscan_module()
    for file in files:
        if not file.is_file():
            raise Invalid("rule.invalid", "A rule cannot be used", f"{file} is no file.", "Correct the path.")
    version = _version(hyperscan, files)
    if hyperscan is None:
        import logging

        logging.getLogger("qsec.scan").warning(
            "qsec: hyperscan is not installed; scanning works with `re` and is much slower"
        )
        rules = _build(files)
        return RuleSet(rules, version, PatternEngine(trigger.encode() for trigger in triggers(rules)))
    kept = Cache(cache)
    loaded = _unpack(kept.read(version), hyperscan)
    if loaded is None:
        rules = _build(files)
        databases = [_compile(expressions, hyperscan) for expressions in (triggers(rules), _CLOSE)]
        kept.write(version, _pack(rules, [hyperscan.dumpb(database) for database in databases]))
    else:
        rules, databases = loaded
    return RuleSet(rules, version, *map(HyperscanEngine, databases))


def _version(hyperscan: Any | None, files: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{FORMAT} {detect.version()} {getattr(hyperscan, '__version__', 're')}".encode())
    for path in (
        sorted(loader.FOLDER.glob("*.toml"))
        + sorted(loader.FOLDER.glob("*.py"))
        + [Path(detect.__file__), loader.FOLDER.with_name("decode.py"), Path(notations.__file__), *files]
    ):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _build(files: Sequence[Path]) -> list[Rule]:
    own = loader.load(files=files)
    for rule in own:
        loader.prove(rule)
    foreign = [Rule(**{**_fields(rule), "trigger": rule.trigger or rule.pattern}) for rule in detect.rules()]
    return own + foreign


def _fields(rule: Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in _KEPT_FIELDS}


def _compile(expressions: Sequence[str], hyperscan: Any) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    # PREFILTER lets look-arounds through as "may match"; `Rule.find` decides.
    database.compile(
        expressions=[expression.encode() for expression in expressions],
        ids=list(range(len(expressions))),
        flags=[hyperscan.HS_FLAG_PREFILTER] * len(expressions),
    )
    return database


def _pack(rules: Sequence[Rule], databases: Sequence[bytes]) -> bytes:
    head = json.dumps([_fields(rule) for rule in rules]).encode()
    return b"".join(len(part).to_bytes(4, "big") + part for part in (head, *databases))


def _unpack(body: bytes | None, hyperscan: Any) -> tuple[list[Rule], list[Any]] | None:
    """Return rules and databases as :func:`_pack` wrote them; ``None`` on another kind of processor."""
    if body is None:
        return None
    parts, at = [], 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        parts.append(body[at + 4 : at + 4 + length])
        at += 4 + length
    try:
        databases = [hyperscan.loadb(part, hyperscan.HS_MODE_BLOCK) for part in parts[1:]]
    except hyperscan.HyperscanError:
        return None
    for database in databases:  # a loaded one comes without scratch space
        database.scratch = hyperscan.Scratch(database)
    return [Rule(**{**entry, "checks": tuple(entry["checks"])}) for entry in json.loads(parts[0])], databases
