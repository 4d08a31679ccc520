"""The published vectors, and a second implementation of the hash, written from the text alone."""

import copy
import json
import warnings
from pathlib import Path

import neutral_circuits
import pytest
import second_hash
from hypothesis import HealthCheck, given, settings, strategies as st

pytest.importorskip("qiskit")
from qsec_jupyter.provenance.circuit import describe, structural_hash

PUBLISHED = json.loads(
    (Path(__file__).parents[2] / "docs" / "formats" / "circuit-hash-vectors.json").read_text()
)
VECTORS = {vector["name"]: vector for vector in PUBLISHED["vectors"]}


class Draw:
    """What :func:`neutral_circuits.circuits` draws from."""

    def __init__(self, data) -> None:
        self.data = data

    def integer(self, least, most):
        return self.data.draw(st.integers(least, most))

    def choice(self, items):
        return self.data.draw(st.sampled_from(list(items)))

    def number(self):
        return self.data.draw(st.floats(-10, 10, allow_nan=False))

    def shuffled(self, items):
        return self.data.draw(st.permutations(list(items)))


@pytest.mark.parametrize("name", VECTORS)
def test_both_implementations_give_the_published_hash(name):
    vector = VECTORS[name]
    assert second_hash.circuit_hash(vector["circuit"]) == vector["hash"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert structural_hash(neutral_circuits.build(vector["circuit"])) == vector["hash"]


def test_no_two_vectors_have_the_same_hash():
    assert len({vector["hash"] for vector in VECTORS.values()}) == len(VECTORS)


def test_the_second_implementation_knows_nothing_of_the_first():
    text = Path(second_hash.__file__).read_text()
    assert "qiskit" not in text.replace("Qiskit", "")
    assert "import qsec" not in text
    assert "from qsec" not in text


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_both_implementations_agree_on_any_circuit(data):
    told = neutral_circuits.circuits(Draw(data))
    assert structural_hash(neutral_circuits.build(told)) == second_hash.circuit_hash(told)


def changes(told):
    """Yield neutral circuits that differ from ``told`` in one thing that matters."""
    for index, item in enumerate(told["instructions"]):
        left = copy.deepcopy(told)
        del left["instructions"][index]
        if item["op"] != "barrier":
            yield left
        if item["op"] in ("rx", "p") and isinstance(item["params"][0], float):
            turned = copy.deepcopy(told)
            turned["instructions"][index]["params"] = [item["params"][0] + 0.125]
            yield turned
        if item["op"] in ("cx", "rzz"):
            swapped = copy.deepcopy(told)
            swapped["instructions"][index]["qubits"] = item["qubits"][::-1]
            yield swapped
        if item["op"] == "if_else":
            other = copy.deepcopy(told)
            other["instructions"][index]["condition"][1] = 1 - item["condition"][1]
            yield other


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_circuit_with_one_thing_changed_has_another_hash(data):
    told = neutral_circuits.circuits(Draw(data))
    whole = structural_hash(neutral_circuits.build(told))
    for changed in changes(told):
        changed["parameters"] = told["parameters"]
        try:
            circuit = neutral_circuits.build(changed)
        except IndexError:  # the only use of a parameter went with the instruction
            continue
        if len(circuit.parameters) == len(told["parameters"]):
            assert structural_hash(circuit) != whole


def test_vectors_are_described_without_a_gap_but_the_opaque_one():
    for name, vector in VECTORS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gaps = describe(neutral_circuits.build(vector["circuit"]))["gaps"]
        assert bool(gaps) == (name == "opaque"), (name, gaps)
