"""Loads the kernel side into IPython: ``--ext=qsec_jupyter.kernel.extension`` or ``%load_ext``.

Cheap by design: session, magics, cards and capture are imported when they are first used.
"""

from __future__ import annotations

import atexit
import sys
from types import ModuleType
from typing import Any

from ..core.errors import QsecError
from . import channel, frameworks, redaction, sources
from .importing import PostImport

EXIT_SECONDS = 1.0
"""How long an ending kernel waits for its last records to be acknowledged (seconds)."""

_shell: Any = None
_imports = PostImport()


def loaded_into() -> Any:
    """Return the shell that holds our hooks, or ``None``."""
    return _shell


def load_ipython_extension(ip: Any) -> None:
    """Put channel, redaction, execution hooks and ``%qsec`` in place; called by IPython."""
    global _shell  # noqa: PLW0603  # one kernel, one shell
    if _shell is ip:
        return  # a second load, by hand
    _shell = ip
    channel.mine = channel.Channel.from_environment()
    redaction.install(ip)
    if channel.mine is not None:
        sources.watch(ip)
        watch()
        atexit.register(_last_words)
    _show(ip)
    ip.register_magic_function(_qsec, "line", "qsec")


def watch() -> None:
    """Record runs of a framework as soon as the user has imported it."""
    for name in frameworks.MODULES:
        _imports.on(name, _on_framework)


def _on_framework(module: ModuleType) -> None:
    from . import execution

    if execution.recorder is None and channel.mine is not None:
        execution.start(channel.mine, _shell)
    frameworks.hook(module)


def _last_words() -> None:
    redaction.last_words()
    execution: Any = sys.modules.get(f"{__package__}.execution")
    if execution is not None:
        execution.stop(EXIT_SECONDS)


def _qsec(line: str) -> Any:
    """Credentials on demand, redaction, a record of each run. ``%qsec help`` lists the commands."""
    from . import magics

    return magics.run(line)


def _show(ip: Any) -> None:
    """Have IPython show our errors in a few lines, and grants as cards."""
    QsecError._render_traceback_ = _error_lines  # type: ignore[attr-defined]
    formatters = ip.display_formatter.formatters
    formatters["text/html"].for_type_by_name("qsec_jupyter.core.model", "Grant", _grant_card)
    formatters["text/plain"].for_type_by_name("qsec_jupyter.core.model", "Grant", _grant_text)


def _error_lines(error: QsecError) -> list[str]:
    from .cards import error_lines

    return error_lines(error)


def _grant_card(grant: Any) -> str:
    from .cards import grant_card

    return grant_card(grant)


def _grant_text(grant: Any, printer: Any, cycle: bool) -> None:  # IPython's signature
    from .cards import grant_text

    printer.text(grant_text(grant))
