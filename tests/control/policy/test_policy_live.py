"""Hot reload: only a bundle that checks, only as a whole, and what is in force is told."""

import shutil
import threading

import pytest

from qsec_jupyter.control.policy.bundle import SHIPPED, Bundle, Place
from qsec_jupyter.control.policy.context import Situation
from qsec_jupyter.control.policy.live import LivePolicy, SourcesInForce, archived
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.core.model import Principal

RESEARCHER = Principal("ada", "Ada", "x", roles=("researcher",))
NOBODY = '@id("nobody") @advice("x") forbid (principal, action == Action::"request", resource);'


@pytest.fixture
def own(tmp_path):
    shutil.copytree(SHIPPED, tmp_path / "policy")
    return tmp_path / "policy"


@pytest.fixture
def told():
    return []


def settle(policy, told) -> None:
    for _ in range(3):
        policy.reload(lambda event, data: told.append((event, data)))


def close_requests(folder) -> None:
    (folder / "more.cedar").write_text(NOBODY)
    (folder / "tests.toml").write_text("")


def requests(policy) -> bool:
    return policy.decide(RESEARCHER, "request", "sandbox", Situation()).allowed


def test_a_bundle_that_checks_is_taken_once_it_stands_still(tmp_path, own, told) -> None:
    policy = LivePolicy(Place(tmp_path))
    before = policy.digest
    close_requests(own)
    assert not policy.reload(lambda *_: None)
    assert requests(policy)
    settle(policy, told)
    assert not requests(policy)
    assert told == [("policy.loaded", {"policy": policy.digest, "before": before})]


def test_a_bundle_that_does_not_check_leaves_the_old_one(tmp_path, own, told) -> None:
    policy = LivePolicy(Place(tmp_path))
    before = policy.digest
    (own / "more.cedar").write_text("permit (principal, action, resource);")
    settle(policy, told)
    assert policy.digest == before
    assert policy.refused is not None
    assert told == [("policy.refused", {"policy": before, "rule": "policy.refused"})]
    (own / "more.cedar").unlink()
    settle(policy, told)
    assert policy.refused is None


def test_a_failing_case_keeps_a_bundle_out(tmp_path, own, told) -> None:
    policy = LivePolicy(Place(tmp_path))
    (own / "more.cedar").write_text(NOBODY)
    settle(policy, told)
    assert requests(policy)
    assert policy.refused is not None


def test_the_catalogue_is_replaced_with_its_rules(tmp_path, own, told) -> None:
    policy = LivePolicy(Place(tmp_path))
    sources = SourcesInForce(policy)
    text = (own / "catalog.toml").read_text().replace("[targets.sandbox]", "[targets.lab]")
    (own / "catalog.toml").write_text(text)
    settle(policy, told)
    assert set(policy.catalogue.targets) == set(sources) == {"lab", "pilot"}
    assert not requests(policy)


def test_a_block_that_is_pinned_keeps_to_the_bundle_it_began_with(tmp_path, own, told) -> None:
    policy = LivePolicy(Place(tmp_path))
    before = policy.digest
    with policy.pin():
        close_requests(own)
        worker = threading.Thread(target=settle, args=(policy, told))
        worker.start()
        worker.join()
        assert told
        assert (policy.digest, requests(policy)) == (before, True)
    assert (policy.digest != before, requests(policy)) == (True, False)


def test_a_start_with_a_broken_bundle_goes_on_with_the_last_one(tmp_path, own) -> None:
    before = LivePolicy(Place(tmp_path)).digest
    (own / "grants.cedar").write_text("permit (")
    policy = LivePolicy(Place(tmp_path))
    assert policy.digest == before
    assert policy.refused is not None


def test_a_first_start_with_a_broken_bundle_is_refused(tmp_path, own) -> None:
    (own / "grants.cedar").write_text("permit (")
    with pytest.raises(Invalid):
        LivePolicy(Place(tmp_path))


def test_what_was_in_force_is_kept_by_its_digest_and_a_changed_copy_is_noticed(tmp_path, own, told) -> None:
    policy = LivePolicy(Place(tmp_path))
    before = policy.digest
    close_requests(own)
    settle(policy, told)
    assert archived(tmp_path).digest == policy.digest
    assert archived(tmp_path, before).digest == before == Bundle.shipped().digest
    kept = tmp_path / "policies" / before / "runs.cedar"
    kept.write_text(kept.read_text() + "\n")
    with pytest.raises(Invalid, match=r"policy\.archive"):
        archived(tmp_path, before)
    assert archived(tmp_path, "../policy") is None


def test_health_ledger_and_events_say_which_bundle_decides(make_plane, tmp_path, events) -> None:
    shutil.copytree(SHIPPED, tmp_path / "policy")
    plane = make_plane()
    (tmp_path / "policy" / "runs.cedar").write_text("permit (")
    for _ in range(3):
        plane.reload_policy()
    (check,) = [check for check in plane.health.report()["checks"] if check["name"] == "policy"]
    assert not check["ok"]
    assert "stays in force" in check["detail"]
    assert events("policy.refused")[0]["data"]["policy"] == plane.policy.digest
    shutil.rmtree(tmp_path / "policy")
    (tmp_path / "catalog.toml").write_text("# mine\n" + (SHIPPED / "catalog.toml").read_text())
    for _ in range(3):
        plane.reload_policy()
    assert events("policy.loaded")[0]["data"]["policy"] == plane.policy.digest
    assert all(check["ok"] for check in plane.health.report()["checks"] if check["name"] == "policy")


def test_every_decision_is_recorded_with_the_bundles_digest(ask, plane, events) -> None:
    ask.request()
    decided = events("grant.requested") + events("grant.approved")
    assert {event["data"]["policy"] for event in decided} == {plane.policy.digest}
    assert len(decided) == 2
