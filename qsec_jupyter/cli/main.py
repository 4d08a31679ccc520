"""``qsec``: the table of commands, and the one place where an error becomes an exit status."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from ..core.errors import EXIT_CODE, QsecError, Unavailable

COMMANDS: dict[str, str] = {
    "coverage": "Say which ways out of a notebook are covered.",
    "demo": "Start everything on the first-run notebook, or check it without a browser.",
    "diff": "Say what changed from one recorded run to another.",
    "doctor": "Say what is on, what is off and why.",
    "export": "Write a recorded run in a standard form.",
    "replay": "Run a recorded run again and judge the outcome.",
    "runs": "Find recorded runs.",
    "scan": "Find secrets in notebooks and text files.",
    "serve": "Run the control plane.",
    "share": "Make a stripped, scanned copy of a notebook to give away.",
    "show": "Show a recorded run.",
    "setup": "Prepare a Vault or OpenBao for the control plane.",
    "verify": "Check journals, or an exported run, offline.",
}
"""Command name to one-line help; the module of the same name holds ``app`` or the function."""


class _LazyGroup(TyperGroup):
    """Imports a command's module only when that command is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(f"qsec_jupyter.cli.{cmd_name}")
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("qsec_jupyter"):
                raise
            return _missing(cmd_name, str(error.name))
        app = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(add_completion=False)
            app.command(name=cmd_name, help=COMMANDS[cmd_name])(getattr(module, cmd_name))
        command = typer.main.get_command(app)
        command.name = cmd_name
        command.help = command.help or COMMANDS[cmd_name]
        return command


def _missing(cmd_name: str, package: str) -> Any:
    """Return a command that says which extra it needs, instead of a traceback."""

    def report() -> None:
        raise Unavailable(
            "install.extra_missing",
            "A part of qsec-jupyter is not installed",
            f"`qsec {cmd_name}` needs the package {package}.",
            "Install it with: pip install 'qsec-jupyter[control]'",
        )

    app = typer.Typer(add_completion=False)
    app.command(name=cmd_name, help=COMMANDS[cmd_name])(report)
    return typer.main.get_command(app)


app = typer.Typer(
    cls=_LazyGroup, name="qsec", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@app.callback()
def _qsec() -> None:
    """Short-lived credentials, signed run records and leak-free notebooks for Jupyter."""


def main() -> None:
    """Run the command line; a :class:`QsecError` is printed and becomes its kind's exit status."""
    try:
        app()
    except QsecError as error:
        print(f"qsec: {error}", file=sys.stderr)
        sys.exit(EXIT_CODE[error.kind])
