"""Why a value is left where it is: an author's comment, the allowlist, a baseline, the user's own choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..baseline import Baseline, fingerprint
from ..settings import Allow, Settings
from . import pragma
from .model import Place

if TYPE_CHECKING:
    from .foreign import Baselines


class Candidate(NamedTuple):
    """A value that may be kept, with everything that a decision may depend on.

    Attributes:
        value: The secret; it stays in the process that read the file.
        surface: That of the finding.
        text: What the finding's unit holds, with the value at ``text[start:end]``.
    """

    value: str
    rule: str
    surface: str
    path: str
    text: str
    start: int
    end: int
    place: Place | None
    commit: str


@dataclass(frozen=True)
class Decisions:
    """Everything that was decided, for every file.

    Args:
        settings: With the allowlist.
        key: The user's own key of fingerprints.
        baselines: What is known; ``None`` for nothing.
        today: Expired entries of the allowlist do not count.
    """

    settings: Settings
    key: bytes
    baselines: Baselines | None = None
    today: date = field(default_factory=date.today)

    def fingerprint(self, value: str) -> str:
        """Return the fingerprint that reports name: the project's, or else the user's."""
        own = self.baselines and self.baselines.own
        return own.fingerprint(value) if own else fingerprint(self.key, value)

    @property
    def expired(self) -> list[Allow]:
        """Entries of the allowlist that no longer count."""
        return [entry for entry in self.settings.allow if entry.expires < self.today]

    def why(self, one: Candidate, kept: Baseline) -> str:
        """Return why a value is kept; empty when nothing says so.

        Args:
            one: The value and its place.
            kept: What this user chose to keep in Jupyter.
        """
        if _written(one) and pragma.allows(one.text, one.start, one.end):
            return "pragma"
        return self._allowed(one) or self._known(one) or self._chosen(one, kept)

    def _allowed(self, one: Candidate) -> str:
        for entry in self.settings.allow:
            if entry.expires < self.today or (entry.rule and entry.rule != one.rule):
                continue
            if entry.fingerprint and entry.fingerprint not in {
                self.fingerprint(one.value),
                fingerprint(self.key, one.value),
            }:
                continue
            if entry.path and not matcher((entry.path,), self.settings.folder)(one.path):
                continue
            return f"allowlist: {entry.reason} ({entry.owner}, until {entry.expires})"
        return ""

    def _known(self, one: Candidate) -> str:
        if not self.baselines:
            return ""
        own = self.baselines.own
        if own and (known := own.find(self.fingerprint(one.value), one.path)):
            if known.verdict == "secret":
                return ""
            return f"baseline: {known.reason or known.verdict}" + (f" ({known.owner})" if known.owner else "")
        for baseline in self.baselines.others:
            if any(entry.covers(one.value, one.path, one.place, one.commit) for entry in baseline.entries):
                return f"baseline: {baseline.name}"
        return ""

    def _chosen(self, one: Candidate, kept: Baseline) -> str:
        choice = kept.find(fingerprint(self.key, one.value), one.path)
        return f"{choice.reason} ({choice.user})" if choice else ""


def _written(one: Candidate) -> bool:
    return one.surface == "source" or (one.surface == "text" and pragma.is_source(one.path))


@cache
def matcher(patterns: Sequence[str], folder: Path) -> Callable[[str], bool]:
    """Return what tells whether a path matches patterns as in ``.gitignore``, seen from ``folder``."""
    if not patterns:
        return lambda _: False
    import os

    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(patterns)

    def matches(path: str) -> bool:
        absolute = os.path.abspath(path.split("!/", 1)[0])  # noqa: PTH100  # links stay as they are named
        return spec.match_file(os.path.relpath(absolute, folder))

    return matches
