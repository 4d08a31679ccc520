"""Artefacts: kept encrypted, found by what they are, never another's, never altered unseen."""

import hashlib
import os
import zlib

import pytest

from qsec_jupyter.control.evidence import Artefacts, artefacts as module
from qsec_jupyter.core.errors import Invalid, NotFound, QsecError, Unavailable
from qsec_jupyter.ledger.verify import verify_journal

QPY = b"QISKIT" + os.urandom(500)
TYPE = "application/x-qpy"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(plane, tmp_path):
    return tmp_path / "journal-0" / "evidence"


@pytest.fixture
def keep(plane):
    return lambda data=QPY: plane.artefacts.put(sha(data), TYPE, data, "k1")


def test_artefact_comes_back_as_it_was(plane, keep) -> None:
    assert keep() is True
    found = plane.artefacts.get(sha(QPY))
    assert (found.media_type, found.data) == (TYPE, QPY)
    assert sha(QPY) in plane.artefacts


def test_same_artefact_again_is_neither_written_nor_entered_twice(plane, keep, events) -> None:
    assert [keep(), keep()] == [True, False]
    (entry,) = events("evidence.stored")
    assert (entry["data"]["evidence"], entry["data"]["bytes"]) == (sha(QPY), len(QPY))


def test_nothing_on_disk_holds_the_plain_bytes_or_the_key(plane, keep, folder, broker) -> None:
    keep(b"plain text that must not be seen" * 9)
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"plain text" not in everything
    assert broker.wrapped[0] not in everything
    assert broker.wrapped[0].hex().encode() not in everything


def test_one_data_key_is_wrapped_for_many_artefacts_and_another_after_its_life(
    plane, keep, broker, clock
) -> None:
    for number in range(5):
        keep(QPY + bytes([number]))
    assert len(broker.wrapped) == 1
    clock.forward(days=31)
    keep(QPY)
    assert len(broker.wrapped) == 2
    assert plane.artefacts.get(sha(QPY + b"\x01")).data == QPY + b"\x01"


def test_next_control_plane_opens_what_the_last_one_kept(make_plane, broker, folder, keep) -> None:
    keep()
    reader = Artefacts(folder, broker)
    assert reader.get(sha(QPY)).data == QPY


def test_store_that_is_away_keeps_nothing_and_says_so(plane, keep, broker) -> None:
    broker.away = True
    with pytest.raises(Unavailable):
        keep()
    assert sha(QPY) not in plane.artefacts
    broker.away = False
    assert keep() is True


@pytest.mark.parametrize(
    ("digest", "media_type", "data", "code"),
    [
        (sha(b"other"), TYPE, QPY, "evidence.digest_differs"),
        ("../../etc/passwd", TYPE, QPY, "evidence.malformed"),
        (sha(QPY).upper(), TYPE, QPY, "evidence.malformed"),
        (sha(QPY), "text/html; <script>", QPY, "evidence.malformed"),
        (sha(b"x" * 9), TYPE, b"x" * 9, "evidence.too_large"),
    ],
    ids=["another digest", "a path", "upper case", "no media type", "too large"],
)
def test_what_does_not_fit_is_refused(plane, monkeypatch, digest, media_type, data, code) -> None:
    if code == "evidence.too_large":
        monkeypatch.setattr(module, "MAX_BYTES", 8)
    with pytest.raises(Invalid) as caught:
        plane.artefacts.put(digest, media_type, data, "k1")
    assert caught.value.code == code


def test_full_store_refuses_and_keeps_what_it_has(plane, keep, monkeypatch) -> None:
    keep()
    monkeypatch.setattr(module, "MAX_STORE_BYTES", 700)
    with pytest.raises(Invalid) as caught:
        keep(QPY[::-1])
    assert caught.value.code == "evidence.full"
    assert plane.artefacts.get(sha(QPY)).data == QPY


def test_ledger_that_refuses_leaves_no_artefact_behind(plane, keep, monkeypatch, folder) -> None:
    def refuse(event):
        raise Unavailable("ledger.unwritable", "The ledger cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(plane._ledger, "enter", refuse)
        with pytest.raises(Unavailable):
            keep()
    assert list(folder.glob("*.sealed")) == []
    assert keep() is True


def test_file_that_a_crash_left_without_an_entry_is_taken_away(plane, keep, folder) -> None:
    keep()
    stray = folder / f"{'0' * 64}.sealed"
    stray.write_bytes(b"half")
    assert plane.artefacts.discard_unentered(plane._ledger) == 1
    assert not stray.exists()
    assert plane.artefacts.get(sha(QPY)).data == QPY


def test_every_flipped_byte_is_seen_with_the_key_and_without(plane, keep, folder, tmp_path) -> None:
    keep(b"tiny")
    path = folder / f"{sha(b'tiny')}.sealed"
    whole = path.read_bytes()
    assert verify_journal(tmp_path / "journal-0").ok
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(QsecError) as caught:
            plane.artefacts.get(sha(b"tiny"))
        assert caught.value.code in {"evidence.damaged", "evidence.key_missing"}
    report = verify_journal(tmp_path / "journal-0")
    assert [problem.record for problem in report.problems] == [f"evidence/{path.name}"]


def test_swapped_files_are_seen(plane, keep, folder, tmp_path) -> None:
    keep(b"one")
    keep(b"two")
    one, two = (folder / f"{sha(data)}.sealed" for data in (b"one", b"two"))
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    for data in (b"one", b"two"):
        with pytest.raises(Unavailable) as caught:
            plane.artefacts.get(sha(data))
        assert caught.value.code == "evidence.damaged"
    assert len(verify_journal(tmp_path / "journal-0").problems) == 2


def test_missing_file_is_told_by_the_verifier(plane, keep, folder, tmp_path) -> None:
    keep()
    (folder / f"{sha(QPY)}.sealed").unlink()
    with pytest.raises(NotFound):
        plane.artefacts.get(sha(QPY))
    (problem,) = verify_journal(tmp_path / "journal-0").problems
    assert "missing" in problem.what


@pytest.mark.parametrize("name", ["../x", "", "0" * 63, "0" * 64 + "/../x", None])
def test_name_that_is_no_digest_reaches_no_file(plane, name) -> None:
    with pytest.raises(Invalid):
        plane.artefacts.get(str(name))


def test_zip_bomb_is_refused_before_it_is_unpacked(plane) -> None:
    import base64

    from qsec_jupyter.control.api.evidence import EvidenceBytes, _bytes

    bomb = base64.b64encode(zlib.compress(bytes(200 * 1024 * 1024))).decode()
    body = EvidenceBytes(media_type=TYPE, encoding="deflate", data=bomb)
    assert len(_bytes(body)) == module.MAX_BYTES + 1
