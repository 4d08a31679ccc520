"""Claim: each run is recorded once and truly, and recording never costs a user the run.

Real kernels against a peer on a real socket, and one real Jupyter Server whose control plane is killed.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from catalogue import target
from jupyter_process import environ_of

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from qsec_kernels import Kernel, Peer

from qsec_jupyter.cli.demo_check.jupyter import Server
from qsec_jupyter.ledger.entries import read_events
from qsec_jupyter.ledger.verify import verify_journal

pytest.importorskip("qiskit_aer")

SETUP = """
import warnings; warnings.simplefilter("ignore")
from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from qiskit.primitives import StatevectorSampler
bell = QuantumCircuit(2); bell.h(0); bell.cx(0, 1); bell.measure_all()
"""


@pytest.fixture
def peer():
    with Peer() as made:
        yield made


@pytest.fixture
def kernel(peer, tmp_path):
    with Kernel(peer, tmp_path) as made:
        made.run(SETUP)
        yield made


def of_kind(peer, kind):
    return [record for record in peer.records if record["kind"] == kind]


def test_a_hundred_jobs_at_once_are_a_hundred_runs_with_their_own_children(kernel, peer):
    text = kernel.text(
        "import concurrent.futures as f\n"
        "pool = f.ThreadPoolExecutor(100)\n"
        "done = list(pool.map(lambda n: SamplerV2().run([bell], shots=n + 1).result(), range(100)))\n"
        "print(sorted(r[0].data.meas.num_shots for r in done) == list(range(1, 101)))",
        seconds=120,
    )
    assert text.strip() == "True"
    peer.wait_for_records(200, 60)
    intents, completions = of_kind(peer, "intent"), of_kind(peer, "completion")
    assert len(intents) == len(completions) == len({r["run_id"] for r in intents}) == 100
    assert {r["run_id"] for r in completions} == {r["run_id"] for r in intents}
    assert sorted(r["execution"]["shots"] for r in intents) == list(range(1, 101))
    for record in completions:
        assert [child["shots"] for child in record["children"]] == [record["execution"]["shots"]]
    assert peer.gaps == []


def test_jobs_that_are_submitted_first_and_read_later_keep_their_parents(kernel, peer):
    kernel.run(
        "jobs = [StatevectorSampler(seed=n).run([bell], shots=n + 1) for n in range(100)]\n"
        "results = [job.result() for job in reversed(jobs)]",
        seconds=120,
    )
    peer.wait_for_records(200, 60)
    assert len({r["run_id"] for r in of_kind(peer, "completion")}) == 100
    assert all(r["children"] == [] for r in of_kind(peer, "completion"))


def test_what_is_changed_right_after_the_call_does_not_change_the_record(kernel, peer):
    # Aer takes circuit and options up on a thread of its own, and may find them changed; these stay.
    kernel.run(
        "class Backend(AerSimulator):\n"
        "    def run(self, circuits, **options):\n"
        "        return super().run(circuits.copy(), seed_simulator=3, **options)\n"
        "circuit = bell.copy(); backend = Backend()\n"
        "backend.set_options(seed_simulator=3)\n"
        "job = backend.run(circuit, shots=50)\n"
        "circuit.x(0); circuit.clear(); backend.set_options(seed_simulator=9)\n"
        "result = job.result(); counts = result.results[0].data.counts; counts.clear()\n"
        "again = AerSimulator().run(bell, shots=50, seed_simulator=3).result()"
    )
    peer.wait_for_records(4)
    one, two = of_kind(peer, "intent")
    assert (
        one["execution"]["circuits"][0]["structural_hash"]
        == two["execution"]["circuits"][0]["structural_hash"]
    )
    assert one["execution"]["seeds"] == {"seed_simulator": 3}
    changed, untouched = of_kind(peer, "completion")
    assert changed["result"]["sha256"] == untouched["result"]["sha256"]
    assert any("changed before" in gap for gap in changed["gaps"])


@pytest.mark.parametrize(
    "code",
    [
        "AerSimulator().run(bell, shots=4000, seed_simulator=11).result().get_counts()",
        "SamplerV2(seed=5).run([bell], shots=4000).result()[0].data.meas.array.tolist()",
        "StatevectorSampler(seed=5).run([bell], shots=4000).result()[0].data.meas.array.tolist()",
    ],
)
def test_seeded_results_are_bit_identical_with_and_without_hooks(kernel, tmp_path, code):
    show = f"import json; print(json.dumps({code}, sort_keys=True))"
    (tmp_path / "bare").mkdir()
    with Kernel(None, tmp_path / "bare") as bare:
        bare.run(SETUP)
        assert bare.text(show) == kernel.text(show)


def test_a_forked_child_runs_and_records_nothing_for_its_parent(kernel, peer):
    text = kernel.text(
        "import os\n"
        "AerSimulator().run(bell, shots=5).result()\n"
        "read, write = os.pipe()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    counts = StatevectorSampler(seed=1).run([bell], shots=7).result()[0].data.meas.num_shots\n"
        "    os.write(write, str(counts).encode()); os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "print(os.read(read, 10).decode())\n"
        "AerSimulator().run(bell, shots=6).result();",
        seconds=90,
    )
    assert text.strip() == "7"
    peer.wait_for_records(4)
    assert sorted(r["execution"]["shots"] for r in of_kind(peer, "intent")) == [5, 6]
    assert peer.gaps == []


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_works_as_without_us(kernel, peer, tmp_path, method):
    (tmp_path / "worker_module.py").write_text(
        SETUP + "def work(n):\n"
        "    return StatevectorSampler(seed=1).run([bell], shots=n).result()[0].data.meas.num_shots\n"
    )
    text = kernel.text(
        f"import multiprocessing, sys; sys.path.insert(0, {str(tmp_path)!r}); import worker_module\n"
        f"pool = multiprocessing.get_context({method!r}).Pool(2)\n"
        "print(pool.map(worker_module.work, [3, 4])); pool.terminate(); pool.join()",
        seconds=110,
    )
    assert text.strip() == "[3, 4]"
    kernel.run("AerSimulator().run(bell, shots=6).result()")
    peer.wait_for_records(2)
    assert [r["execution"]["shots"] for r in of_kind(peer, "intent")] == [6]


def test_a_server_that_dies_in_the_middle_of_a_run_costs_no_result(kernel, peer):
    peer.go_down()
    kernel.run("job = AerSimulator().run(bell, shots=20_000_000, seed_simulator=1)")
    peer.close()
    text = kernel.text("print(sum(job.result().get_counts().values()))", seconds=100)
    assert text.strip() == "20000000"
    wait_for(lambda: "channel is closed" in json.dumps([m["content"] for m in kernel.run("%qsec status")]))


def test_an_interrupt_in_a_run_ends_it_as_failed_and_the_next_is_recorded(kernel, peer):
    code = (
        "class Slow(StatevectorSampler):\n"
        "    def run(self, pubs, *, shots=None):\n"
        "        import time; time.sleep(60)\n"
        "Slow().run([bell])"
    )
    wanted = kernel.client.execute(code)
    assert len(peer.wait_for_records(1)) == 1
    kernel.manager.interrupt_kernel()
    assert kernel.reply(wanted)["content"]["ename"] == "KeyboardInterrupt"
    completion = peer.wait_for_records(2)[1]
    assert (completion["status"], completion["error_type"]) == ("failed", "KeyboardInterrupt")
    reply = kernel.run("AerSimulator().run(bell, shots=6).result()")[-1]
    assert reply["content"]["status"] == "ok", reply["content"]
    assert len(peer.wait_for_records(4)) == 4


# -- a real server, a real control plane -----------------------------------------------------------


@pytest.fixture
def home(tmp_path):
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def server(tmp_path, home):
    root = tmp_path / "work"
    root.mkdir()
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (root / "a.ipynb").write_text(json.dumps(notebook))
    made = Server(tmp_path, root, environ_of(tmp_path, home))
    yield made
    if made.process.poll() is None:
        made.process.terminate()
        made.process.wait(30)


def control_planes(server):
    return [p for p in server.family() if "serve" in p.cmdline() and "--embedded" in p.cmdline()]


def keep_down(server, seconds):
    """Kill every control plane that is started, for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for control in control_planes(server):
            os.kill(control.pid, signal.SIGKILL)
        time.sleep(0.1)


