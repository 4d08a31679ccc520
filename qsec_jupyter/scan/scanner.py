"""The facade: a notebook or a text in, findings and the redacted form out."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..core.finding import Finding
from ..core.secret import Secret
from . import engine as engines, notations
from .baseline import Baseline, fingerprint
from .engine import Engine, RuleSet
from .known import MINIMUM, KnownValues
from .redact import Hit, merge, redact_notebook, redact_text
from .rules.loader import Rule
from .units import SEPARATOR, Document, Group, Unit

if TYPE_CHECKING:
    from . import decode

CLEAN_CHARACTERS = 16_000_000
"""How much text that was found clean is remembered, so that saving it again costs a comparison.

Comparing beats hashing: 10 GB/s against 1.5 GB/s for SHA-256, and nothing needs to be encoded.
"""

ISSUED = "issued-credential"
"""Rule id of values that the broker issued."""

_Place = tuple[int, int]  # number of the group, position of the unit in it
_SMALL = 4096
_SPREAD_MINIMUM = 12
_HALF = 12
_ISSUED_TITLE = "A credential that was issued to you"
_ISSUED_REMEDY = (
    "Nothing to do if this was an accident: it was not written. Revoke the grant if others saw it."
)


@dataclass(frozen=True)
class ScanResult:
    """What one scan found.

    Attributes:
        findings: In the order of the document.
        redacted: The notebook or text with markers, or ``None`` when nothing is to be redacted.
        cells: Index of each changed cell to its new ``source``, ``outputs``, ``metadata`` and
            ``attachments``, as far as they changed.
        unscanned: What was not read: ``{"surface": ..., "why": ...}``.
    """

    findings: list[Finding]
    redacted: Any = None
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    unscanned: list[dict[str, str]] = field(default_factory=list)


class Scanner:
    """Scans with the shipped rules and the values that were issued.

    Args:
        known: Values that the broker issued; they are found in every encoding.
        baseline: Findings that a person keeps.
        fingerprint_key: Key of the findings' fingerprints.
        rules: Compiled rules; default the shipped ones, loaded at the first scan.
        memory: How much clean text is remembered (characters); 0 where nothing is scanned twice.
    """

    def __init__(
        self,
        known: KnownValues,
        baseline: Baseline,
        fingerprint_key: bytes,
        rules: RuleSet | None = None,
        memory: int = CLEAN_CHARACTERS,
    ) -> None:
        self._known = known
        self._baseline = baseline
        self._key = fingerprint_key
        self._rules = rules
        self._lock = threading.Lock()
        self._memory = memory
        self._clean = _CleanTexts(memory)
        self._issued: tuple[int, _Literals | None] = (-1, None)

    @property
    def rules(self) -> RuleSet:
        """The rules, compiled or loaded from the cache when first needed."""
        with self._lock:
            if self._rules is None:
                self._rules = engines.load_rules()
            return self._rules

    def scan_notebook(self, notebook: dict[str, Any], path: str) -> ScanResult:
        """Scan a parsed notebook; it is not changed.

        Args:
            notebook: nbformat 4; any other JSON object is read string by string.
            path: Names the notebook in findings and selects kept ones.
        """
        document = Document(notebook)
        literals = self._literals()
        suspects = self._suspects(document, literals)
        hits = merge(self._hits(document, suspects, literals)) if suspects else []
        self._remember(document, suspects, hits)
        unscanned = _left_out(document)
        if not hits:
            return ScanResult([], unscanned=unscanned)
        findings, wanted = self._judge(document, hits, path)
        if not wanted:
            return ScanResult(findings, unscanned=unscanned)
        redacted = redact_notebook(notebook, document, wanted)
        return ScanResult(findings, redacted, _changed_cells(notebook, redacted, document, wanted), unscanned)

    def scan_text(self, text: str, path: str) -> ScanResult:
        """Scan a text as one unit."""
        document = _TextDocument(text)
        literals = self._literals()
        if not (suspects := self._suspects(document, literals)):
            return ScanResult([])
        hits = merge(self._hits(document, suspects, literals))
        findings, wanted = self._judge(document, hits, path)
        return ScanResult(findings, redact_text(text, wanted) if wanted else None)

    def fingerprint(self, value: str) -> str:
        """Return the fingerprint under which ``value`` is reported."""
        return fingerprint(self._key, value)

    def keeps(self, hit: Hit, unit: Unit, mark: str, path: str) -> bool:
        """Tell whether a value is left where it is. Asked once for each finding, in their order.

        A subclass may know of more decisions than the baseline holds; an issued value is never kept.
        """
        return not hit.issued and self._baseline.find(mark, path) is not None

    # -- finding ----------------------------------------------------------------------------------

    def _literals(self) -> _Literals | None:
        """Return the engine for the issued values as they are now; ``None`` when there are none."""
        with self._lock:
            version, literals = self._issued
            if version != self._known.version:
                version, texts = self._known.snapshot()
                literals = _Literals(texts) if texts else None
                self._issued = (version, literals)
                self._clean = _CleanTexts(
                    self._memory
                )  # clean of the old set of values is not clean of the new one
            return literals

    def _suspects(self, document: Document | _TextDocument, literals: _Literals | None) -> list[_Place]:
        """Return the units that hold something; the others are remembered as clean."""
        clean = self._clean
        places = [
            (number, position)
            for number, group in enumerate(document.groups)
            for position, unit in enumerate(group.units)
            if not clean.holds(unit)
        ]
        if not places:
            return []
        units = [document.groups[number].units[position] for number, position in places]
        dirty = self._screen(units, literals)
        with self._lock:
            for index, unit in enumerate(units):
                if index not in dirty:
                    clean.add(unit)
        return [places[index] for index in sorted(dirty)]

    def _remember(self, document: Document, suspects: Iterable[_Place], hits: Iterable[Hit]) -> None:
        """Remember what was decoded for nothing as clean."""
        found = {(hit.group, hit.unit) for hit in hits}
        with self._lock:
            for number, position in suspects:
                if (number, position) not in found:
                    self._clean.add(document.groups[number].units[position])

    def _screen(self, units: list[Unit], literals: _Literals | None) -> set[int]:
        """Return which units hold a confirmed match.

        A large unit is read right after it was encoded, while its bytes are in the processor's
        cache; the small ones are joined, since each call of an engine costs some microseconds.
        """
        dirty: set[int] = set()
        small: dict[bool, list[tuple[int, bytes]]] = {False: [], True: []}
        for index, unit in enumerate(units):
            data = unit.data
            if len(data) < _SMALL:
                small[unit.close].append((index, data))
            elif any(True for _ in self._matches(data, literals, unit.close)):
                dirty.add(index)
        for close, parts in small.items():
            starts, at = [], len(SEPARATOR)
            for _, data in parts:
                starts.append(at)
                at += len(data) + len(SEPARATOR)
            joined = SEPARATOR.join([b"", *[data for _, data in parts], b""])
            for begin in self._matches(joined, literals, close):
                dirty.add(parts[bisect_right(starts, begin) - 1][0])
        return dirty

    def _matches(self, data: bytes, literals: _Literals | None, close: bool) -> Iterator[int]:
        """Yield where values of confirmed matches begin."""
        if literals:
            found, parts = literals.look(data)
            for _, begin, _ in found:
                yield begin
            for end in parts:
                yield end - 1
        windows, encoded = self.rules.look(data, close=close)
        for rule, start, stop in windows:
            for begin, _ in rule.find(data, start, stop):
                yield begin
        for end in encoded:
            yield end - 1

    def _hits(
        self, document: Document | _TextDocument, suspects: Iterable[_Place], literals: _Literals | None
    ) -> list[Hit]:
        """Return every hit in the suspected units, and every other place of the values found there."""
        hits: list[Hit] = []
        for number, position in suspects:
            unit = document.groups[number].units[position]
            hits += self._rule_hits(unit, number, position, literals)
            if literals:
                hits += literals.hits(unit, number, position)
        return hits + self._spread(document, hits)

    def _rule_hits(self, unit: Unit, group: int, position: int, literals: _Literals | None) -> Iterable[Hit]:
        data = unit.data
        windows, encoded = self.rules.look(data, close=unit.close)
        if literals:
            encoded += literals.look(data)[1]
        for rule, start, stop in windows:
            for begin, end in rule.find(data, start, stop):
                span = unit.span(begin, end)
                if span is not None:
                    yield _hit(rule, group, position, span, data[begin:end])
        places = [span for end in encoded if (span := unit.span(end - 1, end))]
        if not places:
            return
        from . import decode  # most texts hold no notations

        for view in decode.views(unit.text, places):
            yield from self._view_hits(view, unit, group, position, literals)

    def _view_hits(
        self, view: decode.View, unit: Unit, group: int, position: int, literals: _Literals | None
    ) -> Iterable[Hit]:
        """Yield what a decoded text holds, at the characters that it was decoded from."""
        shown = Unit(unit.surface, view.text, None, None, unit.name)
        windows, _ = self.rules.look(shown.data)
        for rule, start, stop in windows:
            for begin, end in rule.find(shown.data, start, stop):
                span = shown.span(begin, end)
                if span is not None:
                    yield _hit(rule, group, position, view.locate(*span), shown.data[begin:end])
        for hit in literals.hits(shown, group, position) if literals else ():
            start, end = view.locate(hit.start, hit.end)
            yield replace(hit, start=start, end=end)

    def _spread(self, document: Document | _TextDocument, hits: list[Hit]) -> list[Hit]:
        """Return where values that a rule named turn up without their name, in any encoding."""
        origins = {
            hit.value: hit
            for hit in hits
            if hit.redact and not hit.issued and len(hit.value) >= _SPREAD_MINIMUM
        }
        if not origins:
            return []
        values = KnownValues()
        for value in origins:
            values.add(value, Secret(value, ""))
        literals = _Literals(values.snapshot()[1])
        return [
            Hit(
                hit.group,
                hit.unit,
                hit.start,
                hit.end,
                origin.rule,
                origin.label,
                origin.title,
                origin.severity,
                origin.remedy,
                origin.value,
            )
            for number, group in enumerate(document.groups)
            for position, unit in enumerate(group.units)
            for hit in literals.hits(unit, number, position)
            for origin in [origins[hit.value]]
        ]

    # -- judging ----------------------------------------------------------------------------------

    def _judge(
        self, document: Document | _TextDocument, hits: list[Hit], path: str
    ) -> tuple[list[Finding], list[Hit]]:
        """Return the findings, and the hits that are to be redacted."""
        findings, wanted = [], []
        for hit in hits:
            group = document.groups[hit.group]
            unit = group.units[hit.unit]
            mark = self.fingerprint(hit.value)
            action: Literal["redacted", "kept", "reported"] = "redacted" if hit.redact else "reported"
            if self.keeps(hit, unit, mark, path):
                action = "kept"
            if action == "redacted":
                wanted.append(hit)
            line, column = unit.position(hit.start)
            findings.append(
                Finding(
                    hit.rule,
                    hit.title,
                    hit.severity,
                    unit.surface,
                    path,
                    group.cell,
                    group.cell_id,
                    line,
                    column,
                    mark,
                    hit.remedy,
                    action,
                    unit.end_column(hit.start, hit.end),
                    hit.confidence,
                )
            )
        return findings, wanted


def _hit(rule: Rule, group: int, position: int, span: tuple[int, int], value: bytes) -> Hit:
    return Hit(
        group,
        position,
        *span,
        rule.id,
        rule.label,
        rule.title,
        rule.severity,
        rule.remedy,
        value.decode("utf-8", "surrogatepass"),
        redact=rule.action == "redact",
        confidence=rule.confidence,
    )


class _CleanTexts:
    """Texts in which nothing was found, the latest of them up to a size in characters."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._texts: OrderedDict[tuple[str, int, str, str], str] = OrderedDict()
        self._size = 0

    def holds(self, unit: Unit) -> bool:
        return bool(self._texts) and self._texts.get(_shape(unit)) == unit.text

    def add(self, unit: Unit) -> None:
        if len(unit.text) > self._limit // 4:
            return
        key = _shape(unit)
        self._size += len(unit.text) - len(self._texts.pop(key, ""))
        self._texts[key] = unit.text
        while self._size > self._limit:
            self._size -= len(self._texts.popitem(last=False)[1])


