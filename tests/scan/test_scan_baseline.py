"""Kept findings: on disk, private, shared between processes, and never with a value."""

from datetime import datetime, timezone

import pytest

from qsec_jupyter.core.errors import Unavailable
from qsec_jupyter.scan.baseline import Baseline, fingerprint, fingerprint_key, write_atomically

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=timezone.utc)


def test_decision_is_kept_with_who_why_and_when(tmp_path):
    baseline = Baseline(tmp_path / "kept.json", clock=lambda: NOON)
    kept = baseline.keep("f" * 32, "a.ipynb", "a public example", "alice")
    assert (kept.user, kept.reason, kept.time) == ("alice", "a public example", "2026-03-14T12:00:00.000Z")
    assert Baseline(tmp_path / "kept.json").find("f" * 32, "a.ipynb") == kept
    assert (tmp_path / "kept.json").stat().st_mode & 0o777 == 0o600


def test_decision_holds_for_its_file_from_wherever_it_is_named(tmp_path):
    baseline = Baseline(tmp_path / "kept.json")
    baseline.keep("f" * 32, "work/a.ipynb", "r", "u")
    assert baseline.find("f" * 32, "/home/u/work/a.ipynb")
    assert baseline.find("f" * 32, "other/a.ipynb") is None
    assert baseline.find("f" * 32, "notwork/a.ipynb") is None
    assert baseline.find("e" * 32, "work/a.ipynb") is None


def test_decision_of_another_process_is_seen(tmp_path):
    one, two = Baseline(tmp_path / "kept.json"), Baseline(tmp_path / "kept.json")
    assert two.find("f" * 32, "a") is None
    one.keep("f" * 32, "a", "r", "u")
    assert two.find("f" * 32, "a")
    two.keep("e" * 32, "b", "r", "u")
    assert one.find("e" * 32, "b")
    assert one.find("f" * 32, "a")


def test_decision_follows_a_renamed_folder(tmp_path):
    baseline = Baseline(tmp_path / "kept.json")
    baseline.keep("f" * 32, "old/a.ipynb", "r", "u")
    baseline.move("old", "new")
    assert Baseline(tmp_path / "kept.json").find("f" * 32, "new/a.ipynb")
    assert baseline.find("f" * 32, "old/a.ipynb") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kept": [{"x": 1}]}', '{"kept": 7}'])
def test_damaged_file_is_an_error_and_not_an_empty_list(tmp_path, content):
    (tmp_path / "kept.json").write_text(content)
    with pytest.raises(Unavailable) as caught:
        Baseline(tmp_path / "kept.json").find("f" * 32, "a")
    assert caught.value.code == "scan.baseline_damaged"


def test_decision_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(Unavailable) as caught:
        Baseline(tmp_path / "none" / "kept.json").keep("f" * 32, "a", "r", "u")
    assert caught.value.code == "scan.baseline_unwritable"


def test_fingerprint_depends_on_key_and_value_only():
    assert fingerprint(b"k", "value") == fingerprint(b"k", "value")
    assert fingerprint(b"k", "value") != fingerprint(b"l", "value")
    assert fingerprint(b"k", "value") != fingerprint(b"k", "walue")
    assert len(fingerprint(b"k", "\ud800")) == 32


def test_key_is_made_once_and_private(tmp_path):
    assert fingerprint_key(tmp_path) == fingerprint_key(tmp_path)
    assert (tmp_path / "fingerprint.key").stat().st_mode & 0o777 == 0o600


def test_damaged_key_is_an_error(tmp_path):
    (tmp_path / "fingerprint.key").write_bytes(b"short")
    with pytest.raises(Unavailable):
        fingerprint_key(tmp_path)


def test_failed_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"old")

    def fail(descriptor):
        raise OSError

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match=r"^$"):
        write_atomically(file, b"new", 0o600)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
