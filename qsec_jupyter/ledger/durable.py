"""Files that are there as a whole and survive a power cut, or are not there at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Put a file in place and make its bytes and its name durable; an older one is replaced in one step.

    Raises:
        OSError: If the disk refuses; nothing is left behind then.
    """
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
