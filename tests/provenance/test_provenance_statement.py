"""Statements: by their published schemas, with who asserts what, and nothing invented."""

import base64
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings, strategies as st
from referencing import Registry, Resource

from qsec_jupyter.core.canonical import canonical_bytes
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.core.signing import key_id
from qsec_jupyter.ledger.keys import LocalSigner
from qsec_jupyter.provenance import envelope, statement
from qsec_jupyter.provenance.schema import published

SHA = "ab" * 32
RECORD = {
    "run_id": "5f0c",
    "kind": "intent",
    "time": "2026-01-31T09:30:00.000Z",
    "framework": "qiskit",
    "operation": "qiskit_aer.AerSimulator.run",
    "backend": {"name": "aer_simulator", "version": "0.18.2"},
    "execution": {
        "type": "backend",
        "circuits": [
            {
                "structural_hash": {"alg": "qsec-circuit-v1", "value": SHA},
                "qpy": {"sha256": "cd" * 32, "version": 17, "bytes": 900},
                "width": 4,
                "depth": 3,
                "size": 4,
                "gaps": ["a gate is opaque"],
            }
        ],
        "parameters": {"sha256": "ef" * 32, "encoding": "x"},
        "shots": 1024,
        "options": {},
        "seeds": {"seed_simulator": 7},
    },
    "source": {"cell_id": "c1"},
    "environment": {"python": "3.11", "os": "Linux", "packages": {"sha256": SHA, "count": 89}},
    "parent_run_id": None,
    "gaps": ["options are not known"],
}
AUTHORITY = {
    "principal": "ab12",
    "identity_provider": "local account",
    "mfa": None,
    "grant": None,
    "target": None,
    "policy": {"digest": SHA, "allowed_by": ["sandbox-auto"]},
    "approvals": [],
}
RECORDER = {"name": "x", "version": "0.1.0", "server": "s", "kernel": "k", "recorded_at": "t"}


def _number(digits: str) -> float:
    """Read whole numbers as RFC 8785 does: beyond 2**53 they are doubles."""
    return int(digits) if abs(int(digits)) < 2**53 else float(digits)


