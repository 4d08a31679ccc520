"""OpenQASM as real SDKs write it: read, hidden, and read again by the libraries that would carry it out."""

import inspect

import openpulse
import openqasm3
import pytest

pytest.importorskip("braket.circuits")

import numpy as np
import qiskit_qasm3_import
from braket.circuits import Circuit, FreeParameter, Gate, Noise, Observable, ResultType, gates, noises
from braket.circuits.serialization import IRType, OpenQASMSerializationProperties, QubitReferenceType
from braket.default_simulator.openqasm.interpreter import Interpreter
from braket.default_simulator.openqasm.parser.openqasm_parser import parse as braket_parse
from qiskit import QuantumCircuit, QuantumRegister, qasm3
from qiskit.circuit import ParameterVector, library
from qiskit.circuit.classical import expr, types
from qiskit.circuit.random import random_circuit

from qsec_jupyter.control.gateway.payload.braket.pragmas import PRAGMAS
from qsec_jupyter.control.gateway.payload.openqasm import Program
from qsec_jupyter.provenance.circuit import structural_hash


def new(name: str) -> str:
    return name if name in ("q", "c", "b") else f"hidden_{name}"


def hidden(source: str) -> tuple[Program, str]:
    program = Program(source, 100_000, PRAGMAS)
    text = program.renamed(new)
    again = Program(text, 100_000, PRAGMAS)
    assert again.circuit() == program.circuit()
    assert program.renamed(str) == again.renamed(lambda name: name.removeprefix("hidden_"))
    return program, text


# -- Braket ---------------------------------------------------------------------------------------

_GATES = [
    kind
    for _, kind in inspect.getmembers(gates, inspect.isclass)
    if issubclass(kind, Gate)
    and kind.__module__ == gates.__name__
    and kind not in (gates.Unitary, gates.PulseGate)
]
_ANGLES = 0.1, 0.2, 0.3


def every_gate() -> Circuit:
    circuit = Circuit()
    for kind in _GATES:
        names = [name for name in inspect.signature(kind.__init__).parameters if name.startswith("angle")]
        gate = kind(*_ANGLES[: len(names)])
        targets = list(range(gate.qubit_count))
        circuit.add_instruction(_on(gate, targets))
        if targets:
            circuit.add_instruction(_on(gate, targets, control=[4], power=-2))
            circuit.add_instruction(_on(gate, targets, control=[3, 4], control_state=[0, 1], power=0.5))
    return circuit.unitary(matrix=np.eye(4), targets=[0, 1])


def _on(gate, targets, **more):
    from braket.circuits import Instruction

    return Instruction(gate, targets, **more)


def noisy() -> Circuit:
    circuit = Circuit().h(range(3))
    circuit.bit_flip(0, 0.1).phase_flip(1, 0.1).depolarizing(0, 0.1).two_qubit_depolarizing(0, 1, 0.1)
    circuit.two_qubit_dephasing(0, 1, 0.1).pauli_channel(0, 0.1, 0.1, 0.1).amplitude_damping(0, 0.1)
    circuit.generalized_amplitude_damping(0, 0.1, 0.1).phase_damping(0, 0.1).kraus([0], [np.eye(2)])
    return circuit


def with_results() -> Circuit:
    hermitian = Observable.Hermitian(np.array([[0, 1j], [-1j, 0]]))
    circuit = Circuit().h(0).cnot(0, 1).rx(2, FreeParameter("bondlength"))
    circuit.state_vector().amplitude(["000", "111"]).probability().probability([0, 1]).density_matrix([0])
    circuit.expectation(Observable.X() @ Observable.H(), [0, 1]).variance(hermitian, 0)
    return circuit.expectation(Observable.Z())


def source_of(circuit, **more) -> str:
    return circuit.to_ir(ir_type=IRType.OPENQASM, **more).source


@pytest.mark.parametrize("make", [every_gate, noisy, with_results])
def test_what_brakets_sdk_writes_runs_the_same_with_hidden_names(make) -> None:
    circuit = make()
    source = source_of(circuit)
    program, text = hidden(source)
    inputs = {"bondlength": 0.7}
    before = Interpreter().build_circuit(source, inputs)
    after = Interpreter().build_circuit(text, {new(name): value for name, value in inputs.items()})
    assert [repr(one.__class__) for one in before.instructions] == [
        repr(one.__class__) for one in after.instructions
    ]
    for one, other in zip(before.instructions, after.instructions, strict=True):
        assert one.targets == other.targets
        if hasattr(one, "matrix"):
            assert np.allclose(one.matrix, other.matrix)
    assert [str(one) for one in before.results] == [str(one) for one in after.results]
    assert program.circuit().width == circuit.qubit_count
    assert "bondlength" not in text.replace("hidden_bondlength", "")


