"""The structural hash: its published vectors, what it must not see, and what it must."""

import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

qiskit = pytest.importorskip("qiskit")
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister  # noqa: E402
from qiskit.circuit import AnnotatedOperation, ControlModifier, Gate, InverseModifier, Parameter  # noqa: E402
from qiskit.circuit.classical import expr  # noqa: E402
from qiskit.circuit.library import HGate, SGate, XGate  # noqa: E402

from qsec_jupyter.provenance import circuit as module  # noqa: E402
from qsec_jupyter.provenance.circuit import describe, structural_hash  # noqa: E402

SPECIFICATION = Path(__file__).parents[2] / "docs" / "formats" / "circuit-hash.md"


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def rotation() -> QuantumCircuit:
    circuit, theta = QuantumCircuit(1), Parameter("theta")
    circuit.rx(theta, 0)
    circuit.rz(2 * theta + 0.5, 0)
    circuit.p(-0.25, 0)
    return circuit


def composite(name: str = "anything") -> QuantumCircuit:
    inner = QuantumCircuit(2, name=name)
    inner.h(0)
    inner.cz(0, 1)
    circuit = QuantumCircuit(3)
    circuit.append(inner.to_gate(), [2, 0])
    circuit.global_phase = 0.5
    return circuit


def flow() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    with circuit.for_loop(range(2)) as i:
        circuit.rz(i, 0)
    return circuit


def varied() -> QuantumCircuit:
    """Something of each kind that the specification has a rule for."""
    circuit = QuantumCircuit(3, 3)
    a, b = Parameter("a"), Parameter("b")
    circuit.barrier()
    circuit.delay(10, 0, unit="ns")
    circuit.reset(1)
    circuit.initialize([1, 0], 0)
    circuit.unitary([[0, 1j], [-1j, 0]], 1)
    circuit.append(XGate().control(2, ctrl_state=1), [0, 1, 2])
    circuit.append(AnnotatedOperation(SGate(), [ControlModifier(1), InverseModifier()]), [0, 1])
    circuit.rx((a + b) * a / 3 - 1, 0)
    circuit.append(HGate(label="noisy"), [0])
    with circuit.while_loop((circuit.cregs[0], 3)):
        circuit.h(0)
        circuit.measure(0, 0)
    with circuit.switch(circuit.cregs[0]) as case:
        with case(0, 1):
            circuit.x([2, 0])
        with case(case.DEFAULT):
            circuit.z(1)
    with circuit.if_test(expr.logic_not(circuit.clbits[1])) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.cx(2, 1)
    with circuit.for_loop([3, 1]) as i, circuit.for_loop(range(2)) as j:
        circuit.rz(i, 0)
        circuit.rz(j, 1)
        circuit.append(composite().to_instruction(), [0, 1, 2])
    return circuit


CIRCUITS = {maker.__name__: maker for maker in (bell, rotation, composite, flow)}


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_published_vectors_hold(name):
    vectors = json.loads(SPECIFICATION.with_name("circuit-hash-vectors.json").read_text())["vectors"]
    published = {vector["name"]: vector["hash"] for vector in vectors}
    assert structural_hash(CIRCUITS[name]()) == published[name]
    texts = re.findall(r"```text\n(.*?)\n```", SPECIFICATION.read_text(), re.DOTALL)
    assert published[name] in [hashlib.sha256(text.encode()).hexdigest() for text in texts]


@pytest.mark.parametrize("maker", [*CIRCUITS.values(), varied])
def test_a_circuit_built_again_has_the_same_hash(maker):
    assert structural_hash(maker()) == structural_hash(maker())


def test_the_hash_is_the_same_in_processes_with_other_hash_seeds(tmp_path):
    script = tmp_path / "hash_it.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from test_provenance_circuit import structural_hash, varied\n"
        "print(structural_hash(varied()))\n"
    )
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, str(script)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        assert done.stdout.strip() == structural_hash(varied())


def test_names_of_circuits_registers_and_composite_gates_do_not_count():
    one = QuantumCircuit(QuantumRegister(2, "left"), ClassicalRegister(2, "out"), name="mine")
    two = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(2, "meas"), metadata={"a": 1})
    for circuit in (one, two):
        circuit.h(0)
        circuit.measure([0, 1], [1, 0])
    assert structural_hash(one) == structural_hash(two)
    assert structural_hash(composite("one")) == structural_hash(composite("two"))


def test_a_number_counts_by_its_value():
    def turned(angle: object) -> str:
        circuit = QuantumCircuit(1)
        circuit.rx(angle, 0)
        return structural_hash(circuit)

    theta = Parameter("theta")
    bound = QuantumCircuit(1)
    bound.rx(theta, 0)
    assert turned(1) == turned(1.0) == structural_hash(bound.assign_parameters({theta: 1}))
    assert turned(0.0) == turned(-0.0)
    assert turned(1.0) != turned(1.0000000000000002)


def changed(change) -> QuantumCircuit:
    circuit = varied()
    change(circuit)
    return circuit


def built(**options) -> QuantumCircuit:
    """One circuit with one thing in it that can be another."""
    inner = QuantumCircuit(2)
    inner.rx(options.get("deep", 0.5), 0)
    gate = inner.to_gate()
    circuit = QuantumCircuit(3, 2, global_phase=options.get("phase", 0.0))
    circuit.append(gate, options.get("where", [0, 1]))
    circuit.delay(options.get("delay", 100), 0, unit=options.get("unit", "dt"))
    circuit.rx(Parameter(options.get("parameter", "a")) * options.get("factor", 2.0), 0)
    circuit.unitary(options.get("matrix", [[0, 1], [1, 0]]), 0)
    circuit.append(HGate(label=options.get("label")), [0])
    circuit.append(XGate().control(2, ctrl_state=options.get("state", 3)), [0, 1, 2])
    circuit.append(AnnotatedOperation(SGate(), [options.get("modifier", InverseModifier())]), [0])
    with circuit.if_test((circuit.clbits[0], options.get("condition", 1))):
        getattr(circuit, options.get("block", "x"))(0)
    with circuit.for_loop(options.get("indices", range(3))):
        circuit.h(0)
    circuit.measure(0, options.get("into", 0))
    return circuit


