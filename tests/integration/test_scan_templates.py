"""The hooks and templates that are shipped, as services run them: with a real git, pre-commit and shell."""

import json
import os
import random
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from qsec_jupyter.scan.rules.samples import fill

ROOT = Path(__file__).parents[2]
SECRET = fill("{random:44}", random.Random(2))[0]
LINE = f"service(token='{SECRET}')\n"
MARKER = "[redacted: ibm-quantum]"
BIN = Path(sys.executable).parent


@pytest.fixture
def call(tmp_path):
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "QSEC_HOME": str(tmp_path / "home"),
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    folder = tmp_path / "clone"

    def run(*command, cwd=folder, check=True, **more):
        done = subprocess.run(
            command, cwd=cwd, env={**environment, **more}, capture_output=True, timeout=110, check=False
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done

    for key, value in (("user.name", "a"), ("user.email", "a@example.org"), ("init.defaultBranch", "main")):
        run("git", "config", "--global", key, value, cwd=tmp_path)
    run("git", "init", "-q", "origin", cwd=tmp_path)
    (tmp_path / "origin" / "a.py").write_text("x = 1\n")
    for command in (["add", "-A"], ["commit", "-qm", "first"]):
        run("git", *command, cwd=tmp_path / "origin")
    run("git", "clone", "-q", "origin", "clone", cwd=tmp_path)
    run("git", "checkout", "-qb", "change")
    run.folder = folder
    return run


def change(call, text):
    (call.folder / "a.py").write_text(text)
    call("git", "commit", "-qam", "change")


def github_steps():
    jobs = yaml.safe_load((ROOT / "docs/operators/github-scan.yml").read_text())["jobs"]
    return {step["name"]: step["run"] for step in jobs["scan"]["steps"] if "run" in step}


def shell(call, script, **environment):
    return call("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script, check=False, **environment)


def test_steps_for_github_pass_clean_changes_and_stop_others(call):
    steps = github_steps()
    assert list(steps) == ["Install", "Scan files", "Scan the commits of this change"]
    base = {"GITHUB_BASE_REF": "main"}
    change(call, "x = 2\n")
    assert shell(call, steps["Scan files"]).returncode == 0
    assert json.loads((call.folder / "qsec.sarif").read_text())["runs"][0]["results"] == []
    assert shell(call, steps["Scan the commits of this change"], **base).returncode == 0
    change(call, LINE)
    assert shell(call, steps["Scan files"]).returncode == 1
    (result,) = json.loads((call.folder / "qsec.sarif").read_text())["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact["uri"] == "a.py"
    change(call, "x = 3\n")  # gone from the files, not from the commits
    assert shell(call, steps["Scan files"]).returncode == 0
    done = shell(call, steps["Scan the commits of this change"], **base)
    assert done.returncode == 1
    assert b"a.py, 1:16" in done.stdout


def test_script_for_gitlab_passes_clean_changes_and_stops_others(call):
    job = yaml.safe_load((ROOT / "docs/operators/gitlab-scan.yml").read_text())["qsec-scan"]
    script = "\n".join(job["script"])
    base = call("git", "rev-parse", "main").stdout.decode().strip()
    change(call, "x = 2\n")
    assert shell(call, script).returncode == 0
    assert shell(call, script, CI_MERGE_REQUEST_DIFF_BASE_SHA=base).returncode == 0
    change(call, LINE)
    assert shell(call, script).returncode == 1
    report = call.folder / job["artifacts"]["reports"]["junit"]
    assert ET.fromstring(report.read_text())[0].get("failures") == "1"
    change(call, "x = 3\n")
    assert shell(call, script).returncode == 0
    assert shell(call, script, CI_MERGE_REQUEST_DIFF_BASE_SHA=base).returncode == 1


@pytest.fixture
def hooked(call, tmp_path):
    """The clone with our hooks, from a repository that holds nothing but their description."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "hooks"], ["tag", "v1"]):
        call("git", *command, cwd=hooks)

    def choose(name):
        entry = {"repo": str(hooks), "rev": "v1", "hooks": [{"id": name}]}
        (call.folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [entry]}))
        call("git", "add", "-A")
        call("pre-commit", "install")
        return call

    return choose


def test_pre_commit_hook_stops_what_is_staged_and_not_what_is_not(hooked):
    call = hooked("qsec-scan")
    (call.folder / "a.py").write_text(LINE)
    (call.folder / "b.py").write_text("x = 1\n")
    call("git", "add", "b.py")
    assert call("git", "commit", "-qm", "clean", check=False).returncode == 0  # a.py is not in it
    call("git", "add", "a.py")
    (call.folder / "a.py").write_text("x = 1\n")
    done = call("git", "commit", "-qm", "leak", check=False)
    assert done.returncode == 1
    assert b"a.py, 1:16: critical" in done.stderr + done.stdout
    assert SECRET.encode() not in done.stderr + done.stdout


def test_pre_commit_hook_that_fixes_stops_once_and_then_passes(hooked):
    call = hooked("qsec-fix")
    (call.folder / "a.py").write_text(LINE)
    call("git", "add", "-A")
    assert call("git", "commit", "-qm", "leak", check=False).returncode == 1
    assert (call.folder / "a.py").read_text() == LINE.replace(SECRET, MARKER)
    call("git", "add", "-A")
    call("git", "commit", "-qm", "fixed")


def test_hook_of_the_guide_works_without_pre_commit(call):
    guide = (ROOT / "docs/users/scan.md").read_text()
    script = guide[guide.index("#!/bin/sh") :].split("```")[0]
    hook = call.folder / ".git/hooks/pre-commit"
    hook.write_text(script)
    hook.chmod(0o755)
    (call.folder / "a.py").write_text(LINE)
    assert call("git", "commit", "-qam", "leak", check=False).returncode == 1


def test_clean_filter_of_the_guide_works(call):
    guide = (ROOT / "docs/users/scan.md").read_text()
    start = guide.index("git config filter.qsec.process")
    assert shell(call, guide[start:].split("```")[0]).returncode == 0
    (call.folder / "a.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {"note": LINE}, "nbformat": 4, "nbformat_minor": 5})
    )
    call("git", "add", "-A")
    call("git", "commit", "-qm", "notebook")
    assert SECRET.encode() not in call("git", "show", "HEAD:a.ipynb").stdout
    assert SECRET in (call.folder / "a.ipynb").read_text()
