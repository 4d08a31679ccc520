"""What is said of the environment and the repository, and what is not."""

import json
import subprocess

import pytest

from qsec_jupyter.core.canonical import canonical_bytes, sha256_hex
from qsec_jupyter.provenance import environment, repository
from qsec_jupyter.provenance.missing import missing


def test_manifest_is_what_its_digest_says_and_canonical() -> None:
    told, manifest = environment.environment()
    assert sha256_hex(manifest) == told["packages"]["sha256"]
    packages = json.loads(manifest)
    assert canonical_bytes(packages) == manifest
    assert packages["pytest"] == pytest.__version__
    assert told["packages"]["count"] == len(packages)


def test_installing_a_package_changes_the_manifest(tmp_path, monkeypatch) -> None:
    before = environment.environment()[1]
    (tmp_path / "A_very.New-thing-1.2.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    after = json.loads(environment.environment()[1])
    assert "a-very-new" in after or "a-very-new-thing" in after
    assert environment.environment()[1] != before


def test_threads_are_read_anew_each_time(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment.environment()[0]["threads"]["OMP_NUM_THREADS"] == "3"
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert "OMP_NUM_THREADS" not in environment.environment()[0]["threads"]


def test_image_with_a_digest_is_told_by_it(monkeypatch) -> None:
    digest = "sha256:" + "a" * 64
    monkeypatch.setenv("JUPYTER_IMAGE_SPEC", f"quay.io/jupyter/scipy@{digest}")
    assert environment.container()["digest"] == digest
    monkeypatch.setenv("JUPYTER_IMAGE_SPEC", "quay.io/jupyter/scipy:latest")
    inside = environment.container()
    assert inside["digest"] is None
    assert any("container" in gap for gap in missing({"environment": {"container": inside}}))


@pytest.fixture
def repo(tmp_path, monkeypatch):
    monkeypatch.setattr(repository, "_kept", {})
    monkeypatch.setattr(repository, "KEPT_SECONDS", -1.0)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "work"
    folder.mkdir()

    def git(*arguments):
        who = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (folder / "a.py").write_text("x = 1\n")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    return folder, git


def test_clean_repository_is_its_commit(repo) -> None:
    told, gaps = repository.state(str(repo[0]))
    assert len(told["commit"]) == 40
    assert (told["branch"], told["dirty"], told["diff_sha256"], told["remote"]) == ("main", False, None, None)
    assert gaps == []


def test_change_on_top_of_the_commit_has_a_digest_of_its_own(repo) -> None:
    folder, git = repo
    digests = set()
    for text in ("x = 2\n", "x = 3\n"):
        (folder / "a.py").write_text(text)
        told, _ = repository.state(str(folder))
        assert told["dirty"]
        digests.add(told["diff_sha256"])
    git("add", ".")
    digests.add(repository.state(str(folder))[0]["diff_sha256"])
    assert len(digests) == 2


def test_files_that_git_does_not_track_are_counted_and_named_as_missing(repo) -> None:
    folder, _ = repo
    (folder / "new.py").write_text("")
    told, _ = repository.state(str(folder))
    assert (told["dirty"], told["untracked"]) == (False, 1)
    assert any("does not track" in gap for gap in missing({"source": {"git": told}}))


def test_folder_outside_a_repository_has_none(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(repository, "_kept", {})
    assert repository.state(str(tmp_path)) == (None, [])


def test_repository_cannot_start_a_program_of_its_own(repo, tmp_path) -> None:
    folder, git = repo
    mark = tmp_path / "started"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "diff.evil.textconv", "diff.evil.command"):
        git("config", name, str(script))
    (folder / ".gitattributes").write_text("*.py diff=evil\n")
    (folder / "a.py").write_text("x = 4\n")
    assert repository.state(str(folder))[0]["dirty"]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://ada:s3cret@git.example/a/b.git", "https://git.example/a/b.git"),
        ("https://token@git.example:8443/a.git?key=s3cret#s3cret", "https://git.example:8443/a.git"),
        ("git@git.example:a/b.git", "git.example:a/b.git"),
        ("ssh://git:s3cret@git.example/a", "ssh://git.example/a"),
        ("/srv/git/a", "/srv/git/a"),
        ("weird", None),
        ("https://[bad", None),
    ],
)
def test_remote_is_told_without_anything_secret(url, told) -> None:
    assert repository.without_credentials(url) == told


def test_repository_that_cannot_be_read_is_a_gap(repo, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    told, gaps = repository.state(str(repo[0]))
    assert told is None
    assert "no git" in gaps[0]