CHANGES = {
    "deep": 0.6,
    "phase": 0.1,
    "where": [1, 0],
    "delay": 101,
    "unit": "ns",
    "parameter": "b",
    "factor": 2.0000000000000004,
    "matrix": [[0, 1j], [-1j, 0]],
    "label": "noisy",
    "state": 1,
    "modifier": ControlModifier(0),
    "condition": 0,
    "block": "y",
    "indices": [0, 2, 1],
    "into": 1,
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_that_may_change_the_result_changes_the_hash(what):
    assert structural_hash(built()) == structural_hash(built())
    assert structural_hash(built(**{what: CHANGES[what]})) != structural_hash(built())


def test_the_split_into_classical_registers_counts():
    one = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2))
    two = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1), ClassicalRegister(1))
    assert structural_hash(one) != structural_hash(two)


def test_a_users_gate_is_what_its_definition_says_and_not_what_it_is_called():
    class H(Gate):
        def __init__(self) -> None:
            super().__init__("h", 1, [])

        def _define(self) -> None:
            self.definition = QuantumCircuit(1)
            self.definition.x(0)

    fake, real = QuantumCircuit(1), QuantumCircuit(1)
    fake.append(H(), [0])
    real.h(0)
    assert structural_hash(fake) != structural_hash(real)


def test_what_cannot_be_looked_into_is_a_gap():
    class Broken(Gate):
        def _define(self) -> None:
            raise RuntimeError("no")

    circuit = QuantumCircuit(1)
    circuit.append(Gate("magic", 1, []), [0])
    circuit.append(Broken("broken", 1, []), [0])
    gaps = describe(circuit)["gaps"]
    assert "magic is opaque: in the hash by name and parameters only" in gaps
    assert "the definition of broken cannot be had (RuntimeError)" in gaps


def test_composites_within_composites_end_somewhere():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    for _ in range(70):
        outer = QuantumCircuit(1)
        outer.append(circuit.to_gate(), [0])
        circuit = outer
    with pytest.raises(module.NotHashable):
        structural_hash(circuit)


def test_a_description_names_the_artefact_and_its_size():
    told = describe(bell())
    assert told["structural_hash"] == {"alg": "qsec-circuit-v1", "value": structural_hash(bell())}
    assert (told["width"], told["depth"], told["size"], told["gaps"]) == (4, 3, 4, [])
    assert re.fullmatch("[0-9a-f]{64}", told["qpy"]["sha256"])
    assert told["qpy"]["bytes"] > 100
    assert told["qpy"]["version"] >= 13


def test_above_the_limit_qpy_is_left_out_and_said_so(monkeypatch):
    monkeypatch.setattr("qsec_jupyter.provenance.circuit.description.MAX_QPY_INSTRUCTIONS", 2)
    told = describe(bell())
    assert told["qpy"] is None
    assert told["gaps"] == ["no QPY: more than 2 instructions"]


def test_hashing_warns_of_nothing_and_leaves_the_circuit_alone():
    circuit = varied()
    before = circuit.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        describe(circuit)
    assert circuit == before


def test_importing_the_module_imports_no_qiskit():
    program = "import sys, qsec_jupyter.provenance.circuit; sys.exit('qiskit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_cost_grows_with_the_circuit_and_not_with_its_square():
    import time

    def cost(count: int) -> float:
        circuit = functools.reduce(lambda c, _: c.h(0) and c, range(count), QuantumCircuit(1))
        took = []
        for _ in range(5):
            start = time.perf_counter()
            structural_hash(circuit)
            took.append(time.perf_counter() - start)
        return min(took)

    assert cost(4000) < 20 * cost(500)  # eight times the work; a square would be sixty-four times


def noisy(*rates: float, width: int = 40) -> QuantumCircuit:
    noise = pytest.importorskip("qiskit_aer.noise")
    circuit = QuantumCircuit(width)
    circuit.h(0)
    paulis = ["I" * (width - 1) + "X", "Z" + "I" * (width - 1)]
    circuit.append(noise.PauliLindbladError(paulis, rates), range(width))
    return circuit


def test_a_noise_channel_is_hashed_without_its_matrix_which_no_machine_could_hold():
    found = describe(noisy(0.1, 0.2))
    assert found["structural_hash"]["value"] == structural_hash(noisy(0.1, 0.2))
    assert found["structural_hash"]["value"] != structural_hash(noisy(0.1, 0.3))
    assert found["qpy"] is None
    assert any("matrix of a noise channel" in gap for gap in found["gaps"])


def test_noise_channels_of_every_kind_are_told_apart():
    noise = pytest.importorskip("qiskit_aer.noise")
    errors = [
        noise.depolarizing_error(0.1, 1),
        noise.depolarizing_error(0.2, 1),
        noise.amplitude_damping_error(0.1),
        noise.pauli_error([("X", 0.1), ("I", 0.9)]),
        noise.PauliLindbladError(["X"], [0.1]),
    ]
    hashes = set()
    for error in errors:
        circuit = QuantumCircuit(1)
        circuit.append(error, [0])
        hashes.add(structural_hash(circuit))
    assert len(hashes) == len(errors)
