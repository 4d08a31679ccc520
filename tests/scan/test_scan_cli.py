"""``qsec scan`` and its reports."""

import json
import os
import random

import pytest
from typer.testing import CliRunner

from qsec_jupyter.cli.main import app
from qsec_jupyter.scan.baseline import Baseline, fingerprint, fingerprint_key
from qsec_jupyter.scan.rules.samples import fill

TOKEN = fill("{random:44}", random.Random(1))[0]
MARKER = "[redacted: ibm-quantum]"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def folder(tmp_path, home, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {},
        "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["first\n", f"'{TOKEN}'"]}],
    }
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook))
    (tmp_path / "run.py").write_text(f"x = 1\nservice(token='{TOKEN}')\n")
    (tmp_path / "clean.md").write_text("nothing here\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(f"token = '{TOKEN}'\n")
    yield tmp_path
    (home / "kept.json").unlink(missing_ok=True)


def run(*arguments):
    return CliRunner().invoke(app, ["scan", *map(str, arguments)])


def test_findings_are_printed_with_their_places_and_the_status_is_1(folder):
    result = run(".")
    assert result.exit_code == 1
    assert "a.ipynb, cell 1, source, 2:2: high" in result.output
    assert "run.py, 2:16: critical" in result.output
    assert ".git" not in result.output
    assert TOKEN not in result.output


def test_clean_files_give_status_0(folder):
    assert run("clean.md").exit_code == 0


def test_fix_rewrites_files_keeps_their_mode_and_then_nothing_is_found(folder):
    (folder / "run.py").chmod(0o640)
    assert run(".", "--fix").exit_code == 0
    assert (folder / "run.py").read_text() == f"x = 1\nservice(token='{MARKER}')\n"
    assert (folder / "run.py").stat().st_mode & 0o777 == 0o640
    assert json.loads((folder / "a.ipynb").read_text())["cells"][0]["source"] == ["first\n", f"'{MARKER}'"]
    assert "0 findings" in run(".").output


def test_without_fix_no_file_changes(folder):
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    run(".")
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_json_report_can_be_read_back(folder):
    content = json.loads(run("a.ipynb", "--format", "json").stdout)
    (finding,) = content["findings"]
    assert finding["rule"] == "ibm-style-token"
    assert finding["action"] == "reported"
    assert TOKEN not in str(content)


def test_sarif_names_lines_in_texts_and_cells_in_notebooks(folder):
    log = json.loads(run(".", "--format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    (sarif,) = log["runs"]
    rules = [rule["id"] for rule in sarif["tool"]["driver"]["rules"]]
    for result in sarif["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] in {"none", "note", "warning", "error"}
    notebook, text = (result["locations"][0] for result in sarif["results"])
    assert notebook["logicalLocations"][0]["fullyQualifiedName"] == "cells/0/source/2:2"
    region = {"startLine": 2, "startColumn": 16, "endLine": 2, "endColumn": 60}
    assert text["physicalLocation"]["region"] == region
    assert notebook["physicalLocation"]["region"]["startLine"] == 1  # it is written in one line


def test_kept_finding_is_shown_and_does_not_fail(folder):
    key = fingerprint_key()
    Baseline().keep(fingerprint(key, TOKEN), "run.py", "an example", "alice")
    result = run("run.py")
    assert result.exit_code == 0
    assert "(kept: an example (alice))" in result.output
    log = json.loads(run("run.py", "--format", "sarif").stdout)
    assert log["runs"][0]["results"][0]["suppressions"]


def test_missing_file_is_named_and_the_rest_goes_on(folder):
    result = run("none.ipynb", "clean.md")
    assert result.exit_code == 2
    assert "none.ipynb" in result.output
    assert run("none.ipynb", "run.py").exit_code == 1


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_loop_of_symbolic_links_ends(folder):
    (folder / "loop").symlink_to(folder)
    assert run(".").output.count("run.py") == 1


def test_binary_files_are_counted_and_broken_ones_named(folder):
    (folder / "a.bin").write_bytes(b"\x89PNG\x00\xff")
    (folder / "broken.ipynb").write_text(f'{{"cells": "{TOKEN}"')
    result = run(".")
    assert "1 not text" in result.output
    assert "broken.ipynb: the notebook is not valid JSON" in result.output
    assert "broken.ipynb, 1:12" in result.output


def test_byte_order_mark_is_no_part_of_the_text(folder):
    (folder / "bom.py").write_bytes(b"\xef\xbb\xbf" + f"'{TOKEN}'".encode())
    assert "bom.py, 1:2" in run("bom.py").output


@pytest.mark.parametrize("text", [None, "x = [", "\udcff"])
def test_rule_file_that_cannot_be_read_is_refused_by_name(folder, text):
    (folder / "qsec.toml").write_text('[scan]\nrules = ["mine.toml"]\n')
    if text is not None:
        (folder / "mine.toml").write_text(text, "utf-8", "surrogateescape")
    (folder / "clean.md").write_text("nothing\n")
    result = run("clean.md")
    assert result.exit_code == 2
    assert "mine.toml: it" in result.output


def test_rule_of_the_users_own_is_used(folder):
    (folder / "qsec.toml").write_text('[scan]\nrules = ["mine.toml"]\n')
    (folder / "mine.toml").write_text(
        "[[rule]]\nid = 'mine'\nlabel = 'mine'\ntitle = 'Ours'\nseverity = 'high'\nremedy = 'Ask.'\n"
        "pattern = 'xyzzy-[0-9a-f]{16}'\npositive = ['xyzzy-{hex:16}']\nnegative = ['xyzzy-1']\n"
    )
    (folder / "other.md").write_text("xyzzy-0123a5b7c9d2e4f6\n")
    assert "other.md, 1:1: high: Ours [mine]" in run("other.md").output
