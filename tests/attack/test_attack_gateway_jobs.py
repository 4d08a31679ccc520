"""Claim: no job passes the gateway that its grant, envelope, quota, approval and policy do not let pass.

Each test is one attempt at more, at a whole control plane, or two that share a state folder.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from control_fakes import Clock, FakeBroker
from gateway_jobs import FakeAccount, ask, catalogue, circuit, pass_of, send, submission

from qsec_jupyter.control import grant_parts
from qsec_jupyter.control.callers import Caller
from qsec_jupyter.control.control_plane import ControlPlane
from qsec_jupyter.control.gateway.envelope import matches
from qsec_jupyter.control.gateway.model import Reservation
from qsec_jupyter.control.policy.bundle import SHIPPED, Place
from qsec_jupyter.control.policy.live import LivePolicy
from qsec_jupyter.core.errors import Denied, NotFound, QsecError
from qsec_jupyter.core.model import Principal


@pytest.fixture
def lab(tmp_path):
    """Return a function that opens control planes of one state folder, each a Jupyter Server's own."""
    opened = []

    def make(envelope="", target="", server_id="server-1", roles=("researcher", "approver"), rest=""):
        (tmp_path / "catalog.toml").write_text(catalogue(envelope, target) + rest)
        who = Principal("ada", "Ada", "local account", roles=roles)
        plane = ControlPlane(tmp_path, FakeBroker(), LivePolicy(Place(tmp_path)), who, server_id, Clock())
        opened.append(plane)
        plane.open()
        return plane

    yield make
    for plane in opened:
        plane.close()


def refused(plane, holder, job) -> str:
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(holder, job)
    assert refusal.value.remedy
    return refusal.value.code


# -- reservations ----------------------------------------------------------------------------------


def test_a_device_is_used_from_the_first_to_the_last_moment_of_its_reservation(lab, monkeypatch) -> None:
    account = FakeAccount()
    monkeypatch.setattr(grant_parts, "accounts_of", lambda policy: account.speak)
    plane = lab('reservations = ["r/*"]', "reservations = true")
    clock, begin = plane._clock, plane._clock()
    hour, instant = timedelta(hours=1), timedelta(microseconds=1)
    account.reserved = [
        Reservation(begin, begin + hour, "lab_5", "r/5"),
        Reservation(begin + hour, begin + 2 * hour, "lab_6", "r/6"),
    ]
    plane._keep_reservations()
    holder = pass_of(plane, ask(plane, duration="4h"))
    first = {"backend": "lab_5", "reservation": "r/5"}
    second = {"backend": "lab_6", "reservation": "r/6"}

    def at(moment, passes, **refusals) -> None:
        clock.moment = moment
        plane._keep_reservations()
        assert plane.jobs.admit(holder, submission(**passes, again=str(moment))).tag
        for code, job in refusals.items():
            assert refused(plane, holder, submission(**job, again=str(moment))) == f"envelope.{code}"

    crossed = {"backend": "lab_5", "reservation": "r/6"}
    at(begin, first, reservation=second, other_reservation=crossed)
    at(begin + hour - instant, first, reservation=second, other_reservation=crossed)
    at(begin + hour, second, reservation=first, other_reservation={**second, "reservation": "r/5"})
    at(begin + 2 * hour - instant, second, reservation=crossed)
    clock.moment = begin + 2 * hour
    assert refused(plane, holder, submission(**second)) == "grant.expired"


# -- quota -----------------------------------------------------------------------------------------


def passed(plane, holder, jobs) -> int:
    """Submit all of them at the same moment; return how many passed."""
    gate = threading.Barrier(len(jobs))

    def one(job) -> bool:
        gate.wait()
        try:
            return not plane.jobs.admit(holder, job).repeats
        except Denied as error:
            codes.add(error.code)
            return False

    codes: set[str] = set()
    with ThreadPoolExecutor(len(jobs)) as pool:
        found = sum(pool.map(one, jobs))
    assert codes == {"quota.exceeded"}
    return found


def test_threads_that_race_for_one_quota_never_get_more(lab) -> None:
    plane = lab("quota.user = {jobs = 3, shots = 100_000}")
    holder = pass_of(plane, ask(plane))
    assert passed(plane, holder, [submission(again=str(number)) for number in range(12)]) == 3