def test_every_kind_of_noise_and_result_is_one_that_pragmas_may_hold() -> None:
    for base, module in ((Noise, noises), (ResultType, ResultType)):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if not issubclass(kind, base) or kind is base:
                continue
            for words in inspect.getsource(kind).split("#pragma ")[1:]:
                assert set(words.partition("(")[0].split()[:2]) <= PRAGMAS, words


def test_verbatim_boxes_and_physical_qubits_are_read() -> None:
    circuit = Circuit().add_verbatim_box(Circuit().rx(0, 0.1).cz(0, 1)).h(0).measure([0, 1])
    properties = OpenQASMSerializationProperties(QubitReferenceType.PHYSICAL)
    source = source_of(circuit, serialization_properties=properties)
    program, text = hidden(source)
    assert (program.circuit().width, program.circuit().size) == (2, 5)
    assert "#pragma braket verbatim\n" in text
    braket_parse(text)


def test_pulse_programs_are_read_as_such() -> None:
    from braket.circuits import GateCalibrations, QubitSet
    from braket.pulse import ArbitraryWaveform, ConstantWaveform, Frame, GaussianWaveform, Port, PulseSequence

    port = Port("device_port_x0", dt=1e-9, properties={})
    own = Frame("my_frame", port, frequency=1e6, is_predefined=False, phase=0.3)
    known = Frame("q0_rf_frame", port, frequency=1e6, is_predefined=True)
    pulses = PulseSequence().set_frequency(own, FreeParameter("my_frequency"))
    pulses.play(own, GaussianWaveform(1e-6, 1e-7, 0.4, id="my_wave")).delay(own, 2e-6).barrier([own, known])
    pulses.shift_phase(known, 0.3).play(known, ArbitraryWaveform([1, 0.5j], id="my_other"))
    alone = pulses.capture_v0(known).to_ir()
    constant = PulseSequence().play(known, ConstantWaveform(FreeParameter("my_length"), 0.3, id="my_flat"))
    within = source_of(Circuit().h(0).pulse_gate([0], constant))
    fixed = PulseSequence().play(known, ConstantWaveform(1e-6, 0.3, id="my_flat"))
    calibrations = GateCalibrations({(gates.Rx(FreeParameter("theta")), QubitSet([0])): fixed})
    calibrated = source_of(
        Circuit().rx(0, 0.2),
        gate_definitions=calibrations.pulse_sequences,
        serialization_properties=OpenQASMSerializationProperties(QubitReferenceType.PHYSICAL),
    )
    for source in (alone, within, calibrated):
        program, text = hidden(source)
        assert program.pulses
        assert "my_" not in text.replace("hidden_my_", "")
        for theirs in {"device_port_x0", "q0_rf_frame"} & set(source.replace("(", " ").split()):
            assert theirs in text
        openpulse.parse(text)
    assert Program(calibrated, 1000).circuit().size == 2 + 1
    assert not Program(source_of(Circuit().h(0)), 1000).pulses


DYNAMIC = """OPENQASM 3.0;
const int[32] n = 3;
input float theta;
gate entangle(angle0) left, right { h left; rx(angle0) right; cnot left, right; }
def prepare(qubit[2] pair, int[8] times) {
  for int[8] i in [0:2] { entangle(theta) pair[0], pair[1]; }
}
qubit[4] molecule;
qubit[2] pairs;
bit[4] outcome;
let whole = molecule;
for uint[8] i in [0:n - 1] {
  h molecule[i];
  if (i == 1) { x molecule[3]; } else { z molecule[3]; }
}
prepare(pairs, 2);
for int[8] i in {0, 3} { cnot molecule[i], molecule[2]; }
pow(2) @ x molecule[0];
ctrl @ z whole[0], molecule[1];
outcome = measure molecule;
"""


