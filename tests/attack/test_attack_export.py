"""Claim: what leaves with an export holds no secret, no name, no circuit and no result."""

import base64
import io
import json
import zipfile

import pytest
from recorded import completion, intent

FORMS = ("ro-crate", "prov", "cyclonedx", "in-toto")
SECRET = "Zk3vQ9-unknown-to-every-scanner-81"


def everything(form: str, data: bytes) -> bytes:
    """Return an export with whatever is packed or encoded in it laid open."""
    if form == "ro-crate":
        with zipfile.ZipFile(io.BytesIO(data)) as crate:
            data = b"\n".join(crate.read(name) for name in crate.namelist())
    opened = data
    for line in data.splitlines():
        if b"payloadType" in line and line.startswith(b"{"):
            payload = base64.b64decode(json.loads(line)["payload"])
            opened += payload
            if b"entries" in payload:
                opened += b"".join(
                    base64.b64decode(e["payload"]) for e in json.loads(payload).get("entries", ())
                )
    return opened


@pytest.fixture
def leaky(plane, recorded):
    """Record a run whose kernel told a secret wherever it could."""
    run = "e" * 32
    told = intent(run)
    told["execution"]["options"] = {
        "token": SECRET,
        "shots": 7,
        "nested": {"api_key": SECRET, "x": [SECRET[:0]]},
    }
    told["execution"]["runner"] = {"type": "x", "options": {"Authorization": f"Bearer {SECRET}"}}
    told["backend"] = {"name": "x", "password": SECRET}
    plane.evidence.record([told, completion(run)], "k1")
    return run


@pytest.mark.parametrize("form", FORMS)
def test_option_whose_name_says_that_it_is_a_secret_is_in_no_export(leaky, qsec, tmp_path, form) -> None:
    path = tmp_path / "out"
    done = qsec("export", leaky, "--format", form, "--output", path)
    assert done.exit_code == 0, done.exception
    assert SECRET.encode() not in everything(form, path.read_bytes())


def test_it_is_in_no_file_of_the_journal_either(leaky, plane, qsec_home) -> None:
    plane.checkpoints.make()
    for path in qsec_home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            opened = data
            if path.parent.name == "statements":
                opened += base64.b64decode(json.loads(data)["payload"])
            assert SECRET.encode() not in opened, path
    run = plane.runs.get(leaky)["intent"]["predicate"]
    assert run["run"]["execution"]["options"]["token"] == "[withheld]"
    assert run["run"]["execution"]["options"]["shots"] == 7
    assert any("withheld" in gap for gap in run["gaps"])


@pytest.mark.parametrize("form", FORMS)
def test_no_person_no_key_and_no_evidence_goes_with_it(leaky, qsec, qsec_home, tmp_path, form) -> None:
    path = tmp_path / "out"
    qsec("export", leaky, "--format", form, "--output", path)
    data = everything(form, path.read_bytes())
    keys = [file.read_bytes() for file in qsec_home.glob("*.key")]
    assert keys
    for secret in (b"Ada", b"Lovelace", *keys, *(key.hex().encode() for key in keys)):
        assert secret not in data
