"""The options of ``qsec scan``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

FORMATS = ("text", "json", "sarif", "junit")
SEVERITIES = ("info", "low", "medium", "high", "critical")

_STATUS = """\
exit status:
  0  nothing found that fails the scan
  1  a finding of the severity of --fail-on or higher that is neither kept nor redacted
  2  nothing like that, but something could not be read or rewritten; or a wrong option or setting
  70 a fault of ours
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; a wrong one ends the process with a message and status 2."""
    parser = _parser()
    options = parser.parse_args(arguments)
    writes = [name for name in ("create", "update", "audit") if getattr(options, name)]
    if len(writes) > 1:
        parser.error("only one of --create, --update and --audit can be done at a time")
    if writes and (options.staged or options.history or options.fix):
        parser.error(f"--{writes[0]} is about the files as they are: no --staged, --history or --fix")
    if options.fix and (options.staged or options.history):
        parser.error("--fix rewrites files; what is staged or in history cannot be rewritten")
    if options.backup and not options.fix:
        parser.error("--backup goes with --fix")
    if "/" in options.backup or "\\" in options.backup:
        parser.error("--backup is a suffix such as .orig")
    if options.filter and len(options.paths) != 1:
        parser.error("--filter needs the PATH of what comes in")
    options.paths = options.paths or ([] if options.staged else ["."])
    return options


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of a fixed width: asking the terminal for its own imports what only help needs, at every start."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=100)


def _number(text: str) -> int:
    """Return a whole number, 0 or more."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("0 or more is wanted")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qsec scan",
        description="Find secrets in notebooks, source, configuration, logs and archives.",
        epilog=_STATUS,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, or folders to go through; default: the current folder",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="what git would commit now, instead of files")
    what.add_argument(
        "--history", metavar="RANGE", help="what a range of commits brought in; 'all' for every one"
    )
    what.add_argument("--filter", action="store_true", help="redact standard input as the file PATH, for git")
    what.add_argument(
        "--filter-process", action="store_true", help="the same for many files, by git's protocol"
    )
    add("--format", choices=FORMATS, default="text", help="how findings are printed")
    add("--output", "-o", metavar="FILE", help="print findings to a file")
    add("--fail-on", choices=SEVERITIES, help="least severity that gives status 1; default: medium")
    add("--fix", action="store_true", help="put markers in the place of secrets, in the files")
    add("--backup", metavar="SUFFIX", default="", help="with --fix: keep the old content beside each file")
    add(
        "--baseline",
        metavar="FILE",
        action="append",
        help="known findings: ours, detect-secrets' or gitleaks'",
    )
    add("--create", action="store_true", help="make the baseline from what is found now")
    add("--update", action="store_true", help="bring the baseline up to date; verdicts stay")
    add("--audit", action="store_true", help="go through the baseline and judge each finding")
    add(
        "--rules",
        metavar="FILE",
        action="append",
        default=[],
        help="more rules: ours, a gitleaks.toml, a .secrets.baseline (its plugins are run) or kingfisher",
    )
    add("--exclude", metavar="PATTERN", action="append", default=[], help="leave out, as in .gitignore")
    add("--settings", metavar="FILE", help="instead of the nearest qsec.toml or pyproject.toml")
    add("--max-size", type=_number, metavar="BYTES", help="larger files are reported as not scanned")
    add("--jobs", type=_number, metavar="N", help="processes; default: one a core")
    return parser
