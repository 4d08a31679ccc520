"""Claim: one flipped byte in ledger, checkpoints, statements or keys is found, and the record is named.

Also claimed: what was signed cannot be cut off, exchanged, forged by another key, or quietly added to; and
a writer at work or a crash does not look like any of that.
"""

import json
import os
import shutil
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qsec_jupyter.cli.main import app
from qsec_jupyter.core.signing import key_id
from qsec_jupyter.ledger import checkpoint, segment
from qsec_jupyter.ledger.evidence import StatementStore
from qsec_jupyter.ledger.keys import KeyArchive, LocalSigner
from qsec_jupyter.ledger.log import Ledger
from qsec_jupyter.ledger.merkle import Frontier, leaf_hash
from qsec_jupyter.ledger.verify import verify_journal
from qsec_jupyter.provenance import envelope, statement

MOMENT = datetime(2026, 1, 31, 9, 30, tzinfo=timezone.utc)
RECORDER = {"version": "0"}
RECORD = {"run_id": "interrupted", "kind": "intent"}


class Journal:
    """A journal as the control plane writes one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.signer = LocalSigner.generate("test")
        self.statements = StatementStore(path / "statements")
        KeyArchive(path / "keys").add(self.signer, MOMENT)
        self.ledger = Ledger.open(path / "ledger", lambda: MOMENT, segment_bytes=900)

    def run(self, run_id: str, signer: LocalSigner | None = None) -> None:
        signer = signer or self.signer
        intent = statement.intent({"run_id": run_id, "kind": "intent"}, {"principal": "ada"}, RECORDER)
        stored = self.statements.put(envelope.sign(intent, signer))
        index = self.ledger.append({"type": "run.intent", "data": {"run": run_id, "statement": stored}})
        reference = {"statement": stored, "index": index}
        record = {"run_id": run_id, "kind": "completion", "result": {"sha256": "0" * 64}}
        done = statement.completion(record, reference, {"principal": "ada"}, RECORDER)
        stored = self.statements.put(envelope.sign(done, signer))
        self.ledger.append({"type": "run.completion", "data": {"run": run_id, "statement": stored}})


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "journal-0")
    made.ledger.append({"type": "control.started", "data": {}})
    made.run("a")
    made.ledger.checkpoint(made.signer)
    made.run("b")
    made.ledger.append({"type": "control.stopped", "data": {}})
    made.ledger.checkpoint(made.signer)
    yield made
    made.ledger.close()


def found(path: Path) -> str:
    return "\n".join(
        f"{problem.record}: {problem.what}" for problem in verify_journal(path, patience=0).problems
    )


def record_of(file: Path, position: int, root: Path) -> str:
    """Return what the report must name when this byte of this file is another."""
    name = str(file.relative_to(root))
    if file.suffix != segment.SUFFIX:
        return name
    if position < segment.HEADER_SIZE:
        return f"{name} header"
    offsets = [frame.offset for frame in segment.frames(file.read_bytes())]
    within = max(number for number, offset in enumerate(offsets) if offset <= position)
    return f"{name} entry {int(file.stem) + within}"


def test_an_untouched_journal_verifies(journal):
    report = verify_journal(journal.path)
    assert report.ok, report.problems
    assert (report.entries, report.statements, report.keys, report.checkpoints) == (6, 4, 1, 2)
    assert report.covered == 6
    assert not report.notes


@pytest.mark.parametrize("value", [3.2e16, -1e20, 1e21, 2**53 - 1, 0.1, -0.0, "\u2028 \U0001f600 \x7f"])
def test_odd_values_in_an_entry_are_no_problem(journal, value):
    journal.ledger.append({"type": "run.gap", "data": {"x": value}})
    assert verify_journal(journal.path).ok


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x7D, 0xFF])
def test_every_flipped_byte_anywhere_is_found_and_named(journal, mask):
    files = [path for path in sorted(journal.path.rglob("*")) if path.is_file()]
    assert len(files) >= 9
    tried = 0
    for file in files:
        whole = file.read_bytes()
        step = 7 if len(whole) > 600 else 3  # each mask starts at another byte
        for position in range(mask % step, len(whole), step):
            expected = record_of(file, position, journal.path)
            data = bytearray(whole)
            data[position] ^= mask
            file.write_bytes(data)
            report = verify_journal(journal.path, patience=0)
            assert not report.ok, (file, position)
            assert any(p.record == expected for p in report.problems), (file, position, report.problems)
            tried += 1
        file.write_bytes(whole)
    assert tried > 500
    assert verify_journal(journal.path).ok


def test_frames_survive_no_flip_of_their_first_bytes(journal):
    """Lengths and chain hashes decide how the rest is read: every bit of them, in every segment."""
    for file in segment.paths(journal.path / "ledger"):
        whole = file.read_bytes()
        for frame in list(segment.frames(whole)):
            for position in range(frame.offset, frame.offset + 8):
                for bit in range(8):
                    data = bytearray(whole)
                    data[position] ^= 1 << bit
                    file.write_bytes(data)
                    assert f"entry {json.loads(frame.payload)['index']}" in found(journal.path)
        file.write_bytes(whole)


def test_cutting_the_log_back_before_a_checkpoint_is_found(journal):
    last = segment.paths(journal.path / "ledger")[-1]
    whole = last.read_bytes()
    for end in range(segment.HEADER_SIZE, len(whole), 11):
        last.write_bytes(whole[:end])
        assert "the log was cut short" in found(journal.path)
    last.unlink()
    assert "the log was cut short" in found(journal.path)


def test_cutting_off_unsigned_runs_leaves_their_statements_as_witnesses(journal):
    journal.run("c")
    for path in (journal.path / "statements").iterdir():
        _age(path)
    path = segment.paths(journal.path / "ledger")[-1]
    frames = list(segment.frames(path.read_bytes()))
    assert json.loads(frames[-1].payload)["data"]["run"] == "c"
    path.write_bytes(path.read_bytes()[: frames[-1].offset])
    assert "no ledger entry names this statement" in found(journal.path)


def test_a_statement_left_by_an_interruption_is_accounted_for_at_the_next_start(journal):
    left = journal.statements.put(envelope.sign(statement.intent(RECORD, {}, RECORDER), journal.signer))
    assert f"statements/{left}.json" in found(journal.path)
    assert journal.statements.account(journal.ledger) == 1
    assert journal.statements.account(journal.ledger) == 0
    assert verify_journal(journal.path).ok
    assert journal.ledger.entry(journal.ledger.size - 1)["data"]["statement"] == left


def test_a_forged_statement_cannot_be_accounted_for(journal):
    forger = LocalSigner.generate()
    journal.statements.put(envelope.sign(statement.intent(RECORD, {}, RECORDER), forger))
    journal.statements.account(journal.ledger)
    assert "no archived key signed it" in found(journal.path)


def _age(path: Path) -> None:
    os.utime(path, (0, 0))


def test_a_history_written_anew_does_not_match_its_checkpoint(journal):
    """The chain has no key: whoever recomputes it is betrayed by the signed root."""
    path = segment.paths(journal.path / "ledger")[0]
    data = path.read_bytes()
    header = segment.Header.decode(data)
    out, chain, tree = header.encode(), header.chain, Frontier()
    for frame in segment.frames(data):
        payload = frame.payload.replace(b'"run":"a"', b'"run":"x"')
        chain = segment.chain_hash(chain, payload)
        tree.append(leaf_hash(payload))
        out += segment.encode_frame(chain, payload)
    path.write_bytes(out)
    problems = found(journal.path)
    assert "its root is not that of the first 3 entries" in problems
    assert "it is about another run" in problems
    forged = checkpoint.make(journal.ledger.journal, tree.size, tree.root(), LocalSigner.generate())
    place = journal.path / "ledger" / "checkpoints" / f"{tree.size:020d}.checkpoint"
    place.write_bytes(forged.note)
    assert f"{place.name}: no archived key signed it" in found(journal.path)


def test_a_missing_an_extra_and_a_foreign_file_are_named(journal):
    victim = min((journal.path / "statements").iterdir())
    content = victim.read_bytes()
    victim.unlink()
    assert f"statements/{victim.name}: the statement is missing" in found(journal.path)
    victim.write_bytes(content)
    extra = journal.statements.put(envelope.sign(b"{}", journal.signer))
    _age(journal.path / "statements" / f"{extra}.json")
    assert f"statements/{extra}.json: no ledger entry names this statement" in found(journal.path)
    (journal.path / "statements" / f"{extra}.json").unlink()
    (journal.path / "ledger" / "notes.txt").write_text("hello")
    assert "ledger/notes.txt: does not belong in a journal" in found(journal.path)


def test_a_statement_by_a_key_outside_the_archive_is_found(journal):
    journal.run("c", LocalSigner.generate())
    assert found(journal.path).count("no archived key signed it") == 2


def test_a_key_slipped_into_the_archive_unsigned_by_itself_is_found(journal):
    mallory = LocalSigner.generate("test")
    entry = json.loads((journal.path / "keys" / f"{key_id(journal.signer.public_key)}.json").read_text())
    entry["key"] |= {"public_key": mallory.public_key.hex(), "id": key_id(mallory.public_key)}
    slipped = journal.path / "keys" / f"{key_id(mallory.public_key)}.json"
    slipped.write_text(json.dumps(entry, sort_keys=True, separators=(",", ":")))
    assert f"keys/{slipped.name}: no archived key signed this entry" in found(journal.path)


def test_a_signature_after_the_end_of_a_key_is_found(journal):
    archive = KeyArchive(journal.path / "keys")
    identity = key_id(journal.signer.public_key)
    archive.close(identity, MOMENT + timedelta(minutes=1), journal.signer)
    assert verify_journal(journal.path).ok
    archive.close(identity, MOMENT - timedelta(hours=1), journal.signer)
    assert "was not valid at 2026-01-31T09:30:00.000Z" in found(journal.path)


def test_a_completion_of_another_runs_intent_is_found(journal):
    intent = statement.intent({"run_id": "d", "kind": "intent"}, {"principal": "ada"}, RECORDER)
    stored = journal.statements.put(envelope.sign(intent, journal.signer))
    journal.ledger.append({"type": "run.intent", "data": {"run": "d", "statement": stored}})
    record = {"run_id": "d", "kind": "completion"}
    done = statement.completion(record, {"statement": stored, "index": 1}, {"principal": "ada"}, RECORDER)
    stored = journal.statements.put(envelope.sign(done, journal.signer))
    journal.ledger.append({"type": "run.completion", "data": {"run": "d", "statement": stored}})
    assert f"statements/{stored}.json: the intent that it refers to is not that entry's" in found(
        journal.path
    )


def test_an_interrupted_write_is_a_note_and_not_a_problem(journal):
    path = segment.paths(journal.path / "ledger")[-1]
    whole = path.read_bytes()
    frame = segment.encode_frame(bytes(32), b'{"an":"entry"}')
    for end in range(1, len(frame)):
        path.write_bytes(whole + frame[:end])
        report = verify_journal(journal.path)
        assert report.ok, (end, report.problems)
        assert "incomplete" in report.notes[0]


def test_a_journal_in_use_verifies_while_it_grows(journal):
    stop = threading.Event()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            number = 0
            while not stop.is_set() and number < 300:
                journal.run(f"live-{number}")
                number += 1
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while journal.ledger.size < 150:
            report = verify_journal(journal.path)
            assert report.ok, report.problems
    finally:
        stop.set()
        writer.join()
    assert not failed


def test_the_command_exits_by_what_it_finds_and_names_the_record(journal, monkeypatch):
    runner = CliRunner()
    monkeypatch.setenv("QSEC_HOME", str(journal.path.parent))
    good = runner.invoke(app, ["verify"])
    assert good.exit_code == 0, good.output
    assert "verified" in good.output
    victim = min((journal.path / "statements").iterdir())
    victim.write_bytes(victim.read_bytes().replace(b"e", b"f", 1))
    bad = runner.invoke(app, ["verify", str(journal.path)])
    assert bad.exit_code == 1
    assert victim.stem in bad.output
    told = json.loads(runner.invoke(app, ["verify", "--json"]).output)
    assert not told["ok"]
    assert victim.stem in told["journals"][0]["problems"][0]["record"]


def test_the_command_says_when_there_is_nothing_to_verify(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path))
    assert CliRunner().invoke(app, ["verify"]).exit_code == 0
    (tmp_path / "elsewhere").mkdir()
    assert CliRunner().invoke(app, ["verify", str(tmp_path / "elsewhere")]).exit_code != 0


def test_a_copied_journal_verifies_elsewhere(journal, tmp_path):
    shutil.copytree(journal.path, tmp_path / "copy")
    assert verify_journal(tmp_path / "copy").ok
