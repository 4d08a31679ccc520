"""Braket's tasks: what is read of OpenQASM, and what is hidden in it."""

import json

import pytest
from ibm_jobs import KEY

from qsec_jupyter.control.gateway.payload import braket
from qsec_jupyter.control.gateway.payload.limits import Limits
from qsec_jupyter.control.gateway.payload.openqasm import Program
from qsec_jupyter.control.gateway.payload.reading import Reading
from qsec_jupyter.core.errors import Invalid

HIDE = Reading(hide=True, key=KEY)
SOURCE = """OPENQASM 3.0;
// the caffeine molecule
input float bondlength;
qubit[3] molecule;
bit[3] energy;
gate entangle(angle0) left, right { h left; rx(angle0 * 2) right; cx left, right; }
entangle(bondlength) molecule[0], molecule[1];
ctrl @ x molecule[0], molecule[2];
h molecule;
#pragma braket noise bit_flip(0.1) molecule[0]
energy[0] = measure molecule[0];
/* more */ reset molecule[1:2];
"""


def task(source=SOURCE, inputs=None, **more) -> bytes:
    header = {"name": "braket.ir.openqasm.program", "version": "1"}
    action = {"braketSchemaHeader": header, "source": source, "inputs": inputs}
    body = {
        "action": json.dumps(action),
        "deviceArn": "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1",
        "outputS3Bucket": "lab",
        "outputS3KeyPrefix": "tasks",
        "shots": 100,
        "clientToken": "t",
        **more,
    }
    return json.dumps(body).encode()


def sent(read) -> dict:
    return json.loads(json.loads(read.body)["action"])


def test_a_task_is_read() -> None:
    read = braket.read(task(tags={"project": "x-ray"}), Reading(hide=False))
    assert (read.provider, read.program, read.region, read.shots) == ("braket", "program", "us-east-1", 100)
    assert read.tags == ("project=x-ray",)
    (circuit,) = read.circuits
    assert (circuit.width, circuit.size, circuit.depth) == (3, 10, 5)


RESERVED = {"arn": "arn:aws:braket:us-east-1:1:reservation/a", "type": "RESERVATION_TIME_WINDOW_ARN"}


def test_the_reservation_that_a_task_names_is_read() -> None:
    assert braket.read(task(), HIDE).reservation == ""
    read = braket.read(task(associations=[RESERVED]), HIDE)
    assert read.reservation == RESERVED["arn"]
    assert (read.reservation, "reservation") in {(one.sent, one.name) for one in read.fields}


@pytest.mark.parametrize(
    "told",
    [
        [RESERVED, RESERVED],
        [{**RESERVED, "type": "OTHER"}],
        [{**RESERVED, "arn": ""}],
        [{**RESERVED, "arn": ["a"]}],
        [{**RESERVED, "more": 1}],
        RESERVED,
        "a",
    ],
)
def test_an_association_that_could_be_read_in_two_ways_is_refused(told) -> None:
    with pytest.raises(Invalid, match=r"payload\.unsupported"):
        braket.read(task(associations=told), HIDE)


def test_what_is_sent_holds_no_name_of_the_users() -> None:
    read = braket.read(task(inputs={"bondlength": 0.74}, tags={"project": "x-ray"}), HIDE)
    for name in (
        b"caffeine",
        b"bondlength",
        b"molecule",
        b"energy",
        b"entangle",
        b"angle0",
        b"x-ray",
        b"project",
    ):
        assert name not in read.body, name
    ((token, value),) = sent(read)["inputs"].items()
    assert value == 0.74
    assert f"input float {token}" in sent(read)["source"]
    back = braket.restore(read.body, read.names, Limits())
    assert b"bondlength" in back
    assert b"qsec_h" not in back


def test_the_hash_does_not_go_by_names_or_layout() -> None:
    first = braket.read(task(), HIDE).circuits[0]
    other = SOURCE.replace("molecule", "thing").replace("\n", "\n\n").replace("// the caffeine molecule", "")
    assert braket.read(task(other), HIDE).circuits[0] == first
    assert braket.read(task(sent(braket.read(task(), HIDE))["source"]), HIDE).circuits[0] == first
    changed = SOURCE.replace("angle0 * 2", "angle0 * 3")
    assert braket.read(task(changed), HIDE).circuits[0].structural_hash != first.structural_hash


def test_the_sdks_own_circuits_measure_as_it_says() -> None:
    pytest.importorskip("braket.circuits")
    from braket.circuits import Circuit
    from braket.circuits.serialization import IRType

    circuit = Circuit().h(range(4)).cnot(0, 1).cnot(1, 2).ccnot(0, 1, 3).rx(2, 0.3).swap(0, 3)
    found = Program(circuit.to_ir(ir_type=IRType.OPENQASM).source, 1000).circuit()
    measures = circuit.qubit_count  # the SDK adds one of each qubit
    assert (found.width, found.depth) == (circuit.qubit_count, circuit.depth + 1)
    assert found.size == len(circuit.instructions) + measures


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("OPENQASM 3.0; qubit q; while (true) { h q; }", "payload.unsupported"),
        ("OPENQASM 3.0; qubit[n] q; h q;", "payload.unsupported"),
        ("OPENQASM 3.0; qubit[9999999] q; h q;", "payload.too_costly"),
        ("OPENQASM 3.0; qubit[5] q; h q[7];", "payload.unsupported"),
        ("OPENQASM 3.0; qubit q; h q", "payload.malformed"),
        ("OPENQASM 3.0; qubit q; h \x00;", "payload.malformed"),
        ("OPENQASM 3.0; qubit[900000] q; " + "h q;" * 10, "payload.too_costly"),
    ],
)
def test_what_cannot_be_measured_is_refused(source, code) -> None:
    with pytest.raises(Invalid) as refused:
        braket.read(task(source), HIDE)
    assert refused.value.code == code


def test_fields_that_the_sdk_does_not_write_are_refused() -> None:
    for more in ({"jobToken": "x"}, {"shots": -1}, {"shots": True}, {"deviceArn": "sv1"}, {"tags": {"a": 1}}):
        with pytest.raises(Invalid):
            braket.read(task(**more), HIDE)