def check(payload: bytes, name: str) -> dict:
    """Return the statement after holding it against its schema."""
    told = json.loads(payload)
    schema = published(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    common = published("common")
    registry = Registry().with_resource(common["$id"], Resource.from_contents(common))
    jsonschema.Draft202012Validator(schema, registry=registry).validate(told["predicate"])
    assert told["_type"] == "https://in-toto.io/Statement/v1"
    assert told["predicateType"] == schema["$id"]
    assert canonical_bytes(json.loads(payload, parse_int=_number)) == payload
    return told


def test_an_intent_names_circuits_and_parameters_by_their_digests():
    told = check(statement.intent(RECORD, AUTHORITY, RECORDER), "intent")
    subjects = {subject["name"]: subject["digest"] for subject in told["subject"]}
    assert subjects["circuit/0"] == {"qsec-circuit-v1": SHA, "sha256": "cd" * 32}
    assert subjects["parameters"] == {"sha256": "ef" * 32}
    assert "run/5f0c" in subjects


def test_what_the_kernel_claims_is_never_mixed_with_what_was_seen():
    lying = {**RECORD, "assertedBy": "control", "authority": {"principal": "root"}}
    told = check(statement.intent(lying, {**AUTHORITY, "assertedBy": "kernel"}, RECORDER), "intent")
    predicate = told["predicate"]
    assert predicate["run"]["assertedBy"] == "kernel"
    assert predicate["run"]["authority"] == {"principal": "root"}
    assert predicate["authority"] == {**AUTHORITY, "assertedBy": "control"}
    assert predicate["recorder"] == {**RECORDER, "assertedBy": "control"}


def test_gaps_of_the_run_and_its_circuits_are_listed_together():
    told = check(statement.intent(RECORD, AUTHORITY, RECORDER), "intent")
    gaps = told["predicate"]["gaps"]
    assert gaps[:2] == ["options are not known", "circuit 0: a gate is opaque"]
    assert "the backend's calibration is not known" in gaps


def test_a_completion_refers_to_its_intent_and_names_the_result():
    record = {**RECORD, "kind": "completion", "status": "done", "result": {"sha256": SHA, "encoding": "x"}}
    told = check(
        statement.completion(record, {"statement": SHA, "index": 4}, AUTHORITY, RECORDER), "completion"
    )
    assert told["predicate"]["intent"] == {"assertedBy": "control", "index": 4, "statement": SHA}
    assert told["subject"][0] == {"name": "result", "digest": {"sha256": SHA}}


def test_a_completion_without_intent_or_result_says_so():
    record = {"run_id": "5f0c", "kind": "completion", "status": "failed", "error_type": "AerError"}
    told = check(statement.completion(record, None, AUTHORITY, RECORDER), "completion")
    assert told["predicate"]["intent"] is None
    assert told["predicate"]["gaps"] == ["no intent of this run was recorded", "the result has no digest"]
    assert [subject["name"] for subject in told["subject"]] == ["run/5f0c"]


@pytest.mark.parametrize(
    "record", [{}, {"run_id": "", "kind": "intent"}, {"run_id": "a", "kind": "completion"}, []]
)
def test_a_record_that_is_none_is_refused(record):
    with pytest.raises(Invalid) as caught:
        statement.intent(record, AUTHORITY, RECORDER)
    assert caught.value.code == "record.malformed"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(
    json_values, st.sampled_from(["source", "execution", "backend", "environment", "time", "hooks", "odd"])
)
def test_whatever_a_kernel_sends_becomes_a_statement_that_validates(value, field):
    """64-bit seeds, NaN, lone surrogates, wrong types: nothing may keep a run from being recorded."""
    record = {"run_id": "a", "kind": "intent", "execution": {"seeds": {"s": value}}, field: value}
    told = check(statement.intent(record, AUTHORITY, RECORDER), "intent")
    run = told["predicate"]["run"]
    assert field in run or field in run["unfit"]


def test_claim_of_another_form_is_set_aside_and_named():
    record = {**RECORD, "backend": "ibm_fez", "source": {"cell_digest": "short"}, "unfit": 1}
    told = check(statement.intent(record, AUTHORITY, RECORDER), "intent")
    assert told["predicate"]["run"]["unfit"] == {
        "backend": "ibm_fez",
        "source": {"cell_digest": "short"},
        "unfit": 1,
    }
    assert sum("published form" in gap for gap in told["predicate"]["gaps"]) == 3


@pytest.mark.parametrize("name", ["common", "intent", "completion"])
def test_schema_in_the_docs_is_the_one_that_is_used(name):
    docs = Path(__file__).parents[2] / "docs" / "formats" / f"{name}.v1.schema.json"
    assert json.loads(docs.read_text()) == published(name)


def test_numbers_that_a_double_cannot_hold_are_written_in_decimal():
    told = json.loads(statement.intent({"run_id": "a", "kind": "intent", "seed": 2**64 - 1}, {}, {}))
    assert told["predicate"]["run"]["seed"] == "18446744073709551615"


def test_an_envelope_gives_back_exactly_the_bytes_that_were_signed():
    signer = LocalSigner.generate()
    payload = statement.intent(RECORD, AUTHORITY, RECORDER)
    signed = envelope.sign(payload, signer)
    assert envelope.verify(signed, [LocalSigner.generate().public_key, signer.public_key]) == payload
    told = json.loads(signed)
    assert told["payloadType"] == "application/vnd.in-toto+json"
    assert told["signatures"][0]["keyid"] == key_id(signer.public_key)
    assert len(base64.b64decode(told["signatures"][0]["sig"])) == 64


def test_an_envelope_of_another_key_payload_or_type_does_not_verify():
    signer = LocalSigner.generate()
    signed = json.loads(envelope.sign(b"{}", signer))
    with pytest.raises(Invalid, match="unverified"):
        envelope.verify(json.dumps(signed).encode(), [LocalSigner.generate().public_key])
    with pytest.raises(Invalid, match="unverified"):
        envelope.verify(json.dumps({**signed, "payload": "e30g"}).encode(), [signer.public_key])
    for broken in ({**signed, "payloadType": "text/plain"}, {**signed, "payload": "!"}, {}, [], "x"):
        with pytest.raises(Invalid, match="malformed"):
            envelope.verify(json.dumps(broken).encode(), [signer.public_key])
    with pytest.raises(Invalid):
        envelope.verify(json.dumps({**signed, "signatures": []}).encode(), [signer.public_key])
    with pytest.raises(Invalid):
        envelope.verify(json.dumps(signed).encode(), [])
