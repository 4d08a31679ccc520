"""The user's unmodified clients go on after a crash of the control plane: nobody has to ask anew."""

import logging
import sys
import threading
import time

import pytest

pytest.importorskip("qiskit_ibm_runtime")

from gateway_child import entry
from jupyter_process import Jupyter

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.credential import Credential

pytestmark = [pytest.mark.timeout(240), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_ibms_client_goes_on_with_the_service_that_it_has(start_gated, sandbox) -> None:
    from qiskit import QuantumCircuit
    from qiskit_ibm_runtime import Sampler

    from qsec_jupyter.kernel.runtime import service as made

    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    gated = start_gated(entry(sandbox), {"ibm-pilot": sandbox.key})
    gated.grant()
    issued = gated.credential()
    service = made(Credential(Secret(issued["value"], "ibm-pilot"), public=issued["public"]), {})
    backend = service.backend("sandbox_manila")
    circuit = QuantumCircuit(2, name="mine")
    circuit.x(0)
    circuit.measure_all()
    before = Sampler(backend).run([(circuit, None, 16)])
    assert before.result()[0].data.meas.num_shots == 16
    gated.kill()
    # A call of the time between waits for the control plane that comes.
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.extend(job.job_id() for job in service.jobs()))
    asking.start()
    time.sleep(0.5)
    assert asking.is_alive()
    start_gated(entry(sandbox), {})
    asking.join(60)
    assert found == [before.job_id()]
    assert before.result()[0].data.meas.num_shots == 16
    assert service.job(before.job_id()).inputs["pubs"][0][0].name == "mine"
    after = Sampler(backend).run([(circuit, None, 8)])
    assert after.result()[0].data.meas.num_shots == 8
    assert {job.job_id() for job in service.jobs()} == {before.job_id(), after.job_id()}


def test_amazons_sdk_goes_on_with_the_session_that_it_has(start_gated, braket_server, monkeypatch) -> None:
    pytest.importorskip("braket.aws")
    from braket.aws import AwsDevice, AwsQuantumTask
    from braket.circuits import Circuit
    from braket_server import DEVICE, KEY, entry

    from qsec_jupyter.kernel.braket_session import session

    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    catalogue = entry(braket_server.address)
    gated = start_gated(catalogue, {"amazon": KEY})
    gated.grant(target="amazon")
    issued = gated.credential(target="amazon")
    aws = session(Credential(Secret(issued["value"], "amazon"), public=issued["public"]))
    bell = Circuit().h(0).cnot(0, 1)
    task = AwsDevice(DEVICE, aws).run(bell, shots=10, poll_interval_seconds=0.1)
    gated.kill()
    start_gated(catalogue, {})
    assert sum(task.result().measurement_counts.values()) == 10
    again = AwsQuantumTask(task.id, aws)
    assert again.state() == "COMPLETED"
    assert sum(AwsDevice(DEVICE, aws).run(bell, shots=20).result().measurement_counts.values()) == 20


PROGRAM = """
import os, psutil
import qsec_jupyter as qsec
service = qsec.runtime_service("ibm-pilot")
names = [one.name for one in service.backends()]
(control,) = [one for one in psutil.Process(os.getppid()).children() if "serve" in one.cmdline()]
control.kill()
assert service.jobs() == []
assert [one.name for one in service.backends()] == names
print("it went on")
"""


def test_a_program_goes_on_whose_control_plane_was_killed(tmp_path, sandbox) -> None:
    begun = Jupyter(tmp_path, entry(sandbox), {"ibm-pilot": sandbox.key}, start=False)
    done = begun.qsec("run", "--as-me", "--target", "ibm-pilot", "--", sys.executable, "-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert "it went on" in done.stdout
    assert len(begun.events("control.started")) == 2
    assert len(begun.events("credential.issued")) == 1
