"""Masks known values and credentials in HTTP headers in every log record of this process.

A filter on a logger sees only what is logged to that very logger, and a filter on a handler only what
that handler gets. ``Logger.handle`` is where every record of every logger, the root's, qiskit's and
urllib3's among them, passes before any handler, also one that is added later.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from ..core.secret import marker
from .masking import Masker

_HEADER = (
    r"""(?i)((?:proxy-)?authorization|x-vault-token|x-ms-quantum-api-key|x-auth-token|x-api-key)"""
    r"""(['"]?\s*[:=,]\s*b?['"]?)(?!\[redacted:)"""
    r"""(?:(bearer|basic|apikey|token|digest|negotiate|aws4-hmac-sha256)\s+(?!\[redacted:)[^'"\\\r\n]+"""
    r"""|[^\s'",;\\]{8,})"""
)
"""A header as httplib, urllib3 and dictionaries print it: name, what stands between, scheme, value."""

_HINTS = ("uthorization", "UTHORIZATION", "oken", "OKEN", "pi-", "PI-")
"""Text without any of these names no such header."""

_STANDARD = frozenset(vars(logging.makeLogRecord({})))


def masking(masker: Masker) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what wraps ``logging.Logger.handle``."""

    def make(handle: Callable[..., None]) -> Callable[..., None]:
        def guarded(self: logging.Logger, record: logging.LogRecord) -> None:
            mask(record, masker)
            handle(self, record)

        return guarded

    return make


def mask(record: logging.LogRecord, masker: Masker) -> None:
    """Mask what a record would show; one that shows no secret stays as it is."""
    try:
        text = record.getMessage()
    except Exception:  # noqa: BLE001  # a wrong format is for the handler to report, which shows the arguments
        text = f"{record.msg!r} {record.args!r}"
    if (masked := redact(text, masker)) is not text:
        record.msg, record.args = masked, None
    if record.exc_info and not record.exc_text:
        trace = logging.Formatter().formatException(record.exc_info)
        if (masked := redact(trace, masker)) is not trace:
            record.exc_text = masked
    extras = vars(record)
    for name in (extras.keys() - _STANDARD) | {"stack_info", "exc_text"}:
        if isinstance(extras.get(name), str):
            extras[name] = redact(extras[name], masker)


def redact(text: str, masker: Masker) -> str:
    """Return ``text`` without known values and values of headers that authorise; ``text`` itself if clean."""
    text = masker.redact(text)
    if not any(hint in text for hint in _HINTS):
        return text
    shown = re.sub(_HEADER, _masked_header, text)
    return text if shown == text else shown


def _masked_header(match: re.Match[str]) -> str:
    name, between, scheme = match.groups()
    return f"{name}{between}{scheme + ' ' if scheme else ''}{marker(name.lower())}"


def install(masker: Masker) -> Callable[[], None]:
    """Mask the records of this process from now on; returns what undoes it."""
    original: Any = logging.Logger.handle
    guarded: Any = masking(masker)(original)
    logging.Logger.handle = guarded  # type: ignore[method-assign]

    def undo() -> None:
        if logging.Logger.handle is guarded:
            logging.Logger.handle = original  # type: ignore[method-assign]

    return undo
