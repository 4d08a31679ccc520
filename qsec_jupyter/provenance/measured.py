"""What a run measured, in a form that two runs can be compared by: counts of outcomes, or estimated values.

The form is ``qsec.dev/measured/v1``; ``docs/formats/evidence.md`` writes it down.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

MEDIA_TYPE = "application/vnd.qsec.measured+json"
FORMAT = "qsec.dev/measured/v1"

MOST_OUTCOMES = 1_000_000
"""Distinct outcomes of one run that are kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """One distribution, or one array of estimates.

    Attributes:
        name: Position of circuit, register and parameter set, such as ``0/meas[1,2]``.
        counts: How often each outcome was seen, by its bits (leftmost is the highest bit) or its name.
        values: Estimated values.
        errors: Their standard errors, as far as they are known.
    """

    name: str
    counts: dict[str, int] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)


def encode(parts: list[Part]) -> bytes:
    """Return parts as JSON."""
    plain = []
    for part in parts:
        entry: dict[str, Any] = {"name": part.name}
        if part.counts:
            entry["counts"] = dict(sorted(part.counts.items()))
        else:
            entry |= {"values": part.values, "errors": part.errors}
        plain.append(entry)
    return json.dumps({"format": FORMAT, "parts": plain}, separators=(",", ":")).encode()


def decode(data: bytes) -> list[Part]:
    """Read what :func:`encode` wrote.

    Raises:
        ValueError: If it is something else.
    """
    told = json.loads(data)
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"this is not {FORMAT}")
    try:
        return [
            Part(
                str(part["name"]),
                {str(outcome): int(count) for outcome, count in part.get("counts", {}).items()},
                [float(value) for value in part.get("values", [])],
                [float(error) for error in part.get("errors", [])],
            )
            for part in told["parts"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("a part is malformed") from error
