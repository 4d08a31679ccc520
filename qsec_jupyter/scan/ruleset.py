"""Compiled rules: the shipped ones, detect-secrets' and whatever a project names, kept on disk compiled."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import detect, notations
from .compiled import Cache
from .engine import Engine, HyperscanEngine, fallback, hyperscan_module, re2_module
from .glance import spots
from .rules import exemptions, loader
from .rules.exemptions import Where
from .rules.fields import ROOM
from .rules.loader import Judged, Rule

if TYPE_CHECKING:
    from .foreign import Finder, Refused

FORMAT = 5
"""Version of the cache file's layout and of what rule fields mean."""

_KEPT_FIELDS = (
    "id", "label", "title", "severity", "remedy", "pattern", "trigger", "before", "after", "run", "action",
    "unless", "checks", "entropy", "source", "confidence", "keywords", "path", "placeholders", "linear",
)  # fmt: skip
CLOSE = [trigger.pattern for trigger in notations.CLOSE]
"""Expressions for texts that people write."""

DRAWN = [notations.DRAWN.pattern]
"""The expression for source that is worth parsing."""

_SHIPPED = frozenset({"qsec", "detect-secrets"})


class Seen(NamedTuple):
    """What the engines see in a text.

    Attributes:
        windows: Where each rule must be confirmed, neighbouring windows joined.
        encoded: The ends of what may stand in some notation.
        tables: By the kind of table, the ends of names in them.
    """

    windows: list[tuple[Rule, int, int]]
    encoded: list[int]
    tables: dict[str, list[int]]


