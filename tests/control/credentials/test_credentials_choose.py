"""Which store is chosen, and what doctor can say without starting or making anything."""

from qsec_jupyter.control.credentials.broker import TargetSource, open_broker
from qsec_jupyter.control.credentials.choose import choose

TARGETS = {"sandbox": TargetSource("kv-v2", "targets/sandbox", "token")}


def on_path(folder, name):
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


def test_address_wins_over_a_program_and_a_program_over_the_store(tmp_path):
    assert choose({"PATH": str(tmp_path)}).kind == "embedded"
    bao = on_path(tmp_path, "bao")
    assert choose({"PATH": str(tmp_path)}).binary == bao
    vault = on_path(tmp_path, "vault")
    assert choose({"PATH": str(tmp_path)}).binary == vault
    chosen = choose({"PATH": str(tmp_path), "VAULT_ADDR": "https://v"})
    assert chosen.kind == "external"
    assert "https://v" in chosen.sentence


def test_empty_environment_means_the_store(tmp_path):
    assert choose({}).kind == "embedded"
    assert "embedded" in choose({}).sentence


def test_looking_makes_nothing(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    for environ in ({}, {"VAULT_ADDR": "https://v.invalid"}, {"PATH": str(tmp_path)}):
        choose(environ).checks(home)
    assert list(home.iterdir()) == []


def test_store_is_checked_by_opening_it(tmp_path):
    open_broker(tmp_path, TARGETS, {}).close()
    (good,) = choose({}).checks(tmp_path)
    assert good.ok
    assert "1 secrets" in good.detail
    (tmp_path / "store.key").chmod(0o644)
    (bad,) = choose({}).checks(tmp_path)
    assert not bad.ok
    assert "chmod 600" in bad.remedy


def test_refused_address_is_a_failed_check_and_no_traceback(tmp_path):
    open_broker(tmp_path, {}, {}).close()
    (tmp_path / "broker.key").write_bytes(b"x")
    (tmp_path / "broker.key").chmod(0o600)
    (check,) = choose({"VAULT_ADDR": "http://vault.example.org"}).checks(tmp_path)
    assert not check.ok
