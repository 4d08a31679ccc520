"""``qsec scan --filter PATH``: what git's clean filter calls, standard input to standard output."""

from __future__ import annotations

import argparse
import sys

from ...scan import engine
from ...scan.files.scan import FileScanner, Plan
from ...scan.report.model import Report, plain
from ...scan.report.text import notes
from .command import baselines_of, decisions_of, settings_of


def run(options: argparse.Namespace) -> int:
    """Write what came in, with markers in the place of secrets; byte by byte the same when there are none.

    What was found is told on standard error, and the status is 0: git would refuse the file otherwise, and
    there is nothing left to refuse. A fault ends with a traceback and a status that makes git refuse.
    """
    path = options.paths[0]
    chosen = settings_of(options)
    decisions = decisions_of(chosen, baselines_of(options, chosen))
    scanner = FileScanner(Plan(decisions), engine.load_rules(files=chosen.rules))
    data = sys.stdin.buffer.read()
    redacted, outcome = scanner.scan_bytes(data, path)
    sys.stdout.buffer.write(data if redacted is None else redacted)
    sys.stdout.buffer.flush()
    report = Report(
        chosen.fail_on, outcome.found, outcome.problems, files=1, size=len(data), fixed=redacted is not None
    )
    if outcome.found or outcome.problems:
        for line in notes(report):
            print(plain(f"{path}: {line}"), file=sys.stderr)
    return 0
