"""`qsec verify FILE`: an exported run verifies alone, and not once a byte of it was changed."""

import base64
import json

import pytest

from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.ledger import bundle
from qsec_jupyter.ledger.keys import LocalSigner
from qsec_jupyter.provenance import envelope


@pytest.fixture
def data(qsec, recorded, tmp_path) -> bytes:
    qsec("export", "aaaa", "--format", "in-toto", "--output", tmp_path / "run.jsonl")
    return (tmp_path / "run.jsonl").read_bytes()


@pytest.fixture
def check(qsec, tmp_path):
    def verify(data: bytes, *more):
        path = tmp_path / "given.jsonl"
        path.write_bytes(data)
        done = qsec("verify", path, "--json", *more)
        if isinstance(done.exception, Invalid):
            return {"ok": False, "problems": [{"what": done.exception.code}]}
        return json.loads(done.stdout)

    return verify


def material(data: bytes) -> dict:
    return json.loads(base64.b64decode(json.loads(data.splitlines()[-1])["payload"]))


def with_material(data: bytes, told: dict) -> bytes:
    payload = base64.b64encode(json.dumps(told).encode()).decode()
    last = {"payload": payload, "payloadType": bundle.MATERIAL_TYPE, "signatures": []}
    return b"\n".join([*data.splitlines()[:-1], json.dumps(last).encode()]) + b"\n"


def test_exported_run_verifies_and_says_by_which_keys(check, data, recorded) -> None:
    report = check(data)
    assert report["ok"]
    assert report["run_id"] == recorded.a
    assert report["covered"]
    assert len(report["keys"]) == 1
    assert report["untrusted"] == []


def test_on_another_machine_it_verifies_and_the_key_is_named_as_unknown(
    check, data, monkeypatch, tmp_path, qsec_home
) -> None:
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "elsewhere"))
    report = check(data)
    assert report["ok"]
    assert report["untrusted"] == report["keys"]
    assert check(data, "--keys", qsec_home / "journal-0" / "keys")["untrusted"] == []


def test_each_changed_byte_of_a_statement_is_seen(check, data) -> None:
    first = data.index(b"\n")
    for position in range(5, first, first // 40):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        assert not check(changed)["ok"], position


@pytest.mark.parametrize("part", ["payload", "proof", "checkpoint", "keys", "index", "journal"])
def test_each_part_of_the_proof_counts(check, data, part) -> None:
    told = material(data)
    entry = told["entries"][0]
    if part == "payload":
        entry["payload"] = told["entries"][1]["payload"]
    elif part == "proof":
        entry["proof"][0] = "0" * 64
    elif part == "index":
        entry["index"] += 1
    elif part == "checkpoint":
        told["checkpoint"] = told["checkpoint"].replace("qsec-jupyter/", "qsec-jupyter/x", 1)
    elif part == "keys":
        told["keys"] = []
    else:
        told["journal"] = "another"
    assert not check(with_material(data, told))["ok"]


def test_statement_of_another_run_does_not_pass_as_part_of_this_one(check, data, qsec, tmp_path) -> None:
    qsec("export", "bbbb", "--format", "in-toto", "--output", tmp_path / "b.jsonl")
    other = (tmp_path / "b.jsonl").read_bytes()
    mixed = b"\n".join([data.splitlines()[0], *other.splitlines()[1:]]) + b"\n"
    assert not check(mixed)["ok"]
    assert not check(b"\n".join([*other.splitlines()[:2], data.splitlines()[-1]]))["ok"]


def test_statement_that_somebody_else_signed_does_not_verify(check, data, recorded) -> None:
    forger = LocalSigner.generate()
    payload = base64.b64decode(json.loads(data.splitlines()[0])["payload"]).replace(
        b'"shots":1000', b'"shots":9'
    )
    lines = [envelope.sign(payload, forger), *data.splitlines()[1:]]
    assert not check(b"\n".join(lines))["ok"]


def test_forged_archive_in_the_bundle_is_named_as_untrusted(check, data, recorded) -> None:
    told = material(data)
    key = json.loads(told["keys"][0])
    key["key"]["name"] = "somebody trustworthy"
    told["keys"][0] = json.dumps(key)
    assert not check(with_material(data, told))["ok"]


def test_bundle_before_the_next_checkpoint_says_that_it_is_not_covered(
    check, qsec, recorded, tmp_path
) -> None:
    recorded.plane.evidence.record([{"run_id": "d" * 32, "kind": "intent", "time": "t"}], "k1")
    qsec("export", "dddd", "--format", "in-toto", "--output", tmp_path / "d.jsonl")
    report = check((tmp_path / "d.jsonl").read_bytes())
    assert report["ok"]
    assert not report["covered"]


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]\n[]", b"\xff\xfe", b'{"payloadType":1}\n{}', b"\n\n\n"])
def test_junk_is_refused(check, junk) -> None:
    assert check(junk)["problems"][0]["what"] == "bundle.malformed"


def test_key_whose_name_is_a_path_writes_no_file(check, data, tmp_path) -> None:
    told = material(data)
    key = json.loads(told["keys"][0])
    key["key"]["id"] = "../../../../tmp/owned"
    told["keys"][0] = json.dumps(key)
    assert not check(with_material(data, told))["ok"]
