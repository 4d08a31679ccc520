"""Remembers which assertions were used, for all control planes of one state folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


class UsedAssertions:
    """One empty file for each assertion, made by whoever comes first; the file system decides who that is.

    Args:
        folder: Where they lie; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def first_use(self, identifier: str, until: float, now: float) -> bool:
        """Say whether an assertion was never used, and note that it is.

        Args:
            identifier: Its SHA-256, hexadecimal.
            until: When it is no longer good for anything (Unix seconds).
            now: The time (Unix seconds).
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget(now)
        path = self._folder / identifier
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        os.utime(path, (until, until))
        return True

    def _forget(self, now: float) -> None:
        for path in self._folder.iterdir():
            with suppress(FileNotFoundError):  # another control plane forgets it at the same time
                if path.stat().st_mtime < now:
                    path.unlink()
