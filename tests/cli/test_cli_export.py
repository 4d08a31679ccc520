"""`qsec export`: each form is taken by its own library or schema, verifies, and tells nobody's name."""

import base64
import io
import json
import zipfile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from prov.model import ProvDocument
from rocrate.rocrate import ROCrate
from securesystemslib.dsse import Envelope

from qsec_jupyter.core.errors import Invalid, NotFound

FORMS = ("ro-crate", "prov", "cyclonedx", "in-toto")


@pytest.fixture
def exported(qsec, recorded, tmp_path):
    def export(form: str, run: str = "aaaa") -> bytes:
        path = tmp_path / f"out-{form}"
        done = qsec("export", run, "--format", form, "--output", path)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return path.read_bytes()

    return export


def test_crate_is_a_process_run_crate(exported, tmp_path) -> None:
    (tmp_path / "crate.zip").write_bytes(exported("ro-crate"))
    crate = ROCrate(tmp_path / "crate.zip")
    (action,) = crate.get_by_type("CreateAction")
    assert action["instrument"].get("name") == "aer_simulator"
    assert "qsec-circuit-v1:" + "0" * 64 in {item.get("value") for item in action["object"]}
    assert [item.get("value") for item in action["result"]] == ["sha256:" + "1" * 64]
    assert action["startTime"] == "2026-01-31T09:00:00.000Z"
    assert crate.root_dataset["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"
    assert crate.root_dataset["mentions"].id == action.id


def test_crate_holds_the_bundle_that_verifies(exported, qsec, tmp_path) -> None:
    with zipfile.ZipFile(io.BytesIO(exported("ro-crate"))) as crate:
        (tmp_path / "b.jsonl").write_bytes(crate.read("run.intoto.jsonl"))
    assert qsec("verify", tmp_path / "b.jsonl").exit_code == 0


def test_prov_says_who_used_what_and_made_what(exported) -> None:
    document = ProvDocument.deserialize(content=exported("prov").decode(), format="json")
    names = {str(record.identifier) for record in document.get_records() if record.identifier}
    assert {"qsec:run-" + "a" * 32, "qsec:result", "qsec:circuit/0", "qsec:notebook"} <= names
    assert ProvDocument.deserialize(content=document.serialize(format="json"), format="json") == document


def test_bill_of_materials_validates_and_lists_the_packages(exported) -> None:
    text = exported("cyclonedx").decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert {part["purl"] for part in json.loads(text)["components"]} == {
        "pkg:pypi/numpy@2.4.6",
        "pkg:pypi/qiskit@2.6.2",
    }


def test_bundle_is_lines_of_dsse_envelopes(exported) -> None:
    lines = [json.loads(line) for line in exported("in-toto").splitlines()]
    payloads = [json.loads(Envelope.from_dict(line).payload) for line in lines[:2]]
    assert [payload["_type"] for payload in payloads] == ["https://in-toto.io/Statement/v1"] * 2
    assert set(lines[2]) == {"payload", "payloadType", "signatures"}


@pytest.mark.parametrize("form", FORMS)
def test_no_export_names_a_person_or_holds_a_key(exported, recorded, qsec_home, form) -> None:
    data = exported(form)
    if form == "ro-crate":
        with zipfile.ZipFile(io.BytesIO(data)) as crate:
            data = b"".join(crate.read(name) for name in crate.namelist())
    if b'"payload"' in data:
        for line in data.splitlines():
            if line.startswith(b"{") and b"payloadType" in line:
                data += base64.b64decode(json.loads(line)["payload"])
    for secret in (
        b"Ada",
        b"Lovelace",
        (qsec_home / "store.key").read_bytes(),
        bytes(str(qsec_home), "ascii"),
    ):
        assert secret not in data


def test_file_that_is_there_is_not_overwritten(exported, qsec, tmp_path) -> None:
    exported("prov")
    done = qsec("export", "aaaa", "--format", "prov", "--output", tmp_path / "out-prov")
    assert isinstance(done.exception, Invalid)


def test_packages_that_were_not_kept_are_not_made_up(qsec, plane) -> None:
    plane.evidence.record([{"run_id": "d" * 32, "kind": "intent", "time": "t"}], "k1")
    assert isinstance(qsec("export", "dddd", "--format", "cyclonedx").exception, NotFound)
