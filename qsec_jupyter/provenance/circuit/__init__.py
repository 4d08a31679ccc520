"""What a circuit is: its structural hash, its artefact, its description in a run record.

Only what the standard library and the user's own qiskit offer is used here, because this runs in the kernel.
"""

from .artefact import load, pack, snapshot
from .description import MAX_QPY_INSTRUCTIONS, describe
from .structure import ALGORITHM, NotHashable, structural_hash

__all__ = [
    "ALGORITHM",
    "MAX_QPY_INSTRUCTIONS",
    "NotHashable",
    "describe",
    "load",
    "pack",
    "snapshot",
    "structural_hash",
]
