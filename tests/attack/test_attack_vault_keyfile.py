"""Claim: another user of the machine reads no key, and a sealed store that was touched opens no more."""

import multiprocessing
import os
import stat

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from qsec_jupyter.control.credentials.broker import TargetSource
from qsec_jupyter.control.credentials.keystore import KeyStore, write_private
from qsec_jupyter.control.credentials.sealed import KEY_NAME, STORE_NAME, SealedBroker
from qsec_jupyter.core.errors import Unavailable

TARGETS = {"sandbox": TargetSource("kv-v2", "targets/sandbox", "token")}
NOBODY = 65534


@pytest.fixture
def loose_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def opened(home):
    return SealedBroker(home, TARGETS, KeyStore(home, None))


def test_every_file_is_for_its_owner_alone_whatever_the_umask(tmp_path, loose_umask):
    opened(tmp_path)
    KeyStore(tmp_path, None).create("broker.key", lambda: b"x")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {KEY_NAME, STORE_NAME, "broker.key"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666])
def test_key_that_others_may_read_is_refused(tmp_path, mode):
    opened(tmp_path)
    (tmp_path / KEY_NAME).chmod(mode)
    with pytest.raises(Unavailable) as caught:
        opened(tmp_path).signer()
    assert caught.value.code == "key.too_open"


def test_leftover_of_a_crash_with_a_wide_mode_does_not_widen_the_key(tmp_path):
    leftover = tmp_path / f".a.key.{os.getpid()}.new"
    leftover.write_bytes(b"")
    leftover.chmod(0o666)
    write_private(tmp_path / "a.key", b"x")
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600


def test_link_laid_in_the_way_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / f".a.key.{os.getpid()}.new").symlink_to(victim)
    with pytest.raises(OSError, match=r"[Ss]ymbolic|ELOOP"):
        write_private(tmp_path / "a.key", b"x")
    assert victim.read_bytes() == b"precious"


def _read_as_nobody(path, result):
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    try:
        result.put(path.read_bytes())
    except OSError as error:
        result.put(type(error).__name__)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user to try")
def test_another_user_reads_neither_key_nor_store(tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)  # the folder's own mode must not be what protects the files
    opened(tmp_path)
    (tmp_path / "open").write_bytes(b"seen")
    (tmp_path / "open").chmod(0o644)
    context = multiprocessing.get_context("spawn")
    answers = {}
    for name in ("open", KEY_NAME, STORE_NAME):
        result = context.Queue()
        reader = context.Process(target=_read_as_nobody, args=(tmp_path / name, result))
        reader.start()
        answers[name] = result.get(timeout=20)
        reader.join()
        result.close()
        result.join_thread()
    assert answers == {"open": b"seen", KEY_NAME: "PermissionError", STORE_NAME: "PermissionError"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(min_value=0, max_value=100_000), bit=st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_closes_the_store_and_the_file_stays(tmp_path, position, bit):
    home = tmp_path / "home"
    if not home.exists():
        home.mkdir()
        opened(home)
        (home / "good").write_bytes((home / STORE_NAME).read_bytes())
    damaged = bytearray((home / "good").read_bytes())
    damaged[position % len(damaged)] ^= 1 << bit
    (home / STORE_NAME).write_bytes(damaged)
    with pytest.raises(Unavailable) as caught:
        opened(home).signer()
    assert caught.value.code in ("vault.store_broken", "vault.store_wrong_key")
    assert (home / STORE_NAME).read_bytes() == bytes(damaged)


@pytest.mark.parametrize("length", [0, 1, 8, 28, 29, 30, 44])
def test_cut_off_store_is_refused_and_kept(tmp_path, length):
    opened(tmp_path)
    path = tmp_path / STORE_NAME
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(Unavailable) as caught:
        opened(tmp_path).signer()
    assert caught.value.code == "vault.store_broken"
    assert path.stat().st_size == length


@pytest.mark.parametrize("key", [b"", b"short", b"\x00" * 32, b"\x00" * 33])
def test_another_key_opens_nothing_and_destroys_nothing(tmp_path, key):
    opened(tmp_path)
    before = (tmp_path / STORE_NAME).read_bytes()
    (tmp_path / KEY_NAME).write_bytes(key)
    with pytest.raises(Unavailable) as caught:
        opened(tmp_path).signer()
    assert caught.value.code == "vault.store_wrong_key"
    assert (tmp_path / STORE_NAME).read_bytes() == before
    assert (tmp_path / KEY_NAME).read_bytes() == key