def test_what_brakets_interpreter_carries_out_is_never_more_than_what_was_counted() -> None:
    program, text = hidden(DYNAMIC)
    inputs = {"theta": 0.3}
    before = Interpreter().build_circuit(DYNAMIC, inputs)
    after = Interpreter().build_circuit(text, {new("theta"): 0.3})
    assert len(before.instructions) == len(after.instructions)
    assert [one.targets for one in before.instructions] == [one.targets for one in after.instructions]
    found = program.circuit()
    levels: dict[int, int] = {}
    for one in before.instructions:
        level = max(levels.get(bit, 0) for bit in one.targets) + 1
        levels.update(dict.fromkeys(one.targets, level))
    assert found.width == before.num_qubits
    assert len(before.instructions) + 4 <= found.size
    assert max(levels.values()) + 1 <= found.depth


# -- Qiskit ---------------------------------------------------------------------------------------


def from_library() -> list[QuantumCircuit]:
    vector = ParameterVector("bond", 12)
    ansatz = library.efficient_su2(3, reps=1).assign_parameters(vector[:12])
    named = QuantumCircuit(QuantumRegister(3, "molecule"), *QuantumCircuit(0, 2).cregs, name="caffeine")
    part = QuantumCircuit(2, name="entangler")
    part.h(0)
    part.cx(0, 1)
    named.append(part.to_gate(), [0, 1])
    named.append(part.to_gate().control(1), [0, 1, 2])
    named.append(part.to_gate().inverse(), [0, 2])
    return [ansatz, named, library.QFTGate(4).definition, library.quantum_volume(4, seed=1)]


def dynamic() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(3, "molecule"))
    circuit.add_register(*QuantumCircuit(0, 3).cregs)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], True)) as otherwise:
        circuit.x(1)
    with otherwise:
        circuit.z(1)
    with circuit.for_loop(range(0, 10, 3)):
        circuit.cx(0, 1)
    with circuit.switch(circuit.cregs[0]) as case:
        with case(0, 1):
            circuit.y(2)
        with case(case.DEFAULT):
            circuit.s(2)
    level = circuit.add_var("energy_level", expr.lift(3, types.Uint(8)))
    circuit.store(level, expr.bit_xor(level, 5))
    with circuit.if_test(expr.less(level, 4)):
        circuit.reset(2)
    with circuit.box():
        circuit.delay(100, 0, "ns")
        circuit.x(1)
    circuit.barrier()
    return circuit


@pytest.mark.parametrize("seed", range(25))
def test_qiskits_random_circuits_are_the_same_with_hidden_names(seed) -> None:
    circuit = random_circuit(5, 8, max_operands=4, measure=True, reset=True, seed=seed)
    _same(circuit)


@pytest.mark.parametrize("number", range(4))
def test_qiskits_library_is_the_same_with_hidden_names(number) -> None:
    _same(from_library()[number])


def _same(circuit) -> None:
    source = qasm3.dumps(circuit)
    program, text = hidden(source)
    openqasm3.parse(text)
    before, after = qiskit_qasm3_import.parse(source), qiskit_qasm3_import.parse(text)
    values = [number / 8 for number in range(before.num_parameters)]
    with_names = qiskit_qasm3_import.parse(text.replace("hidden_", ""))
    assert structural_hash(with_names) == structural_hash(before)
    assert _operations(after.assign_parameters(values)) == _operations(before.assign_parameters(values))
    assert program.circuit().width == circuit.num_qubits
    assert program.circuit().size >= circuit.size()
    assert program.circuit().depth >= circuit.depth()


def _operations(circuit) -> list:
    return [
        (len(one.qubits), [circuit.find_bit(bit).index for bit in one.qubits], one.operation.params)
        for one in circuit.data
    ]


def test_qiskits_dynamic_circuits_are_read() -> None:
    source = qasm3.dumps(dynamic())
    program, text = hidden(source)
    openqasm3.parse(text)
    assert program.circuit().width == 3
    assert program.circuit().size == 2 + 2 + 4 + 2 + 1 + 1
    assert "energy_level" not in text.replace("hidden_energy_level", "")


def test_only_plain_circuits_are_counted_exactly() -> None:
    circuit = Circuit().h(range(4)).cnot(0, 1).cnot(1, 2).ccnot(0, 1, 3).rx(2, 0.3).swap(0, 3)
    found = Program(source_of(circuit), 1000, PRAGMAS).circuit()
    assert (found.width, found.depth) == (circuit.qubit_count, circuit.depth + 1)  # the SDK measures each
    assert found.size == len(circuit.instructions) + circuit.qubit_count
