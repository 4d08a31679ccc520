"""Record or enforce: which mode this kernel is in, and what *enforce* asks before each submission.

The control plane decides; this asks, and refuses politely. Code in this process can undo it, so it guides;
what holds is the gateway and the provider.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any

from ..core import paths
from ..core.errors import Denied, QsecError, Unavailable
from .channel import Channel

SECONDS = 10.0
"""How long a submission waits for a decision; no answer is a refusal."""

_AGAIN = 5.0  # seconds until the mode is asked for again, when there was no answer

_channel: Channel | None = None
_mode: str | None = None
_asked_at = float("-inf")


def start(channel: Channel) -> None:
    """Ask for the mode without waiting; until there is an answer, the state folder says what to assume."""
    global _channel, _mode, _asked_at  # one kernel, one mode
    _channel, _mode, _asked_at = channel, None, float("-inf")
    _ask_for_mode()


def enforcing() -> bool:
    """Say whether a submission needs permission. Never waits."""
    if _mode is None:
        _ask_for_mode()
        return paths.enforce_marker().exists()
    return _mode == "enforce"


def ask(about: dict[str, Any]) -> None:
    """Return when the control plane permits a submission.

    Args:
        about: ``run_id``, ``operation``, ``framework``, ``backend``, ``circuits`` (hashes), ``shots``.

    Raises:
        Denied: What policy or the lack of a grant says; ``run.not_decided`` when there was no answer.
    """
    try:
        if _channel is None:
            raise Unavailable("channel.absent", "This kernel has no channel to qsec")
        _channel.call("permit", within=SECONDS, run=about)
    except Denied:
        raise
    except QsecError as error:
        raise Denied(
            "run.not_decided",
            "This run was not submitted: nobody could decide on it",
            f"{error.title}. Runs need permission here, and no answer is a refusal.",
            error.remedy or "`%qsec status` and `qsec doctor` say what is down.",
        ) from error


def _ask_for_mode() -> None:
    global _asked_at  # noqa: PLW0603  # one kernel, one mode
    if _channel is None or time.monotonic() - _asked_at < _AGAIN:
        return
    _asked_at = time.monotonic()
    try:
        _channel.begin("hello").add_done_callback(_learn)
    except Unavailable:
        return  # a channel that is closed stays closed: what was assumed holds


def _learn(answer: Future[dict[str, Any]]) -> None:
    global _mode  # noqa: PLW0603  # one kernel, one mode
    if not answer.cancelled() and answer.exception() is None:
        _mode = "enforce" if answer.result().get("mode") == "enforce" else "record"
