"""``python -m qsec_jupyter.testing PYTEST-ARGUMENTS``: a suite without and with our hooks, test by test.

Exits 0 when every test has the same outcome in both, 1 when one differs, 2 when no test passed at all.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

Outcomes = dict[str, str]

PLUGIN = "qsec_jupyter.testing.under_hooks"


def main(arguments: list[str]) -> int:
    """Run, compare, print what differs."""
    bare, hooked = _run(arguments), _run(["-p", PLUGIN, *arguments])
    differing = compare(bare, hooked)
    for name in differing:
        without, under = bare.get(name, "absent"), hooked.get(name, "absent")
        sys.stdout.write(f"{name}: {without} without, {under} with hooks\n")
    passed = sum(outcome == "passed" for outcome in bare.values())
    sys.stdout.write(f"{len(bare)} tests, {passed} passed; {len(differing)} differ\n")
    if not passed:
        return 2
    return 1 if differing else 0


def compare(bare: Outcomes, hooked: Outcomes) -> list[str]:
    """Return the tests whose outcome differs, those that only one of both has included."""
    return sorted(name for name in bare.keys() | hooked.keys() if bare.get(name) != hooked.get(name))


def _run(arguments: list[str]) -> Outcomes:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *arguments]
        subprocess.run(command, check=False)  # noqa: S603  # the user's own arguments
        return read(report.read_text()) if report.exists() else {}


def read(report: str) -> Outcomes:
    """Return the outcome of each test in a JUnit XML report."""
    found = {}
    for case in ElementTree.fromstring(report).iter("testcase"):  # noqa: S314  # pytest's own, made a moment ago
        outcome = next(
            (child.tag for child in case if child.tag in {"failure", "error", "skipped"}), "passed"
        )
        found[f"{case.get('classname')}::{case.get('name')}"] = outcome
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
