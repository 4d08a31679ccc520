"""How the control plane itself gets into a real Vault: wrapped secret ids, JWTs of a platform."""

from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from vault_fault_proxy import fault_proxy
from vault_server import now, request

from qsec_jupyter.control.credentials import starts
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.core.errors import Denied, Invalid, Unavailable

pytestmark = pytest.mark.vault


@pytest.fixture
def approle(vault):
    """An AppRole that gives the broker's policy; gives its mount, role id and a maker of wrapped ids."""
    mount = f"approle-{vault.mounts.auth}"
    vault.admin("POST", f"sys/auth/{mount}", {"type": "approle"})
    role = {"token_policies": "qsec-broker", "token_period": "20m", "token_no_default_policy": True}
    vault.admin("POST", f"auth/{mount}/role/qsec-broker", {**role, "secret_id_num_uses": 0})
    role_id = vault.admin("GET", f"auth/{mount}/role/qsec-broker/role-id")["data"]["role_id"]

    def wrapped():
        import requests

        headers = {"X-Vault-Token": vault.root, "X-Vault-Wrap-TTL": "300"}
        path = f"{vault.address}/v1/auth/{mount}/role/qsec-broker/secret-id"
        return requests.post(path, headers=headers, timeout=5).json()["wrap_info"]["token"]

    return mount, role_id, wrapped


def start_of(tmp_path, approle, file):
    mount, role_id, _ = approle
    environ = {
        "QSEC_VAULT_LOGIN": "approle",
        "QSEC_VAULT_LOGIN_MOUNT": mount,
        "QSEC_VAULT_ROLE_ID": role_id,
        "QSEC_VAULT_WRAPPED_SECRET_ID_FILE": str(file),
    }
    return starts.from_environ(environ, KeyStore(tmp_path, None))


def test_wrapped_secret_id_is_opened_once_and_kept_for_the_next_start(vault, broker_at, approle, tmp_path):
    file = tmp_path / "wrapped"
    file.write_text(approle[2]())
    for _ in range(2):  # the second start has no wrapping token any more
        broker = broker_at(vault, start=start_of(tmp_path, approle, file))
        assert broker.signer().sign(b"x")
        assert broker.issue(request(), lambda ref: None).value.reveal() == vault.secrets["sandbox"]
        broker.close()
        assert not file.exists()
    assert (tmp_path / starts.SECRET_ID).stat().st_mode & 0o777 == 0o600


def test_wrapping_token_that_somebody_opened_before_is_an_alarm(vault, broker_at, approle, tmp_path):
    file = tmp_path / "wrapped"
    file.write_text(approle[2]())
    vault.admin("POST", "sys/wrapping/unwrap", token=file.read_text())
    with pytest.raises(Denied) as caught:
        broker_at(vault, start=start_of(tmp_path, approle, file)).signer()
    assert caught.value.code == "vault.wrapped_token_used"
    assert file.exists()


def test_wrapping_token_of_something_else_is_left_closed(vault, broker_at, approle, tmp_path):
    import requests

    headers = {"X-Vault-Token": vault.root, "X-Vault-Wrap-TTL": "300"}
    foreign = requests.post(
        f"{vault.address}/v1/sys/wrapping/wrap", headers=headers, json={"secret_id": "x"}, timeout=5
    )
    file = tmp_path / "wrapped"
    file.write_text(foreign.json()["wrap_info"]["token"])
    with pytest.raises(Denied) as caught:
        broker_at(vault, start=start_of(tmp_path, approle, file)).signer()
    assert caught.value.code == "vault.wrapped_token_foreign"
    assert vault.admin("POST", "sys/wrapping/unwrap", token=file.read_text())["data"] == {"secret_id": "x"}


def test_start_without_a_secret_id_names_the_command(vault, broker_at, approle, tmp_path):
    with pytest.raises(Unavailable) as caught:
        broker_at(vault, start=start_of(tmp_path, approle, tmp_path / "none")).signer()
    assert caught.value.code == "vault.no_secret_id"
    assert "-wrap-ttl" in caught.value.remedy


@pytest.mark.parametrize("method", ["jwt", "kubernetes"])
def test_token_of_the_platform_is_read_anew_at_each_login(vault, broker_at, tmp_path, method):
    """Kubernetes' login has the form of jwt's; a cluster to review its tokens is not part of this test."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    mount = f"{method}-{vault.mounts.auth}"
    vault.admin("POST", f"sys/auth/{mount}", {"type": "jwt"})
    vault.admin("POST", f"auth/{mount}/config", {"jwt_validation_pubkeys": [public]})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "token_period": "20m"}
    vault.admin("POST", f"auth/{mount}/role/qsec-broker", {**role, "token_policies": "qsec-broker"})
    file = tmp_path / "token"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(age):
        claims = {"sub": "system:serviceaccount:hub:qsec", "aud": "vault", "iat": now(), "exp": now() + age}
        file.write_text(jwt.encode(claims, private, "ES256"))

    write(timedelta(hours=-2))
    environ = {"QSEC_VAULT_LOGIN": method, "QSEC_VAULT_LOGIN_MOUNT": mount, "QSEC_VAULT_JWT_FILE": str(file)}
    broker = broker_at(vault, start=starts.from_environ(environ, KeyStore(tmp_path, None)))
    with pytest.raises(Denied) as caught:
        broker.signer()
    assert caught.value.code == "vault.login_refused"
    write(timedelta(minutes=5))
    assert broker.signer().sign(b"x")


def test_setting_that_is_wrong_or_missing_is_named(tmp_path):
    keys = KeyStore(tmp_path, None)
    assert starts.from_environ({}, keys) is None
    for environ, code in (
        ({"QSEC_VAULT_LOGIN": "password"}, "vault.login_unknown"),
        ({"QSEC_VAULT_LOGIN": "approle"}, "vault.login_incomplete"),
        ({"QSEC_VAULT_LOGIN": "jwt"}, "vault.login_incomplete"),
        ({"QSEC_VAULT_LOGIN": "cert"}, "vault.login_incomplete"),
        ({"QSEC_VAULT_LOGIN": "jwt", "QSEC_VAULT_LOGIN_MOUNT": "../sys"}, "vault.path_refused"),
    ):
        with pytest.raises(Invalid) as caught:
            starts.from_environ(environ, keys)
        assert caught.value.code == code


def test_only_one_login_however_many_ask_at_the_first_moment(vault, broker_at, approle, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    file = tmp_path / "wrapped"
    file.write_text(approle[2]())
    with fault_proxy(vault.address) as proxy:
        broker = broker_at(vault, proxy.address, start=start_of(tmp_path, approle, file))
        with ThreadPoolExecutor(12) as pool:
            assert len(list(pool.map(lambda _: broker.signer().sign(b"x"), range(12)))) == 12
        assert proxy.count("/login") == 1
        broker.close()
