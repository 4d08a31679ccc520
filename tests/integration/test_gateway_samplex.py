"""Randomised programs through the gateway: what runs is the same with hiding on and off; no name is seen."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qiskit_ibm_runtime")

import test_sandbox_client
from gateway_child import Gated, entry
from provider_view import assert_unseen, layers
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import Executor
from qiskit_ibm_runtime.executor_estimator import EstimatorV2 as ClientEstimator
from qiskit_ibm_runtime.executor_sampler import SamplerV2 as ClientSampler
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from samplomatic import Twirl, build

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.credential import Credential
from qsec_jupyter.kernel.runtime import service as gateway_service

sys.path.insert(0, str(Path(__file__).parents[1] / "control" / "gateway" / "payload"))
from samplexes import CLIFFORD, NAMES, NOISE, arguments, boxed

pytestmark = test_sandbox_client.pytestmark
TARGETS = {"ibm-pilot": "true", "ibm-open": "false"}


@pytest.fixture(scope="module")
def gate(tmp_path_factory, shared_sandbox):
    catalogue = "".join(entry(shared_sandbox, name=name, hide=hide) for name, hide in TARGETS.items())
    home = tmp_path_factory.mktemp("home")
    with Gated(home, catalogue, dict.fromkeys(TARGETS, shared_sandbox.key)) as found:
        yield found


@pytest.fixture
def backends(gate, sandbox):
    """A device behind a target that hides names, and behind one that does not."""
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    sandbox.set(seed=11)
    found = {}
    for target in TARGETS:
        gate.grant(kernel="k1", target=target)
        issued = gate.credential(kernel="k1", target=target)
        held = Credential(Secret(issued["value"], target), public=issued["public"])
        found[target] = gateway_service(held, {}).backend("sandbox_manila")
    return found


def seen(sandbox, job) -> bytes:
    """Return the request as it reached the provider."""
    (request,) = [one["request"] for one in sandbox.jobs() if one["id"] == job.job_id()]
    return request.encode()


def everywhere(run, backends):
    """Return a job behind each target, hidden first."""
    return [run(backends[target]) for target in TARGETS]


def program() -> QuantumProgram:
    """Return the boxed circuit in the device's gates, and another one as it is."""
    template, samplex = build(boxed())
    template = generate_preset_pass_manager(0, basis_gates=["rz", "sx", "x", "cx"]).run(template)
    made = QuantumProgram(shots=200, passthrough_data={"plan": ["secretproject", 1]})
    made.append_samplex_item(template, samplex=samplex, samplex_arguments=arguments(), shape=(6,))
    other = QuantumCircuit(1, 1, name="caffeine")
    other.x(0)
    other.measure(0, 0)
    made.append_circuit_item(other)
    return made


def test_an_executor_gives_the_same_with_hiding_on_and_off(sandbox, backends):
    jobs = everywhere(lambda backend: Executor(mode=backend).run(program()), backends)
    hidden, plain = (job.result() for job in jobs)
    assert set(hidden[0]) == set(plain[0]) == {"energy", "measurement_flips.energy", "pauli_signs"}
    assert hidden.passthrough_data == plain.passthrough_data == {"plan": ["secretproject", 1]}
    for name in plain[0]:
        assert np.array_equal(hidden[0][name], plain[0][name]), name
    assert np.array_equal(hidden[1]["c"], plain[1]["c"])
    assert_unseen(seen(sandbox, jobs[0]), NAMES)
    packed = b"\n".join(layers(seen(sandbox, jobs[1])))
    assert all(name in packed for name in (b"energy", b"zangle", b"bond", b"hydrogen"))  # looking finds them


