"""qiskit-ibm-runtime: what derives from nothing of Qiskit's, the choke point, sessions, jobs found again.

The service is the real one; only its HTTP client is a stand-in, so that everything above the wire runs.
"""

import copy
import inspect
import types
import warnings

import pytest
from qsec_peer import wait_until

qiskit = pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    runtime = pytest.importorskip("qiskit_ibm_runtime")
    from qiskit_ibm_runtime import executor as _executor  # noqa: F401
    from qiskit_ibm_runtime.fake_provider.local_service import QiskitRuntimeLocalService

from qiskit import QuantumCircuit  # noqa: E402
from qiskit_aer import AerSimulator  # noqa: E402
from qiskit_ibm_runtime.fake_provider import FakeManilaV2  # noqa: E402

from qsec_jupyter.core.errors import Denied  # noqa: E402
from qsec_jupyter.kernel import execution, permission  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def recording_runtime(recording):
    yield
    permission._channel = permission._mode = None


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


class Wire:
    """What the service sends over HTTP; answers as the provider does."""

    def __init__(self) -> None:
        self.sent, self.results = [], []

    def program_run(self, **options):
        self.sent.append(options)
        return {"id": f"job-{len(self.sent)}", "backend": options["backend_name"]}

    def job_get(self, job_id, exclude_params=True):
        return {"id": job_id, "status": "Completed", "state": {"status": "Completed"}}

    def job_results(self, job_id):
        self.results.append(job_id)
        return '{"value": 7}'

    def create_session(self, *args, **options):
        return {"id": "session-1"}

    def close_session(self, session_id):
        return None


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def service(wire):
    """The real service class, made without its login."""
    made = object.__new__(runtime.QiskitRuntimeService)
    made._channel_strategy = None
    made._account = types.SimpleNamespace(channel="ibm_quantum_platform")
    made._channel = "ibm_quantum_platform"
    made._api_clients = {"crn": wire}
    made._active_api_client = wire
    made._backend_configs = {}
    made._check_instance_usage = lambda: None
    return made


@pytest.fixture
def backend(service):
    """A fake device with what the service asks of a real one."""
    made = FakeManilaV2()
    made._instance = "crn"
    made._service = service
    made.service = service
    made.status = lambda: types.SimpleNamespace(operational=True, status_msg="active")
    service.backend = lambda name=None, **_: made
    return made


def submit(service, backend, **options):
    return service._run(program_id="sampler", inputs={}, options={"backend": backend}, **options)


class MySampler(qiskit.primitives.BaseSamplerV2):
    """A user's sampler that ends at the service."""

    def __init__(self, service, backend) -> None:
        self._service, self._backend = service, backend

    def run(self, pubs, *, shots=None):
        return submit(self._service, self._backend)


def test_everything_that_runs_outside_a_base_class_is_hooked():
    found = [runtime.Executor, runtime.NoiseLearner, runtime.noise_learner_v3.noise_learner_v3.NoiseLearnerV3]
    for cls in found:
        assert cls.run.__qsec__, cls
    for cls in (runtime.QiskitRuntimeService, QiskitRuntimeLocalService):
        assert cls._run.__qsec__
        assert inspect.signature(cls._run) == inspect.signature(cls._run.__wrapped__)
    assert QiskitRuntimeLocalService._run_executor.__qsec__
    assert runtime.RuntimeJobV2.result.__qsec__


def test_an_executor_in_local_mode_is_one_run_with_its_program(peer):
    circuit = qiskit.transpile(bell(), AerSimulator())
    program = runtime.quantum_program.QuantumProgram(shots=13)
    program.append_circuit_item(circuit)
    result = runtime.Executor(mode=AerSimulator()).run(program).result()
    assert result is not None
    intent, completion = peer.wait_for_records(2)
    assert intent["operation"] == "qiskit_ibm_runtime.Executor.run"
    assert (intent["execution"]["type"], intent["execution"]["shots"]) == ("executor", 13)
    assert len(intent["execution"]["circuits"][0]["structural_hash"]["value"]) == 64
    assert completion["status"] == "done"
    assert peer.untracked == []


