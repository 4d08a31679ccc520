"""One module for each quantum framework whose runs are recorded; loaded when the user imports it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

MODULES = {
    "qiskit.providers.backend": "qiskit",
    "qiskit.primitives.base.base_sampler": "qiskit",
    "qiskit.primitives.base.base_estimator": "qiskit",
    "qiskit.primitives.primitive_job": "qiskit",
    "qiskit.transpiler.passmanager": "qiskit",
    "qiskit.transpiler.preset_passmanagers.generate_preset_pass_manager": "qiskit",
    "qiskit_ibm_runtime.executor.executor": "qiskit",
    "qiskit_ibm_runtime.executor_noise_learner.noise_learner_v3": "qiskit",
    "qiskit_ibm_runtime.noise_learner.noise_learner": "qiskit",
    "qiskit_ibm_runtime.noise_learner_v3.noise_learner_v3": "qiskit",
    "qiskit_ibm_runtime.calibrator.calibrator": "qiskit",
    "qiskit_ibm_runtime.qiskit_runtime_service": "qiskit",
    "qiskit_ibm_runtime.fake_provider.local_service": "qiskit",
    "qiskit_ibm_runtime.runtime_job_v2": "qiskit",
    "cirq.work.sampler": "cirq",
    "braket.devices.device": "braket",
    "pennylane.devices.device_api": "pennylane",
}
"""The modules that define what is hooked, and our module that hooks it."""


def hook(module: ModuleType) -> None:
    """Put our hooks on a module of ``MODULES`` that has just been executed."""
    import_module(f"{__name__}.{MODULES[module.__name__]}").hook(module)
