"""Scans items: reads each, asks the scanner, says where things lie, and rewrites the file if wanted."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ..baseline import Baseline
from ..known import KnownValues
from ..redact import Hit
from ..rules.exemptions import Where
from ..ruleset import RuleSet
from ..scanner import Scanner, ScanResult
from ..units import Unit
from . import content
from .content import Text
from .decisions import Candidate, Decisions
from .model import Found, Item, Outcome, Place, Problem, Unreadable

if TYPE_CHECKING:
    from .git import Blobs

_CONTEXT = 80  # characters before and behind a value that a person sees who judges it


class Plan(NamedTuple):
    """What is to be done with each item.

    Attributes:
        fix: Whether files are rewritten with markers.
        backup: Suffix of the copies that keep the old content; empty for none.
        context: Whether findings carry the text around the value, for an audit.
    """

    decisions: Decisions
    fix: bool = False
    backup: str = ""
    context: bool = False


class FileScanner:
    """Scans items by a plan; one a process.

    Args:
        rules: Compiled rules.
    """

    def __init__(self, plan: Plan, rules: RuleSet) -> None:
        self._plan = plan
        self._limit = plan.decisions.settings.max_size
        self._scanner = _Deciding(plan.decisions, rules, context=plan.context)
        self._blobs: Blobs | None = None

    def scan(self, item: Item) -> Outcome:
        """Return what came of one item; whatever is wrong with it is a :class:`Problem`."""
        outcome = Outcome(item.path, item.number, size=item.size)
        try:
            if item.blob:
                data, status = self._blob(item.blob), None
            else:
                data, status = content.read_file(item.path, self._limit)
            outcome.size = len(data)
            redacted = self._data(data, item.path, item.commit, outcome, rewrite=self._plan.fix)
            if redacted is not None and status is not None:
                from .rewrite import rewrite

                rewrite(item.path, status, redacted, self._plan.backup)
                outcome.fixed = True
                if status.st_nlink > 1:
                    outcome.problems.append(
                        Problem(item.path, "rewritten; another name of it has the old content")
                    )
        except Unreadable as error:
            outcome.problems.append(Problem(item.path, str(error), item.commit))
        except MemoryError:
            outcome.problems.append(Problem(item.path, "there is not enough memory for it", item.commit))
        except Exception as error:  # noqa: BLE001  # one file must not end the scan of the others
            outcome.problems.append(Problem(item.path, fault(error), item.commit))
        if not outcome.fixed:
            outcome.found = [_reported(one) for one in outcome.found]
        return outcome

    def scan_bytes(self, data: bytes, path: str) -> tuple[bytes | None, Outcome]:
        """Return bytes with markers, or ``None`` when nothing is to be redacted; for a filter."""
        outcome = Outcome(path, size=len(data))
        return self._data(data, path, "", outcome, rewrite=True), outcome

    def close(self) -> None:
        """End what was started to read history."""
        if self._blobs:
            self._blobs.close()

    def _blob(self, blob: str) -> bytes:
        from .git import Blobs  # needs what starts processes, which a scan of files does not

        self._blobs = self._blobs or Blobs()
        return self._blobs.read(blob, self._limit)

    def _data(
        self, data: bytes, path: str, commit: str, outcome: Outcome, depth: int = 0, *, rewrite: bool = False
    ) -> bytes | None:
        """Scan bytes, note what came of them, and return what they become if that is asked for."""
        if content.is_archive(path):
            self._archive(data, path, commit, outcome, depth)
            return None
        text = content.decode(data)
        if text is None:
            outcome.binary = True
            return None
        notebook = content.parse_notebook(text.text) if path.lower().endswith(".ipynb") else None
        if isinstance(notebook, str):
            outcome.problems.append(Problem(path, notebook, commit))
        if isinstance(notebook, dict):
            result = self._scanner.notebook(notebook, path, commit, text.text)
        else:
            result = self._scanner.text(text.text, path, commit)
        outcome.found += self._scanner.found(result, commit)
        outcome.unscanned += [{"path": path, **entry} for entry in result.unscanned]
        outcome.images += result.images
        after = result.redacted
        if after is None or not rewrite:
            return None
        if isinstance(notebook, dict):
            after = content.dump_notebook(after, text.text)
        return _encoded(text, after)

    def _archive(self, data: bytes, path: str, commit: str, outcome: Outcome, depth: int) -> None:
        from . import archive

        gc.enable()  # a small archive may hold much
        if depth == archive.DEPTH:
            raise Unreadable(f"{path}: archives inside archives are opened {archive.DEPTH} deep")
        for name, member in archive.members(path, data, self._limit):
            try:
                self._data(member, f"{path}!/{name}", commit, outcome, depth + 1)
            except Unreadable as error:
                outcome.problems.append(Problem(f"{path}!/{name}", str(error), commit))


def fault(error: Exception) -> str:
    """Return where a fault of ours happened; its message could quote the file, so that is left out."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}" if trace else "?"
    return f"a fault of ours, please report it: {type(error).__name__} in {where}"


