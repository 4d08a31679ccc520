"""The facade: a notebook or a text in, findings and the redacted form out."""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..core.finding import Finding
from .baseline import Baseline, fingerprint
from .clean import CLEAN_CHARACTERS, CleanTexts
from .document import Document, Group
from .known import KnownValues
from .literals import Literals
from .redact import Hit, changed_cells, merge, redact_notebook, redact_text
from .rules.exemptions import Where
from .ruleset import RuleSet, Seen, load_rules
from .search import Search
from .settle import settled
from .spread import spread
from .units import SEPARATOR, Unit, encode as _encoded, joined

if TYPE_CHECKING:
    from .source import Reading, SourceReader

_Place = tuple[int, int]  # number of the group, position of the unit in it
_SMALL = 4096
_SILENT = 500
_PYTHON_FENCE = re.compile(r"\s*`{3,}\s*\{?(?:i?python3?|py)\b")


@dataclass(frozen=True)
class ScanResult:
    """What one scan found.

    Attributes:
        findings: In the order of the document.
        redacted: The notebook or text with markers, or ``None`` when nothing is to be redacted.
        cells: Index of each changed cell to its new ``source``, ``outputs``, ``metadata`` and
            ``attachments``, as far as they changed.
        unscanned: What was not read and should have been: ``{"surface": ..., "why": ...}``.
        images: How many images were passed over; what is drawn in them is never read.
    """

    findings: list[Finding]
    redacted: Any = None
    cells: dict[str, dict[str, Any]] = field(default_factory=dict)
    unscanned: list[dict[str, str]] = field(default_factory=list)
    images: int = 0


class Scanner:
    """Scans with the shipped rules and the values that were issued.

    Args:
        known: Values that the broker issued; they are found in every encoding.
        baseline: Findings that a person keeps.
        fingerprint_key: Key of the findings' fingerprints.
        rules: Compiled rules; default the shipped ones and those of ``sources``, loaded at the first scan.
        sources: What a project names: see :func:`.ruleset.load_rules`.
        memory: How much clean text is remembered (characters); 0 where nothing is scanned twice.
    """

    def __init__(
        self,
        known: KnownValues,
        baseline: Baseline,
        fingerprint_key: bytes,
        rules: RuleSet | None = None,
        memory: int = CLEAN_CHARACTERS,
        sources: Sequence[str] = (),
    ) -> None:
        self._known = known
        self._baseline = baseline
        self._key = fingerprint_key
        self._rules = rules
        self._sources = sources
        self._lock = threading.Lock()
        self._memory = memory
        self._clean = CleanTexts(memory)
        self._reader: SourceReader | None = None
        self._silent: OrderedDict[int, None] = OrderedDict()
        self._issued: tuple[int, Literals | None] = (-1, None)

    @property
    def rules(self) -> RuleSet:
        """The rules, compiled or loaded from the cache when first needed."""
        with self._lock:
            if self._rules is None:
                self._rules = load_rules(sources=self._sources)
            return self._rules

    def scan_notebook(self, notebook: dict[str, Any], path: str) -> ScanResult:
        """Scan a parsed notebook; it is not changed.

        Args:
            notebook: nbformat 3 or 4; any other JSON object is read string by string.
            path: Names the notebook in findings and selects kept ones.
        """
        document, search, hits = self._read(notebook, path)
        unscanned, images = _left_out(document), document.images
        if not hits:
            return ScanResult([], unscanned=unscanned, images=images)
        hits = settled(document.groups, hits, search)
        findings, wanted = self._judge(document, hits, path)
        if not wanted:
            return ScanResult(findings, unscanned=unscanned, images=images)
        redacted = redact_notebook(notebook, document, wanted)
        cells = changed_cells(notebook, redacted, document, wanted) if document.shape == "4" else {}
        return ScanResult(findings, redacted, cells, unscanned, images)

    def read_ahead(self, notebook: dict[str, Any], path: str) -> None:
        """Remember what is clean in a notebook: scanning it later is as quick as scanning it again."""
        self._read(notebook, path)

    def scan_text(self, text: str, path: str) -> ScanResult:
        """Scan a text as one unit."""
        document = _TextDocument(text)
        search, clean = self._search(path)
        suspects = self._suspects(document, search, clean)
        cells = {0: source} if (source := python_of(text, path)) else {}
        hits = merge(self._hits(document, suspects, search, cells))
        if not hits:
            return ScanResult([])
        hits = settled(document.groups, hits, search)
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

    def where(self, path: str) -> Where:
        """Return where the text at ``path`` lies; a subclass may know of a commit."""
        return Where(path)

    def _search(self, path: str) -> tuple[Search, CleanTexts]:
        """Return the search for the issued values as they are now, and what was clean of just those.

        Both together: what a scan finds clean of old values must not be remembered beside new ones.
        """
        rules = self.rules
        with self._lock:
            version, literals = self._issued
            if version != self._known.version:
                version, texts = self._known.snapshot()
                literals = Literals(texts) if texts else None
                self._issued = (version, literals)
                # Clean of the old set of values is not clean of the new one.
                self._clean = CleanTexts(self._memory)
            return Search(rules, literals, self.where(path)), self._clean

    def _read(self, notebook: dict[str, Any], path: str) -> tuple[Document, Search, list[Hit]]:
        """Return every hit in a notebook, and remember what is clean."""
        document = Document(notebook)
        search, clean = self._search(path)
        suspects = self._suspects(document, search, clean)
        hits = merge(self._hits(document, suspects, search, python_cells(document, notebook)))
        self._remember(document, suspects, hits, clean, search.mark)
        return document, search, hits

    def _suspects(
        self, document: Document | _TextDocument, search: Search, clean: CleanTexts
    ) -> dict[_Place, Seen | None]:
        """Return the units that hold something and what was seen there; remember the others as clean."""
        places = [
            (number, position)
            for number, group in enumerate(document.groups)
            for position, unit in enumerate(group.units)
            if not (self._memory and clean.holds(unit, search.mark))
        ]
        if not places:
            return {}
        units = [document.groups[number].units[position] for number, position in places]
        dirty = self._screen(units, search)
        with self._lock:
            for index, unit in enumerate(units if self._memory else ()):
                if index not in dirty:
                    clean.add(unit, search.mark)
        return {places[index]: dirty[index] for index in sorted(dirty)}

    def _remember(
        self,
        document: Document,
        suspects: Iterable[_Place],
        hits: Iterable[Hit],
        clean: CleanTexts,
        mark: Where | None,
    ) -> None:
        """Remember what was decoded for nothing as clean."""
        found = {(hit.group, hit.unit) for hit in hits}
        with self._lock:
            for number, position in suspects:
                if (number, position) not in found:
                    clean.add(document.groups[number].units[position], mark)

    def _screen(self, units: list[Unit], search: Search) -> dict[int, Seen | None]:
        """Return which units hold a confirmed match, with what was seen there if each was read by itself.

        A large unit is read right after it was encoded, while its bytes are in the processor's
        cache; the small ones are joined, since each call of an engine costs some microseconds.
        """
        dirty: dict[int, Seen | None] = {}
        small: dict[bool, list[int]] = {False: [], True: []}
        for index, unit in enumerate(units):
            if len(unit.text) < _SMALL:
                small[unit.surface != "output"].append(index)
                continue
            seen = search.rules.look(unit.data, close=unit.close)
            if any(True for _ in search.begins(unit.data, seen)):
                dirty[index] = seen
        for close, members in small.items():
            data, starts = joined([units[index] for index in members])
            for begin in search.begins(data, search.rules.look(data, close=close)):
                dirty[members[bisect_right(starts, begin) - 1]] = None
        return dirty

    def _hits(
        self,
        document: Document | _TextDocument,
        suspects: Mapping[_Place, Seen | None],
        search: Search,
        cells: dict[int, str],
    ) -> list[Hit]:
        """Return every hit in the suspected units and in ``cells``, and what was found elsewhere again."""
        hits = list(self._source_hits(cells, search))
        for (number, position), seen in suspects.items():
            hits += search.hits(document.groups[number].units[position], number, position, seen)
        return [*hits, *spread(document.groups, hits)]

    def _source_hits(self, cells: dict[int, str], search: Search) -> Iterator[Hit]:
        """Yield what the syntax trees of source say, unless the same source said nothing before."""
        if not cells:
            return
        said = hash((*cells.items(), self._known.version, search.mark))
        if said in self._silent:
            return
        silent = True
        text = "\n".join(cells.values())
        source = _encoded(text)
        rules = self.rules
        spots = rules.drawn(text, source)
        if search.literals and search.literals.touch(source):
            spots = None
        if spots is None or spots:
            from .source import SourceReader  # few sources need it, and every start would pay for it

            with self._lock:
                self._reader = self._reader or SourceReader()
                readings = self._reader.readings(cells, spots, any_name=rules.foreign)
            for hit in _reading_hits(readings, search):
                silent = False
                yield hit
        if silent:
            with self._lock:
                self._silent[said] = None
                if len(self._silent) > _SILENT:
                    self._silent.popitem(last=False)

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
                    hit.label if hit.issued else "",
                )
            )
        return findings, wanted


