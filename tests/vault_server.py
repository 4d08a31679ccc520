"""A real Vault or OpenBao for tests: started once a session, with mounts of their own for each test.

Fixtures: ``vault`` is set up and holds a secret for each target; ``own_vault`` is a fresh server
that a test may seal or break; ``broker_at`` makes brokers and closes them. Without a Vault the
tests are skipped and one loud line says so; with ``CI=true`` they fail.
"""

import itertools
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import requests

from qsec_jupyter.control.credentials import watchdog
from qsec_jupyter.control.credentials.broker import IssueRequest, TargetSource
from qsec_jupyter.control.credentials.identity import KEY_NAME, BrokerIdentity, new_private_key
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.naming import Mounts
from qsec_jupyter.control.credentials.setup import VaultSetup
from qsec_jupyter.control.credentials.signers import new_seed, signer_of
from qsec_jupyter.control.credentials.vault import Endpoint, VaultAdapter
from qsec_jupyter.control.credentials.vault_broker import VaultBroker
from qsec_jupyter.control.credentials.wrapping import MachineWrapping
from qsec_jupyter.core.secret import Secret

BUILT = Path(__file__).resolve().parents[1] / ".cache" / "bin" / "vault"
TARGETS = {
    "sandbox": TargetSource("kv-v2", "targets/sandbox", "token"),
    "pilot": TargetSource("kv-v2", "targets/pilot", "token"),
}
WITHOUT = "NO VAULT: tests against a real Vault did not run. `make vault` builds one."
_skipped: list[str] = []
_numbers = itertools.count(1)


def binary():
    """Return the program to start, or ``None``."""
    return shutil.which("vault") or shutil.which("bao") or (str(BUILT) if BUILT.exists() else None)


def now():
    return datetime.now(timezone.utc)


def request(target="sandbox", grant="g1", minutes=30, subject="ada"):
    """Return what the control plane asks a broker for."""
    expires = now() + timedelta(minutes=minutes)
    return IssueRequest(
        grant, target, subject, ("quantum",), "server-1", "kernel-1", secrets.token_hex(8), expires
    )


@dataclass
class RealVault:
    """A running server, and what an administrator can do with it."""

    address: str
    root: str
    process: subprocess.Popen
    mounts: Mounts = field(default_factory=Mounts)
    identity: BrokerIdentity = field(default_factory=lambda: BrokerIdentity(new_private_key(), now))
    secrets: dict = field(default_factory=dict)
    authority: str | None = None

    def admin(self, method, path, body=None, token=None):
        """Call as root; returns the answer's JSON."""
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.authority or True
            headers = {"X-Vault-Token": token or self.root}
            answer = session.request(
                method, f"{self.address}/v1/{path}", json=body, headers=headers, timeout=10
            )
        if answer.status_code >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else {}

    def exists(self, accessor):
        """Say whether a session is still there, by asking the Vault itself."""
        try:
            return bool(self.admin("POST", "auth/token/lookup-accessor", {"accessor": accessor}))
        except RuntimeError as error:
            if "invalid accessor" not in str(error):
                raise
            return False

    def accessors(self):
        return set(self.admin("LIST", "auth/token/accessors")["data"]["keys"])

    def set_up(self, targets=TARGETS):
        """Do what `qsec setup vault --apply` does, and put a secret for each target."""
        adapter = VaultAdapter(Endpoint(self.address, self.authority))
        try:
            setup = VaultSetup(adapter, Secret(self.root, "root"), self.mounts)
            setup.apply(setup.plan(targets, [self.identity.public_pem()]))
        finally:
            adapter.close()
        for name, source in targets.items():
            if source.engine != "kv-v2":
                continue
            self.secrets[name] = secrets.token_urlsafe(33)
            self.put(source.path, {source.field: self.secrets[name]})

    def trusted(self, home, address=None):
        """Have a state folder's key trusted; return the environment in which its control plane starts."""
        key, _ = KeyStore(home, None).create(KEY_NAME, new_private_key)
        self.identity = BrokerIdentity(key, now)
        self.set_up()
        return {
            "VAULT_ADDR": address or self.address,
            "QSEC_VAULT_AUTH_MOUNT": self.mounts.auth,
            "QSEC_VAULT_KV_MOUNT": self.mounts.kv,
            "QSEC_VAULT_TRANSIT_MOUNT": self.mounts.transit,
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    def put(self, path, values):
        """Write a secret; a new kv version 2 mount needs a moment."""
        for _ in range(100):
            try:
                return self.admin("POST", f"{self.mounts.kv}/data/{path}", {"data": values})
            except RuntimeError as error:  # a retry
                if "400" not in str(error):
                    raise
                time.sleep(0.05)
        raise RuntimeError("the kv mount did not get ready")

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


def plugins(folder):
    """Put the plug-ins that `make vault` builds into a folder of their own; a full Vault has them inside."""
    for name in ("postgresql-database-plugin", "vault-plugin-secrets-aws"):
        built = BUILT.parent / name
        if built.exists():
            shutil.copy(built, folder / name)
    return folder


def start(*options, tls=None):
    """Start a dev server that dies with the tests, and return it.

    Args:
        options: Further ones of the program's.
        tls: A folder for a certificate of an authority of the server's own, to speak TLS.
    """
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    root = secrets.token_urlsafe(24)
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    environ |= {"VAULT_DEV_ROOT_TOKEN_ID": root, "BAO_DEV_ROOT_TOKEN_ID": root}
    command = [binary(), "server", "-dev", "-dev-no-store-token", f"-dev-listen-address=127.0.0.1:{port}"]
    command += options
    if tls:
        command += ["-dev-tls", f"-dev-tls-cert-dir={tls}"]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", watchdog.__file__, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environ,
    )
    server = RealVault(f"{'https' if tls else 'http'}://127.0.0.1:{port}", root, process)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            server.authority = next((str(file) for file in tls.glob("*-ca.pem")), None) if tls else None
            server.admin("GET", "sys/health")
            return server
        except (OSError, RuntimeError):  # a retry
            time.sleep(0.05)
    server.stop()
    raise RuntimeError("the Vault dev server did not start")


