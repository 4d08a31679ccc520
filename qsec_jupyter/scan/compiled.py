"""Compiled rules on disk: used only when this user's own process wrote them, for this very rule set.

A serialised Hyperscan database is trusted as machine code is: the library checks a CRC and runs what the
file says. So whoever can put a file of his own in place can run code as the user who scans. Besides owner,
mode and kind of the file, a keyed digest (HMAC-SHA-256, RFC 2104) must be right; its key lies in the state
folder and not in the cache, so that a cache which was copied in, restored by a build service or shared
between accounts is ignored, and compiled anew.
"""

from __future__ import annotations

import hmac
import os
import stat
from pathlib import Path

from ..core import paths
from .baseline import fingerprint_key

MAGIC = b"qsec compiled rules 1\n"
KEPT = 8
"""Rule sets that stay on disk: shipped ones and those with the rules of a few projects."""

_LIMIT = 256 * 1024 * 1024
_DIGEST = 32


class Cache:
    """The user's compiled rules.

    Args:
        folder: Where they lie, with their key; default the user's cache folder, and the key in the state
            folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder

    def read(self, version: str) -> bytes | None:
        """Return what was written for ``version``, or ``None`` when it is absent, not ours or damaged."""
        try:
            content = _own_bytes(self._file(version))
            if content is None or not content.startswith(MAGIC):
                return None
            digest, body = content[len(MAGIC) : len(MAGIC) + _DIGEST], content[len(MAGIC) + _DIGEST :]
            return body if hmac.compare_digest(digest, self._digest(version, body)) else None
        except OSError:
            return None

    def write(self, version: str, body: bytes) -> None:
        """Keep ``body`` for ``version`` (mode 0600); when that cannot be, it is said in the log."""
        import tempfile

        try:
            file = self._file(version)
            content = MAGIC + self._digest(version, body) + body
            descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=".rules-")  # created with mode 0600
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
            Path(name).replace(file)
            self._forget_old(file.parent)
        except OSError as error:
            import logging

            logging.getLogger("qsec.scan").warning(
                "qsec: compiled rules could not be cached (%s); each start compiles them",
                type(error).__name__,
            )

    def _file(self, version: str) -> Path:
        return (self._given or paths.cache()) / f"rules-{version[:32]}.bin"

    def _digest(self, version: str, body: bytes) -> bytes:
        key = hmac.digest(fingerprint_key(self._given), b"compiled rules", "sha256")
        return hmac.digest(key, version.encode() + b"\0" + body, "sha256")

    def _forget_old(self, folder: Path) -> None:
        files = sorted(folder.glob("rules-*.bin"), key=lambda one: one.stat().st_mtime, reverse=True)
        for file in files[KEPT:]:
            file.unlink(missing_ok=True)


def _own_bytes(file: Path) -> bytes | None:
    """Return the content of a file that this user alone can write, looked at and read by one descriptor."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    with os.fdopen(os.open(file, flags), "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LIMIT:
            return None
        if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & 0o077):
            return None
        return stream.read(_LIMIT)
