"""The inventory of plaintext credentials: what each vendor's client writes is found, moved and scrubbed."""

import json
import stat

import pytest

from qsec_jupyter.control.credentials.inventory import everywhere, scrub
from qsec_jupyter.control.credentials.inventory.places import VARIABLES
from qsec_jupyter.control.credentials.inventory.scrub import MARKER

VALUE = "s3cr3t-Value-0123456789"
FILES = {
    ".qiskit/qiskit-ibm.json": ("ibm", json.dumps({"default": {"channel": "ibm_cloud", "token": VALUE}})),
    ".qiskit/qiskitrc": ("ibm", f"[ibmq]\ntoken = {VALUE}\nurl = https://example.org\n"),
    ".config/dwave/dwave.conf": ("dwave", f"[defaults]\nendpoint = https://x\ntoken = {VALUE}\n"),
    ".qcs/secrets.toml": (
        "rigetti",
        f'[credentials.default.token_payload]\naccess_token = "{VALUE}"\nscope = "offline"\n',
    ),
    ".qbraid/qbraidrc": ("qbraid", f"[default]\nurl = https://x\napi-key = {VALUE}\n"),
    ".qnx/auth/oat": ("quantinuum", VALUE),
    ".quantinuum_config": ("quantinuum", f"key: {VALUE}\n"),
    ".config/pytket/config.json": ("pytket", json.dumps({"extensions": {"ionq": {"api_key": VALUE}}})),
    ".config/xanadu-cloud/config.toml": ("xanadu", f'refresh_token = "{VALUE}"\n'),
    ".cache/iqm-client-cli/tokens.json": ("iqm", json.dumps({"pid": 4711, "access_token": VALUE})),
    ".aws/credentials": (
        "aws",
        f"[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {VALUE}\n",
    ),
}


def put(home, name, text, mode=0o600):
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("name", FILES)
def test_credential_in_a_vendors_own_file_is_found_with_its_name_and_never_shown(tmp_path, name):
    vendor, text = FILES[name]
    put(tmp_path, name, text)
    (found,) = everywhere(tmp_path, {}, [])
    assert (found.vendor, found.kind, found.where) == (vendor, "file", str(tmp_path / name))
    assert found.value.reveal() == VALUE
    assert VALUE not in repr(found)


@pytest.mark.parametrize("name", FILES)
def test_scrubbing_takes_the_value_out_and_leaves_the_rest_as_it_is(tmp_path, name):
    path = put(tmp_path, name, FILES[name][1])
    (found,) = everywhere(tmp_path, {}, [])
    assert scrub(found) is True
    assert path.read_text() == FILES[name][1].replace(VALUE, MARKER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert scrub(found) is False


def test_value_that_json_escapes_is_scrubbed_as_well(tmp_path):
    value = 'quo"te\\back/slash-é-0123'
    path = put(tmp_path, ".qiskit/qiskit-ibm.json", json.dumps({"default": {"token": value}}))
    (found,) = everywhere(tmp_path, {}, [])
    assert scrub(found)
    assert json.loads(path.read_text())["default"]["token"] == MARKER


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_variable_that_a_client_reads_is_found(tmp_path, name):
    (found,) = everywhere(tmp_path, {name: VALUE, "PATH": "/bin"}, [])
    assert (found.kind, found.where, found.id) == ("environment", name, name)


def test_env_file_of_the_working_folder_is_found_whatever_its_form(tmp_path):
    put(tmp_path, ".env", f'# comment\nexport IONQ_API_KEY="{VALUE}"\nDEBUG=1\n')
    put(tmp_path, "prod.env", f"QISKIT_IBM_TOKEN: {VALUE}2\n")
    found = list(everywhere(tmp_path / "none", {}, [tmp_path]))
    assert {(one.vendor, one.value.reveal()) for one in found} == {("ionq", VALUE), ("ibm", f"{VALUE}2")}


def test_file_that_others_can_read_is_said_to_be(tmp_path):
    put(tmp_path, ".quantinuum_config", f"key: {VALUE}\n", 0o644)
    (found,) = everywhere(tmp_path, {}, [])
    assert "0644" in found.note


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, '{"default": 1}', "\x00\xff", "[ibmq\ntoken=x"])
def test_file_that_is_not_of_its_form_breaks_nothing(tmp_path, text):
    for name in (".qiskit/qiskit-ibm.json", ".qiskit/qiskitrc", ".qcs/secrets.toml"):
        put(tmp_path, name, text)
    assert list(everywhere(tmp_path, {}, [])) == []


@pytest.mark.parametrize(
    "value", ["", "short", "<your token>", "${TOKEN}", "your-api-key-here", "changeme-please"]
)
def test_placeholder_is_not_a_credential(tmp_path, value):
    put(tmp_path, ".qiskit/qiskit-ibm.json", json.dumps({"default": {"token": value}}))
    assert list(everywhere(tmp_path, {"IONQ_API_KEY": value}, [])) == []


def test_scrubbed_file_is_not_found_again_as_a_credential(tmp_path):
    put(tmp_path, ".qiskit/qiskit-ibm.json", FILES[".qiskit/qiskit-ibm.json"][1])
    scrub(next(everywhere(tmp_path, {}, [])))
    assert list(everywhere(tmp_path, {}, [])) == []
