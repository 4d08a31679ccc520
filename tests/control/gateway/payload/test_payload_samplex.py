"""Randomised programs, as the real client writes them: names in a samplex, its arguments and annotations."""

import json

import numpy as np
import pytest

pytest.importorskip("samplomatic")

from ibm_jobs import KEY, executor, fields, job
from provider_view import assert_unseen
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_ibm_runtime.noise_learner_v3.params_converters import NOISE_LEARNER_V3_PARAMS_CONVERTERS
from qiskit_ibm_runtime.options_models import NoiseLearnerV3Options
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS
from samplexes import CLIFFORD, NAMES, NOISE, everything, plain, program
from samplomatic import Tag, Twirl
from samplomatic.serialization import samplex_from_json, samplex_to_json

from qsec_jupyter.control.gateway.payload import ibm
from qsec_jupyter.control.gateway.payload.limits import Limits
from qsec_jupyter.control.gateway.payload.reading import Reading
from qsec_jupyter.core.errors import Invalid

HIDE, SHOW = Reading(hide=True, key=KEY), Reading(hide=False)


def decoded(body, version="v2.0"):
    """Return the program that a provider decodes."""
    converter = QUANTUM_PROGRAM_PARAMS_CONVERTERS[version]
    return converter.decoder(converter.model(**json.loads(body)["params"]))[0]


def samples(made):
    """Return what is drawn of a program's first item, seeded."""
    item = made.items[0]
    return item.samplex.finalize().sample(item.samplex_arguments, 5, rng=7)


def test_no_name_is_left_and_the_same_is_drawn() -> None:
    body = executor(program(count=3))
    read = ibm.read(body, HIDE)
    assert read.shots == 150
    assert_unseen(read.body, NAMES)
    before, after = samples(decoded(body)), samples(decoded(read.body))
    assert list(after) != list(before)
    for name, hidden in zip(
        sorted(before), sorted(after, key=lambda one: read.names.get(one, one)), strict=True
    ):
        assert np.array_equal(before[name], after[hidden])


def test_what_is_read_back_is_what_was_submitted() -> None:
    body = executor(program())
    read = ibm.read(body, HIDE)
    back = decoded(ibm.restore(read.body, read.names, Limits()))
    made = decoded(body)
    assert back.items[0].samplex == made.items[0].samplex
    assert back.items[0].circuit == made.items[0].circuit
    assert set(back.items[0].samplex_arguments) == set(made.items[0].samplex_arguments)
    described = [spec.describe() for spec in made.items[0].samplex.inputs().specs]
    assert [spec.describe() for spec in back.items[0].samplex.inputs().specs] == described
    assert back.passthrough_data == made.passthrough_data


@pytest.mark.parametrize("version", QUANTUM_PROGRAM_PARAMS_CONVERTERS)
def test_every_version_of_the_program_is_read(version) -> None:
    from qiskit_ibm_runtime.options_models import ExecutorOptions

    made = program(of=plain)
    made.passthrough_data = None if version == "v0.1" else made.passthrough_data
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS[version].encoder(made, ExecutorOptions())
    read = ibm.read(job("executor", model.model_dump(mode="json")), HIDE)
    assert_unseen(read.body, NAMES)
    assert samples(decoded(read.body, version))


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_every_version_of_a_samplex_is_read(version) -> None:
    made = program(of=plain)
    body = json.loads(executor(made))
    item = body["params"]["quantum_program"]["items"][0]
    text = samplex_to_json(made.items[0].samplex, None, version)
    item["samplex"] = {"ssv": version, "samplex_json": text}
    read = ibm.read(json.dumps(body).encode(), HIDE)
    assert_unseen(read.body, NAMES)
    restored = json.loads(ibm.restore(read.body, read.names, Limits()))
    item = restored["params"]["quantum_program"]["items"][0]
    assert everything(item["samplex"]["samplex_json"]) == everything(text)
    assert samplex_from_json(item["samplex"]["samplex_json"])


def test_names_that_samplomatic_gives_stay_where_nobody_else_has_them() -> None:
    read = ibm.read(executor(program()), HIDE)
    assert not {"p000", "p001"} & set(read.names.values())
    seen = {field["original"]: field["why"] for field in fields(read) if field["why"]}
    assert "by itself" in seen["p000"]
    own = QuantumCircuit(1, name="caffeine")
    own.rx(Parameter("zangle"), 0)  # stands in the same file
    made = program()
    made.append_circuit_item(own, circuit_arguments=[0.1])
    assert {"p000", "zangle"} <= set(ibm.read(executor(made), HIDE).names.values())
    users = program(of=lambda: numbered("p000", "theta"))
    assert {"p000", "theta"} <= set(ibm.read(executor(users), HIDE).names.values())
    assert samples(decoded(ibm.read(executor(users), HIDE).body))


def test_more_than_is_listed_is_counted_as_what_it_is() -> None:
    read = ibm.read(executor(program(of=lambda: numbered(*[f"bond{n}" for n in range(150)], width=40))), HIDE)
    counted = [
        field for field in fields(read) if field["name"] == "parameter name" and " more" in field["sent"]
    ]
    assert {(field["sent"], bool(field["why"])) for field in counted} == {
        ("150 more, as above, opaque", False),
        ("20 more, as written", True),
    }


def numbered(*names, width=1) -> QuantumCircuit:
    """Return a circuit with a box and these parameters."""
    made = QuantumCircuit(width, width)
    with made.box([Twirl()]):
        for name in names:
            made.rx(Parameter(name), 0)
        made.measure(range(width), range(width))
    return made


