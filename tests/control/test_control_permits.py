"""Runs that need permission, jobs that outlive their kernel, and submissions that nobody announced."""

import pytest
from catalogue import target

from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.catalog import load_catalog
from qsec_jupyter.control.policy.context import Situation
from qsec_jupyter.control.policy.engine import PolicyEngine
from qsec_jupyter.core.errors import Denied, Invalid, NotFound
from qsec_jupyter.core.model import Principal

RUN = "a" * 32
RUNS = """
[runs]
mode = "{mode}"
local = ["qiskit_aer.*"]
"""
SANDBOX = target(more='backends = ["ibm_*", "mock_?"]')


@pytest.fixture
def enforcing(make_plane, tmp_path):
    (tmp_path / "catalog.toml").write_text(RUNS.format(mode="enforce") + SANDBOX)
    return make_plane()


def plan(backend: str = "ibm_torino", kind: str = "qiskit_ibm_runtime.ibm_backend.IBMBackend", **more):
    return {
        "run_id": RUN,
        "operation": "qiskit_ibm_runtime.SamplerV2.run",
        "backend": {"name": backend, "type": kind},
        "circuits": ["0" * 64],
        "shots": 100,
        **more,
    }


def grant(plane, kernel: str = "k1"):
    return plane.access.request(plane.owner.by(kernel), Wish("sandbox", kernel, "first run", None, "30m"))


def test_the_shipped_catalogue_records(plane, tmp_path):
    assert plane.panel.snapshot(plane.owner)["mode"] == "record"
    assert not (tmp_path / "enforce").exists()


def test_enforcing_leaves_a_mark_that_goes_with_it(enforcing, make_plane, tmp_path):
    assert enforcing.panel.snapshot(enforcing.owner)["mode"] == "enforce"
    assert (tmp_path / "enforce").stat().st_mode & 0o777 == 0o600
    enforcing.close()
    enforcing.gone = True
    (tmp_path / "catalog.toml").write_text(RUNS.format(mode="record") + SANDBOX)
    make_plane()
    assert not (tmp_path / "enforce").exists()


def test_a_run_needs_an_active_grant_for_its_backend(enforcing, events):
    with pytest.raises(Denied) as refusal:
        enforcing.permits.decide(plan(), enforcing.owner.by("k1"))
    assert refusal.value.code == "run.no_grant"
    assert 'qsec.request("sandbox"' in refusal.value.remedy
    given = grant(enforcing)
    permit = enforcing.permits.decide(plan(), enforcing.owner.by("k1"))
    assert permit == {
        "run_id": RUN,
        "target": "sandbox",
        "grant_id": given.id,
        "policies": ["a-run-needs-an-active-grant"],
    }
    (permitted,) = events("run.permitted")
    assert permitted["data"]["circuits"] == ["0" * 64]
    assert permitted["data"]["policy"] == enforcing.policy.digest
    assert events("run.refused")[0]["data"]["rule"] == "run.no_grant"


def test_another_kernels_grant_permits_nothing(enforcing):
    grant(enforcing, "k2")
    with pytest.raises(Denied, match=r"."):
        enforcing.permits.decide(plan(), enforcing.owner.by("k1"))


def test_an_ended_grant_permits_nothing(enforcing):
    enforcing.ending.end(enforcing.owner, grant(enforcing).id, "revoke")
    with pytest.raises(Denied):
        enforcing.permits.decide(plan(), enforcing.owner.by("k1"))


def test_an_expired_grant_permits_nothing(enforcing, clock):
    grant(enforcing)
    clock.forward(minutes=31)
    with pytest.raises(Denied):
        enforcing.permits.decide(plan(), enforcing.owner.by("k1"))


def test_a_backend_of_no_target_is_refused_whatever_grants_there_are(enforcing):
    grant(enforcing)
    with pytest.raises(Denied) as refusal:
        enforcing.permits.decide(plan("rigetti_ankaa"), enforcing.owner.by("k1"))
    assert refusal.value.code == "run.unlisted_backend"


def test_a_local_simulator_is_free_and_a_listed_backend_is_not_local_by_its_type(enforcing):
    permit = enforcing.permits.decide(
        plan("aer_simulator", "qiskit_aer.backends.AerSimulator"), enforcing.owner.by("k1")
    )
    assert (permit["target"], permit["policies"]) == (None, ["local-simulators-are-free"])
    with pytest.raises(Denied) as refusal:
        enforcing.permits.decide(
            plan("ibm_torino", "qiskit_aer.backends.AerSimulator"), enforcing.owner.by("k1")
        )
    assert refusal.value.code == "run.no_grant"


