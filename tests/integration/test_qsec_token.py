"""`qsec token` with a real Jupyter Server and its control plane."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest


@pytest.fixture
def environ(tmp_path):
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("VAULT_", "BAO_", "JPY"))
    }
    return {
        **inherited,
        "QSEC_HOME": str(tmp_path / "qsec"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_NO_CONFIG": "1",
        "PATH": str(Path(sys.executable).parent),
    }


@pytest.fixture
def server(tmp_path, environ):
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"]
    settings = [
        "--ServerApp.jpserver_extensions={'qsec_jupyter.server': True}",
        f"--ServerApp.root_dir={tmp_path}",
    ]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen([*command, *settings], env=environ, stdout=log, stderr=log)
        until = time.monotonic() + 60
        while not list((tmp_path / "runtime").glob("jpserver-*.json")):
            assert time.monotonic() < until, (tmp_path / "server.log").read_text()
            time.sleep(0.2)
        yield process
        process.terminate()
        process.wait(30)


def token(environ, *arguments: str) -> str:
    command = [sys.executable, "-m", "qsec_jupyter.cli", "token", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(issued, path: str) -> int:
    request = urllib.request.Request(
        issued["url"] + path, headers={"Authorization": f"Bearer {issued['bearer']}"}
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_token_is_made_used_listed_and_revoked(server, environ, tmp_path):
    printed = token(
        environ, "issue", "--scope", "metadata", "--target", "sandbox", "--for", "5m", "--label", "tool"
    )
    issued = json.loads(printed)
    assert status(issued, "/v1/targets") == 200
    assert status(issued, "/v1/state") == 403
    listed = token(environ, "list")
    assert issued["id"] in listed
    assert issued["bearer"] not in listed
    assert "is over" in token(environ, "revoke", issued["id"])
    assert status(issued, "/v1/targets") == 401
    logs = [tmp_path / "server.log", *(tmp_path / "qsec").rglob("*")]
    assert all(issued["bearer"].encode() not in log.read_bytes() for log in logs if log.is_file())
