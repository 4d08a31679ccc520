"""``qsec jobs``: jobs that went through the gateway, asked of the Jupyter Server that runs."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from ..core.errors import NotFound
from .servers import with_qsec

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="List, show and cancel jobs of the gateway.",
)

ServerUrl = Annotated[
    str | None, typer.Option("--server", help="A Jupyter Server's address, if several run.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(help="Its correlation id, or the provider's id.")]


@app.command("list")
def list_jobs(
    target: Annotated[str | None, typer.Option(help="Of one target.")] = None,
    state: Annotated[str | None, typer.Option(help="Such as accepted, unknown, done.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    server: ServerUrl = None,
    as_json: Json = False,
) -> None:
    """List jobs, newest first: yours; everybody's for administrators and auditors."""
    asked = {"target": target, "state": state, "limit": limit}
    query = urlencode({name: value for name, value in asked.items() if value})
    jobs = with_qsec(server).ask(f"jobs?{query}")["jobs"]
    if as_json:
        print(json.dumps({"jobs": jobs}, indent=1))
    else:
        _print(jobs)


@app.command("show")
def show(
    name: Name,
    exposure: Annotated[bool, typer.Option("--exposure", help="What the vendor sees, too.")] = False,
    server: ServerUrl = None,
) -> None:
    """Show a job, as JSON; with ``--exposure``, field by field what its vendor sees."""
    path = f"jobs/{_checked(name)}{'/exposure' if exposure else ''}"
    print(json.dumps(with_qsec(server).ask(path), indent=1))


@app.command("cancel")
def cancel(name: Name, server: ServerUrl = None, as_json: Json = False) -> None:
    """Have a job of yours cancelled at its provider, also while it runs.

    What the provider has not confirmed yet is tried again by itself.
    """
    job = with_qsec(server).ask(f"jobs/{_checked(name)}/cancel", {})
    if as_json:
        print(json.dumps(job, indent=1))
        return
    pending = ", which its provider has not confirmed yet" if job["ending"] else ""
    print(f"{job['job_id']} is {'to be cancelled' if pending else job['state']}{pending}.")


def _checked(name: str) -> str:
    if not (name.isascii() and name.replace("-", "").replace("_", "").isalnum() and len(name) <= 64):
        raise NotFound("job.unknown", "There is no such job", "", "`qsec jobs list` lists yours.")
    return name


def _print(jobs: list[dict[str, Any]]) -> None:
    from .terminal import print_table

    if not jobs:
        print("No job went through the gateway.")
        return
    rows = (
        (
            job["correlation_id"][:12],
            job["job_id"] or "",
            str(job["intended_at"])[:19].replace("T", " "),
            job["target"],
            job["backend"],
            "" if job["shots"] is None else job["shots"],
            job["state"],
            (job["run_id"] or "")[:12],
        )
        for job in jobs
    )
    heads = ("Correlation", "Job", "Submitted", "Target", "Backend", "Shots", "State", "Run")
    print_table(heads, rows, whole={"Correlation", "Submitted", "State"})