def test_policy_decides_last():
    engine, guest = PolicyEngine.shipped(), Principal("guest", "Guest", "test")
    assert not engine.decide(guest, "run", "sandbox", Situation(granted=True)).allowed
    assert engine.decide(guest, "run", "sandbox", Situation(local=True)).allowed


@pytest.mark.parametrize("line", ['mode = "enforced"', "local = [1]", 'local = "qiskit.*"'])
def test_a_catalogue_that_says_it_wrongly_is_refused(tmp_path, line):
    (tmp_path / "catalog.toml").write_text(f"[runs]\n{line}\n")
    with pytest.raises(Invalid, match=r"."):
        load_catalog(tmp_path)


# -- jobs --------------------------------------------------------------------------------------


def intent(run_id: str = RUN):
    return {
        "run_id": run_id,
        "kind": "intent",
        "time": "2026-01-31T09:00:00.000Z",
        "framework": "qiskit",
        "operation": "qiskit_ibm_runtime.SamplerV2.run",
        "backend": {"name": "ibm_torino"},
        "execution": {"type": "sampler", "circuits": [], "shots": 10},
    }


def completion(run_id: str = RUN, job: str | None = None):
    said = {"run_id": run_id, "kind": "completion", "status": "done", "time": "2026-01-31T09:00:09.000Z"}
    return {**said, **({"job": {"id": job}} if job else {})}


def test_a_later_kernel_completes_the_run_whose_job_it_read(plane, events):
    plane.evidence.record([intent()], "k1")
    plane.evidence.submitted(RUN, "Job-1", "session-1", "k1")
    assert plane.runs.of_job("Job-1")["run_id"] == RUN
    (result,) = plane.evidence.record([completion(job="Job-1")], "k2")
    assert "error" not in result
    (line,) = plane.runs.newest(None, 5)
    assert (line["status"], line["kernel_id"], line["job_id"]) == ("done", "k1", "Job-1")
    run = plane.runs.get(RUN)
    assert run["completion"]["predicate"]["recorder"]["kernel"] == "k2"
    assert run["completion"]["predicate"]["intent"]["statement"] == line["intent"]
    assert [e["data"]["job"] for e in events("run.submitted")] == ["Job-1"]


@pytest.mark.parametrize("job", [None, "job-2"])
def test_another_kernel_completes_nothing_else(plane, job):
    plane.evidence.record([intent()], "k1")
    plane.evidence.submitted(RUN, "job-1", None, "k1")
    (result,) = plane.evidence.record([completion(job=job)], "k2")
    assert result["error"]["code"] == "record.foreign_run"
    assert plane.runs.newest(None, 1)[0]["status"] == "running"


def test_another_kernel_claims_no_job_of_a_run(plane):
    plane.evidence.record([intent()], "k1")
    with pytest.raises(NotFound):
        plane.evidence.submitted(RUN, "job-1", None, "k2")
    with pytest.raises(NotFound):
        plane.runs.of_job("job-1")


def test_a_job_is_found_by_its_whole_name_and_noted_once(plane, events):
    plane.evidence.record([intent()], "k1")
    for _ in range(2):
        plane.evidence.submitted(RUN, "job-10", None, "k1")
    with pytest.raises(NotFound):
        plane.runs.of_job("job-1")
    assert len(events("run.submitted")) == 1


def test_a_job_that_the_database_forgot_is_read_back_from_the_ledger(plane, make_plane, broker):
    plane.evidence.record([intent()], "k1")
    before = plane.store.one(tables_runs(), {"run_id": RUN})
    plane.evidence.submitted(RUN, "job-1", None, "k1")
    plane.store.change(
        tables_runs(), {"run_id": RUN}, {"summary": before["summary"], "searched": before["searched"]}
    )
    plane.evidence.recover()
    assert plane.runs.of_job("job-1")["run_id"] == RUN


def tables_runs():
    from qsec_jupyter.control import tables

    return tables.runs


# -- past the record ---------------------------------------------------------------------------


def test_a_submission_past_the_record_is_an_event_and_one_finding(plane, events):
    about = {"operation": "S._run", "program": "sampler", "backend": "ibm_torino", "cell_id": "c1"}
    assert plane.findings.record_untracked("a.ipynb", about) == 1
    assert plane.findings.record_untracked("a.ipynb", about) == 0
    (finding,) = plane.findings.listed()
    assert (finding["rule"], finding["severity"], finding["path"]) == (
        "run-without-intent",
        "high",
        "a.ipynb",
    )
    assert finding["cell_id"] == "c1"