def _require():
    if binary() is None:
        _skipped.append(WITHOUT)
        if os.environ.get("CI") == "true":
            pytest.fail(WITHOUT)
        pytest.skip(WITHOUT)


@pytest.fixture(scope="session")
def vault_server():
    """One server for the whole session; use ``vault``."""
    _require()
    server = start()
    yield server
    server.stop()


@pytest.fixture
def vault(vault_server):
    """The session's server with mounts, keys and secrets of this test's own."""
    number = next(_numbers)
    mounts = Mounts(f"qsec-{number}", f"qsec-kv-{number}", f"qsec-transit-{number}")
    mine = RealVault(vault_server.address, vault_server.root, vault_server.process, mounts)
    mine.set_up()
    return mine


@pytest.fixture
def own_vault():
    """A server that nobody else uses, not set up."""
    _require()
    server = start()
    yield server
    server.stop()


@pytest.fixture
def tls_vault(tmp_path):
    """A server that speaks TLS with a certificate of an authority of its own; not set up."""
    _require()
    server = start(tls=tmp_path)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def engines_vault(tmp_path_factory):
    """A server with the plug-ins, for tests of secrets engines; not set up."""
    _require()
    folder = plugins(tmp_path_factory.mktemp("plugins"))
    server = start(*([f"-dev-plugin-dir={folder}"] if any(folder.iterdir()) else []))
    yield server
    server.stop()


@pytest.fixture
def broker_at(tmp_path):
    """Make a broker for a :class:`RealVault`, or for a proxy in front of it."""
    made = []

    def make(vault, address=None, total=5.0, targets=TARGETS, client=None, **options):
        broker = VaultBroker(
            VaultAdapter(Endpoint(address or vault.address, vault.authority, client=client), total),
            mounts=vault.mounts,
            identity=vault.identity,
            targets=targets,
            local=lambda: signer_of(new_seed()),
            machine=MachineWrapping(KeyStore(tmp_path, None)),
            origin="external",
            key_protection=None,
            **options,
        )
        made.append(broker)
        return broker

    yield make
    for broker in made:
        broker.close()


def pytest_terminal_summary(terminalreporter):
    """Say once, at the end and loudly, that the tests that matter most did not run."""
    if _skipped:
        terminalreporter.write_line(WITHOUT, red=True, bold=True)
