"""A report as JUnit XML, which build services show beside the results of tests."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from ..files.model import Found, Problem
from .model import Report, place

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def as_junit(report: Report) -> str:
    """Return a suite with one case a finding or problem; one that passes when there is neither."""
    cases = [_case(report, one) for one in report.found] + [_error(one) for one in report.problems]
    failures = sum(report.fails(one.finding) for one in report.found)
    sums = (
        f'tests="{max(len(cases), 1)}" failures="{failures}" errors="{len(report.problems)}"'
        f' skipped="{len(report.found) - failures}"'
    )
    if not cases:
        cases = ['  <testcase classname="qsec.scan" name="no findings"/>']
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites name="qsec scan" {sums}>',
            f' <testsuite name="qsec scan" {sums}>',
            *cases,
            " </testsuite>",
            "</testsuites>",
            "",
        ]
    )


def _case(report: Report, one: Found) -> str:
    finding = one.finding
    name = f"{place(finding)} [{finding.rule}]" + (f" in {one.commit}" if one.commit else "")
    if report.fails(finding):
        kind = f"type={_quoted(finding.severity)} message={_quoted(finding.title)}"
        inner = f"<failure {kind}>{_text(finding.remedy)}</failure>"
    else:
        inner = f"<skipped message={_quoted(f'{finding.severity}, {one.kept or finding.action}')}/>"
    return f"  <testcase classname={_quoted(finding.path)} name={_quoted(name)}>{inner}</testcase>"


def _error(problem: Problem) -> str:
    name = "could not be read" + (f" in {problem.commit}" if problem.commit else "")
    return (
        f"  <testcase classname={_quoted(problem.path)} name={_quoted(name)}>"
        f'<error type="problem" message={_quoted(problem.why)}/></testcase>'
    )


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", text))


def _quoted(text: str) -> str:
    return quoteattr(_ILLEGAL.sub("\ufffd", text))
