"""Findings that a person keeps: who, when and why. Never the value, only its keyed fingerprint."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from ..core import paths
from ..core.errors import Unavailable

FORMAT = 1
"""Version of the file's layout."""


def fingerprint(key: bytes, value: str) -> str:
    """Return the keyed digest that names ``value``: stable, and useless for guessing without the key.

    HMAC-SHA-256 (RFC 2104), the first 128 bits in hex.
    """
    return hmac.new(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]


def fingerprint_key(folder: Path | None = None) -> bytes:
    """Return this user's key for fingerprints, made when first asked for (file of mode 0600)."""
    file = (folder or paths.home()) / "fingerprint.key"
    if not file.exists():
        _write_once(file, os.urandom(32))
    key = file.read_bytes()
    if len(key) == 32:
        return key
    raise Unavailable(
        "scan.key_damaged",
        "The key for fingerprints cannot be read",
        f"{file} does not hold 32 bytes.",
        "Delete the file; findings that were kept will be shown again.",
    )


def _write_once(file: Path, content: bytes) -> None:
    """Write a file that is not there yet; when another process was quicker, its content stays."""
    import tempfile

    descriptor, name = tempfile.mkstemp(dir=file.parent)  # created with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()


@dataclass(frozen=True, slots=True)
class Kept:
    """One decision to leave a value where it is."""

    fingerprint: str
    path: str
    reason: str
    user: str
    time: str


class Baseline:
    """The kept findings of one user, in a JSON file of mode 0600.

    Args:
        file: Default ``home()/kept.json``.
        clock: Gives the time of a decision; tests replace it.
    """

    def __init__(self, file: Path | None = None, clock: Callable[[], datetime] | None = None) -> None:
        self._file = file or paths.home() / "kept.json"
        self._clock = clock or (lambda: datetime.now(timezone.utc))
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], Kept] = {}
        self._stamp: tuple[int, int] | None = None

    def find(self, fingerprint: str, path: str) -> Kept | None:
        """Return the decision for a value in the file at ``path``, or ``None``.

        A path matches when it ends with the recorded one: the server names notebooks from its root
        folder, the command line from wherever it stands.
        """
        with self._lock:
            self._refresh()
            for (kept_fingerprint, kept_path), kept in self._kept.items():
                if kept_fingerprint == fingerprint and (path == kept_path or path.endswith("/" + kept_path)):
                    return kept
        return None

    def keep(self, fingerprint: str, path: str, reason: str, user: str) -> Kept:
        """Record the decision to keep a value in the file at ``path``.

        Raises:
            Unavailable: ``scan.baseline_unwritable`` when the file cannot be written.
        """
        from ..core.model import rfc3339

        kept = Kept(fingerprint, path, reason, user, rfc3339(self._clock()))
        with self._lock:
            self._refresh()
            self._kept[fingerprint, path] = kept
            self._write()
        return kept

    def forget(self, fingerprint: str, path: str) -> None:
        """Take back the decision to keep a value in the file at ``path``; unknown ones change nothing.

        Raises:
            Unavailable: ``scan.baseline_unwritable`` when the file cannot be written.
        """
        with self._lock:
            self._refresh()
            matching = [
                key
                for key in self._kept
                if key[0] == fingerprint and (path == key[1] or path.endswith("/" + key[1]))
            ]
            for key in matching:
                del self._kept[key]
            if matching:
                self._write()

    def move(self, old: str, new: str) -> None:
        """Follow a file, or a folder of files, that was renamed."""
        with self._lock:
            self._refresh()
            moved = {}
            for (mark, path), kept in self._kept.items():
                target = new + path[len(old) :] if path == old or path.startswith(old + "/") else path
                moved[mark, target] = Kept(mark, target, kept.reason, kept.user, kept.time)
            if moved.keys() != self._kept.keys():
                self._kept = moved
                self._write()

    def _refresh(self) -> None:
        """Read the file when another process has changed it."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            return
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return
        try:
            content = json.loads(self._file.read_text("utf-8"))
            entries = [Kept(**entry) for entry in content["kept"]]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(
                "scan.baseline_damaged",
                "The list of kept findings cannot be read",
                f"{self._file} is not what qsec wrote.",
                "Restore it from a backup, or delete it; kept findings will be redacted again.",
            ) from error
        self._kept = {(entry.fingerprint, entry.path): entry for entry in entries}
        self._stamp = stamp

    def _write(self) -> None:
        content = {"format": FORMAT, "kept": [asdict(kept) for kept in self._kept.values()]}
        try:
            write_atomically(
                self._file, json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n", 0o600
            )
            status = self._file.stat()
        except OSError as error:
            raise Unavailable(
                "scan.baseline_unwritable",
                "The decision could not be saved",
                f"{self._file} cannot be written ({type(error).__name__}).",
                "Free space or correct the folder's permissions, and try again.",
            ) from error
        self._stamp = (status.st_mtime_ns, status.st_size)


def write_atomically(file: Path, content: bytes, mode: int) -> None:
    """Replace ``file`` in one step, so that a reader sees the old or the new content whole."""
    import tempfile

    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:64]}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
