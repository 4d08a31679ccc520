"""A real sandbox (``qsec sandbox``) for tests: a simulated quantum provider in a process of its own.

Fixtures: ``sandbox`` is one for the session, its settings and faults put back after each test;
``start_sandbox`` starts further ones. A :class:`RealSandbox` knows its addresses, its API key and what its
administrator can do.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

API_VERSION = "2026-04-15"


@dataclass
class RealSandbox:
    """A running sandbox."""

    hello: dict
    process: subprocess.Popen

    def __post_init__(self):
        self.address = self.hello["address"]
        self.runtime = self.hello["runtime"]
        self.instances = self.hello["instances"]
        self.crn = self.instances["sandbox-open"]
        self.key = Path(self.hello["api_key_file"]).read_text().strip()
        self.admin_token = Path(self.hello["admin_token_file"]).read_text().strip()

    @property
    def environment(self):
        """What a client's environment needs so that all its calls come here."""
        return {
            "IAM_URL": self.hello["iam"],
            "GLOBAL_SEARCH_URL": self.hello["search"],
            "GLOBAL_CATALOG_URL": self.hello["catalog"],
        }

    def service(self, instance=None, **options):
        """Return the client's own service; the environment has to be set (see ``environment``)."""
        from qiskit_ibm_runtime import QiskitRuntimeService

        return QiskitRuntimeService(
            channel="ibm_quantum_platform",
            token=self.key,
            instance=instance or self.crn,
            url_resolver=lambda *_: self.runtime,
            **options,
        )

    def admin(self, method, path, body=None):
        """Call the sandbox's own interface; returns the answer's JSON."""
        answer = self._call(method, f"{self.hello['admin']}/{path}", f"Bearer {self.admin_token}", json=body)
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else {}

    def fault(self, line):
        """Arm a fault, e.g. ``"429 path=/api/v1/jobs method=POST times=2"``."""
        return self.admin("POST", "faults", line if isinstance(line, dict) else {"line": line})

    def set(self, **settings):
        """Change settings, e.g. ``execution="none"``."""
        return self.admin("PATCH", "settings", settings)

    def plant(self, size, times=1, job_id=None):
        """Give the next jobs, or one job, a result of this many bytes."""
        self.admin(
            "POST", "plants", {"bytes": size, "times": times, **({"job_id": job_id} if job_id else {})}
        )

    def jobs(self):
        """Return every job with the request as it arrived: what the provider saw."""
        return self.admin("GET", "jobs")["jobs"]

    def bearer(self, key=None):
        """Exchange the API key."""
        form = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": key or self.key}
        answer = self._call("POST", f"{self.hello['iam']}/identity/token", None, data=form)
        answer.raise_for_status()
        return answer.json()["access_token"]

    def call(self, method, path, authorization=None, crn=None, headers=None, **options):
        """Call the provider's interface with plain HTTP, ``path`` below ``/api/v1``."""
        sent = {"Service-CRN": crn or self.crn, "IBM-API-Version": API_VERSION, **(headers or {})}
        authorization = authorization or f"Bearer {self.bearer()}"
        return self._call(method, self.runtime + path, authorization, headers=sent, **options)

    def _call(self, method, url, authorization, headers=None, **options):
        with requests.Session() as session:
            session.trust_env = False
            sent = dict(headers or {})
            if authorization:
                sent["Authorization"] = authorization
            return session.request(method, url, headers=sent, timeout=30, allow_redirects=False, **options)

    def stop(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


def start(folder, *options, log=None):
    """Start a sandbox whose keys lie in ``folder``; ``log`` is an open file for what it says."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "qsec_jupyter.cli",
            "sandbox",
            "--with-parent",
            "--api-key-file",
            str(folder / "api-key"),
            "--admin-token-file",
            str(folder / "admin-token"),
            *options,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log or subprocess.DEVNULL,
        env={**os.environ, "QSEC_HOME": str(folder)},
        text=True,
    )
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the sandbox did not start: status {process.wait(10)}")
    return RealSandbox(json.loads(line), process)


@pytest.fixture
def start_sandbox(tmp_path):
    """Return a function that starts a sandbox of the test's own."""
    running = []

    def begin(*options):
        folder = tmp_path / f"sandbox-{len(running)}"
        folder.mkdir()
        running.append(start(folder, *options))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory):
    found = start(tmp_path_factory.mktemp("sandbox"))
    yield found
    found.stop()


@pytest.fixture
def sandbox(shared_sandbox):
    """A sandbox that is shared by the session's tests and comes to each as new, but for its jobs."""
    before = shared_sandbox.admin("GET", "state")["settings"]
    yield shared_sandbox
    shared_sandbox.admin("DELETE", "faults")
    shared_sandbox.admin("PATCH", "settings", before)


def wait_for(found, seconds=30.0):
    """Wait until ``found()`` is true and return it."""
    until = time.monotonic() + seconds
    while not (value := found()):
        if time.monotonic() > until:
            raise AssertionError("it did not happen")
        time.sleep(0.02)
    return value
