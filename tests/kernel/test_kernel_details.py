"""What is slow to find out about a run: found out once, and anew when it has changed."""

import json

import pytest

pytest.importorskip("qiskit_aer")

from qiskit import QuantumCircuit, transpile
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from qsec_jupyter.kernel.frameworks import keeping
from qsec_jupyter.kernel.frameworks.qiskit import details
from qsec_jupyter.kernel.run import Run


@pytest.fixture
def kept(monkeypatch):
    found = {}
    monkeypatch.setattr(
        keeping.evidence, "offer", lambda sha256, kind, data: found.update({sha256: (kind, data)})
    )
    return found


def told(instance, backend=None, options=None, circuits=()):
    """Note a call and carry out its steps, as the sending thread does."""
    run = Run("qiskit", "x.run")
    details.note(run, instance, backend or instance, options or {}, list(circuits))
    record = {"backend": {}, "execution": {}, "gaps": []}
    for step in run.later:
        step(record)
    return record


def noisy(rate=0.1):
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(rate, 1), ["h"])
    return model


def test_calibration_is_kept_whole_and_named_by_digest(kept) -> None:
    reference = told(GenericBackendV2(3, seed=1))["backend"]["calibration"]
    kind, data = kept[reference["sha256"]]
    snapshot = json.loads(data)
    assert kind == details.CALIBRATION_TYPE
    assert len(snapshot["qubits"]) == 3
    assert snapshot["qubits"][0]["t1"] > 0
    duration, error = snapshot["gates"]["cx"]["0,1"]
    assert duration > 0
    assert error > 0
    assert snapshot["dt"] > 0


def test_calibration_is_read_once_until_it_is_updated(kept, monkeypatch) -> None:
    backend, read = GenericBackendV2(2, seed=1), []
    whole = details._read_calibration
    monkeypatch.setattr(details, "_read_calibration", lambda *a: read.append(1) or whole(*a))
    for _ in range(3):
        told(backend)
    assert len(read) == 1
    backend._props_dict = {"last_update_date": "2026-01-31T09:00:00Z"}
    assert told(backend)["backend"]["calibration"]["last_update_date"] == "2026-01-31T09:00:00Z"
    assert len(read) == 2


def test_ideal_simulator_has_no_calibration_and_its_target_is_not_made(kept, monkeypatch) -> None:
    monkeypatch.setattr(AerSimulator, "target", property(lambda self: pytest.fail("looked at")))
    found = told(AerSimulator())
    assert found["backend"]["calibration"] is None
    assert found["backend"]["simulator"] is True


def test_noise_model_has_a_digest_of_its_own_that_follows_it(kept) -> None:
    model = noisy()
    backend = AerSimulator(noise_model=model)
    first = told(backend)["backend"]["noise_model"]["sha256"]
    assert told(AerSimulator(), options={"noise_model": model})["backend"]["noise_model"]["sha256"] == first
    assert told(AerSimulator(noise_model=noisy(0.2)))["backend"]["noise_model"]["sha256"] != first
    model.add_all_qubit_quantum_error(depolarizing_error(0.3, 1), ["x"])
    assert told(backend)["backend"]["noise_model"]["sha256"] != first


def test_options_in_effect_are_those_of_the_moment_of_the_call(kept) -> None:
    backend = AerSimulator(method="stabilizer")
    run = Run("qiskit", "x.run")
    details.note(run, backend, backend, {}, [])
    backend.set_options(method="statevector")
    record = {"backend": {}, "execution": {}, "gaps": []}
    for step in run.later:
        step(record)
    assert record["execution"]["runner"]["options"]["method"] == "stabilizer"
    assert json.dumps(record)


def test_layout_of_a_compiled_circuit_is_told(kept) -> None:
    backend = GenericBackendV2(3, seed=1)
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    compiled = transpile(circuit, backend, initial_layout=[2, 0], optimization_level=0)
    found = told(backend, circuits=[compiled])["execution"]["compilation"]
    assert found["circuits"][0]["layout"] == list(compiled.layout.final_index_layout())


def test_seed_that_is_a_generator_is_named_as_not_known(kept) -> None:
    import numpy
    from qiskit.primitives import StatevectorSampler

    found = told(StatevectorSampler(seed=numpy.random.default_rng(1)))
    assert "option seed in effect is not known" in found["gaps"]