class RuleSet:
    """Compiled rules.

    Attributes:
        rules: The rules; an engine's index points into them.
        version: Digest of everything that decides what is found.
        engine: The matcher in use, over :func:`triggers`.
        close: The matcher for texts that people write, over :data:`CLOSE`.
        drawing: The matcher for source, over :data:`DRAWN`.
        finders: Programs of other scanners that are called beside the engine.
        refused: What a project's sources hold that is not used, and why.
        by_place: Whether what is found depends on where a text lies.
        foreign: Whether a project's rules are among them, of whose values and names nothing is known.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        version: str,
        engine: Engine,
        close: Engine | None = None,
        drawing: Engine | None = None,
        *,
        finders: Sequence[Finder] = (),
        refused: Sequence[Refused] = (),
    ) -> None:
        self.rules = tuple(rules)
        self.version = version
        self.engine = engine
        self.close = close or fallback(CLOSE)
        self.drawing = drawing or fallback(DRAWN)
        self.finders = tuple(finders)
        self.refused = tuple(refused)
        self.by_place = bool(finders) or any(rule.by_place for rule in rules)
        self.foreign = bool(finders) or any(rule.source not in _SHIPPED for rule in rules)
        self._triggered = _by_trigger(rules)

    def windows(self, data: bytes) -> list[tuple[Rule, int, int]]:
        """Return where each rule must be confirmed, neighbouring windows joined."""
        return self._windows(data)[0]

    def look(self, data: bytes, *, close: bool = False) -> Seen:
        """Return where each rule must be confirmed, and what :mod:`.decode` may read.

        Args:
            data: A text.
            close: Look for any text in base64, hexadecimal or numbers, too.
        """
        encoded = [end for _, end in self.close.scan(data)] if close else []
        tables: dict[str, list[int]] = {}
        windows, others = self._windows(data)
        for number, ends in others.items():
            notation = notations.trigger(number)
            places = list(notation.places(data, ends))
            encoded += places if notation.near else ()
            if notation.table and places:
                tables.setdefault(notation.table, []).extend(places)
        return Seen(windows, list(dict.fromkeys(encoded)), {kind: sorted(tables[kind]) for kind in tables})

    def _windows(self, data: bytes) -> tuple[list[tuple[Rule, int, int]], dict[int, list[int]]]:
        """Return where rules must be confirmed, and where hits of each notation end."""
        spans: dict[int, list[list[int]]] = {}
        others: dict[int, list[int]] = {}
        for trigger, end in sorted(self.engine.scan(data)):
            if trigger >= len(self._triggered):
                others.setdefault(trigger - len(self._triggered), []).append(end)
                continue
            for index in self._triggered[trigger]:
                rule = self.rules[index]
                if not rule.may_end(data, end):
                    continue
                start, stop = max(0, end - rule.before), min(len(data), end + rule.after)
                joined = spans.setdefault(index, [])
                if joined and start <= joined[-1][1]:
                    joined[-1][1] = stop
                else:
                    joined.append([start, stop])
        return [(self.rules[index], a, b) for index, joined in spans.items() for a, b in joined], others

    def confirm(
        self,
        windows: Iterable[tuple[Rule, int, int]],
        data: bytes,
        where: Where,
        judged: Judged | None = None,
    ) -> Iterator[tuple[Rule, int, int]]:
        """Yield each rule with where a value of it begins and ends, in windows and by other finders."""
        for rule, start, stop in windows:
            for begin, end in rule.find(data, start, stop, where, judged):
                yield rule, begin, end
        for finder in self.finders:
            yield from finder.find(data, where)

    def drawn(self, text: str, data: bytes) -> list[int] | None:
        """Return where source has literals that look drawn, or ones in another notation (characters).

        Args:
            text: The source.
            data: The same in UTF-8.

        Returns:
            ``None`` when any literal may matter.
        """
        found = [len(data[: end - 1].decode("utf-8", "surrogatepass")) for _, end in self.close.scan(data)]
        if self.drawing.scan(data):
            if self.foreign:
                return None
            found += spots(text)
        return found


def triggers(rules: Sequence[Rule]) -> list[str]:
    """Return the expressions for an engine, each once (rules may share one), then those of notations."""
    own = list(dict.fromkeys(rule.trigger for rule in rules))
    return [
        *own,
        *(trigger.pattern for trigger in notations.EVERYWHERE),
        notations.split(own),
        *notations.hints(own),
    ]


def _by_trigger(rules: Sequence[Rule]) -> list[list[int]]:
    members: dict[str, list[int]] = {}
    for index, rule in enumerate(rules):
        members.setdefault(rule.trigger, []).append(index)
    return list(members.values())


def load_rules(
    cache: Path | None = None, sources: Sequence[str] = (), trusted: Sequence[str] = ()
) -> RuleSet:
    """Return the shipped rules with detect-secrets' ones and those of a project, compiled or from the cache.

    Args:
        cache: Folder for the compiled form; default the user's cache folder. It holds no secret, and what
            is read from it must have been written by this user: see :mod:`.compiled`.
        sources: What a project names: see :func:`.foreign.collect`. What cannot be used is in ``refused``.
        trusted: The same, named by the user in person: programs among them are run.
    """
    hyperscan = hyperscan_module()
    version = _version(hyperscan, sources, trusted)
    finders = _finders(sources, trusted)
    if hyperscan is None:
        built = _build(sources, trusted)
        engine = fallback(triggers(built.rules))
        _say_slow(engine)
        return RuleSet(built.rules, version, engine, finders=finders, refused=built.refused)
    kept = Cache(cache)
    loaded = _unpack(kept.read(version), hyperscan)
    if loaded is None:
        built = _build(sources, trusted)
        rules, refused, databases = _compile_all(built, hyperscan)
        built = built._replace(rules=rules, refused=refused)
        kept.write(version, _pack(built, [hyperscan.dumpb(database) for database in databases]))
    else:
        built, databases = loaded
    return RuleSet(
        built.rules,
        version,
        *map(HyperscanEngine, databases),
        finders=finders,
        refused=built.refused,
    )


class _Built(NamedTuple):
    """Rules before they are compiled, what was refused, and the digests of the files that were read."""

    rules: list[Rule]
    refused: list[Refused]
    inputs: dict[str, str]


_said: set[str] = set()


def _say_slow(engine: Engine) -> None:
    """Say once in a process that Hyperscan is missing."""
    import logging

    if engine.name not in _said:
        _said.add(engine.name)
        logging.getLogger("qsec.scan").warning(
            "qsec: hyperscan is not installed; scanning works with `%s` and is slower", engine.name
        )


def _version(hyperscan: Any | None, sources: Sequence[str], trusted: Sequence[str]) -> str:
    digest = hashlib.sha256(f"{FORMAT} {detect.version()} {getattr(hyperscan, '__version__', 're')}".encode())
    for path in (
        sorted(loader.FOLDER.glob("*.toml"))
        + sorted(loader.FOLDER.glob("*.py"))
        + [Path(detect.__file__), loader.FOLDER.with_name("decode.py"), Path(notations.__file__)]
    ):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for kind, named in (("named", sources), ("trusted", trusted)):
        for source in named:  # with its name: findings and refusals carry it
            digest.update(f"\0{kind}\0{source}\0{_digest(source)}".encode("utf-8", "surrogatepass"))
    if sources or trusted:
        digest.update(str(re2_module() is not None).encode())
        for path in sorted(Path(__file__).with_name("foreign").glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _digest(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()
    except OSError:
        return ""


def _build(sources: Sequence[str], trusted: Sequence[str]) -> _Built:
    rules = loader.load()
    for rule in rules:
        loader.prove(rule)
    rules += [Rule(**{**_fields(rule), "trigger": rule.trigger or rule.pattern}) for rule in detect.rules()]
    if not (sources or trusted):
        return _Built(rules, [], {})
    from .foreign import collect

    found = collect(sources, rules, trusted)
    inputs = {str(path): _digest(str(path)) for path in found.inputs}
    return _Built([*rules, *found.rules], list(found.refused), inputs)


def _finders(sources: Sequence[str], trusted: Sequence[str]) -> tuple[Finder, ...]:
    if not (sources or trusted):
        return ()
    from .foreign import finders

    return finders(sources, trusted)


def _fields(rule: Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in _KEPT_FIELDS}


def _compile_all(built: _Built, hyperscan: Any) -> tuple[list[Rule], list[Refused], list[Any]]:
    """Compile; a project's rule that Hyperscan does not take is refused, and never one of ours."""
    rules, refused = built.rules, built.refused
    others = [_compile(CLOSE, hyperscan), _compile(DRAWN, hyperscan, hyperscan.HS_FLAG_SINGLEMATCH)]
    try:
        return rules, refused, [_compile(triggers(rules), hyperscan), *others]
    except hyperscan.HyperscanError:
        from .foreign import Refused

        taken = []
        for rule in rules:
            if rule.source in {"qsec", "detect-secrets"} or _compiles(rule.trigger, hyperscan):
                taken.append(rule)
            elif rule.keywords:
                words = "|".join(map(re.escape, rule.keywords))
                taken.append(replace(rule, trigger=f"(?i){words}", before=ROOM, after=ROOM))
            else:
                why = "its expression is too large for the fast engine; give it keywords"
                refused = [*refused, Refused(rule.source, rule.id, why)]
        return taken, refused, [_compile(triggers(taken), hyperscan), *others]