def test_two_control_planes_of_one_person_share_one_quota(lab) -> None:
    planes = [lab("quota.user.shots = 5000", server_id=f"server-{n}") for n in (1, 2)]
    holders = [pass_of(plane, ask(plane)) for plane in planes]
    found = []

    def race(number) -> None:
        jobs = [submission(again=f"{number}-{n}") for n in range(6)]
        found.append(passed(planes[number], holders[number], jobs))

    threads = [threading.Thread(target=race, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 5


def test_a_quota_of_projects_is_not_escaped_by_naming_none(lab) -> None:
    plane = lab("quota.project.jobs = 1")
    plane.jobs.admit(pass_of(plane, ask(plane)), submission())
    assert refused(plane, pass_of(plane, ask(plane, "k2")), submission(again="x")) == "quota.exceeded"


def test_many_cheap_jobs_cost_what_they_cost(lab) -> None:
    plane = lab("quota.user.cost = 0.05", 'price = { currency = "USD", per_shot = 0.001 }')
    holder = pass_of(plane, ask(plane))
    for number in range(12):
        plane.jobs.admit(holder, submission(shots=4, again=str(number)))
    assert refused(plane, holder, submission(shots=4, again="x")) == "quota.exceeded"
    plane.jobs.admit(holder, submission(shots=2))
    assert refused(plane, holder, submission(shots=1)) == "quota.exceeded"


@pytest.mark.parametrize("shots", [-5, -(2**40)])
def test_negative_shots_give_no_quota_back(lab, shots) -> None:
    plane = lab("max_shots = 1000\nquota.user.shots = 1000")
    assert refused(plane, pass_of(plane, ask(plane)), submission(shots=shots)) == "envelope.shots"


def test_negative_shots_are_refused_by_a_quota_alone(lab) -> None:
    plane = lab("quota.user.shots = 1000")
    holder = pass_of(plane, ask(plane))
    assert refused(plane, holder, submission(shots=-500)) == "envelope.shots"
    plane.jobs.admit(holder, submission(shots=1000))
    assert refused(plane, holder, submission(shots=1)) == "quota.exceeded"


# -- what was approved -----------------------------------------------------------------------------


def bound(plane):
    payload = {"circuits": [circuit("a").structural_hash], "backend": "lab_5", "shots": 1000}
    return pass_of(plane, ask(plane, payload=payload))


def test_a_changed_circuit_is_refused_after_approval(lab) -> None:
    plane = lab(target="bind_payload = true")
    assert refused(plane, bound(plane), submission(circuits=(circuit("b"),))) == "job.other_payload"


def test_a_hash_that_only_looks_alike_is_another_circuit(lab) -> None:
    plane = lab(target="bind_payload = true")
    holder = bound(plane)
    for changed in (str.upper, lambda text: text + "\u200b", lambda text: text.replace("a", "\u0430", 1)):
        one = circuit("a")
        fake = type(one)(changed(one.structural_hash), one.width, one.depth, one.size)
        assert refused(plane, holder, submission(circuits=(fake,))) == "job.other_payload"


def test_an_approval_is_not_replayed(lab) -> None:
    plane = lab(target="bind_payload = true")
    holder = bound(plane)
    send(plane, holder, submission(circuits=(circuit("a"),)), "job-1")
    for number in range(3):
        again = submission(circuits=(circuit("a"),), again=str(number))
        assert refused(plane, holder, again) == "job.approval_used"


def test_an_approval_is_not_used_twice_at_the_same_moment(lab) -> None:
    plane = lab(target="bind_payload = true")
    holder = bound(plane)
    gate, taken, codes = threading.Barrier(8), [], set()

    def one(number) -> None:
        gate.wait()
        try:
            taken.append(plane.jobs.admit(holder, submission(circuits=(circuit("a"),), again=str(number))))
        except Denied as error:
            codes.add(error.code)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert len(taken) == 1
    assert codes == {"job.approval_used"}


# -- whose it is -----------------------------------------------------------------------------------


def test_another_kernels_job_is_as_unknown_as_none(lab) -> None:
    plane = lab()
    mine, other = pass_of(plane, ask(plane)), pass_of(plane, ask(plane, "k2"))
    send(plane, mine, submission(), "job-1")
    for attempt in (
        lambda name: plane.jobs.owned(other, name),
        lambda name: plane.jobs.reading(other, name, "result"),
        lambda name: plane.jobs.reading(other, name, "cancel"),
        lambda name: plane.jobs.retagged(other, name, ("x",)),
    ):
        said = []
        for name in ("job-1", "job-2", "JOB-1", "job-1\x00", "../job-1"):
            with pytest.raises(NotFound) as refusal:
                attempt(name)
            said.append(str(refusal.value))
        assert len(set(said)) == 1


def test_another_persons_pass_with_my_grant_submits_nothing(lab) -> None:
    plane = lab()
    grant = ask(plane)
    eve = Principal("eve", "Eve", "local account", roles=("researcher",))
    holder = pass_of(plane, grant, caller=Caller(eve, "server-1", grant.kernel_id))
    assert refused(plane, holder, submission()) == "policy.denied"
    holder = pass_of(plane, grant, caller=plane.owner.by("k9"))
    assert refused(plane, holder, submission()) == "policy.denied"


def test_a_retrieve_grant_submits_nothing_whatever_its_token_says(lab) -> None:
    plane = lab()
    send(plane, pass_of(plane, ask(plane)), submission(), "job-1")
    follows = next(grant for grant in plane.lookup.listed(plane.owner) if grant.parent)
    for scope in ("submit", "retrieve", "metadata"):
        holder = pass_of(plane, follows, scope=scope)
        assert refused(plane, holder, submission(again=scope)) == "job.out_of_scope"


CAPS = "[caps]\ngrants_per_user = 2\nresults_per_user = 3"


def test_rights_to_read_results_keep_nobody_from_asking_and_are_no_way_past_the_cap(lab) -> None:
    plane = lab(rest=CAPS)
    grants = []
    for number in range(5):
        grants.append(ask(plane))
        send(plane, pass_of(plane, grants[-1]), submission(again=str(number)), f"job-{number}")
        plane.ending.end(plane.owner, grants[-1].id, "revoke")
    rights = [one for one in plane.lookup.listed(plane.owner) if one.parent]
    open_ = {one.jobs for one in rights if one.state == "active"}
    assert open_ == {("job-2",), ("job-3",), ("job-4",)}, "the newest, so many as may be"
    assert {one.jobs for one in rights if one.state == "revoked"} == {("job-0",), ("job-1",)}
    assert plane.sessions.retry()
    assert [ask(plane, f"k{number}").state for number in range(2)] == ["active", "active"]
    with pytest.raises(Denied) as refusal:
        ask(plane, "k3")
    assert refusal.value.code == "request.too_many"


def test_one_grant_brings_one_right_to_read_however_many_jobs_it_makes(lab) -> None:
    plane = lab(rest=CAPS)
    grant = ask(plane)
    for number in range(5):
        send(plane, pass_of(plane, grant), submission(again=str(number)), f"job-{number}")
    (right,) = [one for one in plane.lookup.listed(plane.owner) if one.parent]
    assert right.jobs == tuple(f"job-{number}" for number in range(5))


def test_a_provider_that_gives_an_id_twice_gives_no_job_away(lab) -> None:
    plane = lab()
    mine, other = pass_of(plane, ask(plane)), pass_of(plane, ask(plane, "k2"))
    send(plane, mine, submission(), "job-1")
    send(plane, other, submission(names={"q-1": "theirs"}), "job-1")
    assert plane.jobs.owned(mine, "job-1")
    assert plane.jobs.names("job-1") == {"q-1": "my secret circuit"}
    with pytest.raises(NotFound):
        plane.jobs.owned(other, "job-1")


# -- names and labels ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "backend",
    [
        "lab_5\u200b",
        "l\u0430b_5",
        "\uff4cab_5",
        "lab_5\n",
        "lab_5 ",
        " lab_5",
        "LAB_5",
        "",
        "lab_",
        "lab_/../ibm_dear",
        "lab_5:ibm_dear",
        "lab_" + "x" * 300,
        "*",
        "lab_*",
        "lab_?",
    ],
)
def test_a_backend_that_only_looks_like_one_is_refused(lab, backend) -> None:
    plane = lab('backends = ["lab_?", "lab_??"]')
    assert refused(plane, pass_of(plane, ask(plane)), submission(backend=backend)) == "envelope.backend"


def test_patterns_reach_over_no_separator() -> None:
    arn = "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1"
    assert matches(arn, "arn:aws:braket:us-east-1::device/qpu/ionq/*")
    dots = "arn.aws.braket.us-east-1..device/qpu/ionq/*"
    for pattern in ("arn:*", "*", "*/*", "arn:aws:braket:*/ionq/*", dots):
        assert not matches(arn, pattern)
    assert not matches("ibm_dear", "ibm.*")
    assert not matches("xibm_a", "ibm_*")
    assert not matches("ibm_a\n", "ibm_a")


@pytest.mark.parametrize(
    "tags",
    [
        (),
        ("production",),
        ("pilot", "production"),
        ("Pilot",),
        ("pilot ",),
        ("pil\u043et",),
        ("pilot,production",),
    ],
)
def test_labels_are_what_they_are(lab, tags) -> None:
    plane = lab('labels = {required = ["pilot"], allowed = ["dev"]}')
    assert refused(plane, pass_of(plane, ask(plane)), submission(tags=tags)) == "envelope.labels"


def test_a_label_that_is_refused_at_submission_is_refused_afterwards(lab) -> None:
    plane = lab('labels = {required = ["pilot"], allowed = []}')
    holder = pass_of(plane, ask(plane))
    send(plane, holder, submission(), "job-1")
    with pytest.raises(Denied):
        plane.jobs.retagged(holder, "job-1", ("pilot", "production"))
    with pytest.raises(Denied):
        plane.jobs.retagged(holder, "job-1", ())
    sent = plane.jobs.retagged(holder, "job-1", ("pilot",))
    assert sent[-1].startswith("qsec-"), "ours cannot be taken away"
    assert "pilot" not in sent, "what was hidden stays hidden"
    assert plane.jobs.names("job-1")[sent[0]] == "pilot"


# -- policy ----------------------------------------------------------------------------------------


def test_an_erroring_forbid_lets_nothing_pass(lab, tmp_path) -> None:
    folder = tmp_path / "policy"
    folder.mkdir()
    for file in SHIPPED.iterdir():
        (folder / file.name).write_text(file.read_text())
    overflow = "when { context.circuits + 9223372036854775807 > 0 };"
    rule = f'@id("fails") @advice("x") forbid (principal, action == Action::"submit", resource) {overflow}'
    (folder / "own.cedar").write_text(rule)
    (folder / "tests.toml").unlink()
    plane = lab()
    holder = pass_of(plane, ask(plane))
    with pytest.raises(Denied) as refusal:
        plane.jobs.admit(holder, submission())
    assert "policy-error" in refusal.value.detail
    assert plane.policy.failures == 1


def test_a_lock_stops_a_job_at_once(lab) -> None:
    plane = lab()
    holder = pass_of(plane, ask(plane))
    plane.locks.set(plane.principal, "user", "ada", "incident")
    assert refused(plane, holder, submission()) == "job.locked"


def test_no_job_slips_through_while_its_grant_ends(lab, monkeypatch) -> None:
    plane = lab("quota.user.jobs = 1")
    grant = ask(plane)
    intend = plane.jobs._book.intend

    def late(*args) -> None:
        plane.ending.end(plane.owner, grant.id, "revoke")  # it was active when it was looked at
        intend(*args)

    monkeypatch.setattr(plane.jobs._book, "intend", late)
    assert refused(plane, pass_of(plane, grant), submission()) == "grant.revoked"
    assert plane.jobs._book.rows({}) == []
    monkeypatch.undo()
    assert plane.jobs.admit(pass_of(plane, ask(plane, "k2")), submission()).tag, "its quota is back"


def test_nothing_that_was_refused_is_left_behind(lab) -> None:
    plane = lab("max_shots = 1\nquota.user.jobs = 5")
    holder = pass_of(plane, ask(plane))
    for number in range(10):
        with pytest.raises(QsecError):
            plane.jobs.admit(holder, submission(again=str(number)))
    assert plane.office.listing.listed(plane.owner) == []
    assert plane.office.settling.pending() == 0
