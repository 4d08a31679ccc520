"""Run records become signed statements, once each, and gaps where something is missing."""

import errno
import json
import time

import pytest

from qsec_jupyter.control.signing import REST_SECONDS, Signing
from qsec_jupyter.core.errors import Bug, Denied, NotFound, Unavailable
from qsec_jupyter.ledger.verify import verify_journal
from qsec_jupyter.provenance import envelope

RUN = "a" * 32


def intent(run_id: str = RUN, **more):
    circuits = [{"structural_hash": {"alg": "qsec-circuit-v1", "value": "0" * 64}}]
    return {
        "run_id": run_id,
        "kind": "intent",
        "time": "2026-01-31T09:00:00.000Z",
        "framework": "qiskit",
        "operation": "qiskit_aer.AerSimulator.run",
        "backend": {"name": "aer_simulator"},
        "execution": {"type": "backend", "circuits": circuits, "shots": 1000},
        **more,
    }


def completion(run_id: str = RUN, **more):
    result = {"sha256": "1" * 64, "encoding": "json"}
    times = {"time": "2026-01-31T09:00:01.000Z"}
    return {"run_id": run_id, "kind": "completion", "status": "done", "result": result, **times, **more}


@pytest.fixture
def statements(tmp_path):
    return lambda: sorted((tmp_path / "journal-0" / "statements").glob("*.json"))


def test_run_is_two_statements_two_entries_and_one_line(plane, events, statements, tmp_path) -> None:
    first, second = plane.evidence.record([intent(), completion()], "k1")
    assert [path.stem for path in statements()] == sorted([first["statement"], second["statement"]])
    assert [events()[first["index"]], events()[second["index"]]] == ["run.intent", "run.completion"]
    (line,) = plane.runs.newest("k1", 10)
    assert (line["backend"], line["circuits"], line["shots"], line["status"]) == (
        "aer_simulator",
        1,
        1000,
        "done",
    )
    assert line["signed_by"] == "store"
    assert verify_journal(tmp_path / "journal-0").ok


def test_completion_refers_to_its_intent(plane) -> None:
    first, _ = plane.evidence.record([intent(), completion()], "k1")
    run = plane.runs.get(RUN, "k1")
    reference = run["completion"]["predicate"]["intent"]
    assert (reference["statement"], reference["index"]) == (first["statement"], first["index"])


@pytest.mark.parametrize("times", [2, 5])
def test_record_sent_again_is_recorded_once_and_answered_the_same(plane, statements, times) -> None:
    answers = [plane.evidence.record([intent(), completion()], "k1") for _ in range(times)]
    assert all(answer == answers[0] for answer in answers)
    assert len(statements()) == 2


def test_authority_is_what_the_control_plane_knows_not_what_the_kernel_says(plane, ask) -> None:
    grant = ask.request()
    plane.evidence.record([intent(authority={"principal": "root"}, recorder="me")], "k1")
    predicate = plane.runs.get(RUN, None)["intent"]["predicate"]
    assert predicate["authority"]["grant"] == grant.id
    assert predicate["authority"]["assertedBy"] == "control"
    assert predicate["run"]["assertedBy"] == "kernel"
    assert predicate["authority"]["principal"] != "root"


def test_store_that_is_away_costs_a_gap_not_the_record(plane, broker, tmp_path) -> None:
    broker.away = True
    plane.evidence.record([intent(), completion()], "k1")
    (line,) = plane.runs.newest("k1", 1)
    assert line["signed_by"] == "local"
    assert any("this machine's key" in gap for gap in line["gaps"])
    broker.away = False
    assert verify_journal(tmp_path / "journal-0").ok


@pytest.mark.parametrize("error", [Denied("vault.forbidden", "no"), NotFound("vault.no_key", "no")])
def test_store_that_refuses_to_sign_costs_a_gap_not_the_record(plane, broker, monkeypatch, error) -> None:
    def refuse(*_):
        raise error

    monkeypatch.setattr(broker, "signer", refuse)
    (answer,) = plane.evidence.record([intent()], "k1")
    assert answer["statement"]
    (line,) = plane.runs.newest("k1", 1)
    assert line["signed_by"] == "local"
    assert any("this machine's key" in gap for gap in line["gaps"])


def test_store_that_hangs_is_asked_once_for_many_records(plane, broker, monkeypatch) -> None:
    asked = []

    def slow():
        asked.append(1)
        time.sleep(0.3)
        raise Unavailable("vault.timeout", "The store takes too long")

    monkeypatch.setattr(broker, "signer", slow)
    started = time.monotonic()
    answers = plane.evidence.record([intent(f"{n:032x}") for n in range(20)], "k1")
    assert all("statement" in answer for answer in answers)
    assert len(asked) == 1
    assert time.monotonic() - started < 5


def test_store_signs_again_after_its_rest(broker) -> None:
    moment = [0.0]
    signing = Signing(broker, lambda: moment[0])
    broker.away = True
    assert signing.run(lambda signer, by_store: (signer.name, by_store)) == ("local", False)
    broker.away = False
    assert signing.run(lambda signer, _: signer.name) == "local"
    moment[0] += REST_SECONDS
    assert signing.run(lambda signer, by_store: (signer.name, by_store)) == ("store", True)


