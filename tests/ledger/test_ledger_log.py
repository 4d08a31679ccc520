"""The log: durable, ordered, one writer, whole again after a crash or a full disk."""

import os
import resource
import subprocess
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from unittest.mock import Mock

import pytest

from qsec_jupyter.core.errors import Bug, Conflict, Invalid, NotFound, Unavailable
from qsec_jupyter.ledger import segment
from qsec_jupyter.ledger.entries import read_events
from qsec_jupyter.ledger.keys import LocalSigner
from qsec_jupyter.ledger.log import Ledger
from qsec_jupyter.ledger.merkle import leaf_hash, root_of

MOMENT = datetime(2026, 1, 31, 9, 30, tzinfo=timezone.utc)


def event(number: int = 0) -> dict:
    return {"type": "request.refused", "data": {"n": number}}


def ledger(folder: Path, **options) -> Ledger:
    return Ledger.open(folder / "ledger", lambda: MOMENT, **options)


def test_an_entry_is_read_back_with_index_time_and_who_asserts_it(tmp_path):
    with ledger(tmp_path) as log:
        assert log.append(event()) == 0
        assert log.append({"type": "run.gap", "data": {"what": "lost"}}) == 1
        assert log.entry(1) == {
            "index": 1,
            "time": "2026-01-31T09:30:00.000Z",
            "type": "run.gap",
            "asserted_by": "kernel",
            "data": {"what": "lost"},
        }
        with pytest.raises(NotFound):
            log.entry(2)


def test_a_reopened_log_goes_on_where_it_ended(tmp_path):
    with ledger(tmp_path) as log:
        log.append(event(0))
        journal = log.journal
    with ledger(tmp_path) as log:
        assert (log.size, log.truncated, log.journal) == (1, 0, journal)
        assert log.append(event(1)) == 1
        assert [e["data"]["n"] for e in log.read()] == [0, 1]


def test_segments_follow_one_another_and_are_read_as_one(tmp_path):
    with ledger(tmp_path, segment_bytes=500) as log:
        for number in range(20):
            log.append(event(number))
    assert len(segment.paths(tmp_path / "ledger")) > 3
    with ledger(tmp_path, segment_bytes=500) as log:
        assert [e["data"]["n"] for e in log.read(7)] == list(range(7, 20))
        assert log.size == 20


def test_threads_append_at_once_and_each_gets_its_own_index(tmp_path):
    taken: list[int] = []
    with ledger(tmp_path, segment_bytes=20_000) as log:

        def write(worker: int) -> None:
            taken.extend(log.append(event(worker)) for _ in range(25))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == list(range(200))
        assert [e["index"] for e in log.read()] == list(range(200))


def test_waiting_appenders_share_one_sync(tmp_path, monkeypatch):
    syncs: list[int] = []
    gate = threading.Event()
    real = os.fdatasync

    def slow(fd: int) -> None:
        syncs.append(fd)
        if len(syncs) == 1:
            gate.wait(10)
        real(fd)

    with ledger(tmp_path) as log:
        monkeypatch.setattr(os, "fdatasync", slow)
        threads = [threading.Thread(target=log.append, args=(event(n),)) for n in range(10)]
        threads[0].start()
        while not syncs:
            pass
        for thread in threads[1:]:
            thread.start()
        while len(log._queue) < 9:
            pass
        gate.set()
        for thread in threads:
            thread.join()
        assert len(syncs) == 2
        assert log.size == 10


