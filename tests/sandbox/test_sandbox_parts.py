"""The sandbox's parts without a server: devices, settings, faults, sessions, the bearers."""

from datetime import datetime, timedelta, timezone

import pytest

from qsec_jupyter.sandbox.accounts import INSTANCES, Accounts
from qsec_jupyter.sandbox.book import Book
from qsec_jupyter.sandbox.calls import Table
from qsec_jupyter.sandbox.devices import DEVICES, all_devices, check_device
from qsec_jupyter.sandbox.faults import KINDS, Faults, read_fault
from qsec_jupyter.sandbox.jobs import Planted
from qsec_jupyter.sandbox.rates import Rates
from qsec_jupyter.sandbox.refusals import Refusal
from qsec_jupyter.sandbox.settings import Settings

NOON = datetime(2026, 11, 28, 12, 30, tzinfo=timezone.utc)


class Clock:
    now = NOON.timestamp()

    def __call__(self):
        return self.now


def refused(status):
    return pytest.raises(Refusal, check=lambda refusal: refusal.status == status)


@pytest.mark.parametrize("name", DEVICES)
def test_device_says_sandbox_and_is_calibrated_every_six_hours(name):
    device = all_devices(DEVICES, NOON)[name]
    assert device.configuration["backend_name"] == name
    assert "sandbox" in device.configuration["description"]
    now = device.calibrations(NOON)
    newest, before = device.properties(now), device.properties(now - 1)
    assert newest["last_update_date"] == "2026-11-28T12:00:00+00:00"
    assert before["last_update_date"] == "2026-11-28T06:00:00+00:00"
    assert newest["calibration_id"] != before["calibration_id"]
    assert newest["qubits"][0][0]["value"] != before["qubits"][0][0]["value"]
    assert newest == device.properties(now), "the same calibration, measured twice"


def test_calibration_is_found_by_time_and_by_name():
    device = all_devices(DEVICES, NOON)["sandbox_manila"]
    yesterday = (NOON - timedelta(days=1)).isoformat()
    number = device.find_calibration(NOON, yesterday, None)
    assert number == device.calibrations(NOON) - 4
    assert device.find_calibration(NOON, None, device.calibration_id(number)) == number
    for before, calibration in ((None, "nowhere"), ("2020-01-01", None)):
        with refused(404):
            device.find_calibration(NOON, before, calibration)
    with refused(400):
        device.find_calibration(NOON, "yesterday", None)


@pytest.mark.parametrize(
    ("name", "model", "status"),
    [("torino", "torino", 400), ("mock_sandbox", "torino", 400), ("sandbox_x", "../../x", 404)],
)
def test_further_device_has_to_say_what_it_is(name, model, status):
    with refused(status):
        check_device(name, model)
    check_device("sandbox_torino", "torino")


def test_settings_change_one_by_one():
    changed = Settings().changed({"queue_seconds": 5, "prices": {"per_shot": 0.1}, "seed": 7})
    assert (changed.queue_seconds, changed.seed, changed.prices.per_shot) == (5, 7, 0.1)
    assert changed.prices.per_second == Settings().prices.per_second
    assert Settings().changed(changed.document()) == changed


@pytest.mark.parametrize(
    "given",
    [
        {"no_such": 1},
        {"queue_seconds": -1},
        {"queue_seconds": "1"},
        {"queue_seconds": True},
        {"queue_seconds": float("nan")},
        {"queue_seconds": None},
        {"queue_length": 1.5},
        {"execution": "magic"},
        {"prices": {"per_shot": "dear"}},
        {"prices": {"currency": 7}},
        [],
    ],
)
def test_settings_that_make_no_sense_are_refused(given):
    with refused(400):
        Settings().changed(given)


def test_fault_strikes_as_often_as_it_says_and_spares_as_many():
    faults = Faults()
    faults.armed.append(read_fault("503 path=/api/v1/jobs* method=GET times=2 after=1"))
    struck = [faults.take("GET", "/api/v1/jobs/x") is not None for _ in range(5)]
    assert struck == [False, True, True, False, False]
    assert faults.armed == []
    assert faults.take("POST", "/api/v1/jobs") is None


def test_every_kind_of_fault_can_be_read():
    for kind in KINDS:
        assert read_fault({"kind": kind}).kind == kind
    for wrong in ("", "explode", "429 colour=red", "slow seconds=long", {"kind": "slow", "seconds": -1}, 7):
        with refused(400):
            read_fault(wrong)


def test_bearer_ends_and_takes_no_other_for_its_key():
    clock = Clock()
    accounts = Accounts(clock)
    account = accounts.add("k" * 44, INSTANCES[:1])
    bearer, until = accounts.exchange("k" * 44, 60)
    assert until == clock.now + 60
    assert accounts.find(f"Bearer {bearer}") is account
    assert accounts.find("apikey " + "k" * 44) is account
    for wrong in (f"Basic {bearer}", f"Bearer {'k' * 44}", f"apikey {bearer}", "", bearer):
        with refused(401):
            accounts.find(wrong)
    with refused(403):
        account.instance(INSTANCES[1].crn)
    clock.now += 60
    with refused(401):
        accounts.find(f"Bearer {bearer}")
    accounts.remove(account.id)
    with refused(400):
        accounts.exchange("k" * 44, 60)


def test_session_idles_wakes_and_ends():
    clock = Clock()
    book = Book(Settings(), clock)
    session = book.open_session(INSTANCES[0], "ada", "sandbox_manila", "dedicated", 100)
    session.started(clock.now)
    session.last_ended = clock.now + 1
    session.tick(clock.now + 30, busy=False)
    assert session.state == "active"
    session.tick(clock.now + 70, busy=False)
    assert session.state == "inactive"
    assert session.elapsed(clock.now + 70) == pytest.approx(1)
    session.tick(clock.now + 101, busy=False)
    assert session.state == "closed"
    with refused(400):
        session.refuse_if_closed("sandbox_manila")
    assert [each["status"] for each in session.timestamps] == ["OPEN", "ACTIVE", "INACTIVE", "CLOSED"]


def test_rate_is_refilled():
    clock = Clock()
    rates = Rates(clock)
    for _ in range(2):
        rates.count("ada", 2)
    with refused(429):
        rates.count("ada", 2)
    rates.count("eve", 2)
    clock.now += 0.5
    rates.count("ada", 2)


@pytest.mark.parametrize("size", [16, 17, 300_000, 1_000_001])
def test_planted_result_is_as_long_as_it_says(size):
    assert sum(map(len, Planted(size).chunks(1024))) == size


def test_paths_are_matched_whole():
    table = Table([("GET", "/jobs/{}", "one"), ("GET", "/jobs", "all"), ("POST", "/jobs", "new")])
    assert table.find("GET", "/jobs") == ("all", [])
    assert table.find("GET", "/jobs/a%20b") == ("one", ["a b"])
    for path in ("/jobs/a/b", "/", "", "/other", "/jobs//"):
        with refused(404):
            table.find("GET", path)
    with refused(405):
        table.find("DELETE", "/jobs")
