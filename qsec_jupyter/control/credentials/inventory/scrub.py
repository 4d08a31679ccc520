"""Takes an imported value out of the file that it lay in."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from ....core.errors import Unavailable
from ....scan.baseline import write_atomically
from .model import Plain

MARKER = "moved-to-qsec"


def scrub(found: Plain) -> bool:
    """Replace the value in its file, keeping everything else byte for byte; say whether it was there.

    The file is replaced at once, with its mode. Copies that a backup, an editor or a snapshot made
    stay: whoever held the value should rotate it.

    Raises:
        Unavailable: ``import.not_scrubbed`` when the file cannot be written.
    """
    if found.kind != "file" or found.value is None:
        return False
    path = Path(found.where).resolve()  # a link's file is written, the link stays
    value = found.value.reveal()
    try:
        old = path.read_bytes()
        new = _without(old, value)
        if new == old:
            return False
        write_atomically(path, new, stat.S_IMODE(path.stat().st_mode))
    except OSError as error:
        raise Unavailable(
            "import.not_scrubbed",
            "The file could not be scrubbed",
            f"{path}: {type(error).__name__}. The value was imported and still lies there.",
            "Make the file writable and run the command again, or delete the value by hand.",
        ) from error
    return True


def _without(data: bytes, value: str) -> bytes:
    """Replace the value as it stands, and as JSON and TOML would escape it."""
    for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        data = data.replace(form.encode(), MARKER.encode())
    return data