def _compiles(expression: str, hyperscan: Any) -> bool:
    try:
        _compile([expression], hyperscan)
    except hyperscan.HyperscanError:
        return False
    return True


def _compile(expressions: Sequence[str], hyperscan: Any, flags: int = 0) -> Any:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    # PREFILTER lets look-arounds through as "may match"; `Rule.find` decides.
    database.compile(
        expressions=[expression.encode() for expression in expressions],
        ids=list(range(len(expressions))),
        flags=[hyperscan.HS_FLAG_PREFILTER | flags] * len(expressions),
    )
    return database


def _pack(built: _Built, databases: Sequence[bytes]) -> bytes:
    content = {
        "rules": [{**_fields(rule), "exempt": exemptions.pack(rule.exempt)} for rule in built.rules],
        "refused": [asdict(one) for one in built.refused],
        "inputs": built.inputs,
    }
    parts = (json.dumps(content).encode(), *databases)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _unpack(body: bytes | None, hyperscan: Any) -> tuple[_Built, list[Any]] | None:
    """Return what :func:`_pack` wrote; ``None`` on another processor, or when an input has changed."""
    if body is None:
        return None
    parts, at = [], 0
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        parts.append(body[at + 4 : at + 4 + length])
        at += 4 + length
    content = json.loads(parts[0])
    if any(_digest(path) != digest for path, digest in content["inputs"].items()):
        return None
    try:
        databases = [hyperscan.loadb(part, hyperscan.HS_MODE_BLOCK) for part in parts[1:]]
    except hyperscan.HyperscanError:
        return None
    for database in databases:  # a loaded one comes without scratch space
        database.scratch = hyperscan.Scratch(database)
    return _Built(_rules(content["rules"]), _refused(content["refused"]), content["inputs"]), databases


def _rules(entries: Iterable[dict[str, Any]]) -> list[Rule]:
    return [
        Rule(
            **{
                **entry,
                "checks": tuple(entry["checks"]),
                "keywords": tuple(entry["keywords"]),
                "exempt": exemptions.unpack(entry["exempt"]),
            }
        )
        for entry in entries
    ]


def _refused(entries: Sequence[dict[str, str]]) -> list[Refused]:
    if not entries:
        return []
    from .foreign import Refused

    return [Refused(**entry) for entry in entries]
