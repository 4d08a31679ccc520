"""papermill: ``papermill in.ipynb qsec:out.ipynb`` writes markers in the place of secrets.

papermill writes the notebook before the first cell runs, with its parameters in it, and after every
cell; all of that comes through here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..core.errors import Invalid
from ..scan.baseline import Baseline, fingerprint_key, write_atomically
from ..scan.known import KnownValues
from ..scan.scanner import Scanner

SCHEME = "qsec:"


class RedactingHandler:
    """papermill's input and output for paths that begin with ``qsec:``."""

    def __init__(self) -> None:
        self._scanner: Scanner | None = None

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return _file(path).read_text("utf-8")

    def listdir(self, path: str) -> list[str]:
        """Return the paths below a folder."""
        return [SCHEME + str(entry) for entry in _file(path).iterdir()]

    def write(self, buf: str, path: str) -> None:
        """Write a notebook, redacted, in one step.

        Raises:
            Invalid: ``papermill.not_notebook``; nothing is written then.
        """
        try:
            notebook: Any = json.loads(buf)
        except ValueError as error:
            raise Invalid("papermill.not_notebook", "Only notebooks are written here") from error
        if not isinstance(notebook, dict):
            raise Invalid("papermill.not_notebook", "Only notebooks are written here")
        if self._scanner is None:
            self._scanner = Scanner(KnownValues(), Baseline(), fingerprint_key())
        file = _file(path)
        redacted = self._scanner.scan_notebook(notebook, str(file)).redacted
        text = buf if redacted is None else json.dumps(redacted, indent=1, ensure_ascii=False) + "\n"
        mode = file.stat().st_mode & 0o7777 if file.exists() else 0o644
        write_atomically(file, text.encode("utf-8", "surrogatepass"), mode)

    def pretty_path(self, path: str) -> str:
        """Return the path as papermill prints it."""
        return str(_file(path))


def _file(path: str) -> Path:
    return Path(path.removeprefix(SCHEME))
