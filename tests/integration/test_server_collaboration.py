"""jupyter-collaboration for real: a shared notebook, its store, and what a save makes of them."""

import json
import os
import random
import shutil
import string
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from catalogue import target

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".cache" / "collaboration" / "bin" / "python"
TOKEN = "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=44))


def run(script, folder, home, *arguments):
    """Run a server in jupyter-collaboration's environment; returns the JSON object that it prints last."""
    if not PYTHON.exists():
        text = "jupyter-collaboration is not installed; make .cache/collaboration.stamp installs it"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)
    # That environment has our package by its path only; entry points are read from its metadata.
    found = Path(str(distribution("qsec-jupyter")._path))
    shutil.copytree(found, home / "metadata" / found.name)
    own = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    (home / "qsec").mkdir(mode=0o700, exist_ok=True)
    done = subprocess.run(
        [PYTHON, ROOT / "tests" / "integration" / script, folder, *arguments],
        env={
            **os.environ,
            **own,
            "QSEC_HOME": str(home / "qsec"),
            "PYTHONPATH": f"{ROOT}:{home / 'metadata'}",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-3000:]
    assert TOKEN not in done.stderr
    told = json.loads(lines[-1])
    assert "failed" not in told, (told, done.stderr[-3000:])
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder, home = tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("home")
    return run("collaboration_server.py", folder, home, TOKEN)


@pytest.mark.parametrize(
    "claim",
    [
        "store held it",  # else the rest would show nothing
        "file clean",
        "outputs clean",
        "outputs still there",
        "source left to its author",
        "store clean at last",
        "store still holds the document",
    ],
)
def test_shared_document_and_its_store_follow_the_save(told, claim) -> None:
    assert told[claim], told


def test_coverage_lists_what_is_shared(told) -> None:
    assert told["coverage"] == {
        "outputs: shared document": "redacted",
        "source, metadata: shared document": "reported",
        "every change: store of shared documents": "redacted",
    }


ROLES = '[roles]\nresearcher = ["bo"]\n'


def test_who_opens_the_shared_document_takes_part_in_its_kernels_rights(tmp_path) -> None:
    """Nobody but the owner has a connection to the kernel: presence comes from the document's room."""
    home = tmp_path / "home"
    (home / "qsec").mkdir(mode=0o700, parents=True)
    (home / "qsec" / "catalog.toml").write_text(ROLES + target())
    (tmp_path / "shared").mkdir()
    told = run("presence_server.py", tmp_path / "shared", home, sys.executable)
    assert told["alone"] == ["active", []]
    (guest,) = told["with a guest"]
    assert (guest["present"], guest["roles"]) == (["eve"], [])
    assert told["refused"] == "policy.denied"
    assert told["after the guest"] == "active"
    state, (colleague,) = told["with a colleague"]
    assert (state, colleague["present"], colleague["roles"]) == ("active", ["bo"], ["researcher"])
    for what in ("the guest counts", "she is gone", "the colleague counts"):
        assert told[f"seconds until {what}"] is not None, told
    assert told["seconds until the guest counts"] < 3.0, told
