"""Keys: in a real keyring when there is one, else in a file for its owner alone."""

import threading
import types

import pytest

from qsec_jupyter.control.credentials import keystore
from qsec_jupyter.control.credentials.keystore import KeyStore, real_keyring, write_private
from qsec_jupyter.core.errors import Unavailable


class MemoryKeyring:
    """Keeps entries, as a real back end does."""

    def __init__(self):
        self.entries = {}

    def get_password(self, service, name):
        return self.entries.get((service, name))

    def set_password(self, service, name, value):
        self.entries[(service, name)] = value


class ForgetfulKeyring(MemoryKeyring):
    def set_password(self, service, name, value):
        pass


class LockedKeyring(MemoryKeyring):
    def set_password(self, service, name, value):
        raise RuntimeError("the collection is locked; text that may quote a secret")

    get_password = set_password


def test_key_is_made_once_and_read_afterwards(tmp_path):
    store = KeyStore(tmp_path, None)
    assert store.read("a.key") is None
    assert store.create("a.key", lambda: b"one") == (b"one", "file-0600")
    assert store.create("a.key", lambda: b"two") == (b"one", "file-0600")


def test_real_keyring_holds_the_key_and_no_file_is_written(tmp_path):
    keyring = MemoryKeyring()
    assert KeyStore(tmp_path, keyring).create("a.key", lambda: b"\x00\xff") == (b"\x00\xff", "os-keyring")
    assert not (tmp_path / "a.key").exists()
    assert KeyStore(tmp_path, keyring).read("a.key") == (b"\x00\xff", "os-keyring")


def test_two_state_folders_have_two_keys_in_one_keyring(tmp_path):
    keyring = MemoryKeyring()
    (tmp_path / "other").mkdir()
    KeyStore(tmp_path, keyring).create("a.key", lambda: b"one")
    assert KeyStore(tmp_path / "other", keyring).read("a.key") is None


def test_keyring_that_forgets_is_not_trusted(tmp_path):
    assert KeyStore(tmp_path, ForgetfulKeyring()).create("a.key", lambda: b"x") == (b"x", "file-0600")
    assert (tmp_path / "a.key").read_bytes() == b"x"


def test_locked_keyring_is_an_error_with_a_remedy_that_quotes_nothing(tmp_path):
    with pytest.raises(Unavailable) as caught:
        KeyStore(tmp_path, LockedKeyring()).read("a.key")
    assert caught.value.code == "key.keyring_locked"
    assert "quote" not in str(caught.value)
    assert caught.value.remedy


def test_keyring_that_waits_for_its_user_is_given_up_in_time(tmp_path, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(keystore, "_KEYRING_LIMIT", 0.05)
    waiting = types.SimpleNamespace(get_password=lambda service, name: release.wait(10) and None)
    with pytest.raises(Unavailable) as caught:
        KeyStore(tmp_path, waiting).read("a.key")
    assert caught.value.code == "key.keyring_locked"
    release.set()


@pytest.mark.parametrize(
    "module", ["keyring.backends.fail", "keyring.backends.null", "keyrings.alt.file", "somebody.else"]
)
def test_back_ends_that_do_not_encrypt_are_not_real(monkeypatch, module):
    import keyring

    backend = type("Keyring", (), {"__module__": module})()
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    assert real_keyring() is None


def test_back_ends_of_operating_systems_are_real_also_behind_the_chainer(monkeypatch):
    import keyring

    real = type("Keyring", (), {"__module__": "keyring.backends.SecretService"})()
    chain = type("ChainerBackend", (), {"__module__": "keyring.backends.chainer", "backends": [real]})()
    for backend in (real, chain):
        monkeypatch.setattr(keyring, "get_keyring", lambda backend=backend: backend)
        assert real_keyring() is real


def test_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "a.key"
    write_private(path, b"old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keystore.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.key"]
