"""``qsec demo``: JupyterLab on the first-run notebook, with a simulated provider and the best store."""

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
    from .demo_sandbox import DemoSandbox, demo_home, prepare_vault

    folder = demo_home(os.environ)
    os.environ["QSEC_HOME"] = str(folder)
    provider = DemoSandbox(folder)
    prepare_vault()
    print(f"qsec: credentials come from {announce()}", flush=True)
    print(f"qsec: the provider is a sandbox at {provider.hello['address']}; state is in {folder}", flush=True)
    path = notebook()
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={path.parent}", str(path)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is often nobody else
    provider.keep_over_exec()
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