def test_entered_events_keep_their_order_whoever_waits_first_or_never(tmp_path):
    with ledger(tmp_path) as log:
        first, second, third = (log.enter([event(number)]) for number in range(3))
        assert log.size == 0
        assert third.wait() == [2]
        assert [e["data"]["n"] for e in log.read()] == [0, 1, 2]
        assert first.wait() == [0]
        log.enter([event(3)])  # nobody waits for it, and nobody is held up by that
        threads = [threading.Thread(target=log.append, args=(event(n),)) for n in range(4, 40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert log.size == 40
        assert second.wait() == [1]


def test_entered_events_that_the_disk_refuses_are_told_to_each_who_waits(tmp_path, monkeypatch):
    with ledger(tmp_path) as log:
        entered = [log.enter([event(number)]) for number in range(2)]
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", Mock(side_effect=OSError(28, "no space")))
            for one in entered:
                with pytest.raises(Unavailable):
                    one.wait()
        assert log.append(event(2)) == 0


@pytest.mark.parametrize("cut", [1, 7, 20, 45])
def test_a_torn_tail_is_cut_and_recorded(tmp_path, cut):
    with ledger(tmp_path) as log:
        for number in range(3):
            log.append(event(number))
    path = segment.paths(tmp_path / "ledger")[0]
    whole = path.read_bytes()
    last = list(segment.frames(whole))[-1].offset
    path.write_bytes(whole[: last + cut])
    with ledger(tmp_path) as log:
        assert log.truncated == cut
        found = list(log.read())
    assert [e["type"] for e in found] == ["request.refused"] * 2 + ["ledger.truncated"]
    assert found[2]["data"]["bytes"] == cut
    with ledger(tmp_path) as log:
        assert log.truncated == 0


def test_space_that_a_power_cut_left_unwritten_is_a_torn_tail(tmp_path):
    with ledger(tmp_path) as log:
        log.append(event())
    path = segment.paths(tmp_path / "ledger")[0]
    path.write_bytes(path.read_bytes() + bytes(4096))
    with ledger(tmp_path) as log:
        assert log.truncated == 4096
        assert log.size == 2


def test_a_changed_entry_keeps_the_ledger_shut_and_untouched(tmp_path):
    with ledger(tmp_path) as log:
        log.append(event())
    path = segment.paths(tmp_path / "ledger")[0]
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with pytest.raises(Unavailable) as caught:
        ledger(tmp_path)
    assert caught.value.code == "ledger.damaged"
    assert path.read_bytes() == data


def test_a_log_shorter_than_its_checkpoint_keeps_the_ledger_shut(tmp_path):
    with ledger(tmp_path) as log:
        log.append(event(0))
        log.append(event(1))
        log.checkpoint(LocalSigner.generate())
    path = segment.paths(tmp_path / "ledger")[0]
    path.write_bytes(path.read_bytes()[: list(segment.frames(path.read_bytes()))[1].offset])
    with pytest.raises(Unavailable, match="checkpoint covers 2"):
        ledger(tmp_path)


def test_a_second_writer_is_refused(tmp_path):
    with ledger(tmp_path), pytest.raises(Conflict) as caught:
        ledger(tmp_path)
    assert caught.value.code == "ledger.in_use"
    ledger(tmp_path).close()


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "no.such", "data": {}},
        {"type": "run.gap", "data": [1]},
        {"type": "run.gap", "data": {}, "index": 3},
        {"type": "run.gap", "data": {"x": float("nan")}},
        {"type": "run.gap", "data": {"x": 2**60}},
        {"type": "run.gap", "data": {"x": object()}},
        {"type": "run.gap", "asserted_by": "nobody"},
    ],
)
def test_a_malformed_event_is_refused_and_costs_nothing(tmp_path, bad):
    with ledger(tmp_path) as log:
        with pytest.raises(Bug):
            log.append(bad)
        assert log.append(event()) == 0


def test_an_entry_over_the_limit_is_refused(tmp_path):
    with ledger(tmp_path) as log:
        with pytest.raises(Invalid) as caught:
            log.append({"type": "run.gap", "data": {"x": "x" * segment.MAX_PAYLOAD}})
        assert caught.value.code == "ledger.entry_too_large"
        assert log.append(event()) == 0


def test_appending_after_close_is_a_bug(tmp_path):
    log = ledger(tmp_path)
    log.close()
    with pytest.raises(Bug):
        log.append(event())


