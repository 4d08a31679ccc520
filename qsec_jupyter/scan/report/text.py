"""A report for people, and as JSON for programs of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from ..files.model import Found
from .model import Report, place, plain


def as_text(report: Report) -> str:
    """Return one line a finding: place, severity, title, rule, what happened to it.

    What a baseline holds is only counted, in :func:`notes`: there may be hundreds.
    """
    return "".join(f"{plain(_line(one))}\n" for one in report.found if not one.kept.startswith("baseline"))


def _line(one: Found) -> str:
    finding = one.finding
    done = f"kept: {one.kept}" if one.kept else finding.action
    where = _commit(one.commit) + place(finding)
    return f"{where}: {finding.severity}: {finding.title} [{finding.rule}] ({done})"


def _commit(commit: str) -> str:
    return f"commit {commit[:12]}: " if commit else ""


def notes(report: Report) -> Iterator[str]:
    """Yield what stands beside the findings: problems, what has expired, and the sum."""
    for problem in report.problems:
        yield f"qsec: {_commit(problem.commit)}{problem.path}: {problem.why}"
    for allow in report.expired:
        yield f"qsec: the exception for {allow} ({allow.owner}) no longer counts: expired on {allow.expires}"
    yield _summary(report)


def _summary(report: Report) -> str:
    found, files = _count(len(report.found), "finding"), _count(report.files, "file")
    parts = [f"{found} in {files} ({_bytes(report.size)})"]
    kept = sum(bool(one.kept) for one in report.found)
    parts += [f"{kept} kept"] if kept else []
    parts += [f"{report.fixed} rewritten"] if report.fixed else []
    parts += [f"{report.binary} not text"] if report.binary else []
    parts += [f"{report.excluded} excluded"] if report.excluded else []
    parts += [f"{_count(report.images, 'image')} passed over"] if report.images else []
    partly = len({entry["path"] for entry in report.unscanned})
    parts += [f"{partly} not read in full (--format json says what)"] if partly else []
    parts += [_count(len(report.problems), "problem")] if report.problems else []
    return ", ".join(parts)


def _bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def as_json(report: Report) -> str:
    """Return the report as one object; ``docs/users/scan.md`` names its keys."""
    content = {
        "findings": [
            {
                **asdict(one.finding),
                "stored": one.place._asdict() if one.place else None,
                "commit": one.commit or None,
                "kept": one.kept or None,
            }
            for one in report.found
        ],
        "problems": [
            {"path": one.path, "why": one.why, "commit": one.commit or None} for one in report.problems
        ],
        "unscanned": report.unscanned,
        "expired": [{**allow._asdict(), "expires": str(allow.expires)} for allow in report.expired],
        "scanned": {
            "files": report.files, "bytes": report.size, "binary": report.binary,
            "images": report.images, "fixed": report.fixed, "excluded": report.excluded,
        },
    }  # fmt: skip
    return json.dumps(content, indent=1) + "\n"
