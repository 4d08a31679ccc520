"""`qsec inventory`, `import` and `rotate` on one machine with the embedded store: found, moved, gone."""

import json
import os
import subprocess

import pytest
from qsec_command import account_in, command_in

from qsec_jupyter.control.credentials.broker import TargetSource
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.sealed import SealedFile

VALUE = "Zq4-Value_of.a-token-0123456789abcdefghijkl"
DWAVE = "DEV-9f8e7d6c5b4a39281706f5e4d3c2b1a098765432"


@pytest.fixture
def run(tmp_path):
    return command_in(tmp_path, {**account_in(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull})


def kept(tmp_path, name="sandbox"):
    return SealedFile(tmp_path / "qsec", KeyStore(tmp_path / "qsec", None)).load()[0].secrets.get(name)


def account(tmp_path):
    file = tmp_path / ".qiskit" / "qiskit-ibm.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"default": {"channel": "ibm_cloud", "token": VALUE}}))
    return file


def test_everything_that_lies_around_is_listed_without_a_value(run, tmp_path):
    account(tmp_path)
    work = tmp_path / "work"
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "id": "a"}
    cell["source"] = f"DWaveSampler(token='{DWAVE}')"
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    (work / "old.ipynb").write_text(json.dumps(notebook))
    git = ["git", "-C", str(work), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["rm", "-q", "old.ipynb"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    subprocess.run([*git, "commit", "-qm", "two"], check=True, capture_output=True)
    (work / "now.ipynb").write_text(json.dumps(notebook))
    done = run("inventory", "--json", IONQ_API_KEY=VALUE[::-1])
    assert done.returncode == 1, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(one["vendor"], one["kind"]) for one in found} >= {
        ("ibm", "file"),
        ("ionq", "environment"),
        ("dwave", "notebook"),
        ("dwave", "history"),
    }
    for secret in (VALUE, VALUE[::-1], DWAVE):
        assert secret not in done.stdout + done.stderr


def test_nothing_found_is_said_and_gives_status_0(run):
    done = run("inventory", "--no-history")
    assert (done.returncode, done.stdout.strip()) == (0, "Nothing found.")


def test_import_moves_the_default_account_and_scrubs_the_file(run, tmp_path):
    file = account(tmp_path)
    done = run("import", "--target", "sandbox", "--scrub")
    assert done.returncode == 0, done.stderr
    assert kept(tmp_path) == VALUE
    assert VALUE not in file.read_text()
    assert VALUE not in done.stdout + done.stderr
    assert run("inventory", "--no-history").returncode == 0


def test_import_keeps_the_file_unless_told_otherwise(run, tmp_path):
    file = account(tmp_path)
    assert run("import", f"{file}#default.token", "--target", "pilot").returncode == 0
    assert kept(tmp_path, "pilot") == VALUE
    assert VALUE in file.read_text()


def test_import_from_a_variable_and_from_standard_input(run, tmp_path):
    done = run("import", "QISKIT_IBM_TOKEN", "--target", "sandbox", QISKIT_IBM_TOKEN=VALUE)
    assert done.returncode == 0, done.stderr
    assert "Unset QISKIT_IBM_TOKEN" in done.stdout
    assert kept(tmp_path) == VALUE
    assert run("import", "-", "--target", "sandbox", said=f"{VALUE}2\n").returncode == 0
    assert kept(tmp_path) == f"{VALUE}2"


def test_wrong_id_or_target_is_refused_with_the_way_forward(run, tmp_path):
    account(tmp_path)
    for arguments, code in (
        (("import", "/nowhere", "--target", "sandbox"), "import.not_found"),
        (("import", "--target", "nowhere"), "target.unknown"),
        (("import",), "import.no_target"),
        (("rotate", "nowhere"), "target.unknown"),
        (("rotate", "sandbox", "--field", "other"), "rotate.no_such_field"),
    ):
        done = run(*arguments)
        assert done.returncode != 0
        assert code in done.stderr


def test_rotate_replaces_the_value_and_refuses_an_empty_one(run, tmp_path):
    assert run("rotate", "sandbox", said="first-value-of-all\n").returncode == 0
    assert kept(tmp_path) == "first-value-of-all"
    assert "rotate.empty" in run("rotate", "sandbox", said="\n").stderr
    assert kept(tmp_path) == "first-value-of-all"


def test_dev_server_that_forgets_is_not_given_a_value(run, tmp_path):
    program = tmp_path / "bin" / "vault"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = run("rotate", "sandbox", said="x\n", PATH=f"{program.parent}:/usr/bin:/bin")
    assert "rotate.dev_server" in done.stderr


def test_source_of_the_shipped_catalogue_is_one_that_values_can_be_put_into():
    from qsec_jupyter.control.credentials.keeping import check_kept
    from qsec_jupyter.core.errors import Invalid

    check_kept("sandbox", TargetSource("kv-v2", "targets/sandbox", "token"))
    with pytest.raises(Invalid):
        check_kept("db", TargetSource("database", "reader"))
