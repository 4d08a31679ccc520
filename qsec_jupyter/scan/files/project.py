"""A project's baseline: the findings it knows of, in a file that is committed with the project.

Who can read the repository can read the file, so a plain digest of each value, or one under a key in the
same file, would let anyone try passwords against it, millions a second. Each fingerprint is therefore
stretched: HMAC-SHA-256 under the file's own random key, then scrypt (RFC 7914) with the cost below. A drawn
token cannot be guessed at all; guessing a password costs about 10 ms a try.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from ...core.errors import Invalid, Unavailable
from ..baseline import write_atomically
from .model import Found

FORMAT = 1
NAME = ".qsec-baseline.json"
"""What the file is called when nothing else is said."""

Verdict = Literal["unaudited", "false-positive", "secret"]
_COST = {"n": 1 << 12, "r": 8, "p": 1}  # 4 MB and about 10 ms


@dataclass(frozen=True, slots=True)
class Known:
    """A finding that is known.

    Attributes:
        verdict: ``secret`` means that a person saw a real one: it is reported until it is gone. The others
            are not reported again.
    """

    fingerprint: str
    path: str
    rule: str
    surface: str
    cell: int | None
    line: int
    verdict: Verdict = "unaudited"
    reason: str = ""
    owner: str = ""
    audited_at: str = ""


@dataclass(frozen=True, slots=True)
class ProjectBaseline:
    """The content of a baseline; a change gives a new one.

    Attributes:
        key: Of the fingerprints in this file, where it is called their salt.
    """

    key: bytes
    known: tuple[Known, ...] = ()

    def fingerprint(self, value: str) -> str:
        """Return the stretched fingerprint of a value."""
        return _stretched(self.key, hmac.digest(self.key, value.encode("utf-8", "surrogatepass"), "sha256"))

    def find(self, fingerprint: str, path: str) -> Known | None:
        """Return what is known of a value in a file."""
        for entry in self.known:
            if entry.fingerprint == fingerprint and same_file(path, entry.path):
                return entry
        return None

    def updated(self, found: Iterable[Found], scanned: Iterable[str]) -> ProjectBaseline:
        """Return the baseline after a scan: without what is gone from the scanned files, with what is new."""
        now = {(one.finding.fingerprint, one.finding.path): one for one in found}
        paths = set(scanned)
        kept = [
            entry for entry in self.known if entry.path not in paths or (entry.fingerprint, entry.path) in now
        ]
        old = {(entry.fingerprint, entry.path) for entry in kept}
        new = [_known(one) for key, one in now.items() if key not in old]
        return replace(
            self, known=tuple(sorted([*kept, *new], key=lambda one: (one.path, one.cell or 0, one.line)))
        )

    def replaced(self, before: Known, after: Known) -> ProjectBaseline:
        """Return the baseline with one entry judged anew."""
        return replace(self, known=tuple(after if one == before else one for one in self.known))


def empty() -> ProjectBaseline:
    """Return a baseline that knows of nothing, under a new key."""
    return ProjectBaseline(secrets.token_bytes(32))


def parse(content: Any, file: Path) -> ProjectBaseline:
    """Return the baseline in a JSON value.

    Raises:
        Invalid: ``scan.baseline_invalid`` when it is not what :func:`write` wrote.
    """
    try:
        known = tuple(Known(**entry) for entry in content["findings"])
        baseline = ProjectBaseline(bytes.fromhex(content["salt"]), known)
        valid = content["format"] == FORMAT and all(entry.verdict in get_args(Verdict) for entry in known)
    except (KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        raise Invalid(
            "scan.baseline_invalid", "The baseline cannot be read", f"{file} is not what qsec wrote.",
            "Restore it from git, or make a new one with --create.",
        )  # fmt: skip
    return baseline


def write(baseline: ProjectBaseline, file: Path) -> None:
    """Write a baseline, one finding a block so that a change reads well in a diff.

    Raises:
        Unavailable: ``scan.baseline_unwritable``.
    """
    content = {
        "format": FORMAT,
        "salt": baseline.key.hex(),
        "findings": [asdict(entry) for entry in baseline.known],
    }
    try:
        write_atomically(file, json.dumps(content, indent=1).encode() + b"\n", 0o644)
    except OSError as error:
        raise Unavailable(
            "scan.baseline_unwritable", "The baseline could not be written", str(file), "Correct the path."
        ) from error


def same_file(path: str, recorded: str) -> bool:
    """Tell whether a path names a recorded file: the one as seen from wherever the scan was started."""
    return path == recorded or path.endswith("/" + recorded) or recorded.endswith("/" + path)


def _known(one: Found) -> Known:
    finding = one.finding
    return Known(finding.fingerprint, finding.path, finding.rule, finding.surface, finding.cell, finding.line)


@lru_cache(maxsize=4096)
def _stretched(key: bytes, digest: bytes) -> str:
    return hashlib.scrypt(digest, salt=key, dklen=16, **_COST).hex()


def only_one(baselines: Sequence[ProjectBaseline]) -> ProjectBaseline | None:
    """Return the only baseline; fingerprints under two keys would need two of each.

    Raises:
        Invalid: ``scan.baselines``.
    """
    if len(baselines) > 1:
        raise Invalid("scan.baselines", "Only one baseline of qsec can be used at a time", "", "Merge them.")
    return baselines[0] if baselines else None
