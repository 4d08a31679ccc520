"""Claim: a replay runs what was recorded or nothing. Evidence, statements and records are tampered with."""

import base64
import json

import pytest

pytest.importorskip("qiskit_aer")

from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from qsec_jupyter.core.errors import Bug, NotFound, Unavailable


def bell():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def flipped():
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.measure_all()
    return circuit


def seeded():
    return AerSimulator().run(bell(), shots=200, seed_simulator=7)


def sealed(qsec_home):
    return sorted((qsec_home / "journal-0" / "evidence").glob("*.sealed"))


def test_flipped_byte_in_the_evidence_stops_a_replay(record, replayed, qsec_home) -> None:
    run = record(seeded)
    for path in sealed(qsec_home):
        data = path.read_bytes()
        path.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    with pytest.raises(Unavailable) as caught:
        replayed(run)
    assert caught.value.code == "evidence.damaged"


def test_swapped_evidence_stops_a_replay(record, replayed, qsec_home, plane) -> None:
    run = record(seeded)
    circuit = plane.runs.get(run)["intent"]["predicate"]["run"]["execution"]["circuits"][0]["qpy"]["sha256"]
    other = record(lambda: AerSimulator().run(flipped(), seed_simulator=1))
    another = plane.runs.get(other)["intent"]["predicate"]["run"]["execution"]["circuits"][0]["qpy"]["sha256"]
    folder = qsec_home / "journal-0" / "evidence"
    (folder / f"{circuit}.sealed").write_bytes((folder / f"{another}.sealed").read_bytes())
    with pytest.raises(Unavailable) as caught:
        replayed(run)
    assert caught.value.code == "evidence.damaged"


def test_missing_evidence_and_missing_key_are_told_apart(record, replayed, qsec_home) -> None:
    run = record(seeded)
    for path in (qsec_home / "journal-0" / "evidence" / "keys").glob("*.json"):
        path.unlink()
    with pytest.raises(Unavailable) as caught:
        replayed(run)
    assert caught.value.code == "evidence.key_missing"
    for path in sealed(qsec_home):
        path.unlink()
    with pytest.raises(NotFound) as missing:
        replayed(run)
    assert missing.value.code == "replay.not_kept"


def test_evidence_whose_key_a_vault_wrapped_says_that_it_needs_the_vault(record, replayed, qsec_home) -> None:
    run = record(seeded)
    for path in (qsec_home / "journal-0" / "evidence" / "keys").glob("*.json"):
        key = {**json.loads(path.read_text()), "wrapped_by": "vault-transit:qsec-evidence"}
        path.write_text(json.dumps(key))
    with pytest.raises(Unavailable) as caught:
        replayed(run)
    assert caught.value.code == "evidence.needs_vault"
    assert "VAULT_ADDR" in caught.value.remedy


def test_forged_statement_is_not_replayed(record, replayed, qsec_home) -> None:
    run = record(seeded)
    for path in (qsec_home / "journal-0" / "statements").glob("*.json"):
        told = json.loads(path.read_text())
        payload = base64.b64decode(told["payload"]).replace(b'"seed_simulator":7', b'"seed_simulator":8')
        path.write_text(json.dumps({**told, "payload": base64.b64encode(payload).decode()}))
    with pytest.raises(Bug) as caught:
        replayed(run)
    assert caught.value.code == "statements.damaged"


def forged(plane, **changes):
    """Record what a lying kernel might say, with a circuit that is really there."""
    intent = {
        "run_id": "e" * 32,
        "kind": "intent",
        "time": "2026-01-31T09:00:00.000Z",
        "framework": "qiskit",
        "operation": "x.run",
        "backend": {"name": "x"},
        "execution": changes,
    }
    plane.evidence.record([intent], "k1")
    return "e" * 32


@pytest.mark.parametrize(
    "kind", ["os.system", "subprocess.Popen", "qiskit_aer.backends.aer_simulator.evil", ""]
)
def test_record_cannot_choose_which_code_is_imported(record, replayed, plane, kind) -> None:
    run = record(seeded)
    circuits = plane.runs.get(run)["intent"]["predicate"]["run"]["execution"]["circuits"]
    told = replayed(forged(plane, type="backend", circuits=circuits, runner={"type": kind, "options": {}}))
    assert told["verdict"] == "verified"
    assert "not run again" in " ".join(told["why"])


def test_record_whose_circuit_is_another_one_is_different(record, replayed, plane) -> None:
    run = record(seeded)
    (told,) = plane.runs.get(run)["intent"]["predicate"]["run"]["execution"]["circuits"]
    lie = {**told, "structural_hash": {**told["structural_hash"], "value": "0" * 64}}
    judged = replayed(forged(plane, type="backend", circuits=[lie]))
    assert judged["verdict"] == "different"
    assert "another structure" in judged["why"][0]


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 63, "~/x", 7, None])
def test_evidence_name_of_a_lying_record_reaches_no_file(replayed, plane, name) -> None:
    run = forged(plane, type="backend", circuits=[{"qpy": {"sha256": name}}])
    with pytest.raises(NotFound):
        replayed(run)
