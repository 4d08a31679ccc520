"""A circuit copied, packed and made again is the same circuit, whatever its size."""

import pytest

qiskit = pytest.importorskip("qiskit")
from qiskit import QuantumCircuit  # noqa: E402
from qiskit.circuit import Parameter  # noqa: E402
from qiskit.circuit.library import efficient_su2  # noqa: E402

from qsec_jupyter.provenance.circuit import artefact, describe, load, pack, snapshot, structural_hash  # noqa: E402


def varied(length: int) -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4, global_phase=0.3, name="varied")
    angle = Parameter("t")
    inner = QuantumCircuit(2)
    inner.h(0)
    for i in range(length):
        circuit.rx(angle * i, i % 4)
        circuit.cx(i % 4, (i + 1) % 4)
        circuit.measure(i % 4, i % 4)
        if i % 100 == 0:
            circuit.barrier()
            circuit.append(inner.to_gate(), [0, 1])
    with circuit.if_test((circuit.cregs[0], 3)):
        circuit.x(0)
    return circuit


@pytest.mark.parametrize("length", [3, 250, 800])
def test_a_copy_and_what_its_artefact_holds_hash_as_the_original(length):
    circuit = varied(length)
    expected = structural_hash(circuit)
    build = snapshot(circuit)
    circuit.h(0)
    copied = build()
    assert structural_hash(copied) == expected
    assert structural_hash(load(pack(copied))) == expected
    assert structural_hash(circuit) != expected


@pytest.mark.parametrize("length", [3, 800])
def test_operations_that_the_user_changes_later_do_not_reach_the_copy(length):
    circuit = varied(length)
    circuit.append(gate := efficient_su2(2).to_gate(), [0, 1])
    expected = structural_hash(circuit)
    build = snapshot(circuit)
    held = circuit.data[-1].operation
    for operation in (gate, held):
        operation.definition = QuantumCircuit(2)
    assert structural_hash(build()) == expected


in_parts = pytest.mark.skipif(qiskit.__version__ < "2", reason="Qiskit 1 keeps registers outside the data")


@in_parts
def test_a_large_circuit_is_several_files_and_says_so():
    small, large = pack(varied(3)), pack(varied(800))
    assert artefact.about(small)[0] == artefact.QPY
    assert artefact.about(large)[0] == artefact.QPY_PARTS
    assert artefact.about(small)[1] == artefact.about(large)[1]
    assert describe(varied(800))["qpy"]["media_type"] == artefact.QPY_PARTS


def test_a_circuit_with_variables_stays_one_file():
    from qiskit.circuit.classical import expr, types

    circuit = QuantumCircuit(1)
    variable = circuit.add_var("a", expr.lift(5, types.Uint(8)))
    for _ in range(1200):
        circuit.h(0)
    circuit.store(variable, expr.lift(7, types.Uint(8)))
    assert artefact.about(pack(circuit))[0] == artefact.QPY
    assert structural_hash(load(pack(circuit))) == structural_hash(circuit)


@pytest.mark.parametrize("length", [0, 3, 250])
def test_depth_and_size_are_those_that_qiskit_counts(length):
    circuit = varied(length)
    without = QuantumCircuit(3, 3)
    without.h([0, 1])
    without.barrier()
    without.cx(1, 2)
    without.measure(0, 2)
    without.delay(10, 0)
    for one in (circuit, without):
        told = describe(one)
        assert (told["depth"], told["size"]) == (one.depth(), one.size())


def test_equal_circuits_share_an_artefact_unless_results_would_be_called_otherwise():
    kept, known = [], {}

    def told(register: str, name: str) -> str:
        circuit = QuantumCircuit(1, name=name)
        circuit.add_register(qiskit.ClassicalRegister(1, register))
        circuit.h(0)
        entry = describe(circuit, keep=lambda *what: kept.append(what), known=known)
        return entry["qpy"]["sha256"]

    assert told("c", "one") == told("c", "two")
    assert told("c", "one") != told("d", "one")
    assert len(kept) == 2


@in_parts
def test_work_on_a_large_circuit_pauses_often():
    pauses = []
    circuit = varied(800)
    build = snapshot(circuit, lambda: pauses.append("copy"))
    describe(build(), breathe=lambda: pauses.append("describe"))
    assert pauses.count("copy") >= 1
    assert pauses.count("describe") >= 3 * (len(circuit.data) // artefact.PART)
