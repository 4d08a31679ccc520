"""`qsec replay` of real runs: recorded by the kernel's hooks, kept by a real control plane, run again."""

import pytest

qiskit = pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")

from qiskit import QuantumCircuit, transpile  # noqa: E402
from qiskit.circuit import Parameter  # noqa: E402
from qiskit.primitives import (  # noqa: E402
    BackendEstimatorV2,
    BackendSamplerV2,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.providers.basic_provider import BasicSimulator  # noqa: E402
from qiskit.providers.fake_provider import GenericBackendV2  # noqa: E402
from qiskit.quantum_info import SparsePauliOp  # noqa: E402
from qiskit_aer import AerSimulator  # noqa: E402
from qiskit_aer.noise import NoiseModel, depolarizing_error  # noqa: E402
from qiskit_aer.primitives import EstimatorV2, SamplerV2  # noqa: E402

from qsec_jupyter.core.errors import Invalid  # noqa: E402


def bell():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def rotated():
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)
    circuit.measure_all()
    return circuit


def ansatz():
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.rz(Parameter("b"), 1)
    return circuit


def noisy():
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["h", "rx"])
    return model


def bound(circuit):
    binds = [{circuit.parameters[0]: [0.1, 0.7]}]
    return AerSimulator().run([circuit], parameter_binds=binds, seed_simulator=7)


ZZ = SparsePauliOp.from_list([("ZZ", 1.0), ("XI", 0.5)])

SEEDED = {
    "aer": lambda: AerSimulator().run(bell(), shots=200, seed_simulator=7),
    "aer, seed in the backend": lambda: AerSimulator(seed_simulator=3, method="stabilizer").run(bell()),
    "aer with parameters": lambda: bound(rotated()),
    "statevector sampler": lambda: StatevectorSampler(seed=5).run([bell()], shots=300),
    "statevector sampler, sweep": lambda: StatevectorSampler(seed=5).run([(rotated(), [[0.1], [0.2]], 50)]),
    "statevector estimator": lambda: StatevectorEstimator(seed=5).run(
        [(ansatz(), ZZ, [0.1, 0.2])], precision=0.1
    ),
    "exact estimator": lambda: StatevectorEstimator().run([(ansatz(), [[ZZ], ["YY"]], {"a": 0.1, "b": 0.2})]),
    "aer sampler": lambda: SamplerV2(seed=5).run([bell(), (rotated(), {"t": 0.3}, 70)], shots=300),
    "aer estimator": lambda: EstimatorV2(options={"run_options": {"seed": 3}}).run(
        [(ansatz(), ZZ, [0.1, 0.2])]
    ),
    "backend sampler": lambda: BackendSamplerV2(
        backend=AerSimulator(), options={"seed_simulator": 3, "default_shots": 100}
    ).run([bell()]),
    "backend estimator": lambda: BackendEstimatorV2(
        backend=AerSimulator(seed_simulator=4), options={"default_precision": 0.05}
    ).run([(ansatz(), SparsePauliOp("ZZ"), [0.1, 0.2])]),
    "basic simulator": lambda: BasicSimulator().run(bell(), shots=100, seed_simulator=3),
    "noise in the call": lambda: AerSimulator().run(bell(), noise_model=noisy(), seed_simulator=3),
    "noise in the backend": lambda: AerSimulator(noise_model=noisy()).run(bell(), seed_simulator=3),
}


@pytest.mark.parametrize("case", SEEDED)
def test_seeded_run_is_bit_identical(record, replayed, case) -> None:
    told = replayed(record(SEEDED[case]))
    assert told["verdict"] == "bit-identical", told
    assert told["environment"] == []


def runtime(kind, **options):
    """Run a primitive of qiskit-ibm-runtime in its local testing mode."""
    ibm = pytest.importorskip("qiskit_ibm_runtime")
    fake = pytest.importorskip("qiskit_ibm_runtime.fake_provider").FakeManilaV2()
    measured = kind == "SamplerV2"
    circuit = bell() if measured else ansatz()
    compiled = transpile(circuit, fake, seed_transpiler=1)
    pub = (
        (compiled,) if measured else (compiled, SparsePauliOp("ZZ").apply_layout(compiled.layout), [0.1, 0.2])
    )
    return getattr(ibm, kind)(mode=fake, options={"simulator": {"seed_simulator": 3}, **options}).run([pub])