def _shape(unit: Unit) -> tuple[str, int, str, str]:
    """Return what finds a text without reading all of it; its key says what it is, so that counts too."""
    text = unit.text
    middle = len(text) // 2
    return unit.name, len(text), text[:32], text[middle : middle + 64]


class _Literals:
    """The engine for issued values, with what each text stands for."""

    def __init__(self, texts: dict[str, tuple[str, str]]) -> None:
        forms = {value: set(_base64(value)) for _, value in texts.values()}
        twice = {
            inner: (label, value)
            for label, value in dict.fromkeys(texts.values())
            for once in forms[value]
            for inner in notations.offsets(once.encode(), MINIMUM)
        }
        texts = {**twice, **texts}
        self._texts = [(text.encode("utf-8", "surrogatepass"), *owner) for text, owner in texts.items()]
        # A text in base64 may be written in lines: then half of it is still in one piece.
        halves = {half.encode() for once in set().union(*forms.values()) for half in _halves(once)}
        self._engine: Engine = engines.literals([*(data for data, _, _ in self._texts), *halves])

    def find(self, data: bytes) -> list[tuple[int, int, int]]:
        """Return (index of text, start, end) of every occurrence."""
        return self.look(data)[0]

    def look(self, data: bytes) -> tuple[list[tuple[int, int, int]], list[int]]:
        """Return (index of text, start, end) of every occurrence, and where there is a part of one."""
        found, parts = [], []
        for index, end in self._engine.scan(data):
            if index < len(self._texts):
                found.append((index, end - len(self._texts[index][0]), end))
            else:
                parts.append(end)
        return found, parts

    def hits(self, unit: Unit, group: int, position: int) -> Iterable[Hit]:
        """Yield a hit for every occurrence in ``unit``."""
        for index, start, end in self.find(unit.data):
            span = unit.span(start, end)
            if span is not None:
                _, label, value = self._texts[index]
                yield Hit(
                    group,
                    position,
                    *span,
                    ISSUED,
                    label,
                    _ISSUED_TITLE,
                    "critical",
                    _ISSUED_REMEDY,
                    value,
                    issued=True,
                )


