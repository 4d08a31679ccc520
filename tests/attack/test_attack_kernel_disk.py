"""Claim: what IPython writes to disk by itself, and on command, holds no value: history, %store, %logstart.

Not claimed: files that the user's own code writes, %%writefile and %save among them.
"""

import sqlite3
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("integration", "kernel")]

from qsec_kernels import Kernel, Peer  # noqa: E402
from qsec_peer import VALUE  # noqa: E402
from qsec_routes import MARK, SETUP  # noqa: E402

ATTEMPTS = [
    "%store v",
    "%store credential",
    "held = {'a': [v]}\n%store held",
    "import numpy; wide = numpy.array([v])\n%store wide",
    "class Holder: pass\nholder = Holder(); holder.v = v\n%store holder",
    "%store v > stored.txt",
    "%store v >> stored.txt",
    f"copied = '{VALUE}'",
    "v",
    "print(v)",
    "get_ipython().history_manager.store_output(3)",
    "get_ipython().run_cell('again = ' + repr(v), store_history=True)",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a kernel wrote everything that it writes, after all attempts; it has ended."""
    path = tmp_path_factory.mktemp("kernel")
    with Peer() as peer, Kernel(peer, path) as kernel:
        kernel.run(f"{SETUP}\nos.chdir({str(path)!r}); get_ipython().history_manager.db_log_output = True")
        kernel.run("%logstart -o -r -t session.log over")
        for code in ATTEMPTS:
            kernel.run(code)
        kernel.run("%logstop\nget_ipython().history_manager.writeout_cache()")
    return path


def test_no_file_holds_the_value(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"session.log", "history.sqlite"} <= {path.name for path in files}
    for path in files:
        data = path.read_bytes()
        for hidden in (VALUE, VALUE[::-1], VALUE.encode().hex()):
            assert hidden.encode() not in data, path
            assert hidden.encode("utf-32-le") not in data, path


def test_history_and_log_are_kept_with_the_marker(folder):
    with sqlite3.connect(next(folder.rglob("history.sqlite"))) as database:
        sources = repr(database.execute("select source, source_raw from history").fetchall())
        outputs = repr(database.execute("select output from output_history").fetchall())
    assert f"copied = '{MARK}'" in sources
    assert MARK in outputs
    log = (folder / "session.log").read_text()
    assert f"copied = '{MARK}'" in log
    assert f"#[Out]# '{MARK}'" in log


def test_no_stored_variable_is_the_value(folder):
    assert not (folder / "stored.txt").exists()
    assert not list(folder.rglob("autorestore/*"))
