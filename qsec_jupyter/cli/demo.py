"""``qsec demo``: JupyterLab on the first-run notebook, with the best store of secrets that is there."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

NOTEBOOK = "first_run.ipynb"


def demo(
    check: Annotated[
        bool, typer.Option("--check", help="Walk the notebook without a browser; a line for each step.")
    ] = False,
) -> None:
    """Start JupyterLab on the first-run notebook, or check it without a browser."""
    if check:
        from .demo_check import run

        raise typer.Exit(run(notebook()))
    prepare_vault()
    print(f"qsec: credentials come from {announce()}", flush=True)
    path = notebook()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={path.parent}", str(path)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is often nobody else
    os.execv(sys.executable, command)  # noqa: S606  # our own command


def notebook() -> Path:
    """Return the first-run notebook: the one of the checkout, else a copy of the shipped one here."""
    checkout = Path(__file__).parents[2] / "binder" / NOTEBOOK
    if checkout.exists():
        return checkout
    here = Path.cwd() / NOTEBOOK
    if not here.exists():
        shutil.copyfile(Path(__file__).with_name(NOTEBOOK), here)
    return here


def announce() -> str:
    """Return the sentence that names where credentials will come from."""
    from ..control.credentials.choose import choose

    return choose(os.environ).sentence


def prepare_vault() -> None:
    """Set up the Vault of ``VAULT_ADDR`` when an administrator's token is at hand, then forget the token."""
    token = os.environ.pop("VAULT_TOKEN", None)
    if os.environ.get("VAULT_ADDR") and token:
        from ..control.credentials.setup import apply_with_token

        apply_with_token(token, seed=True)
