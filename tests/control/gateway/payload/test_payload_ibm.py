"""IBM's jobs, as the real client writes them: what is read, what is hidden, what comes back."""

import hashlib
import json

import pytest
from ibm_jobs import KEY, circuits, estimator, executor, job, sampler, told
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qsec_jupyter.control.gateway.payload import Restorer, ibm
from qsec_jupyter.control.gateway.payload.limits import Limits
from qsec_jupyter.control.gateway.payload.reading import Reading
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.provenance.circuit import structural_hash

HIDE, SHOW = Reading(hide=True, key=KEY), Reading(hide=False)


def named() -> QuantumCircuit:
    """Return a circuit in which everything has a telling name."""
    part = QuantumCircuit(2, name="trotter-step")
    part.h(0)
    part.cx(0, 1)
    circuit = QuantumCircuit(
        QuantumRegister(3, "molecule"),
        ClassicalRegister(2, "energy"),
        name="caffeine",
        metadata={"bond": 0.74},
    )
    theta, phi = Parameter("theta"), ParameterVector("phi", 12)
    circuit.rx(theta * 2, 0)
    for index, angle in enumerate(phi):
        circuit.rz(angle, index % 3)
    circuit.append(part.to_gate(label="my step"), [0, 1])
    circuit.append(part.to_gate().control(1, ctrl_state=0), [2, 0, 1])
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(0)
    circuit.measure([0, 1], circuit.cregs[0])
    return circuit


SECRETS = (
    b"molecule",
    b"energy",
    b"caffeine",
    b"bond",
    b"theta",
    b"phi",
    b"trotter",
    b"my step",
    b"project x",
)


def test_a_sampler_job_is_read() -> None:
    circuit = named()
    body = sampler((circuit, [[0.1] * 13] * 4, 100), job_tags=["project x"], max_execution_time=60)
    read = ibm.read(body, SHOW)
    assert (read.program, read.backend, read.shots, read.execution_seconds) == ("sampler", "ibm_lab", 400, 60)
    assert read.tags == ("project x",)
    (found,) = read.circuits
    assert found.structural_hash == structural_hash(circuit)
    assert (found.width, found.depth, found.size) == (3, circuit.depth(), circuit.size())
    assert read.body == body
    assert read.digest == hashlib.sha256(body).hexdigest()
    assert not read.names
    assert all(field.sent == field.original for field in read.fields)
    assert {field.why for field in read.fields if field.name == "tag"} == {"Hiding is off for this target."}


def test_what_is_sent_holds_no_name_of_the_users() -> None:
    import io

    from qiskit import qpy

    read = ibm.read(sampler((named(), [0.1] * 13), job_tags=["project x"]), HIDE)
    buffer = io.BytesIO()
    qpy.dump(circuits(read.body), buffer, version=17)
    for secret in SECRETS:
        assert secret not in read.body
        assert secret not in buffer.getvalue()
    hidden = {field.original for field in read.fields if field.sent != field.original}
    assert {
        "molecule",
        "energy",
        "caffeine",
        "theta",
        "phi",
        "trotter-step",
        "my step",
        "project x",
    } <= hidden


def test_the_hidden_circuit_does_the_same_with_the_same_values() -> None:
    circuit, values = named(), [index / 7 for index in range(13)]
    (hidden,) = circuits(ibm.read(sampler((circuit, values)), HIDE).body)
    bound = hidden.assign_parameters(values), circuit.assign_parameters(values)
    assert hidden.parameters[0].name.startswith("qsec_h")
    for one in bound:  # labels are in the hash, and are opaque in one of them
        for item in one.data:
            assert item.operation.label in (None, "my step") or item.operation.label.startswith("qsec_h")
    assert [i.params for i in bound[0].data if i.name != "if_else"] == [
        i.params for i in bound[1].data if i.name != "if_else"
    ]


def test_answers_read_as_the_users_own() -> None:
    circuit = named()
    body = sampler((circuit, [0.1] * 13), job_tags=["project x"])
    read = ibm.read(body, HIDE)
    back = ibm.restore(read.body, read.names, Limits())
    assert circuits(back) == [circuit]
    assert circuits(back)[0].metadata == circuit.metadata
    assert told(back)["tags"] == ["project x"]


def test_the_name_of_a_result_is_put_back_across_pieces() -> None:
    read = ibm.read(sampler((named(), [0.1] * 13)), HIDE)
    register = circuits(read.body)[0].cregs[0].name
    answer = f'{{"fields": {{"{register}": [1]}}, "text": "in \\"{register}\\""}}'.encode()
    for size in range(1, len(answer)):
        restorer = Restorer(read.names)
        out = b"".join(restorer.feed(answer[at : at + size]) for at in range(0, len(answer), size))
        assert out + restorer.finish() == b'{"fields": {"energy": [1]}, "text": "in \\"energy\\""}', size


def test_a_name_is_the_same_within_a_job_and_another_under_another_key() -> None:
    body = sampler((named(), [0.1] * 13), (named(), [0.1] * 13))
    one, two = ibm.read(body, HIDE), ibm.read(body, Reading(hide=True, key=b"other" * 8))
    first, second = circuits(one.body)
    assert [r.name for r in first.qregs] == [r.name for r in second.qregs]
    assert not set(one.names) & set(two.names)


