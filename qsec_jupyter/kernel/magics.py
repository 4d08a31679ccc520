"""``%qsec``: the same things as the Python API, at the speed of typing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser
from IPython.utils.process import arg_split

from . import api, execution


def run(line: str) -> Any:
    """Carry out one ``%qsec`` line and return what the cell shows.

    Raises:
        UsageError: The line is not understood.
        QsecError: What the command itself raises; shown as a few lines, not as a traceback.
    """
    words = arg_split(line, posix=True)
    options = vars(_parser().parse_args(words or ["help"]))
    command: Callable[..., Any] = options.pop("command")
    return command(**options)


class _Parser(MagicArgumentParser):
    """A parser whose sub-parsers raise UsageError, too, and whose help is a result."""

    def __init__(self, **options: Any) -> None:
        options |= {"add_help": False, "formatter_class": argparse.HelpFormatter}
        super().__init__(**options)

    def error(self, message: str) -> Any:
        raise UsageError(f"{message}\n{self.format_usage()}")


def _parser() -> _Parser:
    parser = _Parser(prog="%qsec", description="Credentials on demand, redaction, a record of each run.")
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=_Parser, required=True)

    def add(name: str, command: Callable[..., Any], text: str) -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    asks = add("request", _request, "Ask for a target.")
    asks.add_argument("target")
    asks.add_argument("--reason", required=True, help="why; approvers and auditors read it")
    asks.add_argument("--ticket", help="such as QC-1, when the target asks for one")
    asks.add_argument("--for", dest="duration", metavar="TIME", help="such as 30m or 1h30m")
    asks.add_argument("--project", help="the project that the work belongs to")
    asks.add_argument("--start", metavar="TIME", help="such as 2026-01-31T09:00+01:00")
    asks.add_argument(
        "--scope",
        choices=("submit", "metadata"),
        default="submit",
        help="metadata: look, run nothing",
    )
    asks.add_argument("--break-glass", action="store_true", help="an emergency: skip approval, be looked at")
    asks.add_argument("--no-wait", dest="wait", action="store_false", help="do not wait for a person")
    asks.add_argument("--timeout", type=float, metavar="SECONDS", help="wait no longer than this")
    more = add("extend", _extend, "Ask for more time on a grant.")
    more.add_argument("target_or_id", metavar="target")
    more.add_argument("--for", dest="duration", metavar="TIME", required=True, help="such as 30m or 1h30m")
    more.add_argument("--reason", help="the grant's own when left out")
    add("credential", api.credential, "Show a credential, masked.").add_argument("target")
    add("grants", api.grants, "List this kernel's grants.")
    add("targets", api.targets, "List what can be asked for.")
    add("status", api.status, "Say what is on, what is off and why.")
    shows = add("provenance", api.provenance, "Show the record of a run.")
    shows.add_argument("run_id", nargs="?", help="the last run when left out")
    seen = add("exposure", _exposure, "Show what the vendor sees of a job, or would see of a circuit.")
    seen.add_argument(
        "names", nargs="*", metavar="CIRCUIT", help="variables with circuits that were not sent"
    )
    seen.add_argument("--target", help="where they would go")
    seen.add_argument("--job", help="a job's id; the last one when left out")
    ends = add("revoke", api.revoke, "Hand a grant back, or withdraw a request.")
    ends.add_argument("target_or_id", metavar="target")
    ends.add_argument("--comment")
    add("off", lambda: _switch(on=False), "Stop recording runs; that is recorded.")
    add("on", lambda: _switch(on=True), "Record runs again.")
    add("help", lambda: print(parser.format_help()), "Show this.")  # noqa: T201  # a magic's output is print
    return parser


def _request(**options: Any) -> Any:
    return api.request(options.pop("target"), **options)


def _extend(**options: Any) -> Any:
    return api.extend(options.pop("target_or_id"), **options)


def _exposure(names: list[str], target: str | None, job: str | None) -> Any:
    from IPython import get_ipython

    known = get_ipython().user_ns
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(f"There is no variable {missing[0]}.")
    found: list[Any] = []
    for name in names:
        found += known[name] if isinstance(known[name], (list, tuple)) else [known[name]]
    return api.exposure(found or None, target=target, job=job)


def _switch(*, on: bool) -> None:
    execution.switch(on=on)
    print(f"Recording of runs is {'on' if on else 'off; %qsec on starts it again'}.")  # noqa: T201
