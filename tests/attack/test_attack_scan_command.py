"""Claim: a hostile repository, file or archive can neither run code, nor hide from, nor stop ``qsec scan``,
and nothing that it prints or writes holds a value."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from qsec_jupyter.scan.files import crew, scan as scanning
from qsec_jupyter.scan.files.crew import Crew
from qsec_jupyter.scan.files.model import Item, Outcome
from qsec_jupyter.scan.rules.samples import fill

SECRET = fill("{random:44}", random.Random(2))[0]
LINE = f"service(token='{SECRET}')\n"
QSEC = str(Path(sys.executable).parent / "qsec")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def call(tmp_path, home):
    folder = tmp_path / "repo"
    folder.mkdir()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "QSEC_HOME": str(home), "HOME": str(tmp_path / "nobody"), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@x",
        "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@x",
    }  # fmt: skip

    def run(*command, check=False):
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=100, check=check
        )

    run.folder = folder
    return run


def report(done):
    assert SECRET.encode() not in done.stdout + done.stderr
    return json.loads(done.stdout)


# -- a repository that names programs --------------------------------------------------------------


@pytest.fixture
def armed(call, tmp_path):
    """A repository whose configuration runs a program wherever git lets it."""
    call("git", "init", "-q", check=True)
    (call.folder / "a.py").write_text(LINE)
    call("git", "add", "-A", check=True)
    call("git", "commit", "-q", "-m", "1", check=True)
    (call.folder / "b.py").write_text(f"x = 1\n{LINE}")
    call("git", "add", "-A", check=True)
    proof = tmp_path / "pwned"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 $* >> {proof}\ncat\n")
    program.chmod(0o755)
    hooks = call.folder / ".git" / "hooks"
    for name in ("fsmonitor-watchman", "post-index-change", "reference-transaction", "post-checkout"):
        (hooks / name).write_text(program.read_text())
        (hooks / name).chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass", "core.gitProxy",
        "diff.external", "diff.x.textconv", "diff.x.command", "filter.x.clean", "filter.x.smudge",
        "filter.x.process", "gpg.program", "interactive.diffFilter", "credential.helper",
        "uploadpack.packObjectsHook",
        "alias.ls-files",
    ):  # fmt: skip
        call("git", "config", key, str(program), check=True)
    call("git", "config", "log.showSignature", "true", check=True)
    call("git", "config", "extensions.partialClone", "origin", check=True)
    call("git", "config", "remote.origin.promisor", "true", check=True)
    call("git", "config", "remote.origin.url", f"ext::{program}", check=True)
    call("git", "config", "protocol.ext.allow", "always", check=True)
    (call.folder / ".gitattributes").write_text("* filter=x diff=x\n")
    call("git", "status")
    assert proof.exists()  # git itself would have run it
    proof.unlink()
    return call, proof


@pytest.mark.parametrize("arguments", [["."], ["--staged"], ["--history", "HEAD"], ["--history", "all"]])
def test_configuration_of_a_repository_runs_nothing(armed, arguments):
    call, proof = armed
    found = report(call(QSEC, "scan", *arguments, "--format", "json"))["findings"]
    assert found
    assert not proof.exists(), proof.read_text()


def test_missing_object_is_named_and_not_fetched_by_a_program(armed):
    call, proof = armed
    blob = call("git", "rev-parse", "HEAD:a.py").stdout.decode().strip()
    (call.folder / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    done = call(QSEC, "scan", "--history", "HEAD", "--format", "json")
    assert not proof.exists(), proof.read_text()
    assert done.returncode in {2, 6}
    assert done.stdout == b"" or report(done)["problems"]


def test_modules_in_the_folder_are_not_imported(call):
    for name in ("json", "hyperscan", "copy", "dataclasses", "qsec_jupyter", "sitecustomize", "pathspec"):
        (call.folder / f"{name}.py").write_text("open('pwned', 'w')\n")
    (call.folder / "a.py").write_text(LINE)
    assert call(QSEC, "scan", ".").returncode == 1
    assert not (call.folder / "pwned").exists()


# -- hiding ----------------------------------------------------------------------------------------


def test_printed_comment_hides_nothing(call):
    line = LINE.strip()
    stream = {"output_type": "stream", "name": "stdout", "text": line + "  # pragma: allowlist secret\n"}
    traceback = [line + "  # gitleaks:allow"]
    error = {"output_type": "error", "ename": "E", "evalue": line + "  # nosec", "traceback": traceback}
    cell = {
        "cell_type": "code", "id": "a", "metadata": {"x": line + "  # nosec"}, "outputs": [stream, error],
        "execution_count": 1, "source": "",
    }  # fmt: skip
    metadata = {"source": line + "  # pragma: allowlist secret"}
    notebook = {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (call.folder / "a.ipynb").write_text(json.dumps(notebook))
    found = report(call(QSEC, "scan", ".", "--format", "json"))["findings"]
    assert len(found) == 5
    assert {one["action"] for one in found} == {"reported"}
    assert call(QSEC, "scan", "--fix", ".").returncode == 0
    assert SECRET not in (call.folder / "a.ipynb").read_text()


def test_gitignore_in_a_plain_folder_hides_nothing(call):
    (call.folder / ".gitignore").write_text("*\n")
    (call.folder / "a.py").write_text(LINE)
    assert call(QSEC, "scan", ".").returncode == 1


def test_settings_above_the_repository_do_not_count(call):
    call("git", "init", "-q", check=True)
    (call.folder.parent / "qsec.toml").write_text('[scan]\nexclude = ["*"]\n')
    (call.folder / "a.py").write_text(LINE)
    assert call(QSEC, "scan", ".").returncode == 1


# -- writing elsewhere -----------------------------------------------------------------------------


def test_names_in_archives_are_never_paths(call):
    with zipfile.ZipFile(call.folder / "a.zip", "w") as made:
        made.writestr("../../outside.py", LINE)
        made.writestr("/etc/outside.py", LINE)
    with tarfile.open(call.folder / "a.tar", "w") as made:
        for name, kind in (
            ("../up.py", tarfile.REGTYPE),
            ("link", tarfile.SYMTYPE),
            ("device", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = (
                kind,
                "/etc/passwd",
                len(LINE) if kind == tarfile.REGTYPE else 0,
            )
            made.addfile(info, io.BytesIO(LINE.encode()))
    before = sorted(call.folder.parent.rglob("*"))
    found = report(call(QSEC, "scan", ".", "--fix", "--format", "json"))["findings"]
    assert sorted(one["path"] for one in found) == [
        "a.tar!/../up.py",
        "a.zip!/../../outside.py",
        "a.zip!//etc/outside.py",
    ]
    assert sorted(call.folder.parent.rglob("*")) == before


def test_backup_suffix_cannot_leave_the_folder(call):
    (call.folder / "a.py").write_text(LINE)
    for suffix in ("/../../x", "../x", "a/b"):
        assert call(QSEC, "scan", "--fix", "--backup", suffix, ".").returncode == 2
    assert (call.folder / "a.py").read_text() == LINE


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_backup_does_not_write_through_a_link(call):
    (call.folder / "a.py").write_text(LINE)
    (call.folder / "a.py.bak").symlink_to("../victim")
    assert call(QSEC, "scan", "--fix", "--backup", ".bak", "a.py").returncode == 1
    assert not (call.folder.parent / "victim").exists()
    assert (call.folder / "a.py").read_text() == LINE


# -- stopping the scan -----------------------------------------------------------------------------


class Deadly:
    """Ends its process on one file, as a fault in a library or a lack of memory would."""

    def scan(self, item):
        if item.path == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(item.path, item.number)

    def close(self):
        pass


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("place", [0, 17, 49])
def test_file_that_ends_its_process_is_named_and_the_rest_goes_on(place):
    items = [Item("deadly" if n == place else f"f{n}", 1, number=n) for n in range(50)]
    outcomes = list(Crew(Deadly, Deadly(), 3).scan(items))
    assert sorted(one.number for one in outcomes) == list(range(50))
    (bad,) = [one for one in outcomes if one.problems]
    assert bad.path == "deadly"
    assert "ended (-9)" in bad.problems[0].why


def test_processes_end_when_the_scan_is_left():
    scan = Crew(Deadly, Deadly(), 2).scan(Item(f"f{n}", 1) for n in range(1_000_000))
    next(scan)
    scan.close()
    import multiprocessing

    assert multiprocessing.active_children() == []


def test_list_of_files_is_not_drawn_further_than_it_is_worked_on():
    drawn = []

    def items():
        for number in range(100_000):
            drawn.append(number)
            yield Item(str(number), 1, number=number)

    scan = Crew(Deadly, Deadly(), 2).scan(items())
    next(scan)
    assert len(drawn) <= 4 * crew.BATCH_ITEMS
    scan.close()


def test_fault_of_ours_quotes_nothing(call, monkeypatch):
    def fail(*_):
        raise ValueError(f"could not read {LINE}")

    assert SECRET not in scanning.fault(ValueError(SECRET))
    monkeypatch.setattr(scanning.content, "decode", fail)
    from qsec_jupyter.scan.files.decisions import Decisions
    from qsec_jupyter.scan.ruleset import load_rules
    from qsec_jupyter.scan.settings import Settings

    (call.folder / "a.py").write_text(LINE)
    plan = scanning.Plan(Decisions(Settings(call.folder), b"k" * 32))
    outcome = scanning.FileScanner(plan, load_rules(call.folder)).scan(Item(str(call.folder / "a.py")))
    assert "ValueError in test_attack_scan_command.py" in outcome.problems[0].why
    assert SECRET not in str(outcome)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_interrupted_fix_leaves_whole_files(call):
    text = (f"# {'x' * 60}\n" * 2000) + LINE
    for number in range(150):
        (call.folder / f"{number}.py").write_text(text)
    process = subprocess.Popen(
        [QSEC, "scan", "--fix", "."],
        cwd=call.folder,
        env={**os.environ, "QSEC_HOME": str(call.folder.parent / "h")},
    )
    try:
        while not any(SECRET not in file.read_text() for file in call.folder.glob("?.py")):
            assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    after = text.replace(SECRET, "[redacted: ibm-quantum]")
    assert {file.read_text() for file in call.folder.glob("*.py")} <= {text, after}
