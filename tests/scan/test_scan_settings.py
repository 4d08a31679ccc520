"""Settings of a scan: where they are found, and what is refused by name."""

from datetime import date

import pytest

from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.scan import settings

FULL = """
[scan]
rules = ["more.toml", "kingfisher"]
exclude = ["data/"]
baseline = ["known.json"]
fail-on = "high"
max-size = 1000
jobs = 3

[[scan.allow]]
path = "tests/**"
reason = "made up"
owner = "alice"
expires = 2027-06-30
"""


def test_every_key_is_read_and_paths_are_those_of_the_file(tmp_path):
    (tmp_path / "qsec.toml").write_text(FULL)
    (tmp_path / "below").mkdir()
    found = settings.find(tmp_path / "below")
    assert found == settings.Settings(
        tmp_path, (str(tmp_path / "more.toml"), "kingfisher"), ("data/",),
        (tmp_path / "known.json",), "high", 1000, 3,
        (settings.Allow("made up", "alice", date(2027, 6, 30), "tests/**"),),
    )  # fmt: skip
    assert settings.read(tmp_path / "qsec.toml") == found


def test_pyproject_is_read_when_it_speaks_of_qsec(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert settings.find(tmp_path) == settings.Settings(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.qsec.scan]\njobs = 2\n")
    assert settings.find(tmp_path).jobs == 2


def test_nothing_above_a_repository_counts(tmp_path):
    (tmp_path / "qsec.toml").write_text("[scan]\njobs = 2\n")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    assert settings.find(tmp_path / "repo").jobs == 0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[scan\n", "not valid TOML"),
        ("[scna]\n", "unknown table 'scna'"),
        ("[scan]\nexlude = []\n", "unknown key 'exlude'"),
        ("[scan]\nexclude = 'x'\n", "exclude is not a list of texts"),
        ("[scan]\njobs = -1\n", "jobs is not a whole number"),
        ("[scan]\njobs = true\n", "jobs is not a whole number"),
        ("[scan]\nfail-on = 'bad'\n", "fail-on is none of"),
        ("scan = 1\n", "scan is not a table"),
        ("[[scan.allow]]\npath='a'\nreason='r'\nowner='o'\n", "expires is missing"),
        ("[[scan.allow]]\npath='a'\nreason=''\nowner='o'\nexpires=2027-01-01\n", "reason is missing"),
        ("[[scan.allow]]\nreason='r'\nowner='o'\nexpires=2027-01-01\n", "one of path, rule and fingerprint"),
        ("[[scan.allow]]\npath='a'\nreason='r'\nowner='o'\nexpires='soon'\n", "not a day"),
        ("[[scan.allow]]\npath=1\nreason='r'\nowner='o'\nexpires=2027-01-01\n", "path is not a text"),
        ("[[scan.allow]]\nwhy='a'\n", "unknown key 'why'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, named):
    file = tmp_path / "qsec.toml"
    file.write_text(text)
    with pytest.raises(Invalid) as caught:
        settings.find(tmp_path)
    assert named in caught.value.detail
    assert str(file) in caught.value.detail


def test_a_named_file_must_be_there(tmp_path):
    with pytest.raises(Invalid):
        settings.read(tmp_path / "qsec.toml")
