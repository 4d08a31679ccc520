"""A device as Aer simulates it, with the noise that its calibration found."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from .programs import Unsupported

_STATEVECTOR = 22  # qubits; 2**22 amplitudes are 64 MB, and a few seconds for a hundred gates
_MEMORY_MB = 2048


@dataclass(frozen=True, slots=True)
class Machine:
    """Runs circuits.

    Attributes:
        name: The device.
        aer: The simulator; ``None`` when the answers are random.
        rep_delay: Seconds from shot to shot.
    """

    name: str
    aer: Any
    rep_delay: float

    def sampler(self, circuits: Iterable[Any], seed: int | None) -> Any:
        """Return a sampler for these circuits."""
        if self.aer is None:
            return RandomSampler(seed)
        from qiskit_aer.primitives import SamplerV2

        self.set_method(len(touched(circuit)) for circuit in circuits)
        return SamplerV2.from_backend(self.aer, seed=seed)

    def set_method(self, widths: Iterable[int]) -> None:
        """Simulate exactly what is narrow, and by matrix product states what is wide.

        Args:
            widths: How many qubits each circuit uses.
        """
        wide = max(widths, default=0) > _STATEVECTOR
        self.aer.set_options(method="matrix_product_state" if wide else "automatic")


@functools.lru_cache(maxsize=8)
def simulator(device: str, model: str, started: str, calibration: int, random: bool) -> Machine:
    """Return a device's simulator.

    Args:
        device: Its name.
        model: The real device that it is like.
        started: When the sandbox began, ISO 8601: calibrations are counted from there.
        calibration: Number of the calibration.
        random: Whether to answer at random.
    """
    from qiskit_ibm_runtime.models import BackendProperties, QasmBackendConfiguration
    from qiskit_ibm_runtime.utils.backend_decoder import (
        configuration_from_server_data,
        properties_from_server_data,
    )

    from ..devices import Device

    described = Device(device, model, datetime.fromisoformat(started))
    configuration = configuration_from_server_data(described.configuration, use_fractional_gates=None)
    assert isinstance(configuration, QasmBackendConfiguration)
    rep_delay = float(getattr(configuration, "default_rep_delay", 250e-6) or 250e-6)
    if random:
        return Machine(device, None, rep_delay)
    properties = properties_from_server_data(described.properties(calibration), use_fractional_gates=None)
    assert isinstance(properties, BackendProperties)
    return Machine(device, _aer(device, configuration, properties), rep_delay)


def _aer(name: str, configuration: Any, properties: Any) -> Any:
    from qiskit.providers import BackendV2, Options
    from qiskit_aer import AerSimulator
    from qiskit_ibm_runtime.utils.backend_converter import convert_to_target

    class Calibrated(BackendV2):  # type: ignore[misc]
        """A device that only says what it is."""

        target = convert_to_target(configuration, properties)
        max_circuits = None

        @classmethod
        def _default_options(cls) -> Any:
            return Options()

        def run(self, run_input: Any, **options: Any) -> Any:
            raise NotImplementedError

    aer = AerSimulator.from_backend(
        Calibrated(name=name), max_memory_mb=_MEMORY_MB, max_parallel_threads=1, enable_truncation=True
    )
    aer.set_max_qubits(10_000)  # idle qubits are left out by Aer itself
    return aer


def touched(circuit: Any) -> set[Any]:
    """Return the qubits that a circuit does something to."""
    return {bit for item in circuit.data if item.name not in ("barrier", "delay") for bit in item.qubits}


class RandomSampler:
    """Answers random bits in the shape in which a sampler answers.

    Args:
        seed: Makes the bits the same every time.
    """

    def __init__(self, seed: int | None) -> None:
        self._random = np.random.default_rng(seed)

    def run(self, pubs: Sequence[Any]) -> RandomSampler:
        """Take pubs; :meth:`result` answers them."""
        self._pubs = list(pubs)
        return self

    def result(self) -> Any:
        """Return random bits for every pub."""
        from qiskit.primitives.containers import PrimitiveResult

        return PrimitiveResult([self._one(pub) for pub in self._pubs])

    def _one(self, pub: Any) -> Any:
        from qiskit.primitives.containers import BitArray, DataBin, SamplerPubResult

        shape = pub.parameter_values.shape
        fields = {}
        for register in pub.circuit.cregs:
            bits = self._random.integers(0, 2, (*shape, pub.shots, register.size), dtype=np.uint8)
            fields[register.name] = BitArray.from_bool_array(bits.astype(bool), order="little")
        return SamplerPubResult(DataBin(**fields, shape=shape), {"circuit_metadata": pub.circuit.metadata})


def twirled(options: dict[str, Any], *, usual: bool) -> int | None:
    """Return how many shots the options for twirling ask for; they go before ``default_shots``.

    Args:
        options: The job's.
        usual: Whether it is on where nothing is said.
    """
    twirling = options.get("twirling") or {}
    if not any(twirling.get(name, usual) for name in ("enable_gates", "enable_measure")):
        return None
    times, shots = twirling.get("num_randomizations"), twirling.get("shots_per_randomization")
    return times * shots if isinstance(times, int) and isinstance(shots, int) else None


def read_texts(pubs: Iterable[Any]) -> list[list[Any]]:
    """Return pubs with circuits where they hold OpenQASM.

    Raises:
        Unsupported: For OpenQASM that Qiskit cannot read.
    """
    return [
        [_circuit(pub[0]), *pub[1:]] if isinstance(pub, (list, tuple)) and isinstance(pub[0], str) else pub
        for pub in pubs
    ]


def _circuit(source: str) -> Any:
    from qiskit import qasm3

    try:
        return qasm3.loads(source)
    except qasm3.QASM3ImporterError as error:
        raise Unsupported(
            "The sandbox reads OpenQASM as far as Qiskit does, and this it does not."
        ) from error
