"""The git repository that a run was started in: commit, what was changed on top of it, and where it is from.

Only git itself is asked, with whatever in a repository's own configuration could start a program switched
off. Nothing in the repository is written, not even its index.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

Json = dict[str, Any]

KEPT_SECONDS = 5.0
"""How long an answer is given again: a loop of runs must not start git for each."""

_LIMIT = 5.0  # seconds for one call of git; a huge repository costs a gap, never a run
_MOST_DIFF = 64 * 1024 * 1024
_SCP = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^/:\s]+):(?P<path>[^\s]+)")
_SAFE = (
    "git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null",
    "-c", "core.untrackedCache=false", "-c", "protocol.allow=never",
)  # fmt: skip

_kept: dict[str, tuple[float, Json | None, list[str]]] = {}


def state(folder: str) -> tuple[Json | None, list[str]]:
    """Return how the repository around ``folder`` stands, and what could not be told.

    Returns:
        ``{"commit", "branch", "dirty", "diff_sha256", "untracked", "remote"}``, or ``None`` outside a
        repository. ``diff_sha256`` is over ``git diff HEAD --binary``, and ``None`` for a clean tree; files
        that git does not track are counted and not in it. A remote is told without user, password and query.
    """
    now = time.monotonic()
    kept = _kept.get(folder)
    if kept is None or now - kept[0] > KEPT_SECONDS:
        _kept.clear()  # one kernel works in one folder at a time
        kept = _kept[folder] = (now, *_ask(folder))
    return kept[1], list(kept[2])


def _ask(folder: str) -> tuple[Json | None, list[str]]:
    if not any((place / ".git").exists() for place in (Path(folder), *Path(folder).parents)):
        return None, []
    try:
        status = _git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=normal").decode(
            "utf-8", "replace"
        )
        told = _read(status)
        if told["dirty"]:
            diff = _git(folder, "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color")
            told["diff_sha256"] = hashlib.sha256(diff).hexdigest()
        told["remote"] = _remote(folder)
    except FileNotFoundError:
        return None, ["the git repository was not read: there is no git"]
    except (OSError, subprocess.SubprocessError) as error:
        return None, [f"the git repository could not be read ({type(error).__name__})"]
    return told, []


def _read(status: str) -> Json:
    """Read ``git status --porcelain=v2 --branch``."""
    told: Json = {
        "commit": None, "branch": None, "dirty": False, "diff_sha256": None, "untracked": 0, "remote": None,
    }  # fmt: skip
    for line in status.splitlines():
        if line.startswith("# branch.oid "):
            value = line.removeprefix("# branch.oid ")
            told["commit"] = None if value == "(initial)" else value
        elif line.startswith("# branch.head "):
            value = line.removeprefix("# branch.head ")
            told["branch"] = None if value == "(detached)" else value[:200]
        elif line.startswith("? "):
            told["untracked"] += 1
        elif line[:2] in {"1 ", "2 ", "u "}:
            told["dirty"] = True
    told["dirty"] = told["dirty"] and told["commit"] is not None
    return told


def _remote(folder: str) -> str | None:
    try:
        url = _git(folder, "config", "--get", "remote.origin.url").decode("utf-8", "replace").strip()
    except subprocess.CalledProcessError:
        return None  # git's answer for: there is none
    return without_credentials(url)


def without_credentials(url: str) -> str | None:
    """Return a remote's URL with nothing in it that could be a secret; ``None`` for an unknown form."""
    scp = _SCP.fullmatch(url) if "://" not in url else None
    if scp:
        return f"{scp['host']}:{scp['path'].partition('?')[0]}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme:
        return url if url.startswith(("/", ".")) else None
    host = (parts.hostname or "") + (f":{port}" if port else "")
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _git(folder: str, *arguments: str) -> bytes:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environ |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603  # git from the user's PATH, with arguments of ours
        [*_SAFE, *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_LIMIT,
        check=True,
    )
    if len(done.stdout) > _MOST_DIFF:
        raise OSError("too much")
    return done.stdout
