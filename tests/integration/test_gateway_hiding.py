"""Names that the provider never sees: the real client through the gateway, and what reached the sandbox."""

import base64
import logging
import zlib

import numpy as np
import pytest

pytest.importorskip("qiskit_ibm_runtime")

import requests
import test_sandbox_client
from gateway_child import Gated, entry
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import Estimator, Executor, Sampler
from qiskit_ibm_runtime.executor_estimator import EstimatorV2 as ClientEstimator
from qiskit_ibm_runtime.executor_sampler import SamplerV2 as ClientSampler
from qiskit_ibm_runtime.quantum_program import QuantumProgram

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel import exposure as exposures
from qsec_jupyter.kernel.credential import Credential
from qsec_jupyter.kernel.runtime import service as gateway_service

pytestmark = test_sandbox_client.pytestmark
NAMES = ("caffeine", "molecule", "energy", "bond", "zangle", "aangle", "secretproject", "ligand")


@pytest.fixture(scope="module")
def gate(tmp_path_factory, shared_sandbox):
    home = tmp_path_factory.mktemp("home")
    with Gated(home, entry(shared_sandbox), {"ibm-pilot": shared_sandbox.key}) as found:
        found.grant(kernel="k1")
        yield found


@pytest.fixture
def backend(gate, sandbox):
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    issued = gate.credential(kernel="k1")
    service = gateway_service(Credential(Secret(issued["value"], "ibm-pilot"), public=issued["public"]), {})
    return service.backend("sandbox_manila")


def circuit(backend, measured=True):
    """Return a circuit whose result depends on which value goes to which parameter."""
    registers = [QuantumRegister(2, "molecule"), *([ClassicalRegister(2, "energy")] if measured else ())]
    made = QuantumCircuit(*registers, name="caffeine", metadata={"ligand": 0.74, "of": ["secretproject"]})
    vector = ParameterVector("bond", 11)
    made.rx(Parameter("zangle"), 0)
    made.rx(Parameter("aangle"), 1)
    for element in vector:
        made.rz(element, 0)
    if measured:
        made.measure([0, 1], [0, 1])
    return generate_preset_pass_manager(backend=backend, optimization_level=0).run(made)


VALUES = [np.pi, *[0.0] * 11, 0.0]
"""By name: ``aangle``, the vector, ``zangle``; so the second qubit is turned, and the first is not."""


def stored(sandbox, job_id):
    """Return what the provider has of a job, with all that is packed in it."""
    headers = {"Authorization": f"Bearer {sandbox.bearer()}", "IBM-API-Version": "2026-04-15"}
    headers["Service-CRN"] = sandbox.crn
    answer = requests.get(f"{sandbox.runtime}/jobs/{job_id}", headers=headers, timeout=30)
    answer.raise_for_status()
    packed = [unpacked(text) for text in texts(answer.json())]
    assert any("QISKIT" in one for one in packed)
    return "\n".join([answer.text, *packed])


def texts(value):
    """Yield every text in JSON."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


def unpacked(text):
    """Return what stands in base64, decompressed where it is."""
    try:
        data = base64.b64decode(text, validate=True)
        return zlib.decompress(data).decode("latin-1") if data[:1] == b"x" else data.decode("latin-1")
    except (ValueError, zlib.error):
        return ""


def hidden(sandbox, job):
    seen = stored(sandbox, job.job_id())
    for name in NAMES:
        assert name not in seen, name
    return seen


def test_sampler(sandbox, backend):
    sampler = Sampler(mode=backend)
    sampler.options.environment.job_tags = ["secretproject"]
    job = sampler.run([(circuit(backend), VALUES, 200)])
    result = job.result()[0]
    counts = result.data.energy.get_counts()
    assert max(counts, key=counts.get) == "10"
    assert result.metadata.get("circuit_metadata", {"ligand": 0.74})["ligand"] == 0.74
    assert job.tags == ["secretproject"]
    given = job.inputs["pubs"][0][0]
    assert (given.name, given.cregs[0].name) == ("caffeine", "energy")
    assert given.parameters[0].name == "aangle"
    assert "qsec_h" in hidden(sandbox, job)
    again = backend.service.job(job.job_id())
    assert again.tags == ["secretproject"]
    assert again.result()[0].data.energy.num_shots == 200


def test_estimator(sandbox, backend):
    made = circuit(backend, measured=False)
    first, second = (SparsePauliOp(term).apply_layout(made.layout) for term in ("IZ", "ZI"))
    observables = [[first], [second]]
    job = Estimator(mode=backend).run([(made, observables, VALUES)])
    first, second = job.result()[0].data.evs.ravel()
    assert first > 0.7
    assert second < -0.7
    hidden(sandbox, job)


def test_executor(sandbox, backend):
    program = QuantumProgram(shots=100, passthrough_data={"plan": "secretproject"})
    program.append_circuit_item(circuit(backend), circuit_arguments=np.array(VALUES))
    job = Executor(mode=backend).run(program)
    result = job.result()
    assert result[0]["energy"].mean(axis=-2)[1] > 0.7
    assert result.passthrough_data == {"plan": "secretproject"}
    hidden(sandbox, job)


def test_primitives_of_the_client(sandbox, backend):
    job = ClientSampler(mode=backend).run([(circuit(backend), VALUES, 200)])
    counts = job.result()[0].data.energy.get_counts()
    assert max(counts, key=counts.get) == "10"
    hidden(sandbox, job)
    made = circuit(backend, measured=False)
    observables = [SparsePauliOp("ZI").apply_layout(made.layout)]
    job = ClientEstimator(mode=backend).run([(made, observables, VALUES, 0.1)])
    assert job.result()[0].data.evs.ravel()[0] < -0.5
    hidden(sandbox, job)


def test_a_kernel_is_shown_what_the_provider_saw_of_its_last_job(gate, backend, monkeypatch):
    class Channel:
        def call(self, op, **args):
            path = {"jobs": "/v1/jobs?limit=1", "exposure": f"/v1/jobs/{args.get('job')}/exposure"}[op]
            status, told = gate.child.ask("GET", path, kernel="k1")
            assert status == 200, told
            return told

    monkeypatch.setattr(exposures, "current", lambda: type("Session", (), {"channel": Channel()}))
    job = Sampler(mode=backend).run([(circuit(backend), VALUES, 10)])
    shown = exposures.exposure()
    assert job.job_id() in shown.title
    assert {"caffeine", "molecule", "energy", "bond", "zangle", "aangle"} <= {
        f["original"] for f in shown.hidden
    }
    assert {"backend", "shots", "circuit structure"} <= {field["name"] for field in shown.seen}
    assert job.result()[0].data.energy.num_shots == 10
