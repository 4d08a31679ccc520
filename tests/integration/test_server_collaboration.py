"""jupyter-collaboration for real: a shared notebook, its store, and what a save makes of them."""

import json
import os
import random
import string
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".cache" / "collaboration" / "bin" / "python"
TOKEN = "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=44))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    if not PYTHON.exists():
        text = "jupyter-collaboration is not installed; make .cache/collaboration.stamp installs it"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)
    folder, home = tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("home")
    own = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    done = subprocess.run(
        [PYTHON, ROOT / "tests" / "integration" / "collaboration_server.py", folder, TOKEN],
        env={**os.environ, **own, "QSEC_HOME": str(home / "qsec"), "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-3000:]
    assert TOKEN not in done.stderr
    return json.loads(lines[-1])


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
