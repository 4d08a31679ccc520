"""IBM's pubs that hold a circuit as OpenQASM, as users of its REST interface write them."""

import json

import pytest
from ibm_jobs import KEY, job

from qsec_jupyter.control.gateway.payload import Limits, ibm
from qsec_jupyter.control.gateway.payload.openqasm import Program
from qsec_jupyter.control.gateway.payload.reading import Reading
from qsec_jupyter.core.errors import Invalid

HIDE = Reading(hide=True, key=KEY)
SOURCE = """OPENQASM 3.0;
include "stdgates.inc"; // the caffeine molecule
input float[64] zangle;
input float[64] aangle;
bit[2] energy;
gate entangle left, right { h left; cx left, right; }
rx(zangle) $0;
rx(aangle) $1;
entangle $0, $1;
energy[0] = measure $0;
energy[1] = measure $1;
"""


def body(*pubs, program="sampler", **params) -> bytes:
    return job(program, {"pubs": list(pubs), "version": 2, "options": {}, **params})


def sent(read) -> list:
    return json.loads(read.body)["params"]["pubs"]


def test_a_pub_in_openqasm_is_read_measured_and_hashed() -> None:
    read = ibm.read(body([SOURCE, [0.1, 0.2], 500], [SOURCE, [0.3, 0.4], 100]), HIDE)
    (circuit, again) = read.circuits
    assert circuit == again == Program(SOURCE, 1000).circuit()
    assert (circuit.width, circuit.size, circuit.depth) == (2, 6, 4)
    assert read.shots == 600
    assert not read.pulses


def test_its_names_are_hidden_and_its_inputs_sort_as_they_did() -> None:
    read = ibm.read(body([SOURCE, {"zangle": 0.1, "aangle": 0.2}, 500]), HIDE)
    for name in (b"caffeine", b"zangle", b"aangle", b"energy", b"entangle", b"left"):
        assert name not in read.body, name
    ((source, values, shots),) = sent(read)
    assert shots == 500
    assert set(values) == set(Program(source, 1000).inputs)
    assert [values[name] for name in sorted(values)] == [0.2, 0.1], "aangle sorts before zangle"
    back = json.loads(ibm.restore(read.body, read.names, Limits()))["params"]["pubs"][0]
    assert back[1] == {"zangle": 0.1, "aangle": 0.2}
    assert Program(back[0], 1000).names == Program(SOURCE, 1000).names
    kinds = {(field.name, field.original) for field in read.fields if not field.why}
    assert {("name in the program", "energy"), ("parameter name", "zangle")} <= kinds


def test_without_hiding_it_is_sent_as_it_came() -> None:
    given = body([SOURCE, [0.1, 0.2], 500])
    assert ibm.read(given, Reading(hide=False)).body == given


def test_an_estimators_pub_may_hold_it_too() -> None:
    source = (
        'OPENQASM 3.0; include "stdgates.inc"; input float zangle; qubit[2] molecule; rx(zangle) molecule[0];'
    )
    read = ibm.read(body([source, {"ZZ": 1.0}, {"zangle": 0.1}, 0.1], program="estimator"), HIDE)
    assert read.shots == 100
    assert b"zangle" not in read.body
    assert sent(read)[0][1] == {"ZZ": 1.0}


@pytest.mark.parametrize(
    "source",
    [
        "OPENQASM 3.0; qubit q; while (true) { h q; }",
        "OPENQASM 3.0; qubit q;\n#pragma braket verbatim\nbox { h q; }",
        "OPENQASM 3.0; qubit q;\n@mine twirl\nbox { h q; }",
        'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; h q[0];',
        "eJwL9HQO",
    ],
)
def test_what_nobody_can_look_into_is_refused(source) -> None:
    with pytest.raises(Invalid) as refused:
        ibm.read(body([source]), HIDE)
    assert refused.value.code in ("payload.unsupported", "payload.malformed")


def test_elsewhere_a_text_is_no_circuit() -> None:
    with pytest.raises(Invalid):
        ibm.read(job("noise-learner", {"circuits": [SOURCE], "options": {}}), HIDE)


def test_pulses_are_seen() -> None:
    source = "OPENQASM 3.0; defcal x $0 { play(drive, wave); } x $0;"
    assert ibm.read(body([source]), HIDE).pulses
