"""The user's steps 2 to 5 in a real kernel: ask, use, run, look at the record."""

import json

import pytest
from qsec_kernels import Kernel, Peer

pytest.importorskip("qiskit_aer")
pytest.importorskip("qsec_jupyter.provenance.circuit")

BELL = """
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2
from qiskit.primitives import StatevectorSampler
bell = QuantumCircuit(2); bell.h(0); bell.cx(0, 1); bell.measure_all()
"""


@pytest.fixture(scope="module")
def peer():
    with Peer() as made:
        yield made


@pytest.fixture(scope="module")
def kernel(peer, tmp_path_factory):
    with Kernel(peer, tmp_path_factory.mktemp("kernel")) as started:
        yield started


def result(messages):
    return next(m["content"]["data"] for m in messages if m["msg_type"] == "execute_result")


def test_the_public_api_is_there_before_and_after_the_first_run(kernel):
    kernel.run(
        "import qsec_jupyter as qsec; g = qsec.request('sandbox', reason='first run', ticket='QC-1', duration='30m')"  # noqa: E501
    )
    assert result(kernel.run("qsec.credential('sandbox')"))["text/plain"] == "[redacted: sandbox]"
    messages = kernel.run("%qsec provenance")
    assert next(m for m in messages if m["msg_type"] == "error")["content"]["ename"] == "NotFound"


@pytest.mark.parametrize(
    "code",
    [
        "AerSimulator().run(bell, shots=9).result()",
        "StatevectorSampler().run([bell], shots=9).result()",
        "SamplerV2().run([bell], shots=9).result()",
    ],
)
def test_a_run_is_one_intent_and_one_completion_and_shows_as_a_card(kernel, peer, code):
    peer.records.clear()
    wanted = kernel.client.session.msg("execute_request", {"code": BELL + code, "silent": False, "store_history": True,  # noqa: E501
        "user_expressions": {}, "allow_stdin": False, "stop_on_error": True}, metadata={"cellId": "cell-42"})  # fmt: skip  # noqa: E501
    kernel.client.shell_channel.send(wanted)
    assert kernel.reply(wanted["header"]["msg_id"])["content"]["status"] == "ok"
    card = result(kernel.run("%qsec provenance"))
    assert [r["kind"] for r in peer.records] == ["intent", "completion"]
    intent = peer.records[0]
    assert intent["source"]["cell_id"] == "cell-42"
    assert len(intent["source"]["cell_digest"]) == 64
    assert "user-select:all" in card["text/html"]
    assert intent["run_id"] in card["text/plain"]
    assert peer.gaps == []


def test_hooks_are_put_on_modules_that_were_imported_before_the_extension(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path, more=("--IPKernelApp.exec_lines=1",)) as kernel:
        kernel.run(BELL)
        kernel.run("AerSimulator().run(bell).result()")
        assert len(peer.wait_for_records(2)) == 2


def test_the_last_record_is_sent_before_the_kernel_ends(tmp_path):
    with Peer() as peer:
        kernel = Kernel(peer, tmp_path)
        kernel.run(BELL + "AerSimulator().run(bell).result()\nimport os; os.getpid()")
        kernel.run(BELL + "AerSimulator().run(bell).result(); exit()")
        kernel.__exit__()
        assert [r["kind"] for r in peer.wait_for_records(4, 5)] == ["intent", "completion"] * 2


def test_a_kernel_that_never_imports_qiskit_never_loads_our_capture(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path) as kernel:
        loaded = kernel.text(
            "import sys; print(sorted(m for m in sys.modules if m.startswith(('qsec', 'qiskit'))))"
        )
    assert "capture" not in loaded
    assert "'qiskit" not in loaded


def test_a_run_in_a_silent_control_planes_time_is_not_delayed(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path) as kernel:
        peer.silent.add("record")
        kernel.run(BELL)
        took = kernel.text(
            "import time; t = time.time(); AerSimulator().run(bell).result(); print(time.time() - t)"
        )
        assert float(took) < 2
        assert "not acknowledged" in json.dumps(result(kernel.run("%qsec status")))
