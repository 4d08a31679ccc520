"""Attack: names in randomised programs that a vendor might see, and samplexes that are built to harm."""

import base64
import copy
import json
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("samplomatic")

from payload_refusals import refusals
from provider_view import assert_unseen, layers
from qiskit import QuantumCircuit

from qsec_jupyter.control.gateway.payload import Limits, Restorer, ibm
from qsec_jupyter.control.gateway.payload.reading import Reading
from qsec_jupyter.core.errors import Invalid

sys.path.insert(0, str(Path(__file__).parents[1] / "control" / "gateway" / "payload"))
from ibm_jobs import KEY, executor
from samplexes import NAMES, everything, plain, program
from test_payload_samplex import decoded, samples

HIDE = Reading(hide=True, key=KEY)
CANARY = "canary.seven"
SMALL = Limits(unpacked=32 * 1024 * 1024, memory=512 * 1024 * 1024, seconds=5)
SEEN_AS_IT_IS = {"circuit_b64", "b64_data", "circuit_base64", "data", "options", "schema_version"}
"""Circuits and arrays, which other tests look into, and what ``%qsec exposure`` says is sent as submitted."""


# -- nothing is seen that is not said to be --------------------------------------------------------


def places(value, path=()):
    """Yield where texts stand: in values and keys, also in JSON within texts."""
    if isinstance(value, str):
        yield path, "value"
        if value[:1] in "{[" and isinstance(inner := _json(value), (dict, list)):
            yield from places(inner, (*path, None))
    if isinstance(value, dict):
        yield path, "more"
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key not in SEEN_AS_IT_IS:
            yield (*path, key), "key"
            yield from places(inner, (*path, key))
    for key, inner in enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def planted(value, path, what):
    """Return a copy with the canary in one place, in the place of a value, of a key, or as one more key."""
    if not path:
        return {**value, CANARY: CANARY} if what == "more" else CANARY
    step, *rest = path
    if step is None:
        return json.dumps(planted(json.loads(value), rest, what))
    if what == "key" and not rest:
        return {CANARY if key == step else key: inner for key, inner in value.items()}
    if isinstance(value, list):
        return [planted(inner, rest, what) if key == step else inner for key, inner in enumerate(value)]
    return {key: planted(inner, rest, what) if key == step else inner for key, inner in value.items()}


def test_a_name_in_any_place_of_a_program_is_hidden_or_refused_or_said_to_be_seen() -> None:
    """Tries each text in turn. The samplex has every kind of node that `build` makes."""
    body = json.loads(executor(program(circuit=_measured())))
    outcomes = {"hidden": 0, "refused": 0, "said": 0}
    for path, what in places(body["params"], ()):
        changed = {**body, "params": planted(body["params"], path, what)}
        try:
            read = ibm.read(json.dumps(changed).encode(), HIDE)
        except Invalid:
            outcomes["refused"] += 1
            continue
        seen = any(CANARY.encode() in layer for layer in layers(read.body))
        said = any(CANARY in field.sent for field in read.fields if field.why)
        assert seen == said, path
        outcomes["said" if said else "hidden"] += 1
    assert min(outcomes.values()) > 0, outcomes
    assert outcomes["hidden"] > 40, outcomes


def _measured() -> QuantumCircuit:
    made = QuantumCircuit(1, 1)
    made.measure(0, 0)
    return made


