"""``qsec scan --create``, ``--update`` and ``--audit``: a project's baseline, and a person's verdicts."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from ...core.errors import Conflict, Invalid
from ...core.model import rfc3339
from ...scan.files import project
from ...scan.files.decisions import Decisions
from ...scan.files.foreign import Baselines
from ...scan.files.model import Found
from ...scan.files.project import Known, ProjectBaseline
from ...scan.files.scan import Plan
from ...scan.report.model import plain
from ...scan.settings import Settings
from .command import baselines_of, decisions_of, scan, settings_of

_HELP = "y: a real secret   n: a false positive   s: skip   b: back   q: quit"


def record(
    options: argparse.Namespace, chosen: Settings, decisions: Decisions, baselines: Sequence[Path]
) -> int:
    """Make a baseline from what is found now, or bring one up to date.

    Raises:
        Conflict: ``scan.baseline_exists`` when one is to be made where one is.
    """
    file = own_file(baselines)
    if options.create and file.exists():
        raise Conflict(
            "scan.baseline_exists", "There is a baseline already", str(file), "Use --update; verdicts stay."
        )
    before = (decisions.baselines and decisions.baselines.own) or project.empty()
    report = scan(options, Plan(_knowing_nothing(decisions, before)))
    found = [one for one in report.found if one.finding.action == "reported"]
    after = before.updated(found, report.paths)
    project.write(after, file)
    new = len(set(after.known) - set(before.known))
    gone = len(set(before.known) - set(after.known))
    print(f"{file}: {len(after.known)} known, {new} new, {gone} gone", file=sys.stderr)
    for problem in report.problems:
        print(plain(f"qsec: {problem.path}: {problem.why}"), file=sys.stderr)
    return 2 if report.problems else 0


def own_file(baselines: Sequence[Path]) -> Path:
    """Return the file of the project's own baseline among those that are used."""
    return baselines[-1] if baselines else Path(project.NAME)


def run(options: argparse.Namespace) -> int:
    """Go through what nobody has judged yet, and write each verdict at once.

    Raises:
        Invalid: ``scan.no_baseline``.
    """
    chosen = settings_of(options)
    file = own_file(baselines_of(options, chosen))
    decisions = decisions_of(chosen, [file]) if file.exists() else None
    if decisions is None or decisions.baselines is None or decisions.baselines.own is None:
        raise Invalid(
            "scan.no_baseline", "There is no baseline of qsec", str(file), "Make one with --create."
        )
    own = decisions.baselines.own
    report = scan(options, Plan(_knowing_nothing(decisions, own), context=True))
    return _ask(own, file, {(one.finding.fingerprint, one.finding.path): one for one in report.found})


def _knowing_nothing(decisions: Decisions, own: ProjectBaseline) -> Decisions:
    """Return the decisions under which what is known is found again, by the same fingerprints."""
    baselines = decisions.baselines or Baselines()
    unknown = dataclasses.replace(own, known=())
    return dataclasses.replace(decisions, baselines=dataclasses.replace(baselines, own=unknown))


def _ask(baseline: ProjectBaseline, file: Path, seen: dict[tuple[str, str], Found]) -> int:
    open_ones = [entry for entry in baseline.known if entry.verdict == "unaudited"]
    number = 0
    while 0 <= number < len(open_ones):
        entry = open_ones[number]
        print(_shown(entry, seen.get((entry.fingerprint, entry.path)), number + 1, len(open_ones)))
        answer = _answer("A secret? [y/n/s/b/q] ")
        if answer == "q":
            break
        if answer == "b":
            number = max(number - 1, 0)
            continue
        if answer in {"y", "n"}:
            judged = _judged(baseline, entry, answer)
            baseline, open_ones[number] = judged
            project.write(baseline, file)
        elif answer != "s":
            print(_HELP)
            continue
        number += 1
    left = sum(entry.verdict == "unaudited" for entry in baseline.known)
    print(f"{file}: {len(baseline.known)} known, {left} not judged yet")
    return 0


def _judged(baseline: ProjectBaseline, entry: Known, answer: str) -> tuple[ProjectBaseline, Known]:
    reason = _answer("Why? ") if answer == "n" else ""
    now = rfc3339(datetime.now(timezone.utc))
    after = dataclasses.replace(
        entry, verdict="secret" if answer == "y" else "false-positive",
        reason=reason, owner=getpass.getuser(), audited_at=now,
    )  # fmt: skip
    return baseline.replaced(entry, after), after


def _shown(entry: Known, found: Found | None, number: int, count: int) -> str:
    cell = f", cell {entry.cell + 1}" if entry.cell is not None else ""
    where = f"{number} of {count}: {entry.path}{cell}, {entry.surface}, line {entry.line} [{entry.rule}]"
    if found is None:
        return plain(where) + "\n    (not there any more; --update takes it out)"
    return f"{plain(where)}\n    {plain(found.finding.title)}\n    {plain(found.context.strip())}"


def _answer(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        return "q"