def test_a_session_in_local_mode_records_its_samplers(peer):
    backend = FakeManilaV2()
    with runtime.Session(backend=backend) as session:
        runtime.SamplerV2(mode=session).run([qiskit.transpile(bell(), backend)], shots=5).result()
    with runtime.Batch(backend=backend) as batch:
        runtime.SamplerV2(mode=batch).run([qiskit.transpile(bell(), backend)], shots=5).result()
    records = peer.wait_for_records(4)
    assert [r["kind"] for r in records].count("intent") == 2
    assert len({r["run_id"] for r in records}) == 2
    assert peer.untracked == []


def test_a_submission_past_the_record_is_reported_and_goes_through(peer, service, backend, wire):
    job = submit(service, backend)
    assert job.job_id() == "job-1"
    assert wait_until(lambda: peer.untracked)
    (told,) = peer.untracked
    assert told["operation"] == "qiskit_ibm_runtime.QiskitRuntimeService._run"
    assert (told["program"], told["backend"]) == ("sampler", backend.name)
    assert told["source"]["cell_id"] == "cell-7"
    assert len(wire.sent) == 1


def test_a_submission_of_a_recorded_call_is_not_reported(peer, service, backend, wire):
    job = MySampler(service, backend).run([bell()])
    assert wait_until(lambda: "job-1" in peer.jobs)
    execution.recorder.flush(2)
    assert peer.untracked == []
    assert [r["kind"] for r in peer.records] == ["intent"]
    assert peer.jobs["job-1"] == peer.records[0]["run_id"]
    assert wire.results == []
    assert job.result() == {"value": 7}
    completion = peer.wait_for_records(2)[1]
    assert (completion["status"], completion["job"]["id"]) == ("done", "job-1")
    assert wire.results == ["job-1"]


def test_switched_off_a_submission_is_nobodys_business(peer, service, backend):
    execution.switch(on=False)
    try:
        submit(service, backend)
    finally:
        execution.switch(on=True)
    execution.recorder.flush(2)
    assert peer.untracked == []


def retrieved(service, backend, wire, job_id):
    """The job as ``service.job(id)`` makes it in a kernel that did not submit it."""
    return runtime.RuntimeJobV2(backend, wire, job_id, "sampler", service)


def test_a_job_of_an_earlier_kernel_completes_its_run_when_it_is_read(peer, service, backend, wire):
    peer.jobs["job-9"] = "f" * 32
    job = retrieved(service, backend, wire, "job-9")
    execution.recorder.flush(1)
    assert (peer.records, wire.results) == ([], [])
    assert job.result() == {"value": 7}
    assert job.result() == {"value": 7}
    (completion,) = peer.wait_for_records(1)
    execution.recorder.flush(1)
    assert len(peer.records) == 1
    assert (completion["run_id"], completion["kind"]) == ("f" * 32, "completion")
    assert (completion["status"], completion["job"]) == ("done", {"id": "job-9"})
    assert wire.results == ["job-9", "job-9"]


def test_a_job_that_nobody_recorded_is_a_gap_and_no_run(peer, service, backend, wire):
    assert retrieved(service, backend, wire, "job-77").result() == {"value": 7}
    assert wait_until(lambda: peer.gaps)
    assert "run.unknown_job" in peer.gaps[0]["what"]
    assert peer.records == []


def test_the_end_of_a_found_job_waits_for_a_control_plane_that_is_down(peer, service, backend, wire):
    peer.jobs["job-9"] = "f" * 32
    peer.go_down()
    retrieved(service, backend, wire, "job-9").result()
    assert wait_until(lambda: execution.recorder.waiting == 1)
    peer.come_back()
    assert peer.wait_for_records(1)[0]["run_id"] == "f" * 32


def test_a_cancelled_job_ends_its_run_and_a_timeout_does_not(peer, service, backend, wire):
    job = MySampler(service, backend).run([bell()])
    states = iter(["Running", "Cancelled"])

    def status(job_id, exclude_params=True):
        state = next(states, "Cancelled")
        return {"id": job_id, "status": state, "state": {"status": state}}

    wire.job_get = status
    with pytest.raises(Exception, match=r"[Tt]imed? ?out"):
        job.result(timeout=0)
    execution.recorder.flush(1)
    assert [r["kind"] for r in peer.records] == ["intent"]
    with pytest.raises(runtime.RuntimeInvalidStateError):
        job.result()
    completion = peer.wait_for_records(2)[1]
    assert (completion["status"], completion["error_type"]) == ("failed", "RuntimeInvalidStateError")


