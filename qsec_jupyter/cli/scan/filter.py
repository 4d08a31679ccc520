"""``qsec scan --filter PATH`` and ``--filter-process``: what git calls when a file is added.

The first takes one file on standard input. The second speaks git's protocol for filters that stay
(gitattributes(5), "Long Running Filter Process"), so that many files cost one start.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator
from typing import IO

from ...core.errors import Invalid
from ...scan.files.scan import FileScanner, Plan
from ...scan.report.model import Report, plain
from ...scan.report.text import notes
from ...scan.ruleset import load_rules
from .command import baselines_of, decisions_of, settings_of

_LARGEST = 65516  # bytes of content in one packet


def run(options: argparse.Namespace) -> int:
    """Write what came in, with markers in the place of secrets; byte by byte the same when there are none.

    What was found is told on standard error, and the status is 0: git would refuse the file otherwise, and
    there is nothing left to refuse. A fault ends with a status that makes git refuse.
    """
    scanner = _scanner(options)
    sys.stdout.buffer.write(_cleaned(scanner, sys.stdin.buffer.read(), options.paths[0]))
    sys.stdout.buffer.flush()
    return 0


def serve(options: argparse.Namespace) -> int:
    """Clean one file after the other until git closes the pipe.

    Raises:
        Invalid: ``scan.filter_protocol`` when something else than git is at the other end.
    """
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    if list(_packets(source))[:1] != [b"git-filter-client\n"]:
        raise Invalid(
            "scan.filter_protocol", "Only git can call this", "", "Use --filter PATH, or set it up in git."
        )
    _send(sink, b"git-filter-server\n", b"version=2\n")
    list(_packets(source))
    _send(sink, b"capability=clean\n", b"capability=smudge\n")
    scanner = _scanner(options)
    gc.enable()  # this may go on for long
    while head := dict(line.rstrip(b"\n").split(b"=", 1) for line in _packets(source)):
        data = b"".join(_packets(source))
        path = head[b"pathname"].decode("utf-8", "surrogateescape")
        if head[b"command"] == b"clean":
            data = _cleaned(scanner, data, path)
        _send(sink, b"status=success\n")
        _send(sink, *(data[at : at + _LARGEST] for at in range(0, len(data), _LARGEST)))
        _send(sink)  # the status stays
    return 0


def _scanner(options: argparse.Namespace) -> FileScanner:
    chosen = settings_of(options)
    decisions = decisions_of(chosen, baselines_of(options, chosen))
    rules = load_rules(sources=chosen.rules, trusted=options.rules)
    for one in rules.refused:
        print(plain(f"qsec: not used: {one}"), file=sys.stderr)
    return FileScanner(Plan(decisions), rules)


def _cleaned(scanner: FileScanner, data: bytes, path: str) -> bytes:
    redacted, outcome = scanner.scan_bytes(data, path)
    report = Report(
        "info", outcome.found, outcome.problems, files=1, size=len(data), fixed=redacted is not None
    )
    if outcome.found or outcome.problems:
        for line in notes(report):
            print(plain(f"{path}: {line}"), file=sys.stderr)
    return data if redacted is None else redacted


def _packets(source: IO[bytes]) -> Iterator[bytes]:
    """Yield packets up to the next flush packet, or the end (gitprotocol-common(5), pkt-line)."""
    while head := source.read(4):
        size = int(head, 16)
        if size == 0:
            return
        yield source.read(size - 4)


def _send(sink: IO[bytes], *packets: bytes) -> None:
    for packet in packets:
        sink.write(b"%04x" % (len(packet) + 4) + packet)
    sink.write(b"0000")
    sink.flush()
