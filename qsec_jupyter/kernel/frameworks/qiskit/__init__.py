"""Qiskit: every backend, sampler and estimator, by the classes they must derive from; and IBM's runtime.

Nothing here imports qiskit. The hooks are put on the modules that DEFINE the base classes, right after
the user's own import has executed them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from ... import execution
from . import compilation, jobs, runtime
from .backends import Backends
from .primitives import Primitives


def hook(module: ModuleType) -> None:
    """Hook what this module of qiskit defines."""
    _HOOKS[module.__name__](module)


def _roots(module: ModuleType, framework: execution.Framework, *names: str) -> None:
    for name in names:
        root = getattr(module, name, None)
        if isinstance(root, type):
            execution.hook(root, framework)


_HOOKS: dict[str, Callable[[ModuleType], None]] = {
    "qiskit.providers.backend": lambda module: _roots(module, Backends(), "BackendV2"),
    "qiskit.primitives.base.base_sampler": lambda module: _roots(
        module, Primitives("sampler"), "BaseSamplerV2", "BaseSamplerV1"
    ),
    "qiskit.primitives.base.base_estimator": lambda module: _roots(
        module, Primitives("estimator"), "BaseEstimatorV2", "BaseEstimatorV1"
    ),
    "qiskit.primitives.primitive_job": jobs.carry_context,
    "qiskit.transpiler.passmanager": compilation.hook_runner,
    "qiskit.transpiler.preset_passmanagers.generate_preset_pass_manager": compilation.hook_maker,
    "qiskit_ibm_runtime.executor.executor": runtime.hook_program,
    "qiskit_ibm_runtime.executor_noise_learner.noise_learner_v3": runtime.hook_program,
    "qiskit_ibm_runtime.noise_learner.noise_learner": runtime.hook_program,
    "qiskit_ibm_runtime.noise_learner_v3.noise_learner_v3": runtime.hook_program,
    "qiskit_ibm_runtime.calibrator.calibrator": runtime.hook_program,
    "qiskit_ibm_runtime.qiskit_runtime_service": runtime.hook_service,
    "qiskit_ibm_runtime.fake_provider.local_service": runtime.hook_service,
    "qiskit_ibm_runtime.runtime_job_v2": runtime.hook_job,
}