def _reading_hits(readings: list[Reading], search: Search) -> Iterator[Hit]:
    starts, parts, at = [], [], 0
    for reading in readings:
        part = Unit("source", reading.text, None, None)
        starts.append(at)
        parts.append(part)
        at += len(part.data) + len(SEPARATOR)
    data = SEPARATOR.join([part.data for part in parts])
    for hit, begin, end in search.everything(data):
        number = bisect_right(starts, begin) - 1
        span = parts[number].span(begin - starts[number], end - starts[number])
        for place in readings[number].places(*span) if span else ():
            yield replace(hit, group=place.cell, start=place.start, end=place.end)


def python_of(text: str, path: str) -> str:
    """Return the Python in a text file, at its place: all of a script, the marked blocks of Markdown."""
    if path.endswith((".py", ".pyw", ".pyi", ".ipy")):
        return text
    if not path.endswith((".md", ".qmd", ".Rmd")) or "```" not in text:
        return ""
    lines, inside = [], False
    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        lines.append(line if inside and not fence else " " * len(line))
        if fence:
            inside = not inside and _PYTHON_FENCE.match(line) is not None
    return "\n".join(lines)


def python_cells(document: Document, notebook: dict[str, Any]) -> dict[int, str]:
    """Return the source of each code cell of a notebook in Python, by the number of its group."""
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language", "python") if isinstance(kernel, dict) else "python"
    if document.shape == "other" or str(language).lower() not in ("python", "ipython", "python3", ""):
        return {}
    return {
        number: group.units[0].text
        for number, group in enumerate(document.groups)
        if group.cell is not None
        and group.units
        and group.units[0].surface == "source"
        and isinstance(group.tree[0], dict)
        and group.tree[0].get("cell_type") == "code"
    }


class _TextDocument:
    """A text as a document of one unit."""

    def __init__(self, text: str) -> None:
        holder = {"text": text}
        self.groups = [
            Group(None, holder, lambda tree, units: units.append(Unit("text", tree["text"], tree, "text")))
        ]


def _left_out(document: Document) -> list[dict[str, str]]:
    if document.shape != "other":
        return []
    why = "unknown nbformat: every string was read, but not by its meaning; lines and cells are not named"
    return [{"surface": "notebook", "why": why}]
