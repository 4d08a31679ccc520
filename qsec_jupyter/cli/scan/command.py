"""One run of ``qsec scan`` from its options to its exit status."""

from __future__ import annotations

import argparse
import functools
import gc
import itertools
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ...core.errors import Bug, QsecError, Unavailable
from ...scan import settings as project_settings
from ...scan.baseline import fingerprint_key
from ...scan.files.decisions import Decisions, matcher
from ...scan.files.model import Found, Item, Outcome, Problem
from ...scan.files.scan import FileScanner, Plan, fault
from ...scan.report.model import Report, plain
from ...scan.report.text import as_json, as_text, notes
from ...scan.ruleset import RuleSet, load_rules
from ...scan.settings import Settings
from .options import parse
from .progress import progress

ALONE_BYTES = 2_000_000
ALONE_ITEMS = 40
"""Less than this is scanned by this process itself: starting others would take longer."""

_UNKNOWN = 100_000  # bytes that a blob is taken for: its size is known when it is read


def main(arguments: Sequence[str]) -> int:
    """Run ``qsec scan`` and return its exit status.

    Raises:
        QsecError: for wrong settings, an unknown range of commits and the like.
    """
    options = parse(arguments)
    for stream in (sys.stdout, sys.stderr):  # a name of a file may be anything
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    try:
        if options.filter or options.filter_process:
            from . import filter as filters

            return filters.run(options) if options.filter else filters.serve(options)
        if options.audit:
            from .audit import run as audit

            return audit(options)
        return _scan(options)
    except KeyboardInterrupt:
        return 130
    except QsecError:
        raise
    except BrokenPipeError:  # whoever reads our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  # a traceback's message could quote a file
        raise Bug("scan.fault", "The scan ended by a fault", fault(error)) from None


def _scan(options: argparse.Namespace) -> int:
    chosen = settings_of(options)
    baselines = baselines_of(options, chosen)
    decisions = decisions_of(chosen, [] if options.create else baselines)
    if options.create or options.update:
        from .audit import record

        return record(options, chosen, decisions, baselines)
    report = scan(options, Plan(decisions, options.fix, options.backup))
    _print(report, options)
    return report.status


def scan(options: argparse.Namespace, plan: Plan) -> Report:
    """Scan what the options name, and return what was found."""
    chosen = plan.decisions.settings
    report = Report(chosen.fail_on, expired=plan.decisions.expired)
    source = _Source(options, plan.decisions, report)
    rules = load_rules(sources=chosen.rules, trusted=options.rules)
    report.problems += _not_used(rules)
    made = FileScanner(plan, rules)
    told: list[Outcome] = []
    with closing(progress()) as shown:
        for outcome in _outcomes(source, plan, made, chosen.jobs, options.rules):
            report.paths.add(outcome.path)
            report.files += 1
            report.size += outcome.size
            report.binary += outcome.binary
            report.images += outcome.images
            report.fixed += outcome.fixed
            if outcome.found or outcome.problems or outcome.unscanned:
                told.append(outcome)
            shown.show(report.files, source.listed, report.size)
    for outcome in sorted(told, key=lambda one: one.number):
        report.found += outcome.found
        report.problems += outcome.problems
        report.unscanned += outcome.unscanned
    if options.history:
        report.found = _first_seen(report.found)
    report.excluded = source.excluded
    return report


class _Source:
    """What the options name, item by item; what cannot be is a problem of the report."""

    def __init__(self, options: argparse.Namespace, decisions: Decisions, report: Report) -> None:
        self._options = options
        self._excluded = matcher(decisions.settings.exclude, decisions.settings.folder)
        self._digests = decisions.baselines.digests if decisions.baselines else ()
        self._report = report
        self.listed = 0
        self.excluded = 0

    def __iter__(self) -> Iterator[Item]:
        for one in self._named():
            if isinstance(one, Problem):
                self._report.problems.append(one)
            elif self._excluded(one.path):
                self.excluded += 1
            elif self._digests and os.path.realpath(one.path) in self._digests:
                continue
            else:
                self.listed += 1
                yield one._replace(number=self.listed)

    def _named(self) -> Iterable[Item | Problem]:
        if not (self._options.staged or self._options.history):
            from ...scan.files.walk import walk

            return walk(self._options.paths)
        from ...scan.files import git

        return git.staged(self._options.paths) if self._options.staged else git.history(self._options.history)


