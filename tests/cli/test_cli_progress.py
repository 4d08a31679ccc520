"""The bar of a scan: on a terminal, never elsewhere."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from qsec_jupyter.cli.scan import main, progress
progress._DELAY = progress._EVERY = 0.0
sys.exit(main(["."]))
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(120):  # more than one process takes
        (folder / f"{number}.py").write_text("x = 1\n")
    return folder


def start(folder, **streams):
    environment = {**os.environ, "QSEC_HOME": str(folder.parent / "home"), "TERM": "xterm", "COLUMNS": "80"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=folder, env=environment, **streams)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_bar_is_drawn_on_a_terminal_and_taken_away(folder):
    terminal, theirs = os.openpty()
    process = start(folder, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(terminal, 65536):
            shown += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    out, _ = process.communicate()
    os.close(terminal)
    assert process.returncode == 0
    assert b"Scanning" in shown
    assert b"/120" in shown
    assert b"0 findings in 120 files" in shown
    assert out == b""


def test_no_bar_where_nobody_looks_on(folder):
    process = start(folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, error = process.communicate()
    assert (process.returncode, out, error) == (0, b"", b"0 findings in 120 files (0.7 kB)\n")