STRANGE = (
    "a",
    "parameter_values",
    "measurement_flips.energy",
    "num_randomizations",
    "num_terms_ligand",
    "circuit-7",
    "dot.ted.name",
    '"quoted"',
    "back\\slash",
    "new\nline",
    "ångström-名前-🧪",
    "qsec_h",
    "qsec_hn00000000000000000000",
    "eJwLDPQO8Q==",
    "lhs_0",
    "measure",
    " ",
    "x" * 3000,
)


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_are_hidden_and_come_back(name) -> None:
    from qiskit import ClassicalRegister
    from qiskit.quantum_info import PauliLindbladMap
    from qiskit_ibm_runtime.quantum_program import QuantumProgram
    from samplomatic import ChangeBasis, InjectNoise, Twirl, build

    circuit = QuantumCircuit(2)
    circuit.add_register(ClassicalRegister(2, f"r{name}"))
    with circuit.box([Twirl(), InjectNoise(name, name)]):
        circuit.cx(0, 1)
    with circuit.box([Twirl(), ChangeBasis(ref=name)]):
        circuit.measure([0, 1], [0, 1])
    template, samplex = build(circuit)
    made = QuantumProgram(shots=1, passthrough_data={name: [name]})
    given = {
        f"pauli_lindblad_maps.{name}": PauliLindbladMap.from_list([("ZZ", 0.1)]),
        f"noise_scales.{name}": 0.5,
        f"basis_changes.{name}": [0, 1],
    }
    made.append_samplex_item(template, samplex=samplex, samplex_arguments=given, shape=(2,))
    body = executor(made)
    read = ibm.read(body, HIDE)
    if len(name) > 6 and name not in ("parameter_values", "num_randomizations", "circuit-7", "measure"):
        assert_unseen(read.body, [name])
    (register,) = [one for one in samples(decoded(read.body)) if one.startswith("measurement_flips.")]
    answer = json.dumps({"results": {register: 1, register.partition(".")[2]: 2}}).encode()
    restorer = Restorer(read.names)
    told = json.loads(restorer.feed(answer) + restorer.finish())
    assert told == {"results": {f"measurement_flips.r{name}": 1, f"r{name}": 2}}
    assert everything(ibm.restore(read.body, read.names, Limits()).decode()) == everything(body.decode())


def test_a_name_that_is_the_opaque_one_of_another_comes_back_as_it_is() -> None:
    """Opaque names are shown to the user, who may use one as a name. Nothing is put back twice."""
    body = json.loads(executor(program(of=plain)))
    first = ibm.read(json.dumps(body).encode(), HIDE)
    hydrogen = next(token for token, name in first.names.items() if name == "hydrogen")
    text = json.dumps(body).replace("donor.site", hydrogen).encode()
    read = ibm.read(text, HIDE)
    assert set(read.names.values()) >= {"hydrogen", hydrogen}
    assert everything(ibm.restore(read.body, read.names, Limits()).decode()) == everything(text.decode())


def test_what_looks_at_the_providers_view_would_see_the_names() -> None:
    """The check itself is checked: with hiding off it finds what is there, however it is packed."""
    sent = ibm.read(executor(program()), Reading(hide=False)).body
    there = [name for name in NAMES if name not in ("caffeine", "molecule")]  # not part of what is sent
    for name in there:
        with pytest.raises(AssertionError):
            assert_unseen(sent, [name])


# -- samplexes that harm ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def honest() -> dict:
    return json.loads(executor(program(of=plain)))


def codes(*bodies: bytes, limits: Limits = SMALL) -> list[str | None]:
    honest = executor(program(of=plain))
    return refusals(*bodies, honest=honest, shots=200, limits=limits, canary=CANARY)


def changed(honest, change, *, text=None) -> bytes:
    """Return the honest job with another samplex: changed as JSON, or another text."""
    body = copy.deepcopy(honest)
    held = body["params"]["quantum_program"]["items"][0]["samplex"]
    told = json.loads(held["samplex_json"])
    change(told)
    held["samplex_json"] = json.dumps(told) if text is None else text(json.dumps(told))
    return json.dumps(body).encode()


def table(value):
    """Return what puts something else in the place of the QPY of a samplex's parameters."""

    def change(told) -> None:
        held = json.loads(told["attrs"]["param_table"])
        held["circuit_base64"] = value(held["circuit_base64"])
        told["attrs"]["param_table"] = json.dumps(held)

    return change


def same(_) -> None:
    pass