def _outcomes(
    source: Iterable[Item], plan: Plan, made: FileScanner, jobs: int, trusted: Sequence[str]
) -> Iterator[Outcome]:
    """Yield what came of each item: scanned here when there is little, else by several processes."""
    items = iter(source)
    first: list[Item] = []
    size, alone = 0, False
    for item in items:
        first.append(item)
        size += item.size or _UNKNOWN
        if size > ALONE_BYTES or len(first) > ALONE_ITEMS:
            break
    else:
        alone, jobs = True, 1
    if not alone:
        gc.enable()
    everything = itertools.chain(first, items)
    jobs = jobs or cores()
    if jobs == 1:
        yield from map(made.scan, everything)
        made.close()
        return
    from ...scan.files.crew import Crew

    yield from Crew(functools.partial(_make, plan, trusted), made, jobs).scan(everything)


def _make(plan: Plan, trusted: Sequence[str]) -> FileScanner:
    """Make what a process that was not forked works with."""
    return FileScanner(plan, load_rules(sources=plan.decisions.settings.rules, trusted=trusted))


def _not_used(rules: RuleSet) -> Iterator[Problem]:
    """Yield what a project's sources of rules hold that is not used."""
    for one in rules.refused:
        yield Problem(one.file, f"rule {one.rule} is not used: {one.why}" if one.rule else one.why)


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _first_seen(found: list[Found]) -> list[Found]:
    """Return each value of a file once: in the oldest commit that holds it."""
    first: dict[tuple[str, str, str], Found] = {}
    for one in found:
        first.setdefault((one.finding.path, one.finding.rule, one.finding.fingerprint), one)
    return list(first.values())


def settings_of(options: argparse.Namespace) -> Settings:
    """Return the project's settings, with what the options say instead."""
    if options.settings:
        chosen = project_settings.read(Path(options.settings))
    else:
        chosen = project_settings.find(Path())
    changes: dict[str, Any] = {"exclude": (*chosen.exclude, *options.exclude)}
    for name in ("fail_on", "max_size", "jobs"):
        if (value := getattr(options, name)) is not None:
            changes[name] = value
    return chosen._replace(**changes)


def baselines_of(options: argparse.Namespace, chosen: Settings) -> list[Path]:
    """Return the files of known findings: those named, or else those of the settings."""
    return [Path(name) for name in options.baseline] if options.baseline else list(chosen.baseline)


def decisions_of(chosen: Settings, baselines: Sequence[Path]) -> Decisions:
    """Return everything that was decided for this project."""
    if not baselines:
        return Decisions(chosen, _key())
    from ...scan.files import foreign

    return Decisions(chosen, _key(), foreign.read(baselines))


def _key() -> bytes:
    """Return the user's key of fingerprints; one for this run where it cannot be kept."""
    try:
        return fingerprint_key()
    except OSError as error:
        print(f"qsec: the key of fingerprints cannot be kept ({type(error).__name__})", file=sys.stderr)
        return os.urandom(32)


def _print(report: Report, options: argparse.Namespace) -> None:
    """Print the report, and beside it on standard error what is for a person."""
    text = _formatted(report, options.format)
    if options.output:
        try:
            Path(options.output).write_text(text, "utf-8", "backslashreplace")
        except OSError as error:
            raise Unavailable(
                "scan.output", "The report could not be written", options.output, "Choose another --output."
            ) from error
    else:
        sys.stdout.write(text)
        sys.stdout.flush()
    for line in notes(report):
        print(plain(line), file=sys.stderr)


def _formatted(report: Report, chosen: str) -> str:
    if chosen == "text":
        return as_text(report)
    if chosen == "json":
        return as_json(report)
    if chosen == "junit":
        from ...scan.report.junit import as_junit

        return as_junit(report)
    import importlib.metadata

    from ...scan.report.sarif import as_sarif

    return as_sarif(report, importlib.metadata.version("qsec-jupyter"))
