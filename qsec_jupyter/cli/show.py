"""``qsec show``: one recorded run, with what is known of it, what is not, and how it is cited."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Annotated, Any

import typer

_SHOWN = (
    "framework", "operation", "status", "backend", "circuits", "shots", "started_at", "ended_at", "notebook",
    "kernel_id", "grant_id", "parent_run_id", "signed_by",
)  # fmt: skip


def show(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its beginning.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, statements included.")] = False,
    bibtex: Annotated[
        bool, typer.Option("--bibtex", help="Print the citation as BibTeX and nothing else.")
    ] = False,
) -> None:
    """Show a recorded run. Its signatures are checked before anything is shown."""
    from ..control.evidence import reading

    journal, whole = reading.find(reading.open_journals(os.environ), run_id)
    run = journal.runs.get(whole)
    if as_json:
        print(json.dumps(run, indent=1))
    elif bibtex:
        print(run["citation"]["bibtex"])
    else:
        _print(run)


def _print(run: dict[str, Any]) -> None:
    from .terminal import plain

    for name, value in _lines(run):
        print(f"{name:<14} {plain(value)}")


def _lines(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    summary = run["summary"]
    yield "Run", summary["run_id"]
    for name in _SHOWN:
        if summary.get(name) not in (None, ""):
            yield name.removesuffix("_id").replace("_", " ").capitalize(), str(summary[name])
    if job := summary.get("gateway"):
        used = "" if job["usage_seconds"] is None else f", {job['usage_seconds']:g} s used"
        yield "Gateway job", f"{summary['job_id']} on {job['backend']}, {job['state']}{used}"
        yield "Correlation", f"{job['correlation_id']} (seen by the control plane itself)"
    for kind, identity in run["envelopes"].items():
        if identity:
            yield kind.capitalize(), f"sha256:{identity}, ledger entry {run['ledger'][kind]}"
    said = ((run["intent"] or run["completion"])["predicate"])["run"]
    yield from _digests(said)
    result = (((run["completion"] or {}).get("predicate") or {}).get("run") or {}).get("result")
    if isinstance(result, dict):
        yield "Result", f"sha256:{result.get('sha256')}"
    for child in run["children"]:
        yield "Child", f"{child.get('operation')} {child.get('run_id') or ''}".strip()
    for kind in run["envelopes"]:
        for gap in ((run[kind] or {}).get("predicate") or {}).get("gaps") or ():
            yield "Not known", gap
    yield "Cite as", run["citation"]["text"]


def _digests(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    execution, source = said.get("execution") or {}, said.get("source") or {}
    for circuit in execution.get("circuits") or ():
        known = circuit.get("structural_hash")
        if isinstance(known, dict):
            yield "Circuit", f"{known.get('alg')}:{known.get('value')}"
    git = source.get("git")
    if isinstance(git, dict):
        changed = f", changed ({git['diff_sha256'][:12]})" if git.get("diff_sha256") else ""
        yield "Commit", f"{git.get('commit')}{changed} {git.get('remote') or ''}".strip()
    if source.get("cell_digest"):
        yield "Cell", f"sha256:{source['cell_digest']}"
    packages = (said.get("environment") or {}).get("packages")
    if isinstance(packages, dict):
        yield "Packages", f"{packages.get('count')}, sha256:{packages.get('sha256')}"