def test_nothing_is_rewritten_where_nothing_is_named() -> None:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.measure_all()
    body = sampler((circuit,))
    assert ibm.read(body, HIDE).body == body


def test_an_estimator_is_read_with_its_shots() -> None:
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("a"), 0)
    observables = SparsePauliOp(["ZZ", "ZI", "XX"])
    read = ibm.read(estimator((circuit, observables, [[0.1], [0.2]], 0.1)), HIDE)
    assert read.shots == 100 * 2 * 2  # precision, sets of values, bases
    assert ibm.read(estimator((circuit, observables, [[0.1]])), HIDE).shots is None
    usual = {"default_shots": 50}
    assert ibm.read(estimator((circuit, observables, [[0.1]]), options=usual), HIDE).shots == 100


def test_shots_are_those_that_the_provider_obeys() -> None:
    twirling = {"num_randomizations": 30, "shots_per_randomization": 10}
    on, off = (twirling | {"enable_gates": value, "enable_measure": value} for value in (True, False))

    def shots(program, pub, options, **params):
        body = json.loads(program(pub, options=options))
        body["params"] |= params
        return ibm.read(json.dumps(body).encode(), HIDE).shots

    circuit = QuantumCircuit(2)
    circuit.measure_all()
    assert shots(sampler, (circuit,), {"default_shots": 5}, shots=700) == 700
    assert shots(sampler, (circuit, None, 9), {"default_shots": 5, "twirling": on}, shots=700) == 9
    assert shots(sampler, (circuit,), {"default_shots": 5, "twirling": on}) == 300
    assert shots(sampler, (circuit,), {"default_shots": 5, "twirling": twirling}) == 5
    pub = (QuantumCircuit(2), SparsePauliOp("ZZ"))
    assert shots(estimator, pub, {"default_shots": 5}, precision=0.1) == 100
    assert shots(estimator, pub, {"default_shots": 5, "twirling": twirling}) == 300
    assert shots(estimator, pub, {"default_shots": 5, "twirling": off}) == 5
    assert shots(estimator, (*pub, None, 0.01), {"twirling": on}) == 10_000, "the pub's own, or more"
    assert shots(estimator, (*pub, None, 0.1), {"twirling": on}) == 300


def test_an_executor_is_read() -> None:
    from qiskit_ibm_runtime import QuantumProgram

    circuit = named()
    program = QuantumProgram(shots=10, passthrough_data={"plan": ["project x", 1]})
    program.append_circuit_item(circuit, circuit_arguments=[[0.1] * 13] * 5)
    program.append_circuit_item(QuantumCircuit(1))
    read = ibm.read(executor(program), HIDE)
    assert read.shots == 10 * 5 + 10
    assert [c.structural_hash for c in read.circuits] == [
        structural_hash(circuit),
        structural_hash(QuantumCircuit(1)),
    ]
    assert b"project x" not in read.body
    back = ibm.restore(read.body, read.names, Limits())
    assert b"project x" in back
    assert told(back)["params"]["quantum_program"]["passthrough_data"] == {"plan": ["project x", 1]}


def test_a_noise_learner_is_read() -> None:
    circuit = named().assign_parameters([0.1] * 13)
    options = {"options": {"num_randomizations": 4, "shots_per_randomization": 8, "max_layers_to_learn": 2}}
    read = ibm.read(job("noise-learner", {"circuits": [circuit], **options}), HIDE)
    assert read.shots == 64
    assert read.circuits[0].structural_hash == structural_hash(circuit)


def test_values_by_name_follow_the_hidden_name() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("theta"), 0)
    body = json.loads(sampler((circuit, [0.1])))
    body["params"]["pubs"][0][1] = {
        "__type__": "BindingsArray",
        "__value__": {"shape": [2], "data": {'["theta"]': [[0.1], [0.2]]}},
    }
    read = ibm.read(json.dumps(body).encode(), HIDE)
    hidden, bindings = told(read.body)["params"]["pubs"][0][:2]
    assert [name for (name,) in bindings.data] == [p.name for p in hidden.parameters]
    assert read.shots is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text[:-1], "payload.malformed"),
        (lambda text: b"[]", "payload.malformed"),
        (lambda text: text[:-1] + b', "backend": "ibm_other"}', "payload.malformed"),
        (lambda text: text[:-1] + b', "new": 1}', "payload.unsupported"),
        (lambda text: text.replace(b'"sampler"', b'"circuit-runner"'), "payload.unsupported"),
        (lambda text: text.replace(b'"QuantumCircuit"', b'"QuantumKircuit"'), "payload.unsupported"),
        (lambda text: text.replace(b", 100]", b", -100]"), "payload.malformed"),
        (lambda text: text.replace(b", 100]", b", true]"), "payload.malformed"),
        (lambda text: text[:-1] + b', "tags": "one"}', "payload.malformed"),
        (lambda text: text[:-1] + b', "image": "x"}', "payload.unsupported"),
    ],
)
def test_what_no_client_writes_is_refused(change, code) -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    with pytest.raises(Invalid) as refused:
        ibm.read(change(sampler((circuit, None, 100))), HIDE)
    assert refused.value.code == code
