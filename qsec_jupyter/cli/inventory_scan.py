"""What the scanner finds for ``qsec inventory``: files as they are, and all that git ever held."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import Unavailable

if TYPE_CHECKING:
    from ..control.credentials.inventory import Plain

QUANTUM = ("ibm", "dwave", "ionq", "iqm", "qbraid", "quantinuum", "rigetti", "xanadu", "azure", "aws")
"""Rule files of vendors of quantum computing time; `qsec scan` looks for the rest as well."""


def in_notebooks(folder: Path) -> Iterator[Plain]:
    """Scan the notebooks, code and settings of a folder."""
    yield from _found("notebook", folder, ["."])


def in_history(folder: Path) -> Iterator[Plain]:
    """Scan every version that git holds of a folder's files; a folder outside git has none."""
    asked = ["git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD"]
    if subprocess.run(asked, capture_output=True, check=False).returncode == 0:  # noqa: S603  # no shell
        yield from _found("history", folder, ["--history", "all"])


def _found(kind: str, folder: Path, arguments: list[str]) -> Iterator[Plain]:
    from ..control.credentials.inventory import Plain

    for finding in _scanned(folder, arguments):
        vendor = str(finding["rule"]).partition("-")[0]
        if vendor in QUANTUM:
            where, commit = str(folder / finding["path"]), str(finding.get("commit") or "")[:12]
            cell = finding.get("cell")
            note = f"cell {cell}" if cell is not None else ""
            line = int(finding.get("line") or 0)
            yield Plain(vendor, kind, f"{commit}:{where}" if commit else where, "", None, note, line)


def _scanned(folder: Path, arguments: list[str]) -> list[dict[str, Any]]:
    """Run ``qsec scan`` in a process of its own: it works in the folder that it reads."""
    command = [sys.executable, "-m", "qsec_jupyter.cli", "scan", "--format", "json", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # no shell
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            "inventory.scan_failed",
            "The scan of a folder failed",
            f"{folder}: exit status {done.returncode}.",
            "Run `qsec scan` there to see why.",
        ) from error
    return found
