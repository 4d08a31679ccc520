"""A state folder whose journal a real control plane wrote, `qsec` beside it, real runs under the hooks."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import warnings
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from qsec_jupyter.control.control_plane import ControlPlane
from qsec_jupyter.control.credentials import choose
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.sealed import SealedBroker
from qsec_jupyter.control.policy.bundle import Place
from qsec_jupyter.control.policy.live import LivePolicy
from qsec_jupyter.core.model import Principal

sys.path.insert(0, str(Path(__file__).parent / "kernel"))

from qsec_peer import Peer  # lies beside the kernel's unit tests

ADA = Principal("ada", "Ada Lovelace", "local account", roles=("researcher", "approver"))
PACKAGES = {"numpy": "2.4.6", "qiskit": "2.6.2"}


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(packages=PACKAGES) -> bytes:
    return json.dumps(packages, sort_keys=True, separators=(",", ":")).encode()


def intent(run_id: str, **more):
    packages = manifest()
    reference = {"sha256": sha(packages), "count": 2, "media_type": "application/vnd.qsec.packages+json"}
    return {
        "run_id": run_id,
        "kind": "intent",
        "time": "2026-01-31T09:00:00.000Z",
        "framework": "qiskit",
        "operation": "qiskit_aer.AerSimulator.run",
        "backend": {"name": "aer_simulator", "version": "0.18.2", "simulator": True},
        "execution": {
            "type": "backend",
            "circuits": [{"structural_hash": {"alg": "qsec-circuit-v1", "value": "0" * 64}}],
            "parameters": {"sha256": "3" * 64, "encoding": "qsec.dev/values/v1"},
            "shots": 1000,
            "seeds": {},
        },
        "source": {"cell_id": "c1", "cell_digest": "4" * 64, "git": None},
        "environment": {
            "python": "3.11.7", "os": "Linux", "frameworks": {"qiskit": "2.6.2"}, "packages": reference,
        },
        **more,
    }  # fmt: skip


def completion(run_id: str, **more):
    result = {"sha256": "1" * 64, "encoding": "x"}
    time = "2026-01-31T09:00:01.000Z"
    return {"run_id": run_id, "kind": "completion", "status": "done", "result": result, "time": time, **more}


@pytest.fixture
def qsec_home(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    monkeypatch.setattr(choose, "real_keyring", lambda: None)
    (tmp_path / "home").mkdir(mode=0o700)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@pytest.fixture
def plane(qsec_home):
    policy = LivePolicy(Place(qsec_home))
    broker = SealedBroker(qsec_home, policy.catalogue.sources, KeyStore(qsec_home, None))
    plane = ControlPlane(qsec_home, broker, policy, ADA, "server-1")
    plane.open()
    yield plane
    plane.close()


@pytest.fixture
def recorded(plane):
    """Record two runs that differ in shots, one of a notebook, with their manifest; checkpointed."""
    kept = manifest()
    plane.artefacts.put(sha(kept), "application/vnd.qsec.packages+json", kept, "k1")
    a, b = "a" * 32, "b" * 32
    more = intent(b)
    more["execution"] = {**more["execution"], "shots": 2000}
    notebook = {"path": "work/bell.ipynb", "sha256": "5" * 64, "saved_at": None}
    plane.evidence.record([intent(a), completion(a)], "k1", {"notebook": notebook})
    plane.evidence.record([more, completion(b, result={"sha256": "6" * 64, "encoding": "x"})], "k1")
    plane.checkpoints.make()
    return SimpleNamespace(a=a, b=b, plane=plane)


@pytest.fixture
def qsec():
    """Call the command line in process; returns what click's runner gives."""
    from qsec_jupyter.cli.main import app

    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def record(plane, monkeypatch):
    """Return a function that makes a run under the hooks and returns its id once all of it is kept."""

    from qsec_jupyter.kernel import channel as channels, evidence, execution, extension
    from qsec_jupyter.kernel.channel import Channel
    from qsec_jupyter.kernel.frameworks.qiskit import circuits

    def records(args):
        return {"results": plane.evidence.record(args["records"], "k1", None)}

    def artefact(args):
        data = base64.b64decode(args["data"])
        data = zlib.decompress(data) if args["encoding"] == "deflate" else data
        plane.artefacts.put(args["sha256"], args["media_type"], data, "k1")
        return {"sha256": args["sha256"], "stored": True}

    with Peer() as peer:
        peer.overrides |= {"record": records, "evidence": artefact}
        channel = Channel(peer.kernel_end)
        monkeypatch.setattr(channels, "mine", channel)
        monkeypatch.setattr(evidence, "sender", None)
        monkeypatch.setattr(execution, "recorder", None)
        circuits._known.clear()  # each test is a kernel of its own
        execution.start(channel, None)
        extension.watch()

        def make(run):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run().result()
            assert execution.recorder.flush(10)
            evidence.stop(10)
            assert peer.gaps == []
            return plane.runs.newest("k1", 1)[0]["run_id"]

        yield make
        execution.recorder = None
        channel.close()


@pytest.fixture
def replayed(qsec, monkeypatch):
    """Return a function that replays a run and returns the judgement."""

    from qsec_jupyter.kernel import execution

    def call(run_id, *options):
        with monkeypatch.context() as patch:
            patch.setattr(execution, "recorder", None)  # a replay's process has no kernel's hooks
            done = qsec("replay", run_id, "--json", *options)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        told = json.loads(done.stdout)
        assert done.exit_code == (0 if told["ok"] else 1)
        return told

    return call
