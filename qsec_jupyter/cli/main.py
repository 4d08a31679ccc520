"""``qsec``: the table of commands, and the one place where an error becomes an exit status."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from typing import Any, NoReturn

from ..core.errors import EXIT_CODE, QsecError

COMMANDS: dict[str, str] = {
    "coverage": "Say which ways out of a notebook are covered.",
    "demo": "Start everything on the first-run notebook, or check it without a browser.",
    "diff": "Say what changed from one recorded run to another.",
    "doctor": "Say what is on, what is off and why.",
    "export": "Write a recorded run in a standard form.",
    "import": "Move a plaintext credential into the store of a target.",
    "inventory": "List plaintext quantum credentials that lie around.",
    "jobs": "List, show and cancel jobs that went through the gateway.",
    "notify": "List the ways in which people are notified, and try them.",
    "policy": "Check, try, explain and compare policy bundles.",
    "reconcile": "Compare a provider's list of jobs with the ledger.",
    "replay": "Run a recorded run again and judge the outcome.",
    "rotate": "Replace the value, or make a new key, behind a target.",
    "rules": "List, test and explain the rules of the scanner.",
    "run": "Run a program with credentials on demand, as a workload.",
    "runs": "Find recorded runs.",
    "sandbox": "Run a simulated quantum provider on this machine.",
    "scan": "Find secrets in notebooks and text files.",
    "serve": "Run the control plane.",
    "share": "Make a stripped, scanned copy of a notebook to give away.",
    "show": "Show a recorded run.",
    "setup": "Prepare a Vault or OpenBao for the control plane.",
    "token": "Make, list and revoke short-lived bearers for tools.",
    "verify": "Check journals, or an exported run, offline.",
}
"""Command name to one-line help; the module of the same name holds ``app`` or the function."""


PLAIN = frozenset({"scan"})
"""Commands that start in a tenth of a second: they read their options themselves, without typer."""


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .group import app

    return app


def main() -> None:
    """Run the command line; a :class:`QsecError` is printed and becomes its kind's exit status."""
    try:
        if sys.argv[1:2] and sys.argv[1] in PLAIN:
            gc.disable()  # what is imported stays; the command switches it on again for work that lasts
            _leave(importlib.import_module(f"qsec_jupyter.cli.{sys.argv[1]}").main(sys.argv[2:]))
        from .group import app

        app()
    except QsecError as error:
        print(f"qsec: {error}", file=sys.stderr)
        sys.exit(EXIT_CODE[error.kind])


def _leave(status: int) -> NoReturn:
    """End at once: to take every module apart first would make a short scan a tenth longer."""
    with contextlib.suppress(OSError):  # whoever read our output has gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)