def _base64(value: str) -> Iterable[str]:
    return notations.offsets(value.encode("utf-8", "surrogatepass"))


def _halves(text: str) -> tuple[str, ...]:
    middle = len(text) // 2
    return (text[:middle], text[middle:]) if middle >= _HALF else ()


class _TextDocument:
    """A text as a document of one unit."""

    def __init__(self, text: str) -> None:
        holder = {"text": text}
        self.groups = [
            Group(None, holder, lambda tree, units: units.append(Unit("text", tree["text"], tree, "text")))
        ]


def _left_out(document: Document) -> list[dict[str, str]]:
    left = []
    if document.images:
        what = (
            f"{document.images} image{'s' if document.images > 1 else ''}, {document.image_size} characters"
        )
        left.append({"surface": "output", "why": f"{what}: the inside of images is not read"})
    if document.shape == "other":
        why = "not nbformat 4: every string was read, but not by what it means; lines and cells are not named"
        left.append({"surface": "notebook", "why": why})
    return left


def _changed_cells(
    notebook: dict[str, Any], redacted: dict[str, Any], document: Document, hits: Iterable[Hit]
) -> dict[str, dict[str, Any]]:
    """Return the new content of each changed cell, as far as an open tab must be brought in step."""
    cells: dict[str, dict[str, Any]] = {}
    for number in sorted({hit.group for hit in hits}):
        index = document.groups[number].cell
        if index is None:
            continue
        old, new = notebook["cells"][index], redacted["cells"][index]
        if not isinstance(new, dict):
            continue
        changed = {
            key: new[key]
            for key in ("source", "outputs", "metadata", "attachments")
            if key in new and new[key] != old.get(key)
        }
        if isinstance(changed.get("source"), list):
            changed["source"] = "".join(changed["source"])
        cells[str(index)] = changed
    return cells
