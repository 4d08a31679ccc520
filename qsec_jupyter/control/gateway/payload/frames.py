"""What goes between the gateway and a worker: JSON with bytes behind it, never a pickle.

A frame is two lengths (4 and 8 bytes, big endian), a JSON object in UTF-8, and bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from struct import Struct
from typing import Any, BinaryIO

from ....core.errors import QsecError, from_problem
from ..model import Circuit, Field, Submission

HEAD = Struct("!IQ")
MOST = 1 << 31
"""Bytes of a frame."""

_ITEMS = {"circuits": Circuit, "fields": Field}


def pack(told: dict[str, Any], body: bytes) -> bytes:
    """Return a frame."""
    text = json.dumps(told, separators=(",", ":")).encode()
    return HEAD.pack(len(text), len(body)) + text + body


def read(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read a frame.

    Raises:
        EOFError: If there is none.
    """
    head = file.read(HEAD.size)
    if len(head) < HEAD.size:
        raise EOFError
    text, body = HEAD.unpack(head)
    told: dict[str, Any] = json.loads(file.read(text))
    return told, file.read(body)


def of_submission(submission: Submission) -> tuple[dict[str, Any], bytes]:
    """Return a submission as the two parts of a frame."""
    told = {name: getattr(submission, name) for name in Submission.__dataclass_fields__ if name != "body"}
    told["names"] = dict(submission.names)
    for name in _ITEMS:
        told[name] = [asdict(item) for item in told[name]]
    return told, submission.body


def to_submission(told: dict[str, Any], body: bytes) -> Submission:
    """Return the submission that a frame holds."""
    parts = {name: tuple(kind(**item) for item in told[name]) for name, kind in _ITEMS.items()}
    return Submission(**{**told, **parts, "tags": tuple(told["tags"]), "body": body})


def to_error(told: dict[str, Any]) -> QsecError:
    """Return the refusal that a frame holds."""
    return from_problem(told)
