"""The unmodified Runtime client against a real sandbox: it has to take it for its provider."""

import contextlib
import logging
from datetime import datetime, timedelta

import numpy as np
import pytest

pytest.importorskip("qiskit_ibm_runtime")

from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import (
    Batch,
    Estimator,
    Executor,
    NoiseLearner,
    QiskitRuntimeService,
    Sampler,
    Session,
)
from qiskit_ibm_runtime.accounts.exceptions import InvalidAccountError
from qiskit_ibm_runtime.exceptions import (
    IBMNotAuthorizedError,
    IBMRuntimeError,
    RuntimeInvalidStateError,
    RuntimeJobFailureError,
    RuntimeJobMaxTimeoutError,
    RuntimeJobNotFound,
    RuntimeJobTimeoutError,
)
from qiskit_ibm_runtime.executor_estimator import EstimatorV2 as ClientEstimator
from qiskit_ibm_runtime.executor_sampler import SamplerV2 as ClientSampler
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from sandbox_server import wait_for

pytestmark = [
    pytest.mark.filterwarnings("default::DeprecationWarning"),  # of the client's own classes
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


@pytest.fixture
def service(sandbox, monkeypatch):
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    return sandbox.service()


@pytest.fixture
def backend(service):
    return service.backend("sandbox_manila")


def now():
    return datetime.now().astimezone()


def bell(backend, measured=True):
    circuit = QuantumCircuit(2, name="bell")
    circuit.h(0)
    circuit.cx(0, 1)
    if measured:
        circuit.measure_all()
    return generate_preset_pass_manager(backend=backend, optimization_level=1).run(circuit)


def test_instances_and_backends(sandbox, service):
    assert {each["name"] for each in service.instances()} == set(sandbox.instances)
    assert service.active_instance() == sandbox.crn
    names = [each.name for each in service.backends()]
    assert names == ["sandbox_manila", "sandbox_lima", "sandbox_cairo", "sandbox_brisbane"]
    assert any(each.is_mock for each in service.backends(include_mocks=True))
    assert [each.name for each in service.backends(min_num_qubits=100)] == ["sandbox_brisbane"]


def test_instance_by_name_and_by_preference(sandbox, service):
    assert sandbox.service("sandbox-premium").active_instance() == sandbox.instances["sandbox-premium"]
    chosen = QiskitRuntimeService(
        token=sandbox.key,
        instance="auto",
        region="eu-de",
        url_resolver=lambda *_: sandbox.runtime,
        channel="ibm_quantum_platform",
    )
    assert chosen.backend("sandbox_cairo")
    assert chosen.active_instance() == sandbox.instances["sandbox-premium"]


def test_least_busy_avoids_a_queue(sandbox, service):
    sandbox.admin("PUT", "devices/sandbox_brisbane", {"online": False})
    try:
        assert service.least_busy(min_num_qubits=20).name == "sandbox_cairo"
        status = service.backend("sandbox_brisbane").status()
        assert (status.operational, status.status_msg) == (False, "internal")
    finally:
        sandbox.admin("PUT", "devices/sandbox_brisbane", {"online": True})


def test_properties_of_a_time_and_of_a_calibration(service, backend):
    newest = backend.properties()
    assert newest.backend_name == "sandbox_manila"
    assert now() - newest.last_update_date < timedelta(hours=6)
    older = backend.properties(datetime=now() - timedelta(days=3))
    assert older.last_update_date < newest.last_update_date
    assert older.t1(0) != newest.t1(0)
    calibration = older.to_dict()["calibration_id"]
    assert service.backend("sandbox_manila", calibration_id=calibration).properties().t1(0) == older.t1(0)
    assert backend.target.num_qubits == 5
    assert 0 < backend.target["cx"][(0, 1)].error < 0.1


def test_sampler_gives_noisy_counts_usage_and_price(sandbox, service, backend):
    job = Sampler(mode=backend).run([bell(backend)], shots=1000)
    counts = job.result()[0].data.meas.get_counts()
    assert sum(counts.values()) == 1000
    assert counts["00"] + counts["11"] > 850
    assert len(counts) > 2, "a device without noise"
    assert job.usage() == pytest.approx(1.25)
    assert job.metrics()["sandbox"] == {"cost": 2.0, "currency": "EUR"}
    assert job.metrics()["num_qubits"] == [5]
    assert "sandbox" in job.logs()
    assert job.properties().backend_name == "sandbox_manila"
    assert service.usage()["usage_consumed_seconds"] >= 1


def test_sampler_with_parameters(backend):
    theta = Parameter("theta")
    circuit = QuantumCircuit(1)
    circuit.rx(theta, 0)
    circuit.measure_all()
    isa = generate_preset_pass_manager(backend=backend, optimization_level=1).run(circuit)
    job = Sampler(mode=backend).run([(isa, np.linspace(0, np.pi, 5))], shots=400)
    bits = job.result()[0].data.meas
    assert bits.shape == (5,)
    assert bits.slice_shots(range(400))[0].get_counts().get("0", 0) > 340
    assert bits[4].get_counts().get("1", 0) > 340
    assert job.inputs["pubs"][0][0].num_parameters == 1


def test_estimator(backend):
    isa = bell(backend, measured=False)
    from qiskit.quantum_info import SparsePauliOp

    observables = [SparsePauliOp(name).apply_layout(isa.layout) for name in ("ZZ", "XX", "ZI")]
    result = Estimator(mode=backend).run([(isa, observables)], precision=0.03).result()[0]
    assert result.data.evs[:2] == pytest.approx([0.9, 0.9], abs=0.15)
    assert result.data.evs[2] == pytest.approx(0, abs=0.15)
    assert result.metadata["target_precision"] == 0.03


def test_estimator_obeys_twirled_shots_and_measures_what_is_only_observed(service):
    from qiskit.quantum_info import SparsePauliOp

    wide = service.backend("sandbox_cairo")
    estimator = Estimator(mode=wide)
    estimator.options.default_shots = 7
    estimator.options.twirling.num_randomizations = 16
    estimator.options.twirling.shots_per_randomization = 25
    result = estimator.run([(bell(wide, measured=False), SparsePauliOp("Z" * wide.num_qubits))]).result()[0]
    assert result.metadata["shots"] == 400
    assert result.data.evs == pytest.approx(0.5, abs=0.5), "27 qubits of which 25 idle, each read with noise"


def test_executor_and_the_primitives_built_on_it(backend):
    isa = bell(backend)
    program = QuantumProgram(shots=200)
    program.append_circuit_item(isa)
    result = Executor(mode=backend).run(program).result()
    assert result[0]["meas"].shape == (200, 2)
    counts = ClientSampler(mode=backend).run([isa], shots=300).result()[0].data.meas.get_counts()
    assert sum(counts.values()) == 300
    from qiskit.quantum_info import SparsePauliOp

    bare = bell(backend, measured=False)
    estimator = ClientEstimator(mode=backend)
    pub = (bare, SparsePauliOp("ZZ").apply_layout(bare.layout))
    assert estimator.run([pub], precision=0.05).result()[0].data.evs == pytest.approx(0.9, abs=0.2)


def test_dry_run_answers_at_random(backend):
    job = Sampler(mode=backend).run([bell(backend)], shots=400, dry_run=True)
    assert job.backend().name == "mock_manila"
    assert len(job.result()[0].data.meas.get_counts()) == 4


def test_session_takes_jobs_until_it_is_closed(sandbox, service, backend):
    sandbox.set(execution="random")
    with Session(backend=backend, max_time="1h") as session:
        assert session.status() == "Pending"
        job = Sampler(mode=session).run([bell(backend)], shots=10)
        job.result()
        assert job.session_id == session.session_id
        assert session.details()["max_time"] == 3600
        assert session.status() == "In progress, accepting new jobs"
    assert session.status() == "Closed"
    assert session.usage() > 0
    assert [each.job_id() for each in service.jobs(session_id=session.session_id)] == [job.job_id()]
    with pytest.raises(IBMRuntimeError, match="The session is closed"):
        Sampler(mode=Session.from_id(session.session_id, service=service)).run([bell(backend)], shots=10)


def test_closed_session_is_refused_by_the_provider_too(sandbox, backend):
    session = Session(backend=backend)
    assert sandbox.call("DELETE", f"/sessions/{session.session_id}/close").status_code == 204
    with pytest.raises(IBMRuntimeError, match="Session has been closed"):
        Sampler(mode=session).run([bell(backend)], shots=10)


def test_batch_and_cancelled_session(sandbox, backend):
    sandbox.set(execution="random", queue_seconds=30)
    batch = Batch(backend=backend)
    jobs = [Sampler(mode=batch).run([bell(backend)], shots=10) for _ in range(3)]
    assert batch.details()["mode"] == "batch"
    batch.cancel()
    assert [job.status() for job in jobs] == ["CANCELLED"] * 3
    assert batch.status() == "Closed"
    with pytest.raises(RuntimeInvalidStateError, match="Job was cancelled"):
        jobs[0].result()


def test_session_ends_after_its_longest_time(sandbox, backend):
    sandbox.set(execution="random", session_seconds=1)
    session = Session(backend=backend)
    Sampler(mode=session).run([bell(backend)], shots=10).result()
    wait_for(lambda: session.status() == "Closed")


def test_queued_job_is_cancelled_and_deleted(sandbox, service, backend):
    sandbox.set(queue_seconds=30)
    job = Sampler(mode=backend).run([bell(backend)])
    assert job.status() == "QUEUED"
    assert job.metrics()["position_in_queue"] == 0
    assert service.backend("sandbox_manila").status().pending_jobs == 1
    job.cancel()
    assert job.status() == "CANCELLED"
    with pytest.raises(RuntimeInvalidStateError):
        job.cancel()
    service.delete_job(job.job_id())
    with pytest.raises(RuntimeJobNotFound):
        service.job(job.job_id())


def test_running_job_is_cancelled_and_the_next_one_runs(sandbox, backend):
    sandbox.set(run_seconds=60)
    job = Sampler(mode=backend).run([bell(backend)])
    wait_for(lambda: job.status() == "RUNNING")
    job.cancel()
    sandbox.set(run_seconds=0)
    following = Sampler(mode=backend).run([bell(backend)], shots=10)
    assert following.result()[0].data.meas.num_shots == 10
    assert job.status() == "CANCELLED"


def test_job_that_runs_too_long(sandbox, backend):
    sandbox.set(run_seconds=30)
    sampler = Sampler(mode=backend, options={"max_execution_time": 1})
    job = sampler.run([bell(backend)])
    with pytest.raises(RuntimeJobMaxTimeoutError, match="maximum execution time"):
        job.result()
    assert job.status() == "ERROR"


def test_failed_job_shows_its_reason(sandbox, backend):
    sandbox.fault({"kind": "job-failure", "reason": "A cosmic ray struck.", "code": 4711})
    job = Sampler(mode=backend).run([bell(backend)], shots=10)
    with pytest.raises(RuntimeJobFailureError, match="Error code 4711; A cosmic ray struck"):
        job.result()
    assert "cosmic ray" in job.error_message()


def test_what_cannot_be_run_is_refused_readably(backend):
    learner = NoiseLearner(mode=backend)
    with pytest.raises(IBMRuntimeError, match="The sandbox cannot run the program noise-learner"):
        learner.run([bell(backend, measured=False)])
    sampler = Sampler(mode=backend)
    sampler.options.execution.meas_type = "kerneled"
    with pytest.raises(RuntimeJobFailureError, match="it has no kerneled data"):
        sampler.run([bell(backend)]).result()


def jobs_found_by_filters(sandbox, service, backend):
    """Submit four jobs and find them; return a function that finds them by other filters, and when it was."""
    sandbox.set(execution="none")
    before = now()
    sampler = Sampler(mode=backend)
    sampler.options.environment.job_tags = ["spring", "bell"]
    jobs = [sampler.run([bell(backend)]).job_id() for _ in range(3)]
    sampler.options.environment.job_tags = ["autumn"]
    other = sampler.run([bell(backend)]).job_id()

    def found(**filters):
        return [job.job_id() for job in service.jobs(created_after=before, **filters)]

    assert found() == [other, *reversed(jobs)]
    assert found(descending=False) == [*jobs, other]
    assert found(limit=2) == [other, jobs[2]]
    assert found(limit=2, skip=2) == [jobs[1], jobs[0]]
    assert found(job_tags=["bell", "spring"]) == list(reversed(jobs))
    assert found(job_tags=["bell", "autumn"]) == []
    assert found(backend_name="sandbox_cairo") == []
    assert len(found(pending=False)) == 4
    return found, before


def test_jobs_are_found_by_every_filter(sandbox, service, backend):
    found, before = jobs_found_by_filters(sandbox, service, backend)
    assert found(limit=None) == found()
    assert found(program_id="estimator") == []
    assert found(pending=True) == []
    assert service.jobs(created_before=before, created_after=before) == []
    assert service.jobs(instance=sandbox.instances["sandbox-internal"]) == []


def test_tags_change(sandbox, service, backend):
    sandbox.set(execution="none")
    job = Sampler(mode=backend).run([bell(backend)])
    assert set(job.update_tags(["one", "two"])) == {"one", "two"}
    assert service.job(job.job_id()).tags == job.tags


def test_private_job_is_read_once(sandbox, service, backend):
    sandbox.set(execution="random")
    sampler = Sampler(mode=backend)
    sampler.options.environment.private = True
    job = sampler.run([bell(backend)], shots=10)
    assert job.private
    assert job.result()[0].data.meas.num_shots == 10
    assert job.inputs == {}
    assert job.result() is None


def test_used_up_instance_warns_and_refuses(sandbox, backend):
    sandbox.set(execution="none", usage_limit_seconds=0)
    with (
        pytest.warns(UserWarning, match="usage limit|no more time"),
        pytest.raises(IBMRuntimeError, match="met its usage limit"),
    ):
        Sampler(mode=backend).run([bell(backend)])


def test_reservation_keeps_others_waiting(sandbox, service, backend):
    sandbox.set(execution="random")
    start = now().timestamp()
    window = {
        "backend": "sandbox_manila",
        "instance": "sandbox-premium",
        "start": start - 5,
        "end": start + 60,
    }
    reserved = sandbox.admin("POST", "reservations", window)
    other = sandbox.call("GET", "/reservations", crn=sandbox.instances["sandbox-premium"]).json()
    assert [each["id"] for each in other["reservations"]] == [reserved["id"]]
    assert sandbox.call("GET", "/reservations").json() == {"reservations": []}
    waiting = Sampler(mode=backend).run([bell(backend)], shots=10)
    owner = sandbox.service("sandbox-premium")
    mine = owner.backend("sandbox_manila")
    assert Sampler(mode=mine).run([bell(mine)], shots=10).result()
    assert waiting.status() == "QUEUED"
    sandbox.admin("DELETE", f"reservations/{reserved['id']}")
    assert waiting.result()


def test_wrong_key_and_foreign_instance(sandbox, service):
    with pytest.raises(InvalidAccountError):
        QiskitRuntimeService(
            token="x" * 44,
            instance=sandbox.crn,
            url_resolver=lambda *_: sandbox.runtime,
            channel="ibm_quantum_platform",
        )
    foreign = sandbox.crn.replace("us-east", "eu-de")
    with pytest.raises(Exception, match="does not have access to the instance"):
        sandbox.service(foreign)


def test_expired_bearer_is_told_apart(sandbox, service, backend):
    sandbox.fault("expired-token path=/api/v1/backends/*")
    with pytest.raises(IBMNotAuthorizedError):
        backend.status()


def test_a_new_job_is_not_among_the_ten_oldest_of_an_account_that_was_used(sandbox, service, backend):
    sandbox.set(execution="none")
    before = now()
    sampler = Sampler(mode=backend)
    for _ in range(10):
        sampler.run([bell(backend)])
    job = sampler.run([bell(backend)])
    job.wait_for_final_state()
    about = {"pending": False, "created_after": before}
    assert job.job_id() in [one.job_id() for one in service.jobs(limit=20, descending=True, **about)]
    assert job.job_id() not in [one.job_id() for one in service.jobs(limit=10, descending=False, **about)]


def test_a_wait_that_is_too_short_for_a_queue_is_said(sandbox, service, backend):
    sandbox.set(execution="none", queue_seconds=3)
    job = Sampler(mode=backend).run([bell(backend)])
    with pytest.raises(RuntimeJobTimeoutError):
        job.wait_for_final_state(0.1)
    with pytest.raises(RuntimeJobTimeoutError):
        job.result(timeout=0.1)
    job.wait_for_final_state(60)
    assert job.result() is not None


def test_client_repeats_a_submit_after_500_and_makes_two_jobs_after_a_lost_answer(sandbox, service, backend):
    sandbox.set(execution="none")
    before = len(sandbox.jobs())
    sandbox.fault("500 path=/api/v1/jobs method=POST")
    Sampler(mode=backend).run([bell(backend)])
    assert len(sandbox.jobs()) == before + 1
    sandbox.fault("drop-after path=/api/v1/jobs method=POST")
    with contextlib.suppress(IBMRuntimeError):
        Sampler(mode=backend).run([bell(backend)])
    assert len(sandbox.jobs()) >= before + 2, "the provider took what the client did not hear of"
