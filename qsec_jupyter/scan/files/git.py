"""Git as a reader of repositories that are not ours: what is tracked, staged and in history.

A repository's own configuration can name programs (``core.fsmonitor``, ``log.showSignature``, an ``ext::``
remote of a partial clone). It may be a stranger's, so only plumbing commands are called, and what could run
a program or reach the network is switched off for each call.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from typing import IO

from ...core.errors import Invalid, NotFound, Unavailable
from .model import Item, Unreadable

_GIT = (
    "git", "--no-pager", "--no-replace-objects",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "protocol.allow=never",
)  # fmt: skip
_OF_A_REPOSITORY = (
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_WORK_TREE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
)
_REGULAR = ("100644", "100755", "100664")
_RAW = "--raw", "-z", "--no-renames", "--no-abbrev", "--diff-filter=d"
_NO_COMMITS = "hash-object", "-t", "tree", "--stdin"


def listed(folder: str) -> tuple[list[str], bool] | None:
    """Return what a folder's repository tracks or may take: names from there, and whether all was readable.

    Returns:
        ``None`` when git is not installed, does not trust the folder, or ignores all of it.
    """
    command = "ls-files", "-z", "--cached", "--others", "--exclude-standard"
    try:
        done = _call("-C", folder, *command, own=False)
        names = sorted({os.fsdecode(name) for name in done.stdout.split(b"\0") if name})
        ignored = not names and _ignored(folder)
    except FileNotFoundError:
        return None
    return None if done.returncode or ignored else (names, not done.stderr)


def _ignored(folder: str) -> bool:
    return not _call("-C", folder, "check-ignore", "-q", "--", os.path.realpath(folder), own=False).returncode


def staged(paths: Sequence[str]) -> list[Item]:
    """Return what the index adds or changes against the last commit, as blobs.

    Args:
        paths: Only these files and folders; empty for all.

    Raises:
        NotFound: ``scan.no_repository``.
    """
    head = _run("rev-parse", "-q", "--verify", "HEAD^{commit}", check=False).strip()
    tree = head or _run(*_NO_COMMITS).strip()
    raw = _run("--literal-pathspecs", "diff-index", "--cached", *_RAW, tree.decode(), "--", *paths)
    return list(_blobs(iter(raw.split(b"\0")), None))


def history(revisions: str) -> Iterator[Item]:
    """Yield each blob that a range of commits brought in, once, oldest commit first.

    Args:
        revisions: As ``git log`` takes it, such as ``main..HEAD``; ``all`` for every reference.

    Raises:
        NotFound: ``scan.no_repository``.
        Invalid: ``scan.range`` when git does not know the range.
    """
    chosen = ["--all"] if revisions == "all" else ["--end-of-options", revisions]
    commits = _run("rev-list", "--reverse", "--topo-order", *chosen, "--", wrong=revisions)
    command = "diff-tree", "--stdin", "-m", "--root", "-r", *_RAW
    with subprocess.Popen(  # noqa: S603  # fixed program, no shell
        [*_GIT, *command],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin
        assert process.stdout
        import threading

        feeder = threading.Thread(target=_feed, args=(process.stdin, commits))
        feeder.start()
        yield from _blobs(_fields(process.stdout), set())
        feeder.join()
    if process.returncode:
        raise Unavailable("scan.history", "The history could not be read", "git stopped before its end.")


def _feed(stream: IO[bytes], data: bytes) -> None:
    with stream:
        stream.write(data)


def _fields(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what lies between NUL bytes."""
    rest = b""
    while chunk := stream.read1(1 << 16):  # type: ignore[attr-defined]
        *fields, rest = (rest + chunk).split(b"\0")
        yield from fields


def _blobs(fields: Iterator[bytes], seen: set[tuple[bytes, bytes]] | None) -> Iterator[Item]:
    """Read git's raw format: a commit's id, or ``:modes ids letter`` with the path in the next field.

    Args:
        fields: What lies between NUL bytes.
        seen: Blobs that were yielded; each comes once under names of one kind. ``None`` yields all.
    """
    commit = ""
    for field in fields:
        if not field.startswith(b":"):
            commit = field.strip().decode("ascii", "replace")
            continue
        path = next(fields)
        _, mode, _, blob, _ = field.split(b" ")
        kind = blob, os.path.splitext(path)[1]  # noqa: PTH122  # a path in bytes
        if mode.decode() not in _REGULAR or (seen is not None and kind in seen):
            continue
        if seen is not None:
            seen.add(kind)
        yield Item(os.fsdecode(path), blob=blob.decode("ascii"), commit=commit)


class Blobs:
    """Reads the contents of blobs, through one git process that goes on as long as there are more."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, blob: str, limit: int) -> bytes:
        """Return the content of one blob.

        Raises:
            Unreadable: when it is missing or larger than ``limit`` bytes.
        """
        process = self._process = self._process or subprocess.Popen(  # noqa: S603  # fixed program, no shell
            [*_GIT, "cat-file", "--batch"], env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin
        assert process.stdout
        process.stdin.write(blob.encode("ascii") + b"\n")
        process.stdin.flush()
        head = process.stdout.readline().split()
        if len(head) != 3 or head[1] != b"blob":
            raise Unreadable("git does not have its content")
        size = int(head[2])
        if size > limit:
            self.close()  # cheaper than reading what is not wanted
            raise Unreadable(f"it is larger than {limit:,} bytes and was not read")
        return process.stdout.read(size + 1)[:-1]

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _run(*arguments: str, check: bool = True, wrong: str | None = None) -> bytes:
    try:
        done = _call(*arguments)
    except FileNotFoundError as error:
        raise Unavailable("scan.no_git", "Git is not installed", "", "Install git, or scan files.") from error
    if check and done.returncode:
        if wrong is not None and not _outside():
            raise Invalid("scan.range", "Git does not know this range of commits", wrong, "Try: main..HEAD")
        raise NotFound("scan.no_repository", "This is no git repository", os.getcwd())  # noqa: PTH109
    return done.stdout


def _call(*arguments: str, own: bool = True) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603  # fixed program, no shell
        [*_GIT, *arguments], env=_environment(own=own), capture_output=True, check=False, input=b""
    )


def _outside() -> bool:
    return not _run("rev-parse", "--git-dir", check=False)


def _environment(*, own: bool = True) -> dict[str, str]:
    """Return what git is started with.

    Args:
        own: Whether it is about the repository that we were called in: a commit hook names its index
            in the environment.
    """
    environment = {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
    }
    environment.update({"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"})
    if not own:
        for name in _OF_A_REPOSITORY:
            environment.pop(name, None)
    return environment
