"""A Jupyter Server with qsec as a process of its own, and the command line beside it, for tests.

A :class:`Jupyter` has a state folder of its own. ``jupyter`` is one as shipped, ``gated_jupyter`` one whose
target ``ibm-pilot`` leads to the shared sandbox.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gateway_child import entry, put_key


def environ_of(folder, home):
    """Return the environment of a server whose state, settings and home are its own, on the sealed store."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("VAULT_", "GIT_"))}
    return {
        **kept,
        "QSEC_HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "OMP_NUM_THREADS": "1",
        "HOME": str(folder),
    }


class Jupyter:
    """A server, running unless ``start`` is false."""

    def __init__(self, folder, catalogue=None, keys=None, *, start=True):
        self.folder = folder
        self.home = folder / "qsec"
        self.home.mkdir(mode=0o700)
        if catalogue is not None:
            (self.home / "catalog.toml").write_text(catalogue)
        for name, key in (keys or {}).items():
            put_key(self.home, name, key)
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("VAULT_", "BAO_", "JPY"))
        }
        self.environ = {
            **inherited,
            "QSEC_HOME": str(self.home),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_NO_CONFIG": "1",
            # Without a Vault on the PATH it is the sealed store.
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        }
        if start:
            self.process = self._begun()

    def _begun(self):
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"]
        command += ["--ServerApp.jpserver_extensions={'qsec_jupyter.server': True}"]
        command += [f"--ServerApp.root_dir={self.folder}"]
        with self.log.open("wb") as log:
            return subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)

    @property
    def log(self):
        return self.folder / "server.log"

    def wait(self, seconds=60):
        """Wait until the server has said where it is."""
        until = time.monotonic() + seconds
        while not list((self.folder / "runtime").glob("jpserver-*.json")):
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.1)

    def qsec(self, *arguments, **options):
        """Run ``qsec`` with its arguments; returns the finished process."""
        command = [sys.executable, "-m", "qsec_jupyter.cli", *(str(one) for one in arguments)]
        how = {"env": self.environ, "capture_output": True, "text": True, "timeout": 90, **options}
        return subprocess.run(command, check=False, **how)

    def told(self, *arguments, status=0):
        """Run ``qsec``, make sure of its exit status, and return what it printed."""
        done = self.qsec(*arguments)
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout

    def events(self, name=None):
        from qsec_jupyter.ledger.entries import read_events

        found = [one for folder in self.home.glob("journal-*/ledger") for one in read_events(folder)]
        return [one for one in found if name is None or one["type"] == name]

    def files(self):
        """Return every file that the server or its control plane may have written."""
        return [self.log, *(one for one in self.home.rglob("*") if one.is_file())]

    def close(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def jupyter(tmp_path):
    """A server with the shipped catalogue."""
    found = Jupyter(tmp_path)
    try:
        found.wait()
        yield found
    finally:
        found.close()


@pytest.fixture
def gated_jupyter(tmp_path, sandbox):
    """A server whose target leads to the shared sandbox through the gateway."""
    found = Jupyter(tmp_path, entry(sandbox), {"ibm-pilot": sandbox.key})
    try:
        found.wait()
        yield found
    finally:
        found.close()
