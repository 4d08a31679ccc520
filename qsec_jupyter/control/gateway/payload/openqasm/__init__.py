"""OpenQASM 3, whoever it is for: read once, measured, hashed, its names hidden.

The reference parser takes twenty times as long, and Braket's own carries programs out.
"""

from .program import ALGORITHM, Program

__all__ = ["ALGORITHM", "Program"]
