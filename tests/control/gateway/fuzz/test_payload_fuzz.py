"""Properties of reading and hiding, on drawn circuits and bytes; ``make fuzz`` draws a hundred times more."""

import io
import json
import os
import string
from functools import cache

from hypothesis import HealthCheck, given, settings, strategies as st
from ibm_jobs import KEY, circuits as decoded, executor, sampler
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy as writer
from qiskit.circuit import Parameter, ParameterVector
from samplexes import everything, program

from qsec_jupyter.control.gateway.payload import Limits, Restorer, circuits, ibm, qpy
from qsec_jupyter.control.gateway.payload.names import Names
from qsec_jupyter.control.gateway.payload.reading import Reading
from qsec_jupyter.control.gateway.payload.warming import sample
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.provenance.circuit import structural_hash

MANY = int(os.environ.get("QSEC_FUZZ", "1"))
drawn = settings(max_examples=40 * MANY, deadline=None, suppress_health_check=list(HealthCheck))
HIDE = Reading(hide=True, key=KEY)

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(
    lambda name: name.strip() and "[" not in name
)
plain_names = st.text(string.ascii_letters + string.digits + "_-äß", min_size=1, max_size=12)


@st.composite
def circuits_with_names(draw, parameters: bool = True) -> QuantumCircuit:
    """Draw a circuit in which everything has a name."""
    registers = draw(st.lists(plain_names, min_size=2, max_size=4, unique=True))
    quantum = [QuantumRegister(2, name) for name in registers[:-1]]
    classical = ClassicalRegister(2, registers[-1])
    metadata = draw(
        st.dictionaries(names, st.one_of(names, st.floats(allow_nan=False), st.none()), max_size=2)
    )
    circuit = QuantumCircuit(*quantum, classical, name=draw(names), metadata=metadata)
    free = []
    if parameters:
        free = [Parameter(name) for name in draw(st.lists(names, max_size=5, unique=True))]
        taken = {parameter.name for parameter in free}
        for name in draw(st.lists(names.filter(lambda name: name not in taken), max_size=2, unique=True)):
            free += list(ParameterVector(name, draw(st.integers(1, 12))))
        free = draw(st.permutations(free))
    part = QuantumCircuit(2, name=draw(names))
    part.h(0)
    part.cx(0, 1)
    for parameter in free:
        circuit.rx(parameter * draw(st.integers(1, 3)) + draw(st.integers(0, 1)), 0)
    for kind in draw(st.lists(st.sampled_from("hcigr"), max_size=6)):
        if kind == "h":
            circuit.h(draw(st.integers(0, 1)))
        elif kind == "c":
            controlled = part.to_gate().control(1, ctrl_state=draw(st.integers(0, 1)))
            if circuit.num_qubits > controlled.num_qubits:
                circuit.append(controlled, [0, 1, 2])
        elif kind == "i":
            with circuit.if_test((classical, draw(st.integers(0, 3)))):
                circuit.x(0)
        elif kind == "g":
            circuit.append(part.to_gate(), [0, 1])
        else:
            circuit.rz(0.5, 1)
    return circuit


@drawn
@given(circuits_with_names(parameters=False))
def test_a_hidden_circuit_is_the_same_circuit(circuit) -> None:
    read = ibm.read(sampler((circuit,)), HIDE)
    (hidden,) = decoded(read.body)
    assert structural_hash(hidden) == structural_hash(circuit) == read.circuits[0].structural_hash
    assert (read.circuits[0].depth, read.circuits[0].size) == (circuit.depth(), circuit.size())


@drawn
@given(circuits_with_names())
def test_values_bind_to_the_same_parameters(circuit) -> None:
    values = [index / 8 for index in range(circuit.num_parameters)]
    read = ibm.read(sampler((circuit, values)), HIDE)
    (hidden,) = decoded(read.body)
    bound = circuit.assign_parameters(values), hidden.assign_parameters(values)
    assert structural_hash(bound[0]) == structural_hash(bound[1])


@drawn
@given(circuits_with_names())
def test_what_was_hidden_comes_back(circuit) -> None:
    values = [index / 8 for index in range(circuit.num_parameters)]
    read = ibm.read(sampler((circuit, values), job_tags=["a", circuit.name]), HIDE)
    (back,) = decoded(ibm.restore(read.body, read.names, Limits()))
    assert structural_hash(back) == structural_hash(circuit)
    assert (back.name, back.metadata) == (circuit.name, circuit.metadata)
    assert [r.name for r in (*back.qregs, *back.cregs)] == [r.name for r in (*circuit.qregs, *circuit.cregs)]
    assert [p.name for p in back.parameters] == [p.name for p in circuit.parameters]


@drawn
@given(st.data())
def test_broken_bytes_are_read_or_refused(data) -> None:
    file = io.BytesIO()
    writer.dump(sample(), file, version=data.draw(st.integers(14, 18)))
    whole = bytearray(file.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = circuits.walk(bytes(whole), 10_000, listed=data.draw(st.booleans()))
    except Invalid:
        return
    assert qpy.rewrite(found, lambda _: None) == bytes(whole)


@drawn
@given(st.data())
def test_a_broken_samplex_is_read_or_refused_and_what_is_read_comes_back(data) -> None:
    body = json.loads(_randomised())
    held = body["params"]["quantum_program"]["items"][0]["samplex"]
    text = list(held["samplex_json"])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(
            st.sampled_from(["", '"', "\\", "{", "[", ",", "0", "a", ".", "é", "N1", "null"])
        )
    held["samplex_json"] = "".join(text)
    try:
        read = ibm.read(json.dumps(body).encode(), HIDE)
    except Invalid:
        return
    back = json.loads(ibm.restore(read.body, read.names, Limits()))
    assert everything(back["params"]["quantum_program"]) == everything(body["params"]["quantum_program"])


@cache
def _randomised() -> bytes:
    return executor(program())


@drawn
@given(st.lists(names, min_size=1, max_size=5), st.data())
def test_streams_are_restored_wherever_they_are_cut(texts, data) -> None:
    hiding = Names(KEY)
    tokens = [hiding.hide(text) for text in texts]
    value = hiding.hide_value(json.dumps({"deep": texts}))
    answer = json.dumps(
        {"names": tokens, "more": f"a {tokens[0]} b", "value": value, "inner": json.dumps(tokens)}
    )
    want = {"names": texts, "more": f"a {texts[0]} b", "value": {"deep": texts}}
    restorer, out, at = Restorer(hiding.originals), b"", 0
    while at < len(answer):
        step = data.draw(st.integers(1, 60))
        out += restorer.feed(answer[at : at + step].encode())
        at += step
    got = json.loads(out + restorer.finish())
    assert json.loads(got.pop("inner")) == texts
    assert got == want


@drawn
@given(st.binary(max_size=200), st.data())
def test_a_stream_without_hidden_names_is_not_touched(noise, data) -> None:
    restorer, out, at = Restorer({}), b"", 0
    noise += data.draw(st.sampled_from([b"", b"qsec_h", b'"qsec_hn', b'\\\\"', b"qsec_hn" + b"0" * 19]))
    while at < len(noise):
        step = data.draw(st.integers(1, 60))
        out += restorer.feed(noise[at : at + step])
        at += step
    assert out + restorer.finish() == noise
