"""One module for each quantum framework whose runs are recorded; loaded when the user imports it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

MODULES = {
    "qiskit.providers.backend": "qiskit",
    "qiskit.primitives.base.base_sampler": "qiskit",
    "qiskit.primitives.base.base_estimator": "qiskit",
    "qiskit.primitives.primitive_job": "qiskit",
    "cirq.work.sampler": "cirq",
    "braket.devices.device": "braket",
    "pennylane.devices.device_api": "pennylane",
}
"""The modules that define what is hooked, and our module that hooks it."""


def hook(module: ModuleType) -> None:
    """Put our hooks on a module of ``MODULES`` that has just been executed."""
    import_module(f"{__name__}.{MODULES[module.__name__]}").hook(module)