def learner(circuit) -> bytes:
    converter = NOISE_LEARNER_V3_PARAMS_CONVERTERS["v0.3"]
    model = converter.encoder(list(circuit), NoiseLearnerV3Options())
    return job("noise-learner", model.model_dump(mode="json"))


def test_names_in_annotations_are_hidden() -> None:
    from samplomatic import ChangeBasis, InjectNoise

    circuit = QuantumCircuit(2)
    with circuit.box([Twirl(), InjectNoise(NOISE, "hydrogen"), Tag("catalyst"), ChangeBasis(ref="ångström")]):
        circuit.cx(0, 1)
    with circuit.box([Twirl(group="local_c1"), Tag("")]):
        circuit.cz(0, 1)
    body = learner(circuit)
    read = ibm.read(body, HIDE)
    assert_unseen(read.body, NAMES)
    hidden = {field["original"] for field in fields(read) if field["name"].startswith("name of noise")}
    assert hidden == {NOISE, "hydrogen", "catalyst", "ångström"}
    assert not [field for field in fields(read) if field["name"] == "annotation"]
    back = json.loads(ibm.restore(read.body, read.names, Limits()))
    model = NOISE_LEARNER_V3_PARAMS_CONVERTERS["v0.3"].model
    kept, made = (
        model(**told["params"]).instructions.to_quantum_circuit() for told in (back, json.loads(body))
    )
    assert [one.operation.annotations for one in kept] == [one.operation.annotations for one in made]


def test_where_hiding_is_off_every_name_is_said_to_be_seen() -> None:
    read = ibm.read(executor(program()), SHOW)
    shown = {field["original"] for field in fields(read)}
    assert {"energy", "zangle", "aangle", "bond", NOISE, CLIFFORD, "secretproject", "plan"} <= shown
    assert all(field["why"] for field in fields(read))


def test_exposure_says_what_is_hidden_of_a_samplex_and_what_is_seen() -> None:
    read = ibm.read(executor(program()), HIDE)
    hidden = {field["original"] for field in fields(read) if not field["why"]}
    assert {"energy", "zangle", NOISE, CLIFFORD, "donor.site", "ångström", "hydrogen"} <= hidden
    seen = {field["name"] for field in fields(read) if field["why"]}
    assert {"samplex", "passthrough numbers"} <= seen
    body = json.loads(executor(program()))
    quantum = body["params"]["quantum_program"]
    quantum["semantic_role"], quantum["new"], quantum["items"][0]["newer"] = "sampler-v2", 1, 2
    read = ibm.read(json.dumps(body).encode(), HIDE)
    seen = {field["name"]: field["sent"] for field in fields(read) if field["why"]}
    assert (seen["semantic role"], seen["other fields"]) == ("sampler-v2", "new, newer")


def test_an_object_that_only_looks_like_an_array_is_hidden() -> None:
    made = program()
    body = json.loads(executor(made))
    told = {"data": "secretproject!", "shape": ["ligand"], "dtype": "hydrogen"}
    body["params"]["quantum_program"]["passthrough_data"] = [told, {**told, "more": "bond"}]
    read = ibm.read(json.dumps(body).encode(), HIDE)
    assert_unseen(read.body, NAMES)
    back = json.loads(ibm.restore(read.body, read.names, Limits()))
    assert back["params"]["quantum_program"]["passthrough_data"] == [told, {**told, "more": "bond"}]


def test_what_is_not_looked_into_is_refused() -> None:
    body = json.loads(executor(program()))
    held = body["params"]["quantum_program"]["items"][0]["samplex"]
    told = json.loads(held["samplex_json"])

    def code(change) -> str:
        other = json.loads(json.dumps(told))
        change(other)
        held["samplex_json"] = json.dumps(other)
        with pytest.raises(Invalid) as refused:
            ibm.read(json.dumps(body).encode(), HIDE)
        return refused.value.code

    def node(told, name):
        return next(each["data"] for each in told["nodes"] if each["data"]["id"] == name)

    refused = "payload.unsupported"
    unknown = {
        "a kind of node": lambda told: told["nodes"][0]["data"].update(id="N99"),
        "a field of a node": lambda told: told["nodes"][0]["data"].update(secret="caffeine"),
        "a field of the header": lambda told: told["attrs"].update(secret="caffeine"),
        "a gate": lambda told: node(told, "N8").update(op_name="caffeine"),
        "a version": lambda told: told["attrs"].update(samplomatic_version="caffeine"),
        "an array": lambda told: node(told, "N8").update(subsystem_idxs='{"data":"caffeine!"}'),
        "a synthesis": lambda told: node(told, "N1").update(synth="caffeine"),
        "flips": lambda told: node(told, "N2").update(output_name="measurement_flips_of_caffeine"),
    }
    assert {what: code(change) for what, change in unknown.items()} == dict.fromkeys(unknown, refused)
    refused = "payload.malformed"
    malformed = {
        "more than a graph": lambda told: told.update(secret="caffeine"),
        "a link with data": lambda told: told["links"][0].update(data="caffeine"),
        "a node without data": lambda told: told["nodes"].append({"id": 77, "data": "caffeine"}),
        "no table": lambda told: told["attrs"].update(param_table=3),
    }
    assert {what: code(change) for what, change in malformed.items()} == dict.fromkeys(malformed, refused)
