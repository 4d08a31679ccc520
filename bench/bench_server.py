"""The Jupyter Server's start path with and without the extension; what the control plane keeps resident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PAIRS = 11

_START = """
import asyncio, sys, time
started = time.perf_counter()
from jupyter_server.serverapp import ServerApp
app = ServerApp()
extensions = {"qsec_jupyter.server": True} if sys.argv[1] == "with" else {}
argv = ["--port=0", "--no-browser", "--allow-root", "--ServerApp.jpserver_extensions=" + repr(extensions)]
app.initialize(argv=argv, find_extensions=False)
print(time.perf_counter() - started)
"""


def start_seconds(which: str, home: str) -> float:
    """Return the time from interpreter to initialised server, as the server itself sees it."""
    environ = {**os.environ, "QSEC_HOME": home, "JUPYTER_NO_CONFIG": "1", "JUPYTER_RUNTIME_DIR": home}
    # An installed package has its bytecode cached; give both sides the same.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    environ["PYTHONPYCACHEPREFIX"] = str(Path(home) / "bytecode")
    done = subprocess.run(
        [sys.executable, "-c", _START, which],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        cwd=home,
    )
    return float(done.stdout.strip().splitlines()[-1])


def start_rows() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home:
        for which in ("with", "without"):  # warm the file cache
            start_seconds(which, home)
        pairs = [(start_seconds("with", home), start_seconds("without", home)) for _ in range(PAIRS)]
    # A start takes half a second and varies by more than what is measured: compare the fastest of each side.
    extra = (min(a for a, _ in pairs) - min(b for _, b in pairs)) * 1000
    row = {"name": "Jupyter Server start path, added", "value": extra, "unit": "ms", "target": "<= 100"}
    return [{**row, "ok": extra <= 100}]


def resident_rows() -> list[dict[str, Any]]:
    import psutil

    with tempfile.TemporaryDirectory() as home:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("VAULT_")}
        environ["QSEC_HOME"] = home
        # No Vault on the path: a dev server is a process of its own and not what is measured here.
        environ["PATH"] = str(Path(sys.executable).parent)
        child = subprocess.Popen(
            [sys.executable, "-m", "qsec_jupyter.cli", "serve", "--embedded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        user = {"name": "bench", "display_name": "bench", "identity_provider": "local account"}
        hello = {"bearer": "b" * 43, "server_id": "bench", "user": user}
        child.stdin.write(json.dumps(hello).encode() + b"\n")
        child.stdin.flush()
        greeting = json.loads(child.stdout.readline())
        if "port" not in greeting:
            raise RuntimeError(f"the control plane did not start: {greeting}")
        time.sleep(2)
        resident = psutil.Process(child.pid).memory_info().rss / 2**20
        child.stdin.close()
        child.stdout.close()
        child.wait(20)
    row = {"name": "Control-plane child, resident", "value": resident, "unit": "MB", "target": "<= 150"}
    return [{**row, "ok": resident <= 150}]


def run() -> list[dict[str, Any]]:
    """Return the rows of this module."""
    return [*start_rows(), *resident_rows()]
