"""Jobs of IBM's runtime: ``POST /jobs`` as qiskit-ibm-runtime writes it."""

from .reader import read
from .restoring import restore

__all__ = ["read", "restore"]
