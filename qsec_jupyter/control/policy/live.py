"""The bundle that is in force: replaced as a whole, and only by one that checks."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import Invalid, QsecError
from .bundle import CATALOGUE, SHIPPED, Bundle
from .check import Checked, check

_log = logging.getLogger("qsec.policy")

FOLDER_VARIABLE = "QSEC_POLICY"
"""Environment variable that names a site's bundle, when it is not ``policy/`` in the state folder."""

Seen = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site's bundle is looked for.

    Attributes:
        home: The state folder.
        chosen: A folder that the configuration names; it must be there.
    """

    home: Path
    chosen: Path | None = None

    @classmethod
    def of(cls, home: Path) -> Place:
        """Return the place that environment and state folder give."""
        chosen = os.environ.get(FOLDER_VARIABLE)
        return cls(home, Path(chosen).expanduser() if chosen else None)

    def folder(self) -> Path:
        """Return the folder to read: the chosen one, else ``policy/`` of the state folder, else the shipped."""
        if self.chosen is not None:
            return self.chosen
        own = self.home / "policy"
        return own if own.is_dir() else SHIPPED

    def read(self) -> Bundle:
        """Read the bundle. A ``catalog.toml`` in the state folder takes the place of the bundle's.

        Raises:
            Invalid: ``policy.unreadable``.
        """
        own = self.home / CATALOGUE
        return Bundle.read(self.folder(), own if own.is_file() else None)

    def seen(self) -> Seen:
        """Return what tells one state of the files from another, without reading them."""
        folder = self.folder()
        try:
            files = [*sorted(folder.resolve().iterdir()), self.home / CATALOGUE]
            return tuple(_stamp(path) for path in files if path.exists())
        except OSError:
            return ()


def _stamp(path: Path) -> tuple[str, int, int, int]:
    about = path.stat()
    return (str(path), about.st_mtime_ns, about.st_size, about.st_ino)


class LivePolicy:
    """Holds the bundle in force, and takes a new one when its files have changed and are at rest.

    One reference is replaced, so whoever decides sees one bundle from the first line to the last.

    Args:
        place: Where the bundle comes from.
        archive: Where each bundle that was in force is kept, by its digest: old decisions stay explainable.

    Raises:
        Invalid: The bundle does not check, and no earlier one is known.
    """

    def __init__(self, place: Place, archive: Path) -> None:
        self._place = place
        self._archive = archive
        self._lock = threading.Lock()
        self._seen: Seen = ()
        self._waiting: Seen | None = None
        self.refused: QsecError | None = None
        """Why the files as they are now were not taken; ``None`` when they are in force."""
        self._current = self._first()

    @property
    def current(self) -> Checked:
        """The bundle in force, with all that was made of it."""
        return self._current

    def _first(self) -> Checked:
        self._seen = self._place.seen()
        try:
            return self._taken(check(self._place.read()).require())
        except QsecError as error:
            last = self._last()
            if last is None:
                raise
            self.refused = error
            _log.error("the policy bundle was not taken (%s); the last one stays in force", error.code)
            return last

    def reload(self, told: Callable[[str, dict[str, Any]], None]) -> bool:
        """Take the files when they have changed and stood still since the last call; say whether it did.

        Args:
            told: Called with ``policy.loaded`` or ``policy.refused`` and what the ledger is to say, before
                the new bundle is in force.
        """
        with self._lock:
            seen = self._place.seen()
            if seen == self._seen:
                self._waiting = None
                return False
            if seen != self._waiting:
                self._waiting = seen  # somebody may still be writing
                return False
            self._seen, self._waiting = seen, None
            return self._replace(told)

    def _replace(self, told: Callable[[str, dict[str, Any]], None]) -> bool:
        before = self._current.bundle.digest
        try:
            bundle = self._place.read()
            if self._place.seen() != self._seen:
                self._seen = ()  # it changed while it was read: once more
                return False
            fresh = check(bundle).require()
        except QsecError as error:
            self.refused = error
            _log.error("the policy bundle was not taken (%s); the old one stays in force", error.code)
            told("policy.refused", {"policy": before, "rule": error.code})
            return False
        self.refused = None
        if fresh.bundle.digest == before:
            return False
        told("policy.loaded", {"policy": fresh.bundle.digest, "before": before})
        self._current = self._taken(fresh)
        _log.info("policy bundle %s is in force", fresh.bundle.digest[:12])
        return True

    # -- what was in force -------------------------------------------------------------------------

    def _taken(self, checked: Checked) -> Checked:
        """Keep a copy of what is in force from now on."""
        folder = self._archive / checked.bundle.digest
        if not folder.exists():
            unfinished = self._archive / f".{checked.bundle.digest}"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True, mode=0o700)
            for name, text in checked.bundle.files.items():
                (unfinished / name).write_text(text, encoding="utf-8")
            unfinished.replace(folder)
        pointer = self._archive / ".in-force"
        pointer.write_text(checked.bundle.digest)
        pointer.replace(self._archive / "in-force")
        return checked

    def _last(self) -> Checked | None:
        """Return the bundle that was in force when this journal was last used."""
        try:
            bundle = archived(self._archive)
            return check(bundle).require() if bundle else None
        except QsecError:
            return None


def archived(archive: Path, digest: str | None = None) -> Bundle | None:
    """Return a bundle that was in force: the one of that digest, else the last.

    Raises:
        Invalid: ``policy.archive``: the copy is not what it was.
    """
    try:
        wanted = digest or (archive / "in-force").read_text()
    except OSError:
        return None
    folder = archive / wanted
    if not wanted.isalnum() or not folder.is_dir():
        return None
    bundle = Bundle.read(folder)
    if bundle.digest != wanted:
        raise Invalid(
            "policy.archive", "A kept policy bundle is not what it was", f"{folder} was changed after the fact."
        )
    return bundle
