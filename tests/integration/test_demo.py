"""``qsec demo`` as a user types it: the first line, the notebook it opens, and an end that leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from qsec_jupyter.ledger.entries import read_events


@pytest.fixture
def demo(tmp_path):
    environ = {key: value for key, value in os.environ.items() if not key.startswith("VAULT_")}
    environ |= {
        "QSEC_HOME": str(tmp_path / "home"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "BROWSER": "true",
    }
    log = (tmp_path / "demo.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "qsec_jupyter.cli", "demo"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    log.close()
    yield process
    if process.poll() is None:
        process.kill()
    process.wait()


def log_with(tmp_path: Path, text: str) -> str:
    for _ in range(600):
        log = (tmp_path / "demo.log").read_text()
        if text in log:
            return log
        time.sleep(0.05)
    raise AssertionError(log)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_demo_names_the_store_first_and_leaves_nothing_behind(demo, tmp_path, number) -> None:
    log = log_with(tmp_path, "control plane ready")
    assert log.startswith("qsec: credentials come from the embedded sealed store")
    assert "Embedded sealed store" in log
    redirect = next((tmp_path / "runtime").glob("jpserver-file-to-run-*-open.html")).read_text()
    assert "first_run.ipynb" in redirect
    family = [*psutil.Process(demo.pid).children(recursive=True)]
    assert family
    demo.send_signal(number)
    demo.wait(30)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert alive == []
    events = [event["type"] for event in read_events(tmp_path / "home" / "journal-0" / "ledger")]
    assert events[-1] == "control.stopped"
