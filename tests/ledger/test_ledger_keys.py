"""Keys and checkpoints: the formats' own vectors, and an archive that says who signed when."""

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest

from qsec_jupyter.core.errors import NotFound, Unavailable
from qsec_jupyter.core.signing import Signer, key_id
from qsec_jupyter.ledger import checkpoint
from qsec_jupyter.ledger.evidence import StatementStore
from qsec_jupyter.ledger.keys import KeyArchive, LocalSigner, is_signature, read_key

MOMENT = datetime(2026, 1, 31, 9, 30, tzinfo=timezone.utc)
JOURNAL = "64465d92-249c-47f7-a9f9-5aadd622f640"


def test_key_id_and_signature_are_those_of_a_note_made_elsewhere():
    # The example of Go's golang.org/x/mod/sumdb/note.
    name, key = "PeterNeumann", "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    public_key = base64.b64decode(key)[1:]
    signature = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    text = (
        b"If you think cryptography is the answer to your problem,\n"
        b"then you don't know what your problem is.\n"
    )
    assert checkpoint.note_key_id(name, public_key).hex() == "c74f20a3"
    assert signature[:4].hex() == "c74f20a3"
    assert is_signature(public_key, signature[4:], text)


def test_a_checkpoint_is_read_back_and_verified_by_its_key_only():
    signer, other = LocalSigner.generate(), LocalSigner.generate()
    made = checkpoint.make(JOURNAL, 7, bytes(range(32)), signer)
    assert checkpoint.parse(made.note) == made
    assert made.note.startswith(f"qsec-jupyter/{JOURNAL}\n7\n".encode())
    assert made.verify([other.public_key, signer.public_key]) == signer.public_key
    assert made.verify([other.public_key]) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"\n7\n", b"\n07\n"),
        lambda note: note + b"\n",
        lambda note: note.replace(b"\n\n", b"\n"),
        lambda note: note.replace("\u2014".encode(), b"-"),
        lambda note: note.replace(b"Hh8=\n", b"Hh9=\n"),  # the same bytes in another base64
        lambda note: b"",
        lambda note: b"\xff" + note,
    ],
)
def test_anything_but_the_one_form_is_not_a_checkpoint(change):
    note = checkpoint.make(JOURNAL, 7, bytes(range(32)), LocalSigner.generate()).note
    assert change(note) != note
    with pytest.raises(ValueError):  # noqa: PT011  # which of the rules it broke does not matter
        checkpoint.parse(change(note))


def test_the_archive_keeps_a_key_with_its_dates(tmp_path):
    signer = LocalSigner.generate("vault-transit:qsec-ledger:v1")
    archive = KeyArchive(tmp_path / "keys")
    added = archive.add(signer, MOMENT)
    assert (added.name, added.raw, added.valid_to) == (signer.name, signer.public_key, None)
    assert archive.add(signer, MOMENT + timedelta(days=1)) == added
    successor = LocalSigner.generate()
    archive.add(successor, MOMENT)
    closed = archive.close(key_id(signer.public_key), MOMENT + timedelta(days=30), successor)
    assert closed.valid_to == "2026-03-02T09:30:00.000Z"
    assert set(archive.public_keys()) == {signer.public_key, successor.public_key}
    assert read_key(tmp_path / "keys" / f"{closed.id}.json")[1] == key_id(successor.public_key)
    with pytest.raises(NotFound):
        archive.get("0" * 64)


def test_an_entry_in_another_form_is_refused(tmp_path):
    archive = KeyArchive(tmp_path)
    key = archive.add(LocalSigner.generate(), MOMENT)
    path = tmp_path / f"{key.id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    with pytest.raises(ValueError, match="canonical"):
        read_key(path)


def test_the_local_signer_is_a_signer():
    assert isinstance(LocalSigner.generate(), Signer)


def test_a_statement_is_kept_byte_for_byte_under_its_digest(tmp_path):
    store = StatementStore(tmp_path / "statements")
    identity = store.put(b'{"payload": ""}')
    assert store.put(b'{"payload": ""}') == identity
    assert store.get(identity) == b'{"payload": ""}'
    (tmp_path / "statements" / f"{identity}.json").write_bytes(b"other")
    for wanted in (identity, "0" * 64):
        with pytest.raises(NotFound):
            store.get(wanted)


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        StatementStore(tmp_path / "file").put(b"x")
    with pytest.raises(Unavailable):
        KeyArchive(tmp_path / "file").add(LocalSigner.generate(), MOMENT)
