"""The adapter's rules that need no Vault: addresses, paths, and one error for each status."""

import re

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.control.credentials import vault_errors
from qsec_jupyter.control.credentials.naming import Mounts, target_role
from qsec_jupyter.control.credentials.vault import Endpoint, checked_address, path_segments
from qsec_jupyter.control.credentials.vault_errors import Doing, from_status
from qsec_jupyter.core.errors import HTTP_STATUS, Invalid

DOING = Doing("read x", "policy y")


@pytest.mark.parametrize(
    ("given_address", "address"),
    [
        ("https://vault.example.org:8200", "https://vault.example.org:8200"),
        ("https://vault.example.org/", "https://vault.example.org"),
        (" http://127.0.0.1:8200 ", "http://127.0.0.1:8200"),
        ("http://localhost:8200", "http://localhost:8200"),
        ("http://[::1]:8200", "http://[::1]:8200"),
        ("http://127.9.9.9", "http://127.9.9.9"),
    ],
)
def test_good_address_is_taken(given_address, address):
    assert checked_address(given_address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://vault.example.org:8200",
        "http://127.0.0.1.example.org",
        "http://0.0.0.0:8200",
        "http://10.0.0.1:8200",
        "https://user:password@vault.example.org",
        "https://vault.example.org/path",
        "https://vault.example.org?x=1",
        "https://vault.example.org#x",
        "ftp://127.0.0.1",
        "vault.example.org:8200",
        "https://",
        "https://[::1",
        "https://host:port",
        "unix:///run/vault.sock",
    ],
)
def test_bad_address_is_refused_and_never_quoted(address):
    with pytest.raises(Invalid) as caught:
        checked_address(address)
    assert caught.value.code == "vault.address_refused"
    assert "password" not in str(caught.value)


def test_endpoint_reads_authority_and_namespace(tmp_path):
    authority = tmp_path / "ca.pem"
    authority.write_text("x")
    environ = {"VAULT_ADDR": "https://v", "VAULT_CACERT": str(authority), "VAULT_NAMESPACE": "team/quantum/"}
    assert Endpoint.from_environ(environ) == Endpoint("https://v", str(authority), "team/quantum/")
    assert (
        Endpoint.from_environ({"VAULT_ADDR": "https://v", "VAULT_CACERT": "", "VAULT_NAMESPACE": ""}).ca_file
        is None
    )


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("VAULT_CACERT", "/does/not/exist.pem", "vault.ca_missing"),
        ("VAULT_NAMESPACE", "../root", "vault.namespace_refused"),
        ("VAULT_NAMESPACE", "a\r\nX-Vault-Token: b", "vault.namespace_refused"),
        ("QSEC_VAULT_KV_MOUNT", "../sys", "vault.path_refused"),
        ("QSEC_VAULT_AUTH_MOUNT", "a b", "vault.path_refused"),
        ("QSEC_VAULT_TRANSIT_MOUNT", "a//b", "vault.path_refused"),
    ],
)
def test_bad_setting_is_refused_by_name(name, value, code):
    environ = {"VAULT_ADDR": "https://v", name: value}
    with pytest.raises(Invalid) as caught:
        (Endpoint.from_environ(environ), Mounts.from_environ(environ))
    assert caught.value.code == code


@pytest.mark.parametrize("path", ["targets/sandbox", "a", "a-b/c_d/e.f", "2024/x@y", "_internal/x"])
def test_usual_path_is_taken(path):
    assert "/".join(path_segments(path)) == path


@given(st.text(max_size=40))
def test_no_path_that_is_taken_can_climb_or_break_out(path):
    try:
        parts = path_segments(path)
    except Invalid:
        return
    assert all(part not in ("", ".", "..") and re.fullmatch(r"[!-~]+", part) for part in parts)
    assert not set(path) & set("%?#\\:;&\"'<> \t\r\n")


@pytest.mark.parametrize("name", ["a/b", "../qsec-broker", "a/../b", "a\nb", "a b", "*", "x*", "a%2fb"])
def test_target_with_an_unusual_name_has_no_role(name):
    with pytest.raises(Invalid) as caught:
        target_role(name)
    assert caught.value.code == "vault.path_refused"


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (301, "", "vault.standby"),
        (307, "", "vault.standby"),
        (400, "", "vault.refused"),
        (400, "invalid accessor", "vault.no_such_accessor"),
        (403, "permission denied", "vault.forbidden"),
        (403, "permission denied * invalid token", "vault.token_rejected"),
        (404, "", "vault.not_found"),
        (412, "", "vault.standby"),
        (429, "", "vault.busy"),
        (472, "", "vault.standby"),
        (473, "", "vault.standby"),
        (500, "", "vault.failed"),
        (501, "", "vault.failed"),
        (502, "", "vault.failed"),
        (503, '{"errors":["Vault is sealed"]}', "vault.sealed"),
        (503, '{"initialized":true,"sealed":true}', "vault.sealed"),
        (503, '{"initialized":true,"sealed":false}', "vault.failed"),
        (418, "", "vault.failed"),
    ],
)
def test_each_status_has_its_code_and_says_what_to_do(status, text, code):
    error = from_status(status, {}, text + " s3cr3t", DOING)
    assert error.code == code
    assert error.kind in HTTP_STATUS
    assert error.kind != "bug"
    assert error.title
    assert error.detail
    assert error.remedy or code == "vault.no_such_accessor"
    assert "s3cr3t" not in str(error)


@pytest.mark.parametrize(("header", "said"), [("7", "7 s"), ("soon s3cr3t", "reached."), ("", "reached.")])
def test_retry_after_is_repeated_only_when_it_is_a_number(header, said):
    error = from_status(429, {"Retry-After": header}, "", DOING)
    assert error.detail.endswith(said if said == "reached." else f"{said}.")


def test_codes_of_unknown_outcome_exist():
    made = {
        vault_errors.timed_out(DOING, 5).code,
        vault_errors.interrupted(DOING).code,
        vault_errors.bad_answer(DOING).code,
    }
    assert made == vault_errors.UNKNOWN_OUTCOME
