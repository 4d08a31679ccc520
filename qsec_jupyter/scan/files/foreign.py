"""Baselines of other scanners, read as they are: detect-secrets' and gitleaks'.

Their rules have other names than ours, so an entry speaks of a value in a file where it says which value,
and else of a line in a file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import Invalid
from . import project
from .model import Place
from .project import ProjectBaseline, same_file

_IGNORED = re.compile(
    r"(?:(?P<commit>[0-9a-f]{40}(?:[0-9a-f]{24})?):)?(?P<path>.+):(?P<rule>[^:]+):(?P<line>\d+)"
)
_REDACTED = "REDACTED"


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding that another scanner was told of.

    Attributes:
        digest: SHA-1 of the value, as detect-secrets writes it; empty when only the line is known.
        line: In the file as stored, from 1.
        commit: Counts in this commit only; empty for every one.
    """

    path: str
    digest: str = ""
    line: int = 0
    commit: str = ""

    def covers(self, value: str, path: str, place: Place | None, commit: str) -> bool:
        """Tell whether the entry speaks of a value at a place."""
        if not same_file(path, self.path) or (self.commit and self.commit != commit):
            return False
        if self.digest:
            return sha1(value) == self.digest
        return place is not None and place.line == self.line


@dataclass(frozen=True, slots=True)
class ForeignBaseline:
    """What another scanner's file lets pass.

    Attributes:
        plain: Whether the file may hold the values themselves, as a gitleaks report does.
    """

    name: str
    entries: tuple[Entry, ...]
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Baselines:
    """The project's own baseline, if there is one, and those of other scanners.

    Attributes:
        digests: The files among them that hold digests only, which look like secrets and are none.
    """

    own: ProjectBaseline | None = None
    others: tuple[ForeignBaseline, ...] = ()
    digests: frozenset[str] = frozenset()


def sha1(value: str) -> str:
    """Return the digest by which detect-secrets names a value."""
    return hashlib.sha1(value.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def read(files: Sequence[Path]) -> Baselines:
    """Return what ``files`` say.

    Raises:
        Invalid: ``scan.baseline_invalid`` when a file cannot be read or is of no known kind;
            ``scan.baselines`` when two are the project's own.
    """
    read = {file: _read(file) for file in files}
    own = [one for one in read.values() if isinstance(one, ProjectBaseline)]
    others = tuple(one for one in read.values() if isinstance(one, ForeignBaseline))
    digests = (file for file, one in read.items() if isinstance(one, ProjectBaseline) or not one.plain)
    return Baselines(project.only_one(own), others, frozenset(map(os.path.realpath, digests)))


def _read(file: Path) -> ProjectBaseline | ForeignBaseline:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise _invalid(file, f"it cannot be read ({type(error).__name__})") from error
    if file.name == ".gitleaksignore" or not text.lstrip().startswith(("{", "[")):
        return ForeignBaseline(file.name, _ignored(text, file))
    try:
        content = json.loads(text)
        if isinstance(content, dict) and "results" in content:
            return ForeignBaseline(file.name, tuple(_detect_secrets(content["results"])))
        if isinstance(content, list):
            return ForeignBaseline(file.name, tuple(_gitleaks(entry) for entry in content), plain=True)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise _invalid(file, "it is not valid") from error
    return project.parse(content, file)


def _detect_secrets(results: dict[str, list[dict[str, Any]]]) -> list[Entry]:
    return [
        Entry(path.replace("\\", "/"), str(entry["hashed_secret"]))
        for path, entries in results.items()
        for entry in entries
        if entry.get("is_secret") is not True  # judged a real one: it is to be reported
    ]


def _gitleaks(entry: dict[str, Any]) -> Entry:
    secret = str(entry.get("Secret") or "")
    digest = "" if not secret or _REDACTED in secret else sha1(secret)
    return Entry(str(entry["File"]), digest, int(entry["StartLine"]))


def _ignored(text: str, file: Path) -> tuple[Entry, ...]:
    entries = []
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        match = _IGNORED.fullmatch(line)
        if match is None:
            raise _invalid(file, "a line is not commit:file:rule:line")
        entries.append(Entry(match["path"], "", int(match["line"]), match["commit"] or ""))
    return tuple(entries)


def _invalid(file: Path, why: str) -> Invalid:
    return Invalid(
        "scan.baseline_invalid",
        "The baseline cannot be used",
        f"{file}: {why}.",
        "Correct the path or the file.",
    )
