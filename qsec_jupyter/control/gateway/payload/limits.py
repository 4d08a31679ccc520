"""What a submitted job may take."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what reading one job may take; beyond one of them it is refused.

    Attributes:
        body: Bytes as submitted.
        unpacked: Bytes of all that is compressed in it, together.
        nesting: Objects and lists within one another.
        circuits: In one job.
        instructions: In all its circuits, those in blocks and definitions included.
        memory: Bytes that reading takes beyond what a worker needs anyway.
        seconds: From handing it to a worker to the answer.
    """

    body: int = 64 * MEGABYTE
    unpacked: int = 256 * MEGABYTE
    nesting: int = 64
    circuits: int = 10_000
    instructions: int = 5_000_000
    memory: int = 1024 * MEGABYTE
    seconds: int = 30
