"""Tasks of Amazon Braket: ``CreateQuantumTask`` as the Braket SDK writes it."""

from .reader import read, restore

__all__ = ["read", "restore"]
