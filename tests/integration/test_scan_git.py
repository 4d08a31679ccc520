"""``qsec scan`` as a user runs it, with a real git: ignored files, the index, history, filter and hooks."""

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qsec_jupyter.scan.rules.samples import fill

SECRET = fill("{random:44}", random.Random(2))[0]
OTHER = fill("{random:44}", random.Random(3))[0]
LINE = f"service(token='{SECRET}')\n"
MARKER = "[redacted: ibm-quantum]"
# The command, not `python -m`: that would import a copy.py which lies in the repository.
QSEC = [str(Path(sys.executable).parent / "qsec")]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def call(tmp_path, home):
    """Runs a program in the repository; its output never holds a secret unless it is git's."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "QSEC_HOME": str(home), "HOME": str(tmp_path / "nobody"), "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    folder = tmp_path / "repo"
    folder.mkdir()

    def run(*command, check=False, **options):
        return subprocess.run(
            command,
            check=check,
            **{"cwd": folder, "env": environment, "capture_output": True, "timeout": 60, **options},
        )

    run.folder = folder
    assert run("git", "init", "-q", "-b", "main").returncode == 0
    return run


@pytest.fixture
def scan(call):
    def run(*arguments, **options):
        done = call(*QSEC, "scan", *arguments, "--format", "json", **options)
        assert SECRET.encode() not in done.stdout + done.stderr, "a value was shown"
        return done.returncode, json.loads(done.stdout or "null"), done.stderr.decode()

    return run


def commit(call, message="change", **files):
    for name, text in files.items():
        file = call.folder / name.replace("__", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert call("git", "add", "-A").returncode == 0
    done = call("git", "commit", "-q", "-m", message)
    assert done.returncode == 0, done.stderr
    return call("git", "rev-parse", "HEAD").stdout.decode().strip()


def found(report):
    return sorted((one["path"], one["commit"]) for one in report["findings"])


def paths(report):
    return sorted(one["path"] for one in report["findings"])


def notebook(source, output=""):
    outputs = (
        [{"output_type": "stream", "name": "stdout", "text": output.splitlines(keepends=True)}]
        if output
        else []
    )
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "outputs": outputs,
        "execution_count": 1,
        "source": [source],
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


# -- what git ignores -----------------------------------------------------------------------------


def test_ignored_files_are_left_out_and_tracked_ones_are_not(call, scan):
    commit(call, tracked__log=LINE)
    (call.folder / ".gitignore").write_text("*.log\nbuild/\n!keep.log\n")
    for name in ("build/a.py", "deep/er/x.log", "deep/keep.log", "new.py", "deep/node_modules/y.py"):
        (call.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (call.folder / name).write_text(LINE)
    (call.folder / "deep" / ".gitignore").write_text("node_modules\n")
    assert paths(scan(".")[1]) == ["deep/keep.log", "new.py", "tracked.log"]
    assert paths(scan("deep")[1]) == ["deep/keep.log"]
    assert paths(scan("build")[1]) == ["build/a.py"]  # named, so meant
    assert paths(scan("deep/er/x.log")[1]) == ["deep/er/x.log"]


def test_repositories_below_a_folder_are_each_read_by_their_own_rules(call, scan):
    inner = call.folder / "inner"
    inner.mkdir()
    call("git", "init", "-q", cwd=inner)
    (inner / ".gitignore").write_text("secret.py\n")
    for name in ("secret.py", "open.py"):
        (inner / name).write_text(LINE)
    assert paths(scan(".")[1]) == ["inner/open.py"]
    shutil.rmtree(call.folder / ".git")
    assert paths(scan(".")[1]) == ["inner/open.py"]


def test_deleted_file_is_no_problem(call, scan):
    commit(call, a__py="x = 1\n")
    (call.folder / "a.py").unlink()
    assert scan(".")[:1] == (0,)


# -- the index ------------------------------------------------------------------------------------


def test_staged_content_is_read_not_the_work_tree(call, scan):
    commit(call, a__py="x = 1\n", b__py=LINE)
    (call.folder / "a.py").write_text(LINE)
    assert scan("--staged")[0] == 0  # nothing is staged; b.py is an old story
    call("git", "add", "a.py")
    (call.folder / "a.py").write_text("x = 2\n")
    status, report, _ = scan("--staged")
    assert (status, paths(report)) == (1, ["a.py"])
    (call.folder / "a.py").write_text(LINE)
    call("git", "reset", "-q", "a.py")
    (call.folder / "c.py").write_text("x = 3\n")
    call("git", "add", "c.py")
    assert scan("--staged")[0] == 0


def test_staged_before_the_first_commit_and_by_path(call, scan):
    (call.folder / "sub").mkdir()
    (call.folder / "sub" / "a.py").write_text(LINE)
    (call.folder / "b.ipynb").write_text(notebook(LINE))
    call("git", "add", "-A")
    assert paths(scan("--staged")[1]) == ["b.ipynb", "sub/a.py"]
    assert paths(scan("--staged", "sub")[1]) == ["sub/a.py"]
    assert paths(scan("--staged", cwd=call.folder / "sub")[1]) == ["b.ipynb", "sub/a.py"]


def test_same_content_at_two_paths_is_told_twice(call, scan):
    for name in ("a.py", "b.py"):
        (call.folder / name).write_text(LINE)
    call("git", "add", "-A")
    assert paths(scan("--staged")[1]) == ["a.py", "b.py"]


def test_outside_of_a_repository_staged_says_so(call, tmp_path):
    done = call(*QSEC, "scan", "--staged", cwd=tmp_path)
    assert done.returncode == 4
    assert b"no git repository" in done.stderr


def test_hook_refuses_a_commit_also_one_with_an_index_of_its_own(call):
    commit(call, a__py="x = 1\n")
    hook = call.folder / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexec qsec scan --staged\n")
    hook.chmod(0o755)
    (call.folder / "a.py").write_text(LINE)
    done = call("git", "commit", "-q", "-m", "leak", "a.py")  # git makes an index for this commit alone
    assert done.returncode == 1
    assert b"a.py, 1:16: critical" in done.stdout + done.stderr
    (call.folder / "a.py").write_text("x = 2\n")
    assert call("git", "commit", "-q", "-m", "clean", "a.py").returncode == 0


# -- history --------------------------------------------------------------------------------------


def test_history_names_the_commit_that_brought_a_value_in_once(call, scan):
    commit(call, a__py="x = 1\n")
    first = commit(call, a__py="x = 1\n" + LINE)
    commit(call, a__py="x = 2\n" + LINE, copy__py="# copy\n" + LINE)
    commit(call, a__py="x = 3\n")
    status, report, _ = scan("--history", "HEAD")
    assert status == 1
    assert found(report) == [("a.py", first), ("copy.py", report["findings"][1]["commit"])]
    assert scan("--history", f"{first}..HEAD")[1]["findings"][0]["commit"] != first
    assert scan("--history", "HEAD~1..HEAD")[0] == 0


def test_history_sees_merges_other_branches_and_odd_names(call, scan):
    commit(call, a__py="x = 1\n")
    call("git", "checkout", "-q", "-b", "side")
    (call.folder / "a b\n\u00fc.py").write_text(LINE)
    side = commit(call)
    call("git", "checkout", "-q", "main")
    commit(call, b__py="x = 1\n")
    call("git", "merge", "-q", "--no-ff", "--no-commit", "side")
    evil = commit(call, evil__py=f"service(token='{OTHER}')\n")  # in no parent
    (call.folder / "a b\n\u00fc.py").unlink()
    commit(call)
    assert found(scan("--history", "main")[1]) == [("a b\n\u00fc.py", side), ("evil.py", evil)]
    call("git", "checkout", "-q", "--orphan", "lone")
    call("git", "rm", "-rfq", ".")
    lone = commit(call, c__py=f"# alone\n{LINE}")
    assert ("c.py", lone) not in found(scan("--history", "main")[1])
    assert ("c.py", lone) in found(scan("--history", "all")[1])


def test_history_reads_many_versions_with_several_processes(call, scan):
    for number in range(60):
        (call.folder / "a.ipynb").write_text(notebook(f"x = {number}\n", LINE if number == 41 else ""))
        call("git", "add", "-A")
        call("git", "commit", "-q", "-m", str(number))
    status, report, _ = scan("--history", "HEAD")
    assert (status, len(report["findings"]), report["scanned"]["files"]) == (1, 1, 60)
    assert report["findings"][0]["surface"] == "output"
    one = call("git", "log", "-1", "--format=%s", report["findings"][0]["commit"]).stdout
    assert one.strip() == b"41"


@pytest.mark.parametrize("words", ["nothing..HEAD", "--output=pwned", "HEAD; touch pwned"])
def test_range_that_git_does_not_know_is_refused(call, words):
    commit(call, a__py="x = 1\n")
    done = call(*QSEC, "scan", f"--history={words}")
    assert done.returncode == 2
    assert b"does not know this range" in done.stderr
    assert not (call.folder / "pwned").exists()


def test_gitleaksignore_with_a_commit_counts_in_that_commit(call, scan):
    first = commit(call, a__py=LINE)
    (call.folder / ".gitleaksignore").write_text(f"{first}:a.py:generic-api-key:1\n")
    assert scan("--history", "HEAD", "--baseline", ".gitleaksignore")[0] == 0
    assert scan("a.py", "--baseline", ".gitleaksignore")[0] == 1


# -- the clean filter -----------------------------------------------------------------------------


@pytest.fixture(params=["clean", "process"])
def filtered(call, request):
    if request.param == "clean":
        call("git", "config", "filter.qsec.clean", "qsec scan --filter %f")
        call("git", "config", "filter.qsec.smudge", "cat")
    else:
        call("git", "config", "filter.qsec.process", "qsec scan --filter-process")
    call("git", "config", "filter.qsec.required", "true")
    (call.folder / ".gitattributes").write_text("*.ipynb filter=qsec\n")
    return call


def test_clean_filter_keeps_values_out_of_git_and_in_the_work_tree(filtered):
    text = notebook(LINE, f"{LINE}# pragma: allowlist secret\n")
    commit(filtered, a__ipynb=text)
    assert (filtered.folder / "a.ipynb").read_text() == text
    stored = filtered("git", "show", "HEAD:a.ipynb").stdout.decode()
    assert stored == text.replace(SECRET, MARKER)
    assert filtered("git", "status", "--porcelain").stdout == b""
    assert filtered("git", "diff", "--stat").stdout == b""


@pytest.mark.parametrize(
    "data", [b"", b"not json \xff\x00", b"\xef\xbb\xbf{}", b'{"a": NaN}\r\n', b"[" * 20_000]
)
def test_what_holds_no_secret_goes_through_byte_by_byte(filtered, data):
    done = filtered(*QSEC, "scan", "--filter", "x.ipynb", input=data)
    assert (done.returncode, done.stdout) == (0, data)


def test_filter_that_fails_makes_git_refuse_the_file(filtered, home, tmp_path):
    (filtered.folder / "qsec.toml").write_text("[scan]\nnonsense = 1\n")
    (filtered.folder / "a.ipynb").write_text(notebook(LINE))
    done = filtered("git", "add", "a.ipynb")
    assert done.returncode != 0
    assert b"nonsense" in done.stderr
    assert filtered("git", "ls-files").stdout == b""


def test_process_takes_many_large_and_empty_files_and_gives_them_back(filtered):
    texts = {f"n{number}.ipynb": notebook(LINE, f"x = {number}\n" * (5000 * number)) for number in range(12)}
    texts["empty.ipynb"] = ""
    for name, text in texts.items():
        (filtered.folder / name).write_text(text)
    assert filtered("git", "add", "-A").returncode == 0
    filtered("git", "commit", "-qm", "many")
    for name, text in texts.items():
        stored = text.replace(SECRET, MARKER)
        assert filtered("git", "show", f"HEAD:{name}").stdout.decode() == stored
        (filtered.folder / name).unlink()
    assert filtered("git", "checkout", "--", ".").returncode == 0
    assert (filtered.folder / "n3.ipynb").read_text() == texts["n3.ipynb"].replace(SECRET, MARKER)


@pytest.mark.parametrize("data", [b"", b"0000", b"hello", b"0010git-filter", b"zzzz"])
def test_process_refuses_what_is_not_git(call, data):
    done = call(*QSEC, "scan", "--filter-process", input=data)
    assert done.returncode != 0
    assert b"Traceback" not in done.stderr
