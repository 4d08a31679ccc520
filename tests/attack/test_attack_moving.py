"""Claim: commands that find, move, replace and set up credentials show no value and leave none behind.

The real commands, with a home of their own; `qsec setup vault` against a real Vault.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from qsec_command import account_in, command_in

from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.sealed import SealedFile

VALUE = "Zq4-Value_of.a-token-0123456789abcdefghijkl"


@pytest.fixture
def environ(tmp_path):
    return account_in(tmp_path)


@pytest.fixture
def run(tmp_path, environ):
    return command_in(tmp_path, environ)


def where_it_is(tmp_path: Path, value: str) -> set[str]:
    files = (file for file in tmp_path.rglob("*") if file.is_file() and not file.is_symlink())
    return {file.name for file in files if value.encode() in file.read_bytes()}


def account(tmp_path):
    file = tmp_path / ".qiskit" / "qiskit-ibm.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"default": {"channel": "ibm_cloud", "token": VALUE}}))
    return file


def test_a_moved_value_is_in_no_file_but_the_sealed_one(run, tmp_path) -> None:
    file = account(tmp_path)
    file.chmod(0o640)
    done = run("import", "--target", "sandbox", "--scrub")
    assert done.returncode == 0, done.stderr
    assert VALUE not in done.stdout + done.stderr
    assert where_it_is(tmp_path, VALUE) == set()
    assert file.stat().st_mode & 0o777 == 0o640
    kept = SealedFile(tmp_path / "qsec", KeyStore(tmp_path / "qsec", None)).load()[0].secrets
    assert kept["sandbox"] == VALUE


def test_a_typed_value_is_in_no_command_line_environment_or_file(tmp_path, environ) -> None:
    command = [sys.executable, "-m", "qsec_jupyter.cli", "rotate", "sandbox"]
    with subprocess.Popen(
        command, env=environ, cwd=tmp_path / "work", text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdin.write(VALUE + "\n")
        process.stdin.flush()
        time.sleep(0.5)
        for name in ("cmdline", "environ"):
            file = Path(f"/proc/{process.pid}/{name}")
            assert not file.exists() or VALUE.encode() not in file.read_bytes()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert VALUE not in out + err
    assert where_it_is(tmp_path, VALUE) == set()


def test_a_value_that_cannot_be_stored_is_not_scrubbed(run, tmp_path) -> None:
    file = account(tmp_path)
    (tmp_path / "qsec").mkdir(mode=0o700)
    (tmp_path / "qsec" / "store.sealed").write_bytes(b"damaged")
    done = run("import", "--target", "sandbox", "--scrub")
    assert done.returncode != 0 or where_it_is(tmp_path, VALUE) == {file.name}
    assert VALUE not in done.stdout + done.stderr
    if done.returncode:
        assert VALUE in file.read_text(), "a value in no place is lost"


def test_hostile_files_neither_stop_the_inventory_nor_speak_to_the_terminal(run, tmp_path) -> None:
    account(tmp_path)
    work = tmp_path / "work"
    (work / "\x1b]0;owned\x07\x1b[31mred.env").write_text(f"IONQ_API_KEY={VALUE[::-1]}\n")
    os.mkfifo(work / "pipe.env")
    (work / "loop.env").symlink_to("loop.env")
    (work / "device.env").symlink_to("/dev/zero")
    (work / "huge.env").write_bytes(b"IONQ_API_KEY=" + b"x" * (8 << 20))
    (work / "binary.env").write_bytes(bytes(range(256)) * 100)
    for arguments in (("inventory", "--no-history"), ("inventory", "--no-history", "--json")):
        done = run(*arguments)
        assert done.returncode == 1, done.stderr
        assert not {"\x1b", "\x07"} & set(done.stdout + done.stderr)
        assert VALUE not in done.stdout + done.stderr
        assert VALUE[::-1] not in done.stdout + done.stderr
        assert "qiskit-ibm.json" in done.stdout


def test_scrub_leaves_a_link_a_link_and_another_file_alone(run, tmp_path) -> None:
    real = tmp_path / "work" / "real.json"
    real.write_text(json.dumps({"default": {"token": VALUE}}))
    (tmp_path / ".qiskit").mkdir()
    link = tmp_path / ".qiskit" / "qiskit-ibm.json"
    link.symlink_to(real)
    assert run("import", "--target", "sandbox", "--scrub").returncode == 0
    assert link.is_symlink()
    assert VALUE not in real.read_text()


@pytest.mark.vault
def test_the_administrators_token_sets_up_a_vault_and_is_kept_nowhere(own_vault, run, tmp_path) -> None:
    own = {"VAULT_ADDR": own_vault.address, "VAULT_TOKEN": own_vault.root}
    for step in ("--plan", "--apply", "--apply"):
        done = run("setup", "vault", step, **own)
        assert done.returncode in {0, 1}, done.stderr
        assert own_vault.root not in done.stdout + done.stderr
    assert where_it_is(tmp_path, own_vault.root) == set()
    without = {"VAULT_ADDR": own_vault.address}
    assert run("setup", "vault", "--plan", **without).returncode != 0, "it remembers no token"
    wrong = run("setup", "vault", "--plan", VAULT_ADDR=own_vault.address, VAULT_TOKEN="hvs-wrong-token")
    assert wrong.returncode == 3
    assert "hvs-wrong-token" not in wrong.stdout + wrong.stderr
