"""Noise learners through the gateway: names in the circuits that come back are the user's own again.

The sandbox learns no noise. A relay in front of it runs something else in the place of a noise learner, and
answers as the vendor does: with the layers of the circuits that it was given.
"""

import json
import logging
import threading

import pytest

pytest.importorskip("qiskit_ibm_runtime")

import numpy as np
import test_sandbox_client
from gateway_bodies import sampler
from gateway_child import Gated, entry
from provider_view import assert_unseen
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import CircuitInstruction
from qiskit_ibm_runtime import NoiseLearner
from qiskit_ibm_runtime.noise_learner_v3 import NoiseLearnerV3
from relay import Relay
from samplomatic import InjectNoise, Tag, Twirl

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.credential import Credential
from qsec_jupyter.kernel.runtime import service as gateway_service

pytestmark = test_sandbox_client.pytestmark
NAMES = ("caffeine", "molecule", "energy", "ligand", "secretproject", "catalyst", 'the "quoted\\')
_JSON = "_json"


class Learner(Relay):
    """A provider that has noise learners."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self.seen: list[bytes] = []
        self.instead = b""

    def asked(self, method, path, body):
        if method != "POST" or path != "/jobs":
            return body
        self.seen.append(body)
        other = json.loads(sampler(shots=10))
        return json.dumps({**json.loads(body), **other}).encode()

    def answered(self, method, path, content):
        if method == "GET" and path.endswith("/results"):
            return self.instead or self.learned(json.loads(self.seen[-1])["params"])
        told = json.loads(content) if content else {}
        if "program" in told:
            told["program"] = {"id": "noise-learner"}
        if "params" in told:
            told["params"] = json.loads(self.seen[-1])["params"]
        return json.dumps(told).encode() if told else content

    def learned(self, params) -> bytes:
        if "instructions" in params:
            rates = {"data": "mpmZmZmZuT8=", "shape": [1], "dtype": "f64"}
            kept = {
                "learning_protocol": "lindblad",
                "post_selection": {"fraction_kept": {}, "success_rates": {}},
            }
            one = {"generators_sparse": [[("Z", [0])]], "num_qubits": 2, "metadata": kept}
            data = [{**one, "rates": rates, "rates_std": rates}]
            return json.dumps({"schema_version": params["schema_version"], "data": data}).encode()
        return json.dumps(
            {"data": list(map(layer, params["circuits"])), "metadata": {"backend": "b"}}
        ).encode()


def layer(circuit):
    """Return a layer as the vendor's encoder writes it."""
    generators = {"__type__": "settings", "__module__": "qiskit.quantum_info.operators.symplectic.pauli_list"}
    generators |= {"__class__": "PauliList", "__value__": {"data": ["ZZ"]}}
    module = "qiskit_ibm_runtime.utils.noise_learner_result"
    error = {"__type__": _JSON, "__module__": module, "__class__": "PauliLindbladError"}
    rates = {"__type__": "ndarray", "__value__": [0.1]}
    error["__value__"] = {"generators": generators, "rates": rates}
    value = {"circuit": circuit, "qubits": [0, 1], "error": error}
    return {"__type__": _JSON, "__module__": module, "__class__": "LayerError", "__value__": value}


@pytest.fixture(scope="module")
def relay(shared_sandbox):
    with Learner(shared_sandbox.runtime) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def gate(tmp_path_factory, shared_sandbox, relay):
    catalogue = entry(shared_sandbox, runtime=relay.address)
    home = tmp_path_factory.mktemp("home")
    with Gated(home, catalogue, {"ibm-pilot": shared_sandbox.key}) as gate:
        gate.grant(kernel="k1")
        yield gate


@pytest.fixture
def backend(gate):
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    issued = gate.credential(kernel="k1")
    service = gateway_service(Credential(Secret(issued["value"], "ibm-pilot"), public=issued["public"]), {})
    return service.backend("sandbox_manila")


def circuit(name) -> QuantumCircuit:
    registers = QuantumRegister(2, "molecule"), ClassicalRegister(2, "energy")
    made = QuantumCircuit(*registers, name=name, metadata={"ligand": [0.74, "secretproject"]})
    made.cx(0, 1)
    return made


def test_layers_have_their_names_again(relay, backend):
    job = NoiseLearner(backend).run([circuit("caffeine"), circuit('the "quoted\\')])
    learned = job.result()
    assert_unseen(relay.seen[-1], NAMES)
    assert [one.circuit.name for one in learned] == ["caffeine", 'the "quoted\\']
    first = learned[0].circuit
    assert (first.qregs[0].name, first.cregs[0].name) == ("molecule", "energy")
    assert first.metadata == {"ligand": [0.74, "secretproject"]}
    assert learned[0].error.rates == pytest.approx([0.1])
    assert first == circuit("caffeine")


def test_boxes_are_learned_without_their_names(relay, backend):
    made = QuantumCircuit(QuantumRegister(5, "q"))
    with made.box([Twirl(), InjectNoise("ligand", 'the "quoted\\'), Tag("catalyst")]):
        made.cx(0, 1)
    boxes: list[CircuitInstruction] = list(made)
    job = NoiseLearnerV3(backend).run(boxes)
    assert_unseen(relay.seen[-1], NAMES)
    (found,) = job.result().to_pauli_lindblad_maps()
    assert np.allclose(found.rates, [0.1])
    (kept,) = job.inputs["instructions"]
    assert kept.operation.annotations == boxes[0].operation.annotations


@pytest.mark.parametrize(
    "value", [b"bm90IFFQWQ==", b"no base64", b"eJwLDPQO8Q==", b"\\u0041", b"\xff\xfe", b"", b"A" * 3_000_000]
)
def test_a_circuit_that_cannot_be_read_is_passed_on_as_it_is(gate, relay, backend, value):
    """Whatever a provider sends: a result is never withheld for a circuit in it."""
    job = NoiseLearner(backend).run([circuit("caffeine")])
    job.wait_for_final_state()
    relay.instead = b'{"a": {"__type__": "QuantumCircuit", "__value__": "' + value + b'"}, "b": [1]}'
    try:
        answer = gate.call("GET", f"/jobs/{job.job_id()}/results", gate.credential()["value"])
    finally:
        given, relay.instead = relay.instead, b""
    assert (answer.status_code, answer.content) == (200, given)