@pytest.mark.parametrize("kind", ["SamplerV2", "EstimatorV2"])
def test_local_testing_mode_of_the_runtime_is_replayed(record, replayed, kind) -> None:
    told = replayed(record(lambda: runtime(kind)))
    assert told["verdict"] == "bit-identical", told


UNSEEDED = {
    "aer": lambda: AerSimulator().run(bell(), shots=2000),
    "sampler": lambda: StatevectorSampler().run([bell(), (rotated(), [0.4])], shots=2000),
    "noise": lambda: AerSimulator(noise_model=noisy()).run(bell(), shots=2000),
    "estimator": lambda: StatevectorEstimator().run([(ansatz(), ZZ, [0.1, 0.2])], precision=0.02),
}


@pytest.mark.parametrize("case", UNSEEDED)
def test_unseeded_run_is_statistically_equal_with_its_tests_stated(record, replayed, case) -> None:
    told = replayed(record(UNSEEDED[case]), "--alpha", "0.00001")
    assert told["verdict"] == "statistically equal", told
    for test in told["tests"]:
        assert test["test"]
        assert 0 <= test["p"] <= test["adjusted"] <= 1
        assert test["detectable"] > 0


def test_few_shots_are_said_to_show_little(record, replayed) -> None:
    spread = QuantumCircuit(6)  # as good as never the same 20 outcomes twice
    spread.h(range(6))
    spread.measure_all()
    told = replayed(record(lambda: AerSimulator().run(spread, shots=20)), "--alpha", "0.00001")
    assert any("few shots" in why for why in told["why"])


def test_another_backend_that_behaves_differently_is_told_by_the_test(
    record, replayed, tmp_path, monkeypatch
) -> None:
    (tmp_path / "my_lab.py").write_text(
        "from qiskit_aer import AerSimulator\n"
        "from qiskit_aer.noise import NoiseModel, depolarizing_error\n"
        "def same(): return AerSimulator()\n"
        "def worse():\n"
        "    model = NoiseModel()\n"
        "    model.add_all_qubit_quantum_error(depolarizing_error(0.5, 2), ['cx'])\n"
        "    return AerSimulator(noise_model=model)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    run = record(lambda: AerSimulator().run(bell(), shots=2000))
    assert replayed(run, "--backend", "my_lab:same", "--alpha", "0.00001")["verdict"] == "statistically equal"
    told = replayed(run, "--backend", "my_lab:worse")
    assert told["verdict"] == "different"
    assert "p = " in told["why"][0]
    sampled = record(lambda: StatevectorSampler().run([bell()], shots=2000))
    assert replayed(sampled, "--backend", "my_lab:worse")["verdict"] == "different"


def test_backend_that_cannot_be_made_again_is_verified_and_named(record, replayed) -> None:
    backend = GenericBackendV2(2, seed=1)
    told = replayed(record(lambda: backend.run(transpile(bell(), backend), shots=50)))
    assert told["verdict"] == "verified"
    assert "GenericBackendV2" in " ".join(told["why"])
    assert "--backend" in " ".join(told["why"])


def test_verify_only_runs_nothing(record, replayed, monkeypatch) -> None:
    run = record(SEEDED["aer"])
    monkeypatch.setattr(AerSimulator, "run", lambda *_, **__: pytest.fail("it ran"))
    assert replayed(run, "--verify-only")["verdict"] == "verified"


def test_environment_that_differs_is_listed(record, replayed, monkeypatch) -> None:
    run = record(SEEDED["aer"])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    told = replayed(run)
    assert ["threads.OMP_NUM_THREADS", "not there", "1"] in told["environment"]


def test_sentence_for_a_person_names_verdict_and_reasons(record, qsec) -> None:
    run = record(UNSEEDED["aer"])
    text = qsec("replay", run[:8], "--alpha", "0.00001").stdout
    assert "statistically equal" in text
    assert "power at distance 0.1" in text


@pytest.mark.parametrize("name", ["nothing", "os:nothing", "no.such.module:x", ":"])
def test_backend_that_is_not_there_is_refused(record, replayed, name) -> None:
    run = record(SEEDED["aer"])
    with pytest.raises(Invalid):
        replayed(run, "--backend", name)
