"""The commands as one typer application; a command's module is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from keyword import iskeyword
from typing import Any

import typer
from typer.core import TyperGroup

from ..core.errors import Unavailable
from .main import COMMANDS, PLAIN


class _LazyGroup(TyperGroup):
    """Imports a command's module only when that command is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(
                f"qsec_jupyter.cli.{cmd_name}{'_' if iskeyword(cmd_name) else ''}"
            )
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("qsec_jupyter"):
                raise
            return _missing(cmd_name, str(error.name))
        if cmd_name in PLAIN:
            return _plain(cmd_name, module.main)
        app = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(add_completion=False)
            app.command(name=cmd_name, help=COMMANDS[cmd_name])(getattr(module, cmd_name))
        command = typer.main.get_command(app)
        command.name = cmd_name
        command.help = command.help or COMMANDS[cmd_name]
        return command


def _plain(cmd_name: str, run: Callable[[list[str]], int]) -> Any:
    """Return a command that hands its arguments on as they are."""
    app = typer.Typer(add_completion=False)
    as_they_are = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

    @app.command(name=cmd_name, help=COMMANDS[cmd_name], context_settings=as_they_are)
    def call(context: typer.Context) -> None:
        raise typer.Exit(run(context.args))

    return typer.main.get_command(app)


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