def test_a_checkpoint_covers_what_was_written_and_is_due_again_later(tmp_path):
    signer = LocalSigner.generate()
    with ledger(tmp_path) as log:
        for number in range(5):
            log.append(event(number))
        made = log.checkpoint(signer)
        payloads = [f.payload for f in segment.frames(segment.paths(tmp_path / "ledger")[0].read_bytes())]
        assert made.size == 5
        assert made.root == root_of([leaf_hash(payload) for payload in payloads])
        assert not log.checkpoint_due


def test_when_a_write_fails_it_leaves_nothing_and_later_ones_work(tmp_path, monkeypatch):
    with ledger(tmp_path) as log:
        log.append(event(0))
        path = segment.paths(tmp_path / "ledger")[0]
        before = path.read_bytes()
        real = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", lambda fd: (_ for _ in ()).throw(OSError(5, "upstream words")))
        with pytest.raises(Unavailable) as caught:
            log.append(event(1))
        assert caught.value.code == "ledger.unwritable"
        assert "upstream words" not in str(caught.value)
        assert path.read_bytes() == before
        monkeypatch.setattr(os, "fdatasync", real)
        assert log.append(event(2)) == 1
    assert [e["data"]["n"] for e in read_events(tmp_path / "ledger")] == [0, 2]


_LIMITED = """
import resource, sys
from pathlib import Path
from qsec_jupyter.core.errors import Unavailable
from qsec_jupyter.ledger.log import Ledger

_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
log = Ledger.open(Path(sys.argv[1]))
written = 0
try:
    while True:
        log.append({"type": "run.gap", "data": {"n": written, "filling": "x" * 300}})
        written += 1
except Unavailable as error:
    assert error.code == "ledger.unwritable", error.code
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert log.append({"type": "run.gap", "data": {"n": "after"}}) == written
log.close()
print(written)
"""


def test_a_write_cut_short_by_a_real_limit_is_taken_back(tmp_path):
    folder = tmp_path / "ledger"
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    numbers = [e["data"]["n"] for e in read_events(folder)]
    assert numbers == [*range(int(done.stdout)), "after"]
    with ledger(tmp_path) as log:
        assert log.truncated == 0


def fill(log: Ledger) -> None:
    for number in range(1000):
        log.append({"type": "run.gap", "data": {"n": number, "filling": "x" * 300}})


@pytest.mark.skipif(
    os.geteuid() != 0, reason="a file system of its own needs root; the limit above stands in"
)
def test_a_full_disk_refuses_and_recovers_when_space_returns(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this container may not mount; the limit above stands in")
    try:
        (disk / "ballast").write_bytes(bytes(40_000))
        with ledger(disk) as log:
            with pytest.raises(Unavailable) as caught:
                fill(log)
            assert caught.value.code == "ledger.unwritable"
            size = log.size
            (disk / "ballast").unlink()
            assert log.append(event()) == size
        with ledger(disk) as log:
            assert (log.size, log.truncated) == (size + 1, 0)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


_KILLED = """
import sys
from pathlib import Path
from qsec_jupyter.ledger.log import Ledger

log = Ledger.open(Path(sys.argv[1]))
while True:
    print(log.append({"type": "run.gap", "data": {"filling": "x" * 2000}}), flush=True)
"""


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    folder = tmp_path / "ledger"
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", _KILLED, str(folder)], stdout=subprocess.PIPE) as child:
            for _ in range(50):
                acknowledged = int(child.stdout.readline())
            child.kill()
            rest = child.stdout.read().split(b"\n")
            acknowledged = max([acknowledged, *map(int, filter(bytes.isdigit, rest[:-1]))])
        assert [e["index"] for e in read_events(folder)][acknowledged] == acknowledged


def test_the_limit_of_this_test_process_is_as_it_was():
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def test_an_entry_that_cannot_be_written_keeps_out_those_behind_it_in_turn(tmp_path):
    large = {"type": "run.gap", "data": {"x": "x" * segment.MAX_PAYLOAD}}
    with ledger(tmp_path) as log:
        others = log.enter([event()])
        with pytest.raises(Invalid):
            log.enter([event(), large, event()], in_turn=True).wait()
        assert others.wait() == [0]
        assert log.append(event()) == 2
