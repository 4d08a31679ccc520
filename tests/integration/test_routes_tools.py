"""papermill, jupytext, nbconvert on the command line, git: other programs that write or read notebooks."""

import asyncio
import json
import random
import string
import subprocess
import sys

import pytest

from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.scanner import Scanner
from qsec_jupyter.server.coverage import git
from qsec_jupyter.server.papermill import RedactingHandler
from qsec_jupyter.server.save import SaveGuard

TOKEN = "".join(random.Random(6).choices(string.ascii_letters + string.digits + "-_", k=44))


def notebook(**metadata):
    stream = {"output_type": "stream", "name": "stdout", "text": f"{TOKEN}\n"}
    cell = {
        "cell_type": "code", "id": "c1", "metadata": {"tags": ["parameters"]}, "outputs": [stream],
        "execution_count": 1, "source": "ibm_token = None",
    }  # fmt: skip
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"cells": [cell], "metadata": {**spec, **metadata}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)


def run(*command, cwd):
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False, timeout=110
    )


def test_papermill_writes_parameters_and_outputs_redacted(tmp_path) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook()))
    script = (
        "import papermill, papermill.iorw as io\n"
        "from qsec_jupyter.server.papermill import RedactingHandler\n"
        "io.papermill_io.register('qsec:', RedactingHandler())\n"
        f"papermill.execute_notebook('a.ipynb', 'qsec:out.ipynb', parameters={{'ibm_token': {TOKEN!r}}},"
        " prepare_only=True, progress_bar=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110
    )
    assert done.returncode == 0, done.stderr[-2000:]
    text = (tmp_path / "out.ipynb").read_text()
    assert json.loads(text)["metadata"]["papermill"]["parameters"]
    assert TOKEN not in text


def test_papermill_finds_the_scheme_by_its_entry_point() -> None:
    from importlib.metadata import entry_points

    (entry,) = [one for one in entry_points(group="papermill.io") if one.name == "qsec:"]
    assert entry.load() is RedactingHandler


def test_nbconvert_on_the_command_line(tmp_path) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook()))
    name = "qsec_jupyter.server.nbconvert.RedactPreprocessor"
    done = run(
        "nbconvert", "--to", "html", f"--Exporter.preprocessors=['{name}']", "a.ipynb", cwd=tmp_path
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    text = (tmp_path / "a.html").read_text()
    assert "redacted" in text
    assert TOKEN not in text


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_paired_text_of_jupytext_holds_no_secret(tmp_path, kind) -> None:
    from jupyter_server.services.contents import largefilemanager
    from jupytext import async_contentsmanager, sync_contentsmanager

    if kind == "sync":
        build = sync_contentsmanager.build_sync_jupytext_contents_manager_class
        manager = build(largefilemanager.LargeFileManager)(root_dir=str(tmp_path))
    else:
        build = async_contentsmanager.build_async_jupytext_contents_manager_class
        manager = build(largefilemanager.AsyncLargeFileManager)(root_dir=str(tmp_path))
    known, baseline = KnownValues(), Baseline(tmp_path / "kept.json")
    guard = SaveGuard(scanner=Scanner(known, baseline, b"k" * 32), known=known, baseline=baseline)
    guard.attach(manager)
    content = notebook(jupytext={"formats": "ipynb,py:percent"})
    content["cells"][0]["source"] = f"token = '{TOKEN}'"
    saved = manager.save({"type": "notebook", "content": content}, "a.ipynb")
    if asyncio.iscoroutine(saved):
        asyncio.run(_awaited(saved))
    assert (tmp_path / "a.py").exists()
    for file in (tmp_path / "a.py", tmp_path / "a.ipynb"):
        assert TOKEN not in file.read_text()
        assert "[redacted: " in file.read_text()
    # jupytext saves what was redacted once more; what was found is still told.
    assert {one.surface for one in guard.report("a.ipynb").findings} == {"source", "output"}


async def _awaited(saved):
    await saved


def test_git_is_covered_only_where_it_is_set_up(tmp_path, monkeypatch) -> None:
    def call(*arguments):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, capture_output=True)

    file = tmp_path / "a.ipynb"
    file.write_text("{}")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert list(git.rows(file)) == []
    call("init", "-q")
    states = lambda: [one.state for one in git.rows(file)]  # noqa: E731
    assert states() == ["not covered", "not covered"]
    (tmp_path / ".gitattributes").write_text("*.ipynb filter=notebooks\n")
    assert states() == ["not covered", "not covered"]
    call("config", "filter.notebooks.clean", "qsec scan --clean")
    hook = tmp_path / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nqsec scan --staged\n")
    assert states() == ["redacted", "scanned"]
