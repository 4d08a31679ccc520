"""Which files there are below what a user named: as git sees them in a repository, all of them elsewhere."""

# Paths are texts here: names that are no UTF-8, links as they are named, and 100,000 of them.
# ruff: noqa: PTH116, PTH118, PTH120
from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence

from .model import Item, Problem

SKIPPED = frozenset(
    {".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".tox"}
)
"""Folders of tools; outside of a repository nothing else says that they are no work of the user's."""

NO_FILE = "it is no regular file"


def walk(paths: Sequence[str]) -> Iterator[Item | Problem]:
    """Yield each file at or below ``paths`` once, and what could not be listed."""
    return iter(_Walk(paths))


class _Walk:
    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._seen: set[tuple[int, int]] = set()
        self._links: list[tuple[str, os.stat_result]] = []

    def __iter__(self) -> Iterator[Item | Problem]:
        for path in self._paths:
            try:
                status = os.stat(path)
            except (OSError, ValueError) as error:
                yield Problem(path, getattr(error, "strerror", None) or "it cannot be a path")
                continue
            if stat.S_ISDIR(status.st_mode):
                yield from self._folder(path)
            else:
                yield from self._file(path, status)
        for path, status in self._links:  # their targets may lie among what was walked
            if (status.st_dev, status.st_ino) not in self._seen:
                yield from self._file(path, status)

    def _folder(self, folder: str) -> Iterator[Item | Problem]:
        names = _listed(folder) if _in_repository(folder) else None
        if names is None:
            yield from self._below(folder)
            return
        if not names[1]:
            yield Problem(folder, "git could not list all of it")
        for name in names[0]:
            yield from self._entry(_join(folder, name))

    def _below(self, folder: str) -> Iterator[Item | Problem]:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            yield Problem(folder, error.strerror or type(error).__name__)
            return
        for entry in found:
            if entry.name in SKIPPED:
                continue
            path = _join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from (
                    self._folder(path) if os.path.lexists(os.path.join(path, ".git")) else self._below(path)
                )
            else:
                yield from self._entry(path)

    def _entry(self, path: str) -> Iterator[Item | Problem]:
        """Yield what a folder's list names: a file, or a repository inside the repository."""
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                self._link(path)
            elif stat.S_ISDIR(status.st_mode):
                yield from self._folder(path)
            elif stat.S_ISREG(status.st_mode):
                yield from self._file(path, status)
        except FileNotFoundError:
            return  # deleted, but not yet in the index; or a link to nothing
        except OSError as error:
            yield Problem(path, error.strerror or type(error).__name__)

    def _link(self, path: str) -> None:
        """Note a link to a file. One to a folder is not followed: its target is scanned where it lies."""
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            self._links.append((path, status))

    def _file(self, path: str, status: os.stat_result) -> Iterator[Item | Problem]:
        if not stat.S_ISREG(status.st_mode):
            yield Problem(path, NO_FILE)
        elif status.st_nlink > 1 or len(self._paths) == 1 or (status.st_dev, status.st_ino) not in self._seen:
            self._seen.add((status.st_dev, status.st_ino))
            yield Item(path, status.st_size)


def _join(folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    while path.startswith("./"):
        path = path[2:].lstrip("/")
    return path.rstrip("/")


def _listed(folder: str) -> tuple[list[str], bool] | None:
    from . import git  # needs what starts processes

    return git.listed(folder)


def _in_repository(folder: str) -> bool:
    path = os.path.realpath(folder)
    while True:
        if os.path.lexists(os.path.join(path, ".git")):
            return True
        above = os.path.dirname(path)
        if above == path:
            return False
        path = above
