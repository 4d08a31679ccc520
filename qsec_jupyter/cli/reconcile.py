"""``qsec reconcile TARGET``: whether a provider's own list of jobs says what the ledger says."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from ..core.errors import NotFound


def reconcile(
    target: Annotated[str, typer.Argument(help="Its name in the catalogue.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How far back to look.")] = 30,
    server: Annotated[
        str | None, typer.Option("--server", help="A Jupyter Server's address, if several run.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare a provider's list of jobs with the ledger. Exits 0 when both say the same, else 1.

    It finds jobs that did not come through the gateway, jobs that the provider lost, usage that differs and
    tags that were taken away. What was found is in the ledger.
    """
    from .servers import with_qsec

    if not (target.isascii() and target.replace("-", "").isalnum()):
        raise NotFound("target.unknown", "There is no such target")
    report = with_qsec(server).ask(f"targets/{target}/reconciliations", {"days": days})
    if as_json:
        print(json.dumps(report, indent=1))
    else:
        _print(report)
    raise typer.Exit(1 if report["findings"] else 0)


def _print(report: dict[str, Any]) -> None:
    from .terminal import plain

    for found in report["findings"]:
        print(f"{found['kind']:<10} {plain(found['job_id'])}: {found['meaning']}. {plain(found['detail'])}")
    sides = f"{report['at_provider']} jobs at the provider, {report['in_ledger']} in the ledger"
    print(f"{report['target']}: {sides}, {len(report['findings'])} findings since {report['since'][:10]}.")
