"""The dev server of our own: started by a control plane, gone with it however it goes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import requests
import vault_server as servers
from vault_server import TARGETS, request

from qsec_jupyter.control.credentials import watchdog
from qsec_jupyter.control.credentials.broker import open_broker
from qsec_jupyter.control.credentials.choose import choose

HOLDER = """
import sys, time
from pathlib import Path
from qsec_jupyter.control.credentials.broker import TargetSource, open_broker
targets = {"sandbox": TargetSource("kv-v2", "targets/sandbox", "token")}
broker = open_broker(Path(sys.argv[1]), targets, {"PATH": sys.argv[2], "HOME": sys.argv[1]})
print(broker.info.address, flush=True)
sys.stdin.read()
broker.close()
"""


@pytest.fixture
def path():
    """A PATH on which only the Vault is."""
    servers._require()
    return str(Path(servers.binary()).parent)


@pytest.fixture
def dev_broker(tmp_path, path):
    broker = open_broker(tmp_path, TARGETS, {"PATH": path, "HOME": str(tmp_path)})
    yield broker
    broker.close()


def processes_of(broker):
    """Return the watchdog and the server behind a broker; other tests' servers are our children, too."""
    listen = broker.info.address.replace("http://", "-dev-listen-address=")
    found = [child for child in psutil.Process().children(recursive=True) if listen in child.cmdline()]
    (dog,) = [child for child in found if "-I" in child.cmdline()]
    (server,) = [child for child in found if child != dog]
    return dog, server


def gone(pids, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.vault
def test_binary_on_path_gives_a_dev_server_that_is_ready_and_seeded(dev_broker, path, tmp_path):
    assert choose({"PATH": path}).kind == "dev"
    assert dev_broker.info.origin == "dev"
    assert "dev server, forgotten when it stops" in dev_broker.info.label
    assert dev_broker.info.key_protection is None
    assert [check for check in dev_broker.checks() if not check.ok] == []
    values = {
        name: dev_broker.issue(request(name, name), lambda ref: None).value.reveal() for name in TARGETS
    }
    assert all(len(value) == 44 for value in values.values())
    assert values["sandbox"] != values["pilot"]
    assert dev_broker.signer().sign(b"x")
    for file in tmp_path.rglob("*"):  # memory only: no key, no token, no secret of the server on disk
        assert not any(value.encode() in file.read_bytes() for value in values.values())


@pytest.mark.vault
def test_root_token_is_not_on_the_command_line_and_is_dead_after_the_start(dev_broker):
    _, child = processes_of(dev_broker)
    environ = child.environ()
    root = environ.get("VAULT_DEV_ROOT_TOKEN_ID") or environ["BAO_DEV_ROOT_TOKEN_ID"]
    assert not any(root in word for word in child.cmdline())
    assert not any(name for name in environ if name.endswith(("_TOKEN", "_ADDR")))
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            f"{dev_broker.info.address}/v1/auth/token/lookup-self", headers={"X-Vault-Token": root}
        )
    assert answer.status_code == 403


@pytest.mark.vault
def test_close_leaves_no_process_behind(tmp_path, path):
    broker = open_broker(tmp_path, TARGETS, {"PATH": path, "HOME": str(tmp_path)})
    pids = [process.pid for process in processes_of(broker)]
    broker.close()
    assert gone(pids, 0.5)


@pytest.mark.vault
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, None], ids=["kill -9", "term", "orderly"])
def test_dev_server_ends_with_its_control_plane(tmp_path, path, number):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path), path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout.readline().startswith("http://127.0.0.1:")
        pids = [child.pid for child in psutil.Process(holder.pid).children(recursive=True)]
        assert len(pids) == 2
        if number is None:
            holder.stdin.close()
        else:
            holder.send_signal(number)
        holder.wait(15)
    assert gone(pids)


@pytest.mark.vault
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child's life to its parent's")
def test_dev_server_ends_when_its_watchdog_is_killed(tmp_path, path):
    broker = open_broker(tmp_path, TARGETS, {"PATH": path, "HOME": str(tmp_path)})
    dog, server = processes_of(broker)
    dog.kill()
    assert gone([server.pid])
    broker.close()


@pytest.mark.vault
def test_restart_gives_a_new_server_with_new_values(tmp_path, path):
    values = set()
    for _ in range(2):
        broker = open_broker(tmp_path, TARGETS, {"PATH": path, "HOME": str(tmp_path)})
        values.add(broker.issue(request(), lambda ref: None).value.reveal())
        broker.close()
    assert len(values) == 2


def test_program_that_is_no_vault_falls_back_to_the_sealed_store_and_says_so(tmp_path):
    fake = tmp_path / "bin" / "vault"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    (tmp_path / "home").mkdir()
    broker = open_broker(
        tmp_path / "home", TARGETS, {"PATH": f"{fake.parent}:/usr/bin:/bin", "HOME": str(tmp_path)}
    )
    assert broker.info.kind == "sealed-store"
    assert "did not start" in broker.info.label
    assert [check.name for check in broker.checks() if not check.ok] == ["vault"]
    assert broker.issue(request(), lambda ref: None).value.reveal()
    broker.close()


def test_watchdog_passes_the_exit_status_on():
    command = [sys.executable, "-I", "-S", watchdog.__file__, sys.executable, "-c", "raise SystemExit(7)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as dog:
        assert dog.wait(10) == 7


def test_watchdog_kills_a_command_that_does_not_want_to_end():
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    command = [sys.executable, "-I", "-S", watchdog.__file__, sys.executable, "-c", stubborn]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as dog:
        assert dog.stdout.readline() == b"1\n"
        pids = [child.pid for child in psutil.Process(dog.pid).children()]
        dog.stdin.close()
        assert dog.wait(watchdog.GRACE + 5) == 128 + signal.SIGKILL
    assert gone(pids)
