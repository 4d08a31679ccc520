"""A real PostgreSQL for tests: a cluster of its own in a temporary folder, on a free port of loopback.

``postgres`` gives one a session. Without PostgreSQL the tests are skipped and one loud line says
so; with ``CI=true`` they fail.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

WITHOUT = "NO POSTGRESQL: tests against a real database did not run. Install the package `postgresql`."
_skipped: list[str] = []


def programs():
    """Return the folder that holds ``initdb`` and ``postgres``, or ``None``."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


@dataclass
class Postgres:
    port: int
    password: str

    def url(self, user="qsec_admin", password=None):
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/postgres"

    def logs_in(self, user, password):
        import psycopg  # not there where these tests run under another Qiskit

        try:
            with psycopg.connect(self.url(user, password), connect_timeout=3) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False


def _user():
    """PostgreSQL refuses to run as root, so its own account is used then."""
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}


@contextmanager
def running():
    """Start a cluster for the length of the block."""
    folder = programs()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    server = Postgres(port, secrets.token_hex(12))
    home = Path("/tmp") / f"qsec-postgres-{port}"
    home.mkdir(mode=0o700)
    if _user():
        shutil.chown(home, "postgres", "postgres")
    word = home / "word"
    word.write_text(server.password)
    word.chmod(0o644)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": home, **_user()}
    asked = ["-D", str(home / "data"), "-U", "qsec_admin", "-A", "scram-sha-256", "--pwfile", str(word), "-N"]
    subprocess.run([str(folder / "initdb"), *asked], check=True, **quiet)
    options = ["-D", str(home / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(home), "-F"]
    process = subprocess.Popen([str(folder / "postgres"), *options], **quiet)
    try:
        deadline = time.monotonic() + 30
        while not server.logs_in("qsec_admin", server.password):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # "fast": it waits for no client
        process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres():
    if programs() is None:
        _skipped.append(WITHOUT)
        if os.environ.get("CI") == "true":
            pytest.fail(WITHOUT)
        pytest.skip(WITHOUT)
    with running() as server:
        yield server


def pytest_terminal_summary(terminalreporter):
    """Say once, at the end and loudly, that these did not run."""
    if _skipped:
        terminalreporter.write_line(WITHOUT, red=True, bold=True)
