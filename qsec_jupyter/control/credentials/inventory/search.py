"""Looks everywhere: vendors' own files, ``.env`` files and the environment."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ....core.secret import Secret
from .forms import pairs
from .model import Plain
from .places import PLACES, VARIABLES

_MOST = 4 * 1024 * 1024  # no client's file of credentials is near this size
_LEAST = 8  # characters; shorter texts are placeholders
_PLACEHOLDER = ("moved-to-qsec", "<", "${", "{{", "your", "xxx", "changeme", "none", "null")


def everywhere(home: Path, environ: Mapping[str, str], folders: Iterable[Path]) -> Iterator[Plain]:
    """Yield what lies in plain text, vendors' files first.

    Args:
        home: The user's home folder.
        environ: The environment to look at.
        folders: Where ``.env`` files are looked for.
    """
    seen: set[tuple[str, str]] = set()
    for one in (*in_home(home), *in_environment(environ), *in_env_files(folders)):
        if (one.where, one.key) not in seen:
            seen.add((one.where, one.key))
            yield one


def in_home(home: Path) -> Iterator[Plain]:
    """Look into the files that vendors' clients write."""
    for place in PLACES:
        for path in sorted(home.glob(place.pattern)):
            text = _text(path)
            for name, value in pairs(text, place.form) if text else ():
                if place.secret.fullmatch(name.rpartition(".")[2]) or place.form == "raw":
                    yield from _plain(place.vendor, "file", str(path), name, value, _note(path))


def in_environment(environ: Mapping[str, str]) -> Iterator[Plain]:
    """Look at the variables that clients read."""
    for name, vendor in VARIABLES.items():
        if name in environ:
            note = "every program that is started from here can read it"
            yield from _plain(vendor, "environment", name, "", environ[name], note)


def in_env_files(folders: Iterable[Path]) -> Iterator[Plain]:
    """Look into ``.env`` files for the same variables."""
    for folder in folders:
        for path in sorted({*folder.glob(".env"), *folder.glob(".env.*"), *folder.glob("*.env")}):
            text = _text(path)
            for name, value in pairs(text, "env") if text else ():
                if name in VARIABLES:
                    yield from _plain(VARIABLES[name], "file", str(path), name, value, _note(path))


def _plain(vendor: str, kind: str, where: str, key: str, value: str, note: str) -> Iterator[Plain]:
    if len(value) >= _LEAST and not value.lower().startswith(_PLACEHOLDER):
        yield Plain(vendor, kind, where, key, Secret(value, vendor), note)


def _text(path: Path) -> str | None:
    """Return a regular file's text; a pipe or device is not opened, a huge file not read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MOST:
            return None
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def _note(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"others can read it (mode {mode:04o})" if os.name == "posix" and mode & 0o077 else ""
