"""``qsec sandbox`` as a user types it: what it prints, what it keeps to itself, how it is changed later."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from sandbox_server import wait_for


def qsec(folder, *options):
    return subprocess.run(
        [sys.executable, "-m", "qsec_jupyter.cli", "sandbox", *options],
        env={**os.environ, "QSEC_HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def change(sandbox, *options):
    return qsec(
        Path(sandbox.hello["admin_token_file"]).parent,
        *("--at", sandbox.address, "--admin-token-file", sandbox.hello["admin_token_file"], *options),
    )


def test_keys_are_in_files_for_their_owner_only_and_nowhere_else(start_sandbox):
    sandbox = start_sandbox()
    for file, value in (("api_key_file", sandbox.key), ("admin_token_file", sandbox.admin_token)):
        assert stat.S_IMODE(Path(sandbox.hello[file]).stat().st_mode) == 0o600
        assert value not in json.dumps(sandbox.hello)
        process = psutil.Process(sandbox.hello["pid"])
        assert value not in " ".join(process.cmdline())
        assert value not in str(process.environ())
    listening = {each.laddr.ip for each in process.net_connections() if each.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_keys_that_were_given_are_let_in(start_sandbox, tmp_path):
    file = tmp_path / "given"
    file.write_text("first-key-of-twenty-characters\nsecond-key-of-twenty-characters\n")
    sandbox = start_sandbox("--api-key-file", str(file))
    for key in file.read_text().split():
        assert sandbox.bearer(key)


def test_settings_faults_and_devices_from_the_start(start_sandbox):
    sandbox = start_sandbox(
        *("--set", "prices.per_second=3", "--set", "execution=none"),
        *("--fault", "503 path=/api/v1/backends", "--device", "sandbox_torino=torino"),
    )
    state = sandbox.admin("GET", "state")
    assert state["settings"]["prices"]["per_second"] == 3
    assert [fault["status"] for fault in state["faults"]] == [503]
    assert "sandbox_torino" in state["devices"]


def test_running_sandbox_is_changed(sandbox):
    done = change(sandbox, "--fault", "429 times=3", "--set", "queue_seconds=2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["settings"]["queue_seconds"] == 2
    assert json.loads(done.stdout)["faults"][0]["times"] == 3
    assert json.loads(change(sandbox, "--clear-faults").stdout)["faults"] == []


@pytest.mark.parametrize(
    "options",
    [
        ("--set", "no_such=1"),
        ("--fault", "explode"),
        ("--device", "torino=torino"),
        ("--at", "http://example.org", "--set", "queue_seconds=1"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, options):
    done = qsec(tmp_path, *options)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_sandbox_and_its_worker_end_with_their_parent(start_sandbox):
    sandbox = start_sandbox()
    body = {"program_id": "sampler", "backend": "sandbox_manila", "params": {"pubs": []}}
    sandbox.call("POST", "/jobs", json=body)
    process = psutil.Process(sandbox.hello["pid"])
    workers = wait_for(lambda: process.children(recursive=True))
    sandbox.process.stdin.close()
    _, alive = psutil.wait_procs([process, *workers], timeout=20)
    assert alive == []
