"""What reading a job is told, beside the job."""

from __future__ import annotations

from dataclasses import dataclass, field

from .limits import Limits


@dataclass(frozen=True, slots=True)
class Reading:
    """How a job is read.

    Attributes:
        hide: Whether names become opaque.
        key: What opaque names are made with; of the grant and target.
        limits: What it may take.
    """

    hide: bool = True
    key: bytes = b""
    limits: Limits = field(default_factory=Limits)
