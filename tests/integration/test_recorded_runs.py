"""Recorded runs end to end: a real Jupyter Server, a real kernel, real Qiskit, and the command line."""

import base64
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import jsonschema
import pytest
from jupyter_process import environ_of
from referencing import Registry, Resource

from qsec_jupyter.cli.demo_check.jupyter import Server
from qsec_jupyter.ledger.verify import verify_journal
from qsec_jupyter.provenance.schema import published

pytest.importorskip("qiskit_aer")
pytest.importorskip("qiskit_ibm_runtime")

CELLS = {
    "imports": "import warnings; warnings.simplefilter('ignore')\n"
    "from qiskit import QuantumCircuit, transpile\n"
    "from qiskit.circuit import Parameter\n"
    "from qiskit.primitives import StatevectorSampler, StatevectorEstimator\n"
    "from qiskit.quantum_info import SparsePauliOp\n"
    "from qiskit_aer import AerSimulator\n"
    "from qiskit_aer.primitives import SamplerV2\n"
    "from qiskit_ibm_runtime.fake_provider import FakeManilaV2\n"
    "bell = QuantumCircuit(2); bell.h(0); bell.cx(0, 1); bell.measure_all()\n"
    "turned = QuantumCircuit(1); turned.rx(Parameter('t'), 0); turned.measure_all()",
    "seeded": "AerSimulator().run(bell, shots=500, seed_simulator=7).result()",
    "unseeded": "AerSimulator().run(bell, shots=2000).result()",
    "sweep": "SamplerV2(seed=3).run([(turned, [[0.1], [0.9]], 400)]).result()",
    "estimator": "StatevectorEstimator(seed=1).run([(bell.remove_final_measurements(inplace=False), "
    "SparsePauliOp('ZZ'))], precision=0.05).result()",
    "fake": "fake = FakeManilaV2(); fake.run(transpile(bell, fake, optimization_level=1, "
    "seed_transpiler=11), shots=200, seed_simulator=5).result()",
    "failing": "try: AerSimulator().run(bell, shots=-1).result()\n"
    "except Exception as error: print(type(error).__name__)",
}
NOTEBOOK = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    """A state folder of its own, the sealed store, and a repository to work in."""
    folder = tmp_path_factory.mktemp("recorded")
    home, root = folder / "home", folder / "work"
    home.mkdir(mode=0o700)
    root.mkdir()
    environ = environ_of(folder, home)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    (root / "bell.ipynb").write_text(json.dumps(NOTEBOOK))
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], cwd=root, check=True, env=environ)
    url = "https://ada:s3cret-token@git.example/lab/bell.git"
    subprocess.run(["git", "remote", "add", "origin", url], cwd=root, check=True, env=environ)
    return environ | {"QSEC_TEST_ROOT": str(root), "QSEC_TEST_FOLDER": str(folder)}


@pytest.fixture(scope="module")
def server(environ):
    made = Server(Path(environ["QSEC_TEST_FOLDER"]), Path(environ["QSEC_TEST_ROOT"]), environ)
    yield made
    if made.process.poll() is None:
        made.process.terminate()
        made.process.wait(30)


@pytest.fixture(scope="module")
def runs(server):
    """Execute the cells in one kernel and return the summaries of the runs by cell."""
    kernel = server.kernel("bell.ipynb")
    found, known = {}, set()
    for name, code in CELLS.items():
        kernel.execute(code)
        if name == "imports":
            continue
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            page = server.api("GET", "qsec/runs?limit=50")["runs"]
            fresh = [run for run in page if run["run_id"] not in known]
            if fresh and all(run["status"] != "running" for run in fresh):
                break
            time.sleep(0.1)
        assert len(fresh) == 1, (name, fresh)
        found[name] = fresh[0]
        known.add(fresh[0]["run_id"])
    yield found
    kernel.close()