def test_a_samplex_that_is_none_is_refused(honest) -> None:
    bodies = [
        changed(honest, same, text=lambda _: "[" * 100_000),
        changed(honest, same, text=lambda text: text[:-20]),
        changed(honest, same, text=lambda _: "[]"),
        changed(honest, same, text=lambda text: text[:-1] + f', "nodes": [], "{CANARY}": 1}}'),
        changed(honest, same, text=lambda text: text.replace('"attrs": {', '"attrs": {"ssv": "4", ', 1)),
        changed(honest, same, text=lambda text: text.replace("hydrogen", "\\ud800")),
        changed(honest, lambda told: told["attrs"].update(ssv="3")),
        changed(honest, lambda told: told["attrs"].update(input_specification='{"a":' * 5000)),
        changed(honest, lambda told: told.update(nodes=[told["nodes"]])),
        changed(honest, lambda told: told.update(links=[[1, 2]])),
        changed(honest, lambda told: told["nodes"][0].update(id="one")),
        changed(honest, lambda told: told["nodes"][0]["data"].update(id=["N0"])),
    ]
    assert {code for code in codes(*bodies) if code != "payload.too_costly"} == {"payload.malformed"}
    for body in (honest, {}):
        other = copy.deepcopy(body or honest)
        item = other["params"]["quantum_program"]["items"][0]
        item["samplex"] = [CANARY] if body else {"ssv": 4, "samplex_json": "{}", "more": CANARY}
        assert codes(json.dumps(other).encode())[0] in ("payload.malformed", "payload.unsupported")


def test_parameters_of_a_samplex_are_read_as_carefully_as_circuits(honest) -> None:
    def written(circuits, version=15):
        import io

        from qiskit import qpy

        file = io.BytesIO()
        qpy.dump(circuits, file, version=version)
        return file.getvalue()

    def encoded(data):
        return lambda _: base64.b64encode(data).decode()

    bomb = zlib.compress(b"\0" * (1 << 30), 9)
    bodies = [
        changed(honest, table(lambda _: "not base64!")),
        changed(honest, table(lambda _: 7)),
        changed(honest, table(encoded(b"QISKIT"))),
        changed(honest, table(encoded(b"no QPY"))),
        changed(honest, table(encoded(bomb))),
        changed(honest, table(lambda text: text[: len(text) // 2])),
        changed(honest, table(encoded(written(QuantumCircuit(1)) + b"more"))),
        changed(honest, table(encoded(written([QuantumCircuit(1), QuantumCircuit(1)])))),
        changed(honest, table(encoded(written(QuantumCircuit(1), version=17)))),
    ]
    found = codes(*bodies)
    assert found[4] == "payload.too_large"
    assert set(found) <= {"payload.malformed", "payload.too_large"}


def test_a_huge_samplex_is_refused_in_time(honest) -> None:
    node = {"operand": "rz", "param_indices": "[]", "register_name": "lhs_1", "id": "N12", "ssv": "4"}

    def many(told) -> None:
        told["nodes"] = [{"id": number, "data": node} for number in range(350_000)]

    def named(told) -> None:
        several = [{**node, "register_name": f"{CANARY}{number}"} for number in range(300_000)]
        told["nodes"] = [{"id": number, "data": data} for number, data in enumerate(several)]

    def wide(told) -> None:
        told["attrs"]["output_specification"] = json.dumps({f"{CANARY}{n}": "{}" for n in range(1_000_000)})

    bodies = [changed(honest, many), changed(honest, named), changed(honest, wide)]
    assert max(map(len, bodies)) < Limits().body
    few = replace(SMALL, instructions=50_000)
    found = codes(*bodies, limits=few)
    assert found[:2] == ["payload.too_costly"] * 2
    assert found[2] in ("payload.too_costly", "payload.unsupported")
    began = time.monotonic()
    assert codes(bodies[1], limits=replace(SMALL, seconds=1)) == ["payload.too_costly"]
    assert time.monotonic() - began < 60


def test_what_a_samplex_is_given_is_numbers(honest) -> None:
    bodies = []
    for value in (CANARY, [CANARY], {"data": CANARY, "shape": [1], "dtype": "f64"}, None, {"more": 1}):
        body = copy.deepcopy(honest)
        body["params"]["quantum_program"]["items"][0]["samplex_arguments"]["noise_scales.hydrogen"] = value
        bodies.append(json.dumps(body).encode())
    term = [[CANARY, [0], 0.1]]
    body = copy.deepcopy(honest)
    given = body["params"]["quantum_program"]["items"][0]["samplex_arguments"]
    given["noise_scales.hydrogen"] = {"sparse_terms": term, "num_qubits": 1}
    bodies.append(json.dumps(body).encode())
    assert set(codes(*bodies)) == {"payload.unsupported"}
