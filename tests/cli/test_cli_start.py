"""``qsec scan`` starts quickly: what it does not need is not imported."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = {
    *(
        "typer",
        "rich",
        "click",
        "nbformat",
        "jupyter_server",
        "jupyter_client",
        "IPython",
        "traitlets",
        "asyncio",
    ),
    *(
        "detect_secrets",
        "requests",
        "subprocess",
        "multiprocessing",
        "logging",
        "tempfile",
        "random",
        "shutil",
    ),
    *(
        "tomllib",
        "tomli",
        "importlib.metadata",
        "html",
        "pathspec",
        "zipfile",
        "tarfile",
        "gzip",
        "socket",
        "email",
    ),
}
"""Each costs from one to a hundred milliseconds, of eighty in all."""

PROGRAM = """
import json, sys
from qsec_jupyter.cli.scan import main
main(sys.argv[1:])
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folder")
    (folder / "a.py").write_text("x = 1\n")
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    (folder / "a.ipynb").write_text(json.dumps(notebook))
    environment = {**os.environ, "QSEC_HOME": str(tmp_path_factory.mktemp("home"))}
    for _ in range(2):  # the first run compiles the rules
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "a.py", "a.ipynb"],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=True,
        )
    return set(json.loads(done.stdout))


def test_scan_of_clean_files_imports_nothing_heavy(loaded):
    assert loaded & HEAVY == set()
    assert "hyperscan" in loaded


def test_help_of_all_commands_names_scan():
    done = subprocess.run(
        [sys.executable, "-m", "qsec_jupyter.cli", "--help"], capture_output=True, check=True
    )
    assert b"Find secrets" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--create", "--update"],
        ["--audit", "--staged"],
        ["--fix", "--staged"],
        ["--backup", "x"],
        ["--histo", "x"],
        ["--format", "x"],
        ["--jobs", "-1"],
        ["--filter"],
    ],
)
def test_options_that_do_not_fit_are_refused(arguments, capsys):
    from qsec_jupyter.cli.scan import main

    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "qsec scan: error" in capsys.readouterr().err