@pytest.fixture
def qsec(environ):
    def call(*arguments, ok=(0,)):
        done = subprocess.run(
            [sys.executable, "-m", "qsec_jupyter.cli", *map(str, arguments)],
            env=environ,
            cwd=environ["QSEC_TEST_ROOT"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in ok, done.stdout + done.stderr
        return done.stdout

    return call


def predicate(server, run, kind="intent"):
    return server.api("GET", f"qsec/runs/{run['run_id']}")[kind]["predicate"]


def test_every_statement_of_real_runs_validates(server, runs) -> None:
    common = published("common")
    registry = Registry().with_resource(common["$id"], Resource.from_contents(common))
    for name, run in runs.items():
        for kind in ("intent", "completion"):
            told = predicate(server, run, kind)
            jsonschema.Draft202012Validator(published(kind), registry=registry).validate(told)
            assert "unfit" not in told["run"], (name, told["run"]["unfit"])


def test_record_says_where_it_came_from(server, runs, environ) -> None:
    told = predicate(server, runs["unseeded"])
    source, root = told["run"]["source"], Path(environ["QSEC_TEST_ROOT"])
    assert source["cell_digest"] == hashlib.sha256(CELLS["unseeded"].encode()).hexdigest()
    value = bytes(32)
    for code in (CELLS["imports"], CELLS["seeded"], CELLS["unseeded"]):
        value = hashlib.sha256(value + hashlib.sha256(code.encode()).digest()).digest()
    assert source["chain"] == {
        "alg": "qsec-source-chain-v1",
        "sha256": value.hex(),
        "cells": 3,
        "complete": True,
    }
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=True, env=environ
    ).stdout.strip()
    assert (source["git"]["commit"], source["git"]["remote"]) == (head, "https://git.example/lab/bell.git")
    assert told["server"]["notebook"]["path"] == "bell.ipynb"
    assert (
        told["server"]["notebook"]["sha256"] == hashlib.sha256((root / "bell.ipynb").read_bytes()).hexdigest()
    )


def test_record_says_what_ran_it_and_in_which_environment(server, runs) -> None:
    import qiskit

    told = predicate(server, runs["seeded"])
    run = told["run"]
    assert run["environment"]["frameworks"]["qiskit"] == qiskit.__version__
    assert run["environment"]["threads"]["OMP_NUM_THREADS"] == "1"
    assert run["execution"]["seeds"]["seed_simulator"] == 7
    assert run["execution"]["runner"]["type"] == "qiskit_aer.backends.aer_simulator.AerSimulator"
    assert told["authority"]["policy"]["digest"]
    assert told["recorder"]["assertedBy"] == "control"


def test_calibration_of_a_device_is_kept_and_named(server, runs) -> None:
    backend = predicate(server, runs["fake"])["run"]["backend"]
    assert backend["calibration"]["num_qubits"] == 5
    assert backend["calibration"]["last_update_date"]
    compiled = predicate(server, runs["fake"])["run"]["execution"]["compilation"]
    assert len(compiled["circuits"][0]["layout"]) == 2
    assert (compiled["level"], compiled["seed"]) == (1, 11)
    assert compiled["duration"] > 0


def test_failed_run_is_one_with_its_error(server, runs) -> None:
    assert runs["failing"]["status"] == "failed"
    assert predicate(server, runs["failing"], "completion")["run"]["error_type"]


def test_search_pages_and_difference_through_the_server(server, runs) -> None:
    found = server.api("GET", f"qsec/runs?search={quote('bell.ipynb aer')}&status=done&limit=2")
    assert len(found["runs"]) == 2
    assert found["next"]
    rest = server.api("GET", f"qsec/runs?search=aer&status=done&limit=50&cursor={found['next']}")
    assert not {run["run_id"] for run in rest["runs"]} & {run["run_id"] for run in found["runs"]}
    compared = server.api("GET", f"qsec/runs/{runs['seeded']['run_id']}/diff/{runs['unseeded']['run_id']}")
    groups = {group["name"]: group for group in compared["groups"]}
    assert groups["circuit"]["equal"]
    assert groups["environment"]["equal"]
    assert {change["field"] for change in groups["execution"]["changes"]} >= {"shots", "seeds.seed_simulator"}


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("seeded", "bit-identical"),
        ("unseeded", "statistically equal"),
        ("sweep", "bit-identical"),
        ("estimator", "bit-identical"),
        ("fake", "bit-identical"),
    ],
)
def test_replay_beside_the_running_server(runs, qsec, name, verdict) -> None:
    told = json.loads(qsec("replay", runs[name]["run_id"], "--json", "--alpha", "0.00001"))
    assert told["verdict"] == verdict, told
    assert told["environment"] == []


def test_command_line_lists_shows_compares_and_exports(runs, qsec, tmp_path) -> None:
    listed = json.loads(qsec("runs", "--json", "--status", "done"))["runs"]
    assert {run["run_id"] for run in listed} == {
        run["run_id"] for run in runs.values() if run["status"] == "done"
    }
    assert runs["seeded"]["run_id"] in qsec("show", runs["seeded"]["run_id"][:10])
    assert "shots" in qsec("diff", runs["seeded"]["run_id"], runs["unseeded"]["run_id"])
    for form in ("in-toto", "ro-crate", "prov", "cyclonedx"):
        data = tmp_path / form
        qsec("export", runs["seeded"]["run_id"], "--format", form, "--output", data)
        assert b"s3cret-token" not in data.read_bytes()
    packages = json.loads((tmp_path / "cyclonedx").read_text())["components"]
    assert any(part["name"] == "qiskit" for part in packages)


def test_card_in_the_notebook_names_the_evidence(server, runs) -> None:
    kernel = server.kernel("bell.ipynb")
    (output,) = kernel.execute(f"%qsec provenance {runs['sweep']['run_id']}")
    kernel.close()
    text = output["data"]["text/plain"]
    assert runs["sweep"]["run_id"] in text
    assert "Cite as" in text


def test_after_the_server_has_ended_everything_still_verifies_and_replays(
    server, runs, qsec, environ
) -> None:
    server.process.terminate()
    server.process.wait(30)
    journal = Path(environ["QSEC_HOME"]) / "journal-0"
    report = verify_journal(journal)
    assert report.ok, report.problems
    assert report.evidence >= 10
    assert "verified" in qsec("verify")
    told = json.loads(qsec("replay", runs["seeded"]["run_id"], "--json"))
    assert told["verdict"] == "bit-identical"
    everything = b"".join(path.read_bytes() for path in journal.rglob("*") if path.is_file())
    assert b"s3cret-token" not in everything
    assert base64.b64encode(b"s3cret-token") not in everything
