"""What is told of an event: facts for programs, a sentence for people. No secret, no more than is set."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from ...core.events import EVENT_TYPES
from .channel import Channel

_LONGEST = 500


def facts(channel: Channel, event: Mapping[str, Any], grant: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a channel may tell of an event.

    Args:
        channel: Its ``say`` decides.
        event: As the index of the ledger shows it, with names.
        grant: The grant that it is about, if one.
    """
    told: dict[str, Any] = {
        "kind": event["kind"],
        "time": event["time"],
        "what": EVENT_TYPES[event["kind"]].meaning,
        "target": event["target"],
        "grant": event["grant_id"],
    }
    if "names" in channel.say:
        told |= {"actor": _line(event["actor"]), "requester": _line(event["requester"])}
    if grant is not None and "reason" in channel.say:
        told["reason"] = _line(grant["reason"])
    if grant is not None and "ticket" in channel.say:
        told["ticket"] = _line(grant["ticket"])
    return {key: value for key, value in told.items() if value is not None}


def sentence(told: Mapping[str, Any]) -> str:
    """Return facts as one line for people."""
    parts = [str(told["what"]).rstrip(".")]
    if told.get("target"):
        parts[0] += f": {told['target']}"
    labels = {"requester": "for", "actor": "by", "ticket": "ticket", "reason": "reason"}
    parts += [f"{label} {told[key]}" for key, label in labels.items() if told.get(key)]
    return ", ".join(parts)


def _line(text: Any) -> str | None:
    """Return a text that people wrote as one line without control characters: it may end in a header."""
    if not text:
        return None
    shown = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in str(text))
    return " ".join(shown.split())[:_LONGEST]