def wait_for(check, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come true in time")


@pytest.mark.timeout(240)
def test_a_control_plane_killed_in_the_middle_of_a_run_completes_the_record_when_it_is_back(server, home):
    kernel = server.kernel("a.ipynb")
    kernel.execute(SETUP)
    kernel.execute("AerSimulator().run(bell, shots=1).result()")
    wait_for(lambda: server.api("GET", "qsec/runs")["runs"])
    kernel.execute(
        "class Slow(StatevectorSampler):\n"
        "    def _run(self, pubs):\n"
        "        import time; time.sleep(2)\n"
        "        return super()._run(pubs)\n"
        "job = Slow(seed=1).run([bell], shots=9)"
    )
    away = threading.Thread(target=keep_down, args=(server, 8))
    away.start()
    began = time.monotonic()
    assert kernel.text("print(job.result()[0].data.meas.num_shots)").strip() == "9"
    assert time.monotonic() - began < 8
    assert away.is_alive()
    away.join()

    def done():
        try:
            runs = server.api("GET", "qsec/runs")["runs"]
        except Exception:
            return None  # it is not back yet
        return [run for run in runs if run["shots"] == 9 and run["status"] == "done"]

    (run,) = wait_for(done)
    assert run["intent"]
    assert run["completion"]
    (journal,) = home.glob("journal-*")
    gaps = [e["data"]["what"] for e in read_events(journal / "ledger") if e["type"] == "run.gap"]
    assert any("records came late" in gap for gap in gaps)
    kernel.close()
    server.process.terminate()
    server.process.wait(30)
    assert verify_journal(journal).ok


ENFORCING = '[runs]\nmode = "enforce"\nlocal = []\n' + target(more='backends = ["aer_simulator"]')


@pytest.fixture
def enforcing(home):
    (home / "catalog.toml").write_text(ENFORCING)


@pytest.mark.timeout(240)
def test_an_enforcing_installation_runs_nothing_without_a_grant(enforcing, server, home):
    kernel = server.kernel("a.ipynb")
    kernel.execute(SETUP)
    wait_for((home / "enforce").exists)
    attempt = (
        "try: print(sum(AerSimulator().run(bell, shots=5).result().get_counts().values()))\n"
        "except Exception as error: print(type(error).__name__, error.code)"
    )
    assert kernel.text(attempt).strip() == "Denied run.no_grant"
    assert "run.enforced" in kernel.text(
        "try: get_ipython().run_line_magic('qsec', 'off')\nexcept Exception as e: print(e.code)"
    )
    kernel.execute("import qsec_jupyter as qsec; qsec.request('sandbox', reason='test')")
    assert kernel.text(attempt).strip() == "5"
    (journal,) = home.glob("journal-*")

    def names():
        return [event["type"] for event in read_events(journal / "ledger")]

    wait_for(lambda: "run.intent" in names())
    kernel.execute("qsec.revoke('sandbox')")
    assert kernel.text(attempt).strip() == "Denied run.no_grant"
    for control in control_planes(server):
        os.kill(control.pid, signal.SIGKILL)
    assert kernel.text(attempt).strip().startswith("Denied run.")
    kernel.close()
    assert names().count("run.permitted") == 1
    assert names().count("run.refused") >= 2
    assert names().count("run.intent") == 1
