"""IBM Quantum, as ``qiskit-ibm-runtime`` 0.51 speaks with it."""

from .account import IbmAccount
from .dialect import Ibm

__all__ = ["Ibm", "IbmAccount"]
