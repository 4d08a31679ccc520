"""Where the state of one user lives on disk."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return ``$QSEC_HOME``, else ``$XDG_DATA_HOME/qsec``, else ``~/.local/share/qsec``.

    The folder is created with mode 0700. It holds the database, the ledger, the statements and
    (without a Vault) the sealed store.
    """
    path = _place()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def cache() -> Path:
    """Return ``$QSEC_HOME/cache``, else ``$XDG_CACHE_HOME/qsec``, else ``~/.cache/qsec``; mode 0700.

    Everything in it can be made anew.
    """
    chosen = os.environ.get("QSEC_HOME")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    path = Path(chosen).expanduser() / "cache" if chosen else Path(base) / "qsec"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def enforce_marker(state: Path | None = None) -> Path:
    """Return the file that is there when runs need permission on this account; the control plane keeps it.

    It only tells a kernel what to assume before the control plane has answered.

    Args:
        state: The state folder; that of :func:`home` when left out, which is not made for this.
    """
    return (state or _place()) / "enforce"


def journals() -> list[Path]:
    """Return the folders of every journal in :func:`home`, oldest slot first.

    A control plane holds one journal (database, ledger, statements) for itself alone; a second
    one of the same user takes the next slot.
    """
    return sorted(home().glob("journal-*"))


def _place() -> Path:
    chosen = os.environ.get("QSEC_HOME")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(chosen).expanduser() if chosen else Path(base) / "qsec"