def test_remote_jobs_stay_what_they_were(service, backend):
    job = MySampler(service, backend).run([bell()])
    assert type(job) is runtime.RuntimeJobV2
    assert not any("qsec" in name for name in vars(job))
    assert copy.copy(job).job_id() == job.job_id()


# -- enforce -----------------------------------------------------------------------------------


@pytest.fixture
def enforced(peer, channel):
    peer.mode = "enforce"
    permission.start(channel)
    assert wait_until(permission.enforcing)


def test_a_run_without_permission_is_refused_before_it_is_submitted(enforced, peer, service, backend, wire):
    with pytest.raises(Denied) as refusal:
        MySampler(service, backend).run([bell()])
    assert (refusal.value.code, bool(refusal.value.remedy)) == ("run.no_grant", True)
    assert wire.sent == []
    asked = peer.asked[0]
    assert asked["backend"]["name"] == backend.name
    assert len(asked["circuits"][0]) == 64


def test_a_permitted_run_goes_through_and_its_job_is_returned(enforced, peer, service, backend, wire):
    peer.permitted = {backend.name}
    job = MySampler(service, backend).run([bell()])
    assert job.job_id() == "job-1"
    intent = peer.wait_for_records(1)[0]
    assert intent["execution"]["circuits"][0]["structural_hash"]["value"] == peer.asked[0]["circuits"][0]
    assert intent["run_id"] == peer.asked[0]["run_id"]


def test_no_answer_is_a_refusal(enforced, peer, service, backend, wire, monkeypatch):
    monkeypatch.setattr(permission, "SECONDS", 0.1)
    peer.silent.add("permit")
    with pytest.raises(Denied) as refusal:
        MySampler(service, backend).run([bell()])
    assert refusal.value.code == "run.not_decided"
    peer.close()
    with pytest.raises(Denied):
        MySampler(service, backend).run([bell()])
    assert wire.sent == []


def test_an_error_of_the_control_plane_is_a_refusal(enforced, peer, service, backend, wire):
    peer.go_down()
    with pytest.raises(Denied) as refusal:
        MySampler(service, backend).run([bell()])
    assert refusal.value.code == "run.not_decided"
    assert wire.sent == []


def test_a_submission_past_the_record_is_refused(enforced, service, backend, wire):
    with pytest.raises(Denied) as refusal:
        submit(service, backend)
    assert refusal.value.code == "run.untracked"
    assert wire.sent == []


def test_a_circuit_that_cannot_be_described_is_refused(enforced, peer, monkeypatch):
    peer.permitted = {"aer_simulator"}

    def broken(circuit, **_):
        raise RuntimeError("no")

    monkeypatch.setattr("qsec_jupyter.provenance.circuit.describe", broken)
    with pytest.raises(Denied) as refusal:
        AerSimulator().run(bell())
    assert refusal.value.code == "run.undescribed"


def test_permission_for_one_backend_does_not_carry_another_one_in(enforced, peer, service, backend, wire):
    class Smuggler(AerSimulator):
        def run(self, circuits, **options):
            return MySampler(service, backend).run([circuits])

    peer.permitted = {"aer_simulator"}
    with pytest.raises(Denied):
        Smuggler().run(bell())
    assert wire.sent == []


def test_nested_calls_on_the_permitted_backend_need_no_second_answer(enforced, peer):
    from qiskit_aer.primitives import SamplerV2

    peer.permitted = {"aer_simulator"}
    SamplerV2().run([bell()], shots=5).result()
    assert len(peer.asked) == 1


def test_recording_cannot_be_switched_off_where_runs_need_permission(enforced):
    with pytest.raises(Denied) as refusal:
        execution.switch(on=False)
    assert refusal.value.code == "run.enforced"


def test_before_the_first_answer_the_state_folder_says_what_to_assume(peer, channel, tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    (tmp_path / "enforce").touch()
    peer.silent.add("hello")
    permission.start(channel)
    assert permission.enforcing()
    (tmp_path / "enforce").unlink()
    permission.start(channel)
    assert not permission.enforcing()
