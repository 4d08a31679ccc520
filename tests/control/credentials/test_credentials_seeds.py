"""What a new store keeps at first: a made-up value, or the first line of a file that only its owner reads."""

import pytest

from qsec_jupyter.control.credentials.broker import TargetSource
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.sealed import SealedBroker, SealedFile
from qsec_jupyter.control.credentials.seeds import first_value
from qsec_jupyter.core.errors import Unavailable


def source(file=""):
    return TargetSource("kv-v2", "targets/sandbox", "token", seed_file=str(file))


def seed_file(tmp_path, text, mode=0o600):
    file = tmp_path / "seed"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_without_a_file_the_value_is_made_up():
    assert len(first_value(source())) == 44
    assert first_value(source()) != first_value(source())


def test_the_first_line_of_the_file_is_kept(tmp_path):
    file = seed_file(tmp_path, "the-key\nanother\n")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    keys = KeyStore(home, None)
    SealedBroker(home, {"sandbox": source(file)}, keys).close()
    content, _ = SealedFile(home, keys).load()
    assert content.secrets["sandbox"] == "the-key"


@pytest.mark.parametrize(("text", "mode"), [("", 0o600), ("the-key\n", 0o640), ("the-key\n", 0o604)])
def test_a_file_that_is_empty_or_open_to_others_is_refused(tmp_path, text, mode):
    with pytest.raises(Unavailable) as raised:
        first_value(source(seed_file(tmp_path, text, mode)))
    assert raised.value.code == "seed.file"
    assert "the-key" not in str(raised.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Unavailable):
        first_value(source(tmp_path / "nowhere"))
