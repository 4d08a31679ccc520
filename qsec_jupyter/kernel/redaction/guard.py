"""Puts all guards in place, and says whether they still are."""

from __future__ import annotations

import logging
import warnings
from typing import Any

from ...core.secret import Secret
from ...scan import logs
from ..health import Check
from . import hooks, messages, shell
from .state import known, masker
from .streams import RedactingOutStream

MESSAGES, STREAMS, DESCRIPTORS = "Redaction of messages", "Redaction of streams", "Redaction of descriptors"
LOGS = "Redaction of logs"


def install(ip: Any) -> None:
    """Guard what the two command-line choke points do not see."""
    session = getattr(getattr(ip, "kernel", None), "session", None)
    if session is not None:
        hooks.wrap(MESSAGES, session, "sign", messages.signing)
        hooks.put(MESSAGES, session, "pack", messages.pack_unsigned)
        hooks.wrap(MESSAGES, session, "send", messages.sending(session))
    shell.install(ip)
    hooks.wrap(LOGS, logging.Logger, "handle", logs.masking(masker))


def register(label: str, value: Secret) -> bool:
    """Keep ``value`` out of sight from now on; called before anyone can reveal it.

    Returns:
        Whether it is looked for. A value under 8 characters is not, with a warning: masking it would
        mangle everything.
    """
    shell.guard_tracebacks()
    if known.add(label, value):
        return True
    warnings.warn(
        f"The credential for {label} is too short to be recognised; it is NOT redacted.", stacklevel=2
    )
    return False


def checks(ip: Any, stdout: Any, stderr: Any) -> list[Check]:
    """Say whether each guard is still in place."""
    found = hooks.state()
    if MESSAGES not in found:
        found = {MESSAGES: False, **found}
    gone = "removed since start" if getattr(ip, "kernel", None) is not None else "this is not a kernel"
    streams = [stream for stream in (stdout, stderr) if isinstance(stream, RedactingOutStream)]
    whole = len(streams) == 2
    ours = whole and all(stream.descriptor_in_place() for stream in streams)
    return [
        Check(MESSAGES, found.pop(MESSAGES), "" if hooks.state().get(MESSAGES) else gone),
        Check(STREAMS, whole, "" if whole else "sys.stdout or sys.stderr is another stream"),
        Check(DESCRIPTORS, ours, "" if ours else "descriptor 1 or 2 leads elsewhere"),
        *(Check(name, ok, "" if ok else "removed since start") for name, ok in found.items()),
    ]