def _encoded(text: Text, after: str) -> bytes:
    try:
        return text.encode(after)
    except UnicodeEncodeError as error:
        raise Unreadable(f"it cannot be written in {text.encoding}") from error


def _reported(one: Found) -> Found:
    """Return a finding that says ``reported`` where the file was not rewritten."""
    if one.finding.action != "redacted":
        return one
    return one._replace(finding=replace(one.finding, action="reported"))


class _Deciding(Scanner):
    """The scanner, asked about one file at a time, with every decision that a project and its user made."""

    def __init__(self, decisions: Decisions, rules: RuleSet, *, context: bool) -> None:
        super().__init__(KnownValues(), Baseline(), decisions.key, rules, memory=0)
        self._decisions = decisions
        self._kept = Baseline()
        self._context = context
        self._begin("", None)

    def notebook(self, notebook: dict[str, Any], path: str, commit: str, raw: str) -> ScanResult:
        """Scan a notebook whose JSON is ``raw``."""
        self._begin(commit, _Places(raw))
        return self.scan_notebook(notebook, path)

    def text(self, text: str, path: str, commit: str) -> ScanResult:
        """Scan a text."""
        self._begin(commit, None)
        return self.scan_text(text, path)

    def found(self, result: ScanResult, commit: str) -> list[Found]:
        """Return the findings of the last scan with what was decided and where they lie."""
        judged, values = self._judged, {value for _, _, _, value in self._judged}
        self._begin("", None)
        return [
            Found(finding, place, commit, why, _without(context, values))
            for finding, (place, why, context, _) in zip(result.findings, judged, strict=True)
        ]

    def fingerprint(self, value: str) -> str:
        """Return the fingerprint under which ``value`` is reported."""
        return self._decisions.fingerprint(value)

    def where(self, path: str) -> Where:
        """Return where a text lies, with the commit that it is read from."""
        return Where(path, self._commit)

    def keeps(self, hit: Hit, unit: Unit, mark: str, path: str) -> bool:
        """Tell whether a value is left where it is, and note why and where it lies."""
        place = self._places.of(unit, hit) if self._places else _place(unit.text, hit.start, hit.end)
        one = Candidate(
            hit.value, hit.rule, unit.surface, path, unit.text, hit.start, hit.end, place, self._commit
        )
        why = "" if hit.issued else self._decisions.why(one, self._kept)
        context = _around(unit.text, hit.start, hit.end) if self._context else ""
        self._judged.append((place, why, context, hit.value))
        return bool(why)

    def _begin(self, commit: str, places: _Places | None) -> None:
        self._commit = commit
        self._places = places
        self._judged: list[tuple[Place | None, str, str, str]] = []


class _Places:
    """Finds values in a notebook's JSON, in the order in which they are found in the notebook."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._at: dict[str, int] = {}

    def of(self, unit: Unit, hit: Hit) -> Place | None:
        """Return where the first line of a value lies; ``None`` when it is not there letter by letter."""
        stored = unit.text[hit.start : hit.end].split("\n", 1)[0]
        for needle in dict.fromkeys((json.dumps(stored, ensure_ascii=False)[1:-1], json.dumps(stored)[1:-1])):
            start = self._raw.find(needle, self._at.get(needle, 0))
            if start >= 0 and needle:
                self._at[needle] = start + len(needle)
                return _place(self._raw, start, start + len(needle))
        return None


def _place(text: str, start: int, end: int) -> Place:
    line, end_line = text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1
    return Place(line, start - text.rfind("\n", 0, start), end_line, end - text.rfind("\n", 0, end))


def _around(text: str, start: int, end: int) -> str:
    """Return the line around a value, with something else in the value's place."""
    first = max(text.rfind("\n", 0, start) + 1, start - _CONTEXT)
    stop = text.find("\n", end)
    last = min(stop if stop >= 0 else len(text), end + _CONTEXT)
    return f"{text[first:start]}{_mask(text[start:end])}{text[end:last]}"


def _mask(value: str) -> str:
    return f"[{len(value)} characters]"


def _without(context: str, values: set[str]) -> str:
    """Return the text around a value without any other value of the same file."""
    for value in values:
        context = context.replace(value, _mask(value))
    return context
