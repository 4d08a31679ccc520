"""`qsec share` and `qsec coverage` without a server, and how they find one."""

import json
import os
import random
import string

import pytest

from qsec_jupyter.cli import coverage as coverage_command, servers, share as share_command
from qsec_jupyter.core.errors import Conflict, Invalid, NotFound

TOKEN = "".join(random.Random(8).choices(string.ascii_letters + string.digits + "-_", k=44))


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    stream = {"output_type": "stream", "name": "stdout", "text": f"{TOKEN}\n"}
    cell = {
        "cell_type": "code", "id": "c1", "metadata": {}, "outputs": [stream], "execution_count": 1,
        "source": f"token = '{TOKEN}'",
    }  # fmt: skip
    file = tmp_path / "a.ipynb"
    file.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return file


@pytest.fixture
def recorded(monkeypatch):
    shares = []

    async def record(shared, source, target, classified):
        shares.append((shared.sha256, classified.name))
        return "s1"

    monkeypatch.setattr(share_command, "_record", record)
    return shares


def share(file, **options):
    wanted = {"outputs": False, "execution_counts": False, "metadata": False, "to": None, "as_json": True}
    share_command.share(file, **{**wanted, **options})


def test_share_writes_copy_and_report_and_records_them(notebook, recorded, capsys) -> None:
    share(notebook, outputs=True)
    done = json.loads(capsys.readouterr().out)
    copy = (notebook.parent / "a-shared.ipynb").read_text()
    assert TOKEN not in copy + (notebook.parent / "a-shared.report.md").read_text() + json.dumps(done)
    assert (done["share_id"], done["recorded"], done["removed"]["secrets"]) == ("s1", True, 2)
    assert len(recorded) == 1
    assert TOKEN in notebook.read_text()
    with pytest.raises(Conflict):
        share(notebook)


def test_share_of_what_is_no_notebook_is_refused(notebook, recorded) -> None:
    with pytest.raises(NotFound):
        share(notebook.with_name("b.ipynb"))
    notebook.write_text("{")
    with pytest.raises(Invalid):
        share(notebook)
    with pytest.raises(Invalid):
        share(notebook, to=notebook.with_suffix(".txt"))
    assert recorded == []


def test_coverage_without_a_server_says_that_nothing_is_covered(notebook, capsys) -> None:
    coverage_command.coverage(notebook, as_json=True)
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["state"] == "not covered"
    coverage_command.coverage(notebook)
    assert "not covered" in capsys.readouterr().out


def test_only_servers_that_live_and_serve_the_file_are_asked(notebook, tmp_path, monkeypatch) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    good = {"pid": os.getpid(), "url": "http://127.0.0.1:1/", "root_dir": str(tmp_path), "token": "t"}
    for name, info in {
        "1": good,
        "2": {**good, "pid": 2**22 + 1},
        "3": {**good, "url": "file:///etc"},
        "4": {"pid": os.getpid()},
        "5": [],
    }.items():
        (runtime / f"jpserver-{name}.json").write_text(json.dumps(info))
    (runtime / "jpserver-6.json").write_text("{")
    (server,) = servers.running()
    assert server.path_of(notebook) == "a.ipynb"
    assert server.path_of(tmp_path.parent / "b.ipynb") is None
    assert "t'" not in repr(server)
    assert servers.serving(notebook) is None  # nobody listens there
