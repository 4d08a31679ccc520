"""Recall and false alarms of a scanner on the planted set.

A secret counts as found only when the redacted document shows it in no notation any more (:mod:`leaks`);
that a finding was reported is not enough. Reports name classes and counts, never a value.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leaks import View
from planting.model import Planted, Sample

Scan = Callable[[Any, str], tuple[Any, int]]
"""Takes a document and its path; gives the redacted document and the number of alarms."""


@dataclass(slots=True)
class Share:
    """So many of so many."""

    hits: int = 0
    total: int = 0

    def count(self, hit: bool) -> None:
        """Add one case."""
        self.hits += hit
        self.total += 1

    @property
    def rate(self) -> float:
        """From 0 to 1; nothing of nothing is 1."""
        return self.hits / self.total if self.total else 1.0

    def __str__(self) -> str:
        return f"{self.hits:5}/{self.total:<5} {100 * self.rate:6.2f} %"


def _shares() -> defaultdict[str, Share]:
    return defaultdict(Share)


@dataclass(slots=True)
class Recall:
    """Found secrets by every view; ``missed`` counts the classes of what was not found."""

    overall: Share = field(default_factory=Share)
    by_class: defaultdict[str, Share] = field(default_factory=_shares)
    by_surface: defaultdict[str, Share] = field(default_factory=_shares)
    by_vendor: defaultdict[str, Share] = field(default_factory=_shares)
    missed: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)

    def add(self, planted: Planted, found: bool) -> None:
        """Count one secret."""
        self.overall.count(found)
        self.by_class[planted.kind].count(found)
        self.by_surface[planted.surface].count(found)
        if planted.kind != "issued":
            self.by_vendor[planted.vendor].count(found)
        if not found:
            self.missed[
                planted.kind, planted.surface, planted.shape, f"{planted.vendor} {planted.format.name}"
            ] += 1


@dataclass(slots=True)
class Alarms:
    """Flagged negatives by kind."""

    overall: Share = field(default_factory=Share)
    by_kind: defaultdict[str, Share] = field(default_factory=_shares)
    extra: int = 0

    def add(self, kind: str, flagged: bool) -> None:
        """Count one negative."""
        self.overall.count(flagged)
        self.by_kind[kind].count(flagged)


def found(view: View, planted: Planted) -> bool:
    """Say whether nothing of the secret is left to be seen."""
    return not any(view.shows(text) for text in planted.fragments)


def recall(samples: Iterable[Sample], scan: Scan) -> tuple[Recall, Alarms]:
    """Scan the planted set; its negatives are counted too."""
    result, alarms = Recall(), Alarms()
    for sample in samples:
        redacted, _ = scan(sample.content, sample.path)
        view = View(redacted)
        for planted in sample.planted:
            result.add(planted, found(view, planted))
        for innocent in sample.innocents:
            alarms.add(innocent.kind, not view.keeps(innocent.text))
    return result, alarms


def false_alarms(samples: Iterable[Sample], scan: Scan) -> Alarms:
    """Scan negatives alone: an alarm counts even where nothing was redacted."""
    result = Alarms()
    for sample in samples:
        redacted, alarms = scan(sample.content, sample.path)
        view = View(redacted)
        gone = [innocent for innocent in sample.innocents if not view.keeps(innocent.text)]
        for innocent in sample.innocents:
            result.add(innocent.kind, innocent in gone)
        more = max(0, alarms - len(gone))
        result.extra += more
        result.overall.hits += more
    return result


def real_notebooks(folder: Path, scan: Scan) -> tuple[int, float]:
    """Return the alarms on, and the megabytes of, the notebooks below ``folder``."""
    alarms, size = 0, 0
    for path in sorted(folder.rglob("*.ipynb")):
        data = path.read_bytes()
        try:
            notebook = json.loads(data)
        except ValueError:
            continue
        alarms += scan(notebook, path.name)[1]
        size += len(data)
    return alarms, size / 1e6
