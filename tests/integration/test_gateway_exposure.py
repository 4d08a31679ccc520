"""What the vendor would see, asked of a real control plane, by the kernel's own code."""

import braket_server
import pytest
from gateway_child import Gated, entry
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qsec_jupyter.core.errors import Invalid, from_problem
from qsec_jupyter.kernel import exposure as exposures

NOWHERE = "http://127.0.0.1:9"


class Nowhere:
    """Stands for a sandbox that nobody calls."""

    hello = dict.fromkeys(("iam", "runtime", "search", "catalog"), NOWHERE)
    crn = "crn:v1:lab"


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    catalogue = entry(Nowhere) + entry(Nowhere, name="ibm-open", hide="false") + braket_server.entry(NOWHERE)
    with Gated(tmp_path_factory.mktemp("home"), catalogue, {}) as found:
        yield found


@pytest.fixture
def ask(plane, monkeypatch):
    """Have the kernel's calls answered by the control plane, without a Jupyter server between."""

    class Channel:
        def call(self, op, **args):
            assert op == "preview"
            path = f"/v1/targets/{args['target']}/exposures"
            status, told = plane.child.ask("POST", path, {"circuits": args["circuits"]}, kernel="k1")
            if status != 200:
                raise from_problem(told)
            return told

    monkeypatch.setattr(exposures, "current", lambda: type("Session", (), {"channel": Channel()}))


def circuit() -> QuantumCircuit:
    made = QuantumCircuit(QuantumRegister(2, "molecule"), ClassicalRegister(2, "c"), name="caffeine")
    made.h(0)
    return made


def test_circuits_are_shown_as_the_vendor_would_see_them(ask) -> None:
    shown = exposures.exposure(circuit(), target="ibm-pilot")
    hidden = {field["original"]: field["sent"] for field in shown.hidden}
    assert set(hidden) == {"molecule", "caffeine"}
    assert all(sent.startswith("qsec_h") for sent in hidden.values())
    assert {"circuit structure", "account and time", "register name"} <= {
        field["name"] for field in shown.seen
    }
    assert all(field["why"] for field in shown.seen)
    assert "caffeine" in shown._repr_html_()
    assert "ibm-pilot, not sent: 2 hidden" in repr(shown)


def test_names_in_boxes_are_shown_too(ask) -> None:
    pytest.importorskip("samplomatic")
    from samplomatic import InjectNoise, Tag, Twirl
    from samplomatic.annotations import InjectLocalClifford

    made = circuit()
    with made.box([Twirl(), InjectNoise("ligand"), Tag("catalyst")]):
        made.cx(0, 1)
    shown = exposures.exposure(made, target="ibm-pilot")
    assert {field["original"] for field in shown.hidden} == {"molecule", "caffeine", "ligand", "catalyst"}
    with made.box([Twirl(), InjectLocalClifford("solvent")]):
        made.cx(0, 1)
    with pytest.raises(Invalid, match=r"exposure\.no_qpy"):
        exposures.exposure(made, target="ibm-pilot")


def test_a_target_that_hides_nothing_says_so(ask) -> None:
    shown = exposures.exposure([circuit()], target="ibm-open")
    assert not shown.hidden
    assert "Hiding is off for this target." in repr(shown)


def test_a_circuit_of_brakets_is_shown_too(ask) -> None:
    pytest.importorskip("braket.circuits")
    from braket.circuits import Circuit, FreeParameter

    shown = exposures.exposure(Circuit().rx(0, FreeParameter("bondlength")), target="amazon")
    assert [field["original"] for field in shown.hidden] == ["bondlength", "as written"]


@pytest.mark.parametrize("target", ["ibm-pilot", "amazon"])
def test_a_circuit_in_openqasm_is_shown_too(ask, target) -> None:
    source = "OPENQASM 3.0; qubit[2] molecule; input float bondlength; rx(bondlength) molecule[0];"
    shown = exposures.exposure(source, target=target)
    assert {"molecule", "bondlength"} <= {field["original"] for field in shown.hidden}
    assert any("2 qubits, depth 1" in field["sent"] for field in shown.seen)


def test_what_cannot_be_shown_is_refused_with_a_remedy(ask) -> None:
    with pytest.raises(Invalid, match=r"exposure\.no_target"):
        exposures.exposure(circuit())
    with pytest.raises(Invalid, match=r"exposure\.no_circuit"):
        exposures.exposure("h q[0];", target="ibm-pilot")
