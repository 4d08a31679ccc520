"""What stands between a notebook and git: a clean filter, a hook, or nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from .row import Row, row

_SECONDS = 5.0


def rows(file: Path) -> Iterator[Row]:
    """Yield the rows for a file in a git repository; none for a file outside of one."""
    folder = file.resolve().parent
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        return
    yield _clean_filter(folder, file)
    yield _hook(folder, Path(top))


def _clean_filter(folder: Path, file: Path) -> Row:
    told = _git(folder, "check-attr", "-z", "filter", "--", file.name) or ""
    name = [*told.split("\0"), "", "", ""][2]  # path, attribute, value
    clean = _git(folder, "config", "--get", f"filter.{name}.clean") if name else None
    active = clean is not None and "qsec" in clean
    note = "what is staged goes through it" if active else "no clean filter of qsec is set for this file"
    return row("notebook", "git add", active, "redacted", "clean filter", note)


def _hook(folder: Path, top: Path) -> Row:
    place = _git(folder, "rev-parse", "--git-path", "hooks/pre-commit")
    hook = _text(folder / place) if place else ""
    by_tool = "pre-commit" in hook and "qsec" in _text(top / ".pre-commit-config.yaml")
    active = "qsec" in hook or by_tool
    note = "`git commit --no-verify` goes past it" if active else "no pre-commit hook of qsec is installed"
    return row("notebook", "git commit", active, "scanned", "pre-commit hook", note)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git answers; ``None`` when it does not, or is not there."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # the user's own git, as they call it
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
