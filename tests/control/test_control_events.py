"""The index of the ledger: complete, in order, and for those whom an event concerns."""

import sqlite3
from contextlib import closing

import pytest
from fastapi.testclient import TestClient

from qsec_jupyter.control import events as module, tables
from qsec_jupyter.control.app import make_app
from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.callers import Caller
from qsec_jupyter.control.events import EventQuery
from qsec_jupyter.core.errors import Denied, Unavailable
from qsec_jupyter.core.model import Principal
from qsec_jupyter.core.secret import Secret

BO = Caller(Principal("bo", "Bo", "hub", roles=("researcher",)), "server-1")
AUDITOR = Caller(Principal("cy", "Cy", "hub", roles=("auditor",)), "server-1")
OWNER = Caller(Principal("ada", "Ada", "local account", roles=("researcher", "approver")), "server-1")
ALL = EventQuery()


def kinds(plane, caller, query=ALL, **kwargs):
    return [event["kind"] for event in plane.events.listed(caller, query, **kwargs)[0]]


def request(plane, caller, target="sandbox"):
    return plane.access.request(caller.by("k1"), Wish(target, "k1", "first run", "QC-1", "30m"))


def test_everybody_sees_what_concerns_themselves_and_an_auditor_everything(plane, events) -> None:
    mine, other = request(plane, OWNER), request(plane, BO)
    plane.ending.end(BO, other.id, "revoke")
    assert kinds(plane, AUDITOR, limit=500) == events()[::-1]
    theirs = plane.events.listed(BO, ALL)[0]
    assert {event["grant_id"] for event in theirs} == {other.id}
    assert theirs[0] | {"position": 0, "time": "", "details": {}} == {
        "position": 0,
        "time": "",
        "kind": "grant.revoked",
        "meaning": "A grant was ended early.",
        "asserted_by": "control",
        "actor": "bo",
        "requester": "bo",
        "target": "sandbox",
        "grant_id": other.id,
        "details": {},
    }
    assert mine.id not in str(theirs)


def test_a_decision_concerns_both_and_an_ending_its_holder(plane, broker) -> None:
    grant = request(plane, BO, "pilot")
    plane.access.decide(OWNER, grant.id, "approve")
    plane.issuing.issue(BO.by("k1"), "pilot")
    plane.ending.end(OWNER, grant.id, "revoke")
    holder, approver = kinds(plane, BO), kinds(plane, OWNER)
    assert "grant.approved" in holder
    assert "credential.issued" in holder
    assert "credential.revoked" in holder  # its entry names the grant only
    assert "grant.approved" in approver
    assert "credential.issued" not in approver


def test_kernels_tools_and_workloads_read_nothing(plane) -> None:
    workload = Caller(Principal("ci", "CI", "x", kind="workload", roles=("auditor",)), "server-1")
    for caller in (OWNER.by("k1"), workload):
        with pytest.raises(Denied) as refusal:
            plane.events.listed(caller, ALL)
        assert refusal.value.code == "event.person_only"


def test_pages_follow_each_other_without_gap_or_repeat(plane) -> None:
    for _ in range(5):
        plane.ending.end(BO, request(plane, BO).id, "revoke")
    whole = [event["position"] for event in plane.events.listed(BO, ALL, limit=500)[0]]
    seen, before = [], None
    while True:
        page, before = plane.events.listed(BO, ALL, before, 7)
        seen += [event["position"] for event in page]
        if before is None:
            break
    assert seen == whole == sorted(whole, reverse=True)


def test_filters(plane, clock) -> None:
    request(plane, BO)
    clock.forward(hours=1)
    request(plane, BO, "pilot")
    assert set(kinds(plane, BO, EventQuery("grant"))) == {
        "grant.requested",
        "grant.approved",
        "grant.activated",
    }
    assert kinds(plane, BO, EventQuery("grant.requested")) == ["grant.requested"] * 2
    assert kinds(plane, BO, EventQuery("gran")) == []
    assert kinds(plane, BO, EventQuery(target="pilot")) == ["grant.requested"]
    assert kinds(plane, BO, EventQuery(since="2026-01-31T09:30:00.000Z")) == ["grant.requested"]
    assert len(kinds(plane, BO, EventQuery(until="2026-01-31T09:30:00.000Z"))) == 3
    assert kinds(plane, BO, EventQuery(since="2027-01-31T09:30:00.000Z")) == []
    assert kinds(plane, BO, EventQuery(until="2025-01-31T09:30:00.000Z")) == []


def test_index_is_made_anew_from_the_ledger(plane, make_plane, events, tmp_path) -> None:
    grant = request(plane, BO)
    plane.ending.end(BO, grant.id, "revoke")
    before = plane.events.listed(BO, ALL)[0]
    plane.close()
    with closing(sqlite3.connect(tmp_path / "journal-0" / "qsec.db")) as database, database:
        database.execute("DELETE FROM events")
        database.execute("DELETE FROM concerned")
    again = make_plane()
    assert again.events.listed(BO, ALL)[0] == before
    assert kinds(again, AUDITOR, limit=500) == events()[::-1]


def test_more_entries_than_fit_in_memory_are_read_from_the_ledger(plane, events, monkeypatch) -> None:
    monkeypatch.setattr(plane.events, "_waiting", module.deque(maxlen=3))
    plane._ledger.follow(plane.events._waiting.extend)
    request(plane, BO)
    request(plane, BO)
    assert kinds(plane, AUDITOR, limit=500) == events()[::-1]


def test_database_that_refuses_is_tried_again_and_nothing_is_indexed_twice(
    plane, events, monkeypatch
) -> None:
    def refuse(_, **__):
        raise Unavailable("store.unwritable", "The database cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(plane.store, "add_all", refuse)
        request(plane, BO)
        assert not plane.events.settle()
    request(plane, BO)
    assert plane.events.settle()
    assert kinds(plane, AUDITOR, limit=500) == events()[::-1]


def test_a_person_who_was_forgotten_has_no_name(plane) -> None:
    grant = request(plane, BO, "pilot")
    plane.access.decide(OWNER, grant.id, "approve")
    with plane.store._engine.begin() as connection:
        connection.execute(tables.subjects.delete().where(tables.subjects.c.name == "bo"))
    (approved,) = plane.events.listed(AUDITOR, EventQuery("grant.approved"))[0]
    assert approved["requester"] is None
    assert approved["actor"] == "ada"
    assert "bo" not in str(approved["details"])


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=501", "before=-1", "since=yesterday", "until=2026-01-31", "kind=grant.*", "kind=a'b"],
)
def test_nonsense_is_refused(plane, query) -> None:
    plane.callers.add(Secret("bearer-of-this-test-only", "bearer"), plane.owner)
    client = TestClient(make_app(plane), base_url="http://127.0.0.1")
    headers = {"Authorization": "Bearer bearer-of-this-test-only"}
    assert client.get(f"/v1/events?{query}", headers=headers).status_code == 422
    page = client.get("/v1/events?kind=control&limit=1", headers=headers).json()
    assert page == {"events": [], "next": None, "all": False}
    assert client.get("/v1/state", headers=headers).json()["newest_event"] == plane.events.newest