def test_malformed_record_does_not_take_the_stores_key_out_of_use(plane) -> None:
    plane.evidence.record([{}, intent("../../etc"), intent(kind="x")], "k1")
    plane.evidence.record([intent()], "k1")
    assert plane.runs.newest("k1", 1)[0]["signed_by"] == "store"


def test_completion_without_an_intent_is_recorded_with_a_gap(plane) -> None:
    plane.evidence.record([completion()], "k1")
    gaps = plane.runs.get(RUN, None)["completion"]["predicate"]["gaps"]
    assert "no intent of this run was recorded" in gaps


def test_full_disk_costs_the_record_and_leaves_a_gap_when_there_is_room_again(
    plane, monkeypatch, events, tmp_path
) -> None:
    def full(path, data):
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr("qsec_jupyter.ledger.evidence.write_durably", full)
        answers = [plane.evidence.record([intent()], "k1")[0] for _ in range(3)]
    assert {answer["error"]["code"] for answer in answers} == {"statements.unwritable"}
    assert plane.evidence.gap_count() == 1
    assert "statements.unwritable" in events("run.gap")[-1]["data"]["what"]
    assert verify_journal(tmp_path / "journal-0").ok


@pytest.mark.parametrize(
    "record",
    [{}, {"run_id": RUN}, {"kind": "intent"}, intent("../../etc"), intent("x" * 65), intent(kind="x")],
)
def test_malformed_record_is_refused_alone(plane, record) -> None:
    bad, good = plane.evidence.record([record, intent("b" * 32)], "k1")
    assert bad["error"]["code"] == "record.malformed"
    assert good["statement"]


def test_kernel_can_neither_read_nor_complete_anothers_run(plane) -> None:
    plane.evidence.record([intent()], "k1")
    with pytest.raises(NotFound):
        plane.runs.get(RUN, "k2")
    (answer,) = plane.evidence.record([completion()], "k2")
    assert answer["error"]["code"] == "record.foreign_run"


def test_odd_values_do_not_break_the_record(plane) -> None:
    odd = intent(extra={"nan": float("nan"), "big": 2**64, "lone": "\ud800", "deep": [[[]]]})
    (answer,) = plane.evidence.record([odd], "k1")
    assert answer["statement"]


def test_altered_statement_is_not_shown_as_if_it_were_sound(plane, statements) -> None:
    plane.evidence.record([intent()], "k1")
    path = statements()[0]
    data = json.loads(path.read_text())
    data["payload"] = data["payload"][::-1]
    path.write_text(json.dumps(data))
    with pytest.raises(Bug) as caught:
        plane.runs.get(RUN, None)
    assert caught.value.code == "statements.damaged"


def test_every_statement_verifies_by_the_archived_keys_alone(plane, statements) -> None:
    plane.evidence.record([intent(), completion()], "k1")
    keys = plane._keys.public_keys()
    for path in statements():
        assert json.loads(envelope.verify(path.read_bytes(), keys))["_type"].startswith("https://in-toto.io/")


@pytest.mark.parametrize("restart", [False, True])
def test_record_that_reached_the_ledger_but_not_the_database_is_not_recorded_twice(
    make_plane, monkeypatch, events, restart
) -> None:
    plane = make_plane()
    first = plane.evidence.record([intent()], "k1")[0]

    def refuse(*args):
        raise Unavailable("store.unwritable", "The database cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(plane.store, "change", refuse)
        patch.setattr(plane.store, "add", refuse)
        failed = plane.evidence.record([completion(), intent("b" * 32)], "k1")
    assert [answer["error"]["code"] for answer in failed] == ["store.unwritable"] * 2
    if restart:
        plane.gone = True
        plane._ledger.close()
        plane.store.close()
        plane._journal.release()
        plane = make_plane()
    again = plane.evidence.record([intent(), completion(), intent("b" * 32)], "k1")
    assert again[0] == first
    assert all("error" not in answer for answer in again)
    assert [len(events(name)) for name in ("run.intent", "run.completion")] == [2, 1]
    lines = {line["run_id"]: line["status"] for line in plane.runs.newest("k1", 9)}
    assert lines == {RUN: "done", "b" * 32: "running"}


def test_ledger_that_refuses_leaves_no_statement_behind(plane, monkeypatch, statements) -> None:
    def refuse(event):
        raise Unavailable("ledger.unwritable", "The ledger cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(plane._ledger, "enter", refuse)
        (answer,) = plane.evidence.record([intent()], "k1")
    assert answer["error"]["code"] == "ledger.unwritable"
    assert statements() == []
    assert plane.evidence.gap_count() == 1
    plane.evidence.settle()
    (again,) = plane.evidence.record([intent()], "k1")
    assert again["statement"]


def test_statement_that_a_crash_left_without_an_entry_becomes_a_gap(make_plane, tmp_path, events) -> None:
    plane = make_plane()
    plane.evidence.record([intent()], "k1")
    plane._ledger.enter = lambda events: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        plane.evidence.record([completion()], "k1")
    plane.gone = True
    plane._ledger.close()
    plane.store.close()
    plane._journal.release()
    assert not verify_journal(tmp_path / "journal-0", patience=0).ok
    make_plane()
    assert verify_journal(tmp_path / "journal-0").ok
    assert "interrupted" in events("run.gap")[0]["data"]["what"]
