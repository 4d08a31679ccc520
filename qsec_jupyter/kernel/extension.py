"""Loads the kernel side into IPython: ``--ext=qsec_jupyter.kernel.extension`` or ``%load_ext``.

Cheap by design: what a kernel may never need (magics, cards, capture) is imported when it is used.
"""

from __future__ import annotations

import atexit
from typing import Any

from ..core.errors import QsecError
from . import execution, redaction, session
from .cards import error_lines, grant_card, grant_text
from .channel import Channel

_shell: Any = None

EXIT_SECONDS = 1.0
"""How long an ending kernel waits for its last records to be acknowledged (seconds)."""


def loaded_into() -> Any:
    """Return the shell that holds our hooks, or ``None``."""
    return _shell


def load_ipython_extension(ip: Any) -> None:
    """Put channel, redaction, execution hooks and ``%qsec`` in place; called by IPython."""
    global _shell  # noqa: PLW0603  # one kernel, one shell
    if _shell is ip:
        return  # a second load, by hand
    _shell = ip
    redaction.install(ip)
    channel = Channel.from_environment()
    if channel is not None:
        session.start(session.Session(channel, redaction.register))
        execution.start(channel, ip)
        atexit.register(execution.stop, EXIT_SECONDS)
    _show(ip)
    ip.register_magic_function(_qsec, "line", "qsec")


def _qsec(line: str) -> Any:
    """Credentials on demand, redaction, a record of each run. ``%qsec help`` lists the commands."""
    from . import magics

    return magics.run(line)


def _show(ip: Any) -> None:
    """Have IPython show our errors in a few lines, and grants as cards."""
    QsecError._render_traceback_ = error_lines  # type: ignore[attr-defined]
    formatters = ip.display_formatter.formatters
    grant = ("qsec_jupyter.core.model", "Grant")
    formatters["text/html"].for_type_by_name(*grant, grant_card)
    formatters["text/plain"].for_type_by_name(*grant, lambda g, printer, _: printer.text(grant_text(g)))