def test_a_job_is_read_back_with_its_names(sandbox, backends):
    made = program()
    job = Executor(mode=backends["ibm-pilot"]).run(made)
    job.result()
    given = backends["ibm-pilot"].service.job(job.job_id()).inputs["quantum_program"]
    kept, first = given.items[0].samplex, made.items[0].samplex
    assert kept.finalize() == first
    assert [one.describe() for one in kept.inputs().specs] == [one.describe() for one in first.inputs().specs]
    assert {f"pauli_lindblad_maps.{NOISE}", f"local_cliffords.{CLIFFORD}"} < set(
        given.items[0].samplex_arguments
    )
    assert given.items[0].circuit == made.items[0].circuit
    assert given.passthrough_data == made.passthrough_data


def test_exposure_of_such_a_job_is_true(gate, sandbox, backends):
    job = Executor(mode=backends["ibm-pilot"]).run(program())
    status, told = gate.child.ask("GET", f"/v1/jobs/{job.job_id()}/exposure", kernel="k1")
    assert status == 200, told
    hidden = {field["original"]: field["sent"] for field in told["fields"] if not field["why"]}
    assert {"energy", "zangle", "aangle", NOISE, CLIFFORD, "hydrogen", "secretproject"} <= set(hidden)
    packed = b"\n".join(layers(seen(sandbox, job)))
    for original, sent in hidden.items():
        assert sent.encode() in packed, original
    assert_unseen(
        seen(sandbox, job), [name for name in hidden if len(name) > 4]
    )  # shorter ones stand in base64 by chance


def test_primitives_of_the_client_with_twirling(sandbox, backends):
    circuit = QuantumCircuit(QuantumRegister(2, "molecule"), ClassicalRegister(2, "energy"), name="caffeine")
    circuit.x(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])

    def sampler(backend):
        made = ClientSampler(mode=backend)
        made.options.twirling.enable_gates = made.options.twirling.enable_measure = True
        isa = generate_preset_pass_manager(backend=backend, optimization_level=0).run(circuit)
        return made.run([(isa, None, 300)])

    jobs = everywhere(sampler, backends)
    hidden, plain = (job.result()[0].data.energy.get_counts() for job in jobs)
    assert hidden == plain
    assert_unseen(seen(sandbox, jobs[0]), NAMES)


def test_noise_in_a_box_is_injected_by_its_name(sandbox, backends):
    """A flip that surely happens is seen in what is measured: the noise reached the box that asks for it."""
    from qiskit.quantum_info import PauliLindbladMap
    from samplomatic import InjectNoise

    circuit = QuantumCircuit(2, 2)
    with circuit.box([Twirl(), InjectNoise("caffeine")]):
        circuit.cx(0, 1)
    with circuit.box([Twirl()]):
        circuit.measure([0, 1], [0, 1])
    template, samplex = build(circuit)

    def run(rate):
        made = QuantumProgram(shots=100)
        given = {"pauli_lindblad_maps.caffeine": PauliLindbladMap.from_list([("IX", rate)])}
        made.append_samplex_item(template, samplex=samplex, samplex_arguments=given, shape=(40,))
        job = Executor(mode=backends["ibm-pilot"]).run(made)
        assert_unseen(seen(sandbox, job), ("caffeine",))
        result = job.result()[0]
        return (result["c"] ^ result["measurement_flips.c"])[..., 0].mean()

    assert run(0.0) < 0.15 < 0.3 < run(5.0)


def test_the_clients_estimator_mitigates_with_named_layers(sandbox, backends):
    from qiskit.quantum_info import SparsePauliOp

    circuit = QuantumCircuit(2, name="caffeine", metadata={"ligand": "secretproject"})
    circuit.x(0)
    circuit.cx(0, 1)
    isa = generate_preset_pass_manager(backend=backends["ibm-pilot"], optimization_level=0).run(circuit)
    pub = (isa, SparsePauliOp("ZZ").apply_layout(isa.layout))

    def estimator(backend):
        made = ClientEstimator(mode=backend)
        made.options.twirling.enable_gates = made.options.twirling.enable_measure = True
        return made.run([pub], precision=0.05)

    jobs = everywhere(estimator, backends)
    hidden, plain = (job.result()[0].data.evs for job in jobs)
    assert hidden == pytest.approx(plain)
    assert_unseen(seen(sandbox, jobs[0]), NAMES)
