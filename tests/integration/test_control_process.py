"""The control plane as a real child process: its protocol, its end, its crashes, a disk that is full."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from control_child import BEARER, children, run_record

from qsec_jupyter.ledger.entries import read_events
from qsec_jupyter.ledger.verify import verify_journal


@pytest.fixture
def start(tmp_path):
    with children(tmp_path) as begin:
        yield begin


def test_greeting_says_port_pid_and_store(start) -> None:
    child = start()
    assert child.greeting["pid"] == child.process.pid
    assert child.greeting["vault"]["kind"] == "sealed-store"
    assert child.ask("GET", "/v1/health")[0] == 200


def test_it_listens_on_loopback_only(start) -> None:
    child = start()
    sockets = psutil.Process(child.process.pid).net_connections()
    assert [s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN] == [
        "127.0.0.1"
    ] * 2  # REST and gateway


@pytest.mark.parametrize("first_line", [b"\n", b"{}\n", b"not json\n", b'{"bearer": "short"}\n'])
def test_wrong_greeting_ends_it_with_a_problem_on_standard_output(tmp_path, first_line) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qsec_jupyter.cli", "serve", "--embedded"],
        input=first_line,
        capture_output=True,
        env={**os.environ, "QSEC_HOME": str(tmp_path)},
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "serve.no_hello"


def test_without_embedded_it_says_what_is_not_there_yet(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qsec_jupyter.cli", "serve"],
        capture_output=True,
        text=True,
        env={**os.environ, "QSEC_HOME": str(tmp_path)},
        timeout=30,
        check=False,
    )
    assert done.returncode == 6
    assert "serve.embedded_only" in done.stderr


def test_end_of_input_revokes_everything_and_ends_within_two_seconds(start) -> None:
    child = start()
    child.grant()
    assert child.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel="k1")[0] == 200
    poll = threading.Thread(target=lambda: child.ask("GET", "/v1/state?since=9999&wait=25"), daemon=True)
    poll.start()
    started = time.monotonic()
    assert child.close() == 0
    assert time.monotonic() - started < 2.5
    assert child.events()[-3:] == ["grant.revoked", "credential.revoked", "control.stopped"]
    assert verify_journal(child.home / "journal-0").ok


def test_sigterm_is_an_orderly_end(start) -> None:
    child = start()
    child.grant()
    child.process.send_signal(signal.SIGTERM)
    assert child.process.wait(10) == 0
    assert child.events()[-1] == "control.stopped"


def test_killed_in_the_middle_of_requests_it_leaves_a_sound_journal(start) -> None:
    child = start()
    done = []

    def work(kernel: str) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            for number in range(10_000):
                record = run_record(number + int(kernel[1:]) * 100_000)
                status, answer = child.ask("POST", "/v1/runs", {"records": [record]}, kernel=kernel)
                assert status == 200
                done.append(answer["results"][0])

    threads = [threading.Thread(target=work, args=(f"k{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    while len(done) < 20:
        time.sleep(0.01)
    child.process.kill()
    for thread in threads:
        thread.join()
    child.process.wait(5)
    again = start()
    again.close()
    report = verify_journal(child.home / "journal-0")
    assert report.ok, report.problems
    entries = list(read_events(child.home / "journal-0" / "ledger"))
    recorded = [entry["data"]["run"] for entry in entries if entry["type"] == "run.intent"]
    assert len(recorded) == len(set(recorded))
    for answer in done:  # what was acknowledged is there, at the index that was given
        assert entries[answer["index"]]["data"]["statement"] == answer["statement"]


def test_killed_and_started_by_the_same_server_it_goes_on(start) -> None:
    child = start()
    grant = child.grant()
    child.process.kill()
    child.process.wait()
    again = start()
    assert again.ask("GET", f"/v1/grants/{grant['id']}")[1]["state"] == "active"
    assert again.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel="k1")[0] == 200


def test_started_by_another_server_it_revokes_what_was_left(start) -> None:
    child = start()
    grant = child.grant()
    child.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel="k1")
    child.process.kill()
    child.process.wait()
    again = start(server_id="server-2")
    assert again.ask("GET", f"/v1/grants/{grant['id']}")[1]["state"] == "revoked"


def test_two_at_once_have_a_journal_each(start, tmp_path) -> None:
    start(), start(server_id="server-2")
    assert sorted(path.name for path in tmp_path.glob("journal-*")) == ["journal-0", "journal-1"]


def test_full_disk_costs_records_and_leaves_a_gap_but_no_damage(start) -> None:
    child = start(file_limit=1_000_000)
    answers = []
    for number in range(2_000):
        status, answer = child.ask("POST", "/v1/runs", {"records": [run_record(number)]}, kernel="k1")
        assert status == 200
        answers.append(answer)
        if answer["results"][0]["error"]:
            break
    else:
        raise AssertionError("the limit was never met")
    health = child.ask("GET", "/v1/health")[1]
    assert health["status"] == "degraded"
    assert answers[-1]["results"][0]["error"]["kind"] == "unavailable"
    assert child.process.poll() is None
    report = verify_journal(child.home / "journal-0")
    assert report.ok, report.problems


def test_log_and_files_hold_neither_bearer_nor_value(start, tmp_path) -> None:
    child = start()
    child.grant()
    value = child.ask("POST", "/v1/credentials", {"target": "sandbox"}, kernel="k1")[1]["value"]
    child.ask("GET", "/v1/state", bearer="x" * 43)
    child.close()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert BEARER.encode() not in data
            assert value.encode() not in data
