"""Saves through the real contents managers of Jupyter Server, in process and without a socket."""

import asyncio
import base64
import copy
import itertools
import json
import random
import string
from datetime import datetime, timezone
from pathlib import Path

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager, LargeFileManager
from tornado.web import HTTPError

from qsec_jupyter.core.errors import Denied, NotFound
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner
from qsec_jupyter.server.save import SaveGuard

MARKER = "[redacted: ibm-quantum]"
NUMBER = itertools.count()
NOON = datetime(2026, 3, 14, 12, 0, tzinfo=timezone.utc)


def token(seed=0):
    """A text in the form of an IBM Cloud API key, drawn, so that no such text is in the repository."""
    return "".join(random.Random(seed).choices(string.ascii_letters + string.digits + "-_", k=44))


def code_cell(source, *outputs):
    return {
        "cell_type": "code",
        "id": f"c{next(NUMBER)}",
        "execution_count": 1,
        "metadata": {},
        "source": source,
        "outputs": list(outputs),
    }


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


def notebook(*cells):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return load_rules(tmp_path_factory.mktemp("cache"))


class Bench:
    """A contents manager with the guard attached, sync or async behind one interface."""

    def __init__(self, kind, root, guard):
        self.manager = kind(root_dir=str(root))
        self.root = root
        self.guard = guard
        self.contents = guard.attach(self.manager)

    def call(self, name, *args):
        result = getattr(self.manager, name)(*args)
        return asyncio.run(self._await(result)) if asyncio.iscoroutine(result) else result

    async def _await(self, result):
        return await result

    def save(self, content, path="a.ipynb"):
        return self.call("save", {"type": "notebook", "format": "json", "content": content}, path)

    def save_file(self, content, path, **more):
        return self.call("save", {"type": "file", "format": "text", "content": content, **more}, path)

    def text(self, path="a.ipynb"):
        return (self.root / path).read_text("utf-8")


@pytest.fixture(params=[LargeFileManager, AsyncLargeFileManager], ids=["sync", "async"])
def place(request, tmp_path, rules):
    root = tmp_path / "root"
    root.mkdir()
    baseline, known = Baseline(tmp_path / "kept.json"), KnownValues()
    scanner = Scanner(known, baseline, b"k" * 32, rules)
    reports = []
    guard = SaveGuard(reports.append, scanner=scanner, known=known, baseline=baseline, clock=lambda: NOON)
    bench = Bench(request.param, root, guard)
    bench.reports = reports
    return bench


# -- what a save does -----------------------------------------------------------------------------


def test_token_in_source_and_old_output_is_replaced_on_disk_and_in_the_first_checkpoint(place):
    value = token()
    place.save(notebook(code_cell(f'token = "{value}"', stream(f"{{'token': '{value}'}}\n"))))
    assert value not in place.text()
    cell = json.loads(place.text())["cells"][0]
    assert "".join(cell["source"]) == f'token = "{MARKER}"'
    assert "".join(cell["outputs"][0]["text"]) == f"{{'token': '{MARKER}'}}\n"
    for checkpoint in (place.root / ".ipynb_checkpoints").iterdir():
        assert value not in checkpoint.read_text("utf-8")


def test_object_that_the_caller_saved_is_left_as_it_is(place):
    content = notebook(code_cell(f'token = "{token()}"', stream(token())))
    before = copy.deepcopy(content)
    place.save(content)
    assert content == before


def test_report_brings_an_open_tab_in_step_and_holds_no_secret(place):
    value = token()
    place.save(notebook(code_cell("x = 1"), code_cell(["y = 2\n", f"'{value}'"], stream(f"a\n  {value}\n"))))
    report = place.guard.report("/a.ipynb")
    assert report.saved_at == "2026-03-14T12:00:00.000Z"
    assert [(f.surface, f.cell, f.line, f.column) for f in report.findings] == [
        ("source", 1, 2, 2),
        ("output", 1, 2, 3),
    ]
    assert report.cells == {
        "1": {"source": f"y = 2\n'{MARKER}'", "outputs": [stream(f"a\n  {MARKER}\n")]},
    }
    assert value not in json.dumps(report.to_dict())
    assert place.reports == [report]


def test_report_of_a_save_stays_when_another_extension_makes_jupyter_scan_it_again(place):
    def other_extension(model, path, contents_manager, **_):
        model["content"] = copy.deepcopy(model["content"])  # as jupytext does

    place.manager._pre_save_hooks.insert(0, other_extension)
    secret = token()
    place.save(notebook(code_cell(f'token = "{secret}"')))
    assert secret not in place.text()
    assert [one.action for one in place.guard.report("a.ipynb").findings] == ["redacted"]


def test_checkpoint_of_an_untouched_file_is_redacted_and_the_file_is_left(place):
    secret = token()
    file = place.root / "old.ipynb"
    file.write_text(json.dumps(notebook(code_cell(f'token = "{secret}"'))))
    before = file.read_bytes()
    place.call("create_checkpoint", "old.ipynb")
    assert file.read_bytes() == before
    checkpoint = place.root / ".ipynb_checkpoints" / "old-checkpoint.ipynb"
    assert secret not in checkpoint.read_text()
    assert MARKER in checkpoint.read_text()


def test_value_issued_while_a_save_was_scanned_is_looked_for_in_its_checkpoint(place, monkeypatch):
    value = "an-issued-value-of-usual-length"
    place.save(notebook(code_cell("x = 1")))
    scan = place.guard.scanner.scan_notebook

    def issue_late(*arguments):
        result = scan(*arguments)
        place.guard.known.add("sandbox", Secret(value, "sandbox"))
        return result

    monkeypatch.setattr(place.guard.scanner, "scan_notebook", issue_late)
    place.save(notebook(code_cell("x = 1", stream(value))))
    monkeypatch.undo()
    assert value in place.text()  # issued after it was read: nobody could know
    place.call("create_checkpoint", "a.ipynb")
    assert value not in (place.root / ".ipynb_checkpoints" / "a-checkpoint.ipynb").read_text()
    place.call("rename_file", "a.ipynb", "b.ipynb")
    assert value not in place.text("b.ipynb")


def test_projects_own_rules_hold_for_saves_and_wrong_settings_cost_none(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    (tmp_path / "gitleaks.toml").write_text(
        "[[rules]]\nid='acme'\nregex='acme-[0-9]{12}'\n[[rules]]\nid='bad'\nregex='(?=a)'\n"
    )
    text = "acme-" + "1029384756" + "47"
    (tmp_path / "qsec.toml").write_text("[scan]\nrules = ['gitleaks.toml']\n")
    guard = SaveGuard(folder=tmp_path)
    guard.warm()
    assert "rule bad" in caplog.text
    assert guard.scanner.scan_notebook(notebook(code_cell("x", stream(text))), "a.ipynb").findings
    (tmp_path / "qsec.toml").write_text("[scan]\nno-such-key = 1\n")
    guard = SaveGuard(folder=tmp_path)
    assert "no-such-key" in caplog.text
    assert not guard.scanner.scan_notebook(notebook(code_cell("x", stream(text))), "a.ipynb").findings


def test_clean_notebook_is_written_as_it_is_and_reported_without_findings(place):
    place.save(notebook(code_cell("x = 1", stream("1\n"))))
    assert place.guard.report("a.ipynb").findings == ()
    assert place.guard.report("b.ipynb") is None


def test_issued_value_is_redacted_under_its_target_and_cannot_be_kept(place):
    place.guard.known.add("sandbox", Secret("an-issued-value", "sandbox"))
    place.save(notebook(code_cell("1", stream("here: an-issued-value"))))
    assert "[redacted: sandbox]" in place.text()
    assert "an-issued-value" not in place.text()
    finding = place.guard.report("a.ipynb").findings[0]
    with pytest.raises(Denied):
        place.guard.keep("a.ipynb", {finding.fingerprint}, "mine", "alice")


def test_value_issued_after_a_clean_save_is_found_in_the_same_text(place):
    content = notebook(code_cell("1", stream("here: an-issued-value")))
    place.save(copy.deepcopy(content))
    assert "an-issued-value" in place.text()
    place.guard.known.add("sandbox", Secret("an-issued-value", "sandbox"))
    place.save(copy.deepcopy(content))
    assert "an-issued-value" not in place.text()


def test_kept_finding_is_written_by_the_next_save_in_that_file_only(place):
    value = token()
    content = notebook(code_cell(f"key = '{value}'"))
    place.save(copy.deepcopy(content))
    finding = place.guard.report("a.ipynb").findings[0]
    report = place.guard.keep("a.ipynb", {finding.fingerprint}, "a public example", "alice")
    assert report.findings[0].action == "kept"
    place.save(copy.deepcopy(content))
    assert value in place.text()
    assert place.guard.report("a.ipynb").findings[0].action == "kept"
    place.save(copy.deepcopy(content), "b.ipynb")
    assert value not in place.text("b.ipynb")


def test_keeping_what_no_save_found_is_refused(place):
    with pytest.raises(NotFound):
        place.guard.keep("a.ipynb", {"0" * 32}, "why not", "alice")


def test_renamed_file_keeps_its_report_and_its_kept_findings(place):
    value = token()
    content = notebook(code_cell(f"key = '{value}'"))
    place.save(copy.deepcopy(content))
    place.guard.keep("a.ipynb", {place.guard.report("a.ipynb").findings[0].fingerprint}, "example", "alice")
    place.save(copy.deepcopy(content))
    place.call("rename", "a.ipynb", "b.ipynb")
    place.save(copy.deepcopy(content), "b.ipynb")
    assert value in place.text("b.ipynb")
    assert place.guard.report("b.ipynb").findings[0].action == "kept"


def test_copy_is_scanned_and_reported_under_its_own_path(place):
    value = token()
    (place.root / "a.ipynb").write_text(json.dumps(notebook(code_cell(f"key = '{value}'"))))
    model = place.call("copy", "a.ipynb")
    assert value not in place.text(model["path"])
    assert place.guard.report(model["path"]).findings


# -- other files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["run.py", "notes.txt", "settings.env", "README.md"])
def test_text_file_is_reported_and_written_as_it_is(place, path):
    line = f'token = "{token()}"\n'
    place.save_file(line, path)
    assert place.text(path) == line
    finding = place.guard.report(path).findings[0]
    assert (finding.action, finding.surface, finding.line, finding.column) == ("reported", "text", 1, 10)


def test_notebook_saved_as_text_is_redacted_all_the_same(place):
    value = token()
    place.save_file(json.dumps(notebook(code_cell(f"key = '{value}'"))), "a.ipynb")
    assert value not in place.text()
    assert "".join(json.loads(place.text())["cells"][0]["source"]) == f"key = '{MARKER}'"


def test_notebook_saved_as_base64_is_redacted_all_the_same(place):
    value = token()
    data = base64.b64encode(json.dumps(notebook(code_cell(f"key = '{value}'"))).encode()).decode()
    place.save_file(data, "a.ipynb", format="base64")
    assert value not in place.text()


def test_binary_file_is_saved_and_said_not_to_be_scanned(place):
    place.save_file(base64.b64encode(b"\xff\xfe\x00\x01").decode(), "a.bin", format="base64")
    assert (place.root / "a.bin").read_bytes() == b"\xff\xfe\x00\x01"
    assert place.guard.report("a.bin").unscanned


def test_folder_is_made_without_a_report(place):
    place.call("save", {"type": "directory"}, "folder")
    assert (place.root / "folder").is_dir()
    assert place.guard.report("folder") is None


# -- uploads in chunks ----------------------------------------------------------------------------


def upload(place, data, path, pieces=3):
    size = -(-len(data) // pieces)
    for number in range(pieces):
        chunk = -1 if number == pieces - 1 else number + 1
        part = base64.b64encode(data[number * size : (number + 1) * size]).decode()
        place.save_file(part, path, format="base64", chunk=chunk)


def test_secret_in_a_later_chunk_of_a_notebook_is_gone_after_the_last_one(place):
    value = token()
    data = json.dumps(notebook(code_cell("x = 1", stream("y" * 500)), code_cell(f"key = '{value}'"))).encode()
    upload(place, data, "a.ipynb")
    assert value not in place.text()
    assert json.loads(place.text())["cells"][0]["outputs"][0]["text"] == "y" * 500
    assert place.guard.report("a.ipynb").findings[0].action == "redacted"


def test_secret_across_two_chunks_of_a_text_is_reported(place):
    data = b"a" * 50 + f'\ntoken = "{token()}"\n'.encode() + b"b" * 60
    upload(place, data, "log.txt")
    assert place.guard.report("log.txt").findings[0].line == 2
    assert (place.root / "log.txt").read_bytes() == data


def test_failed_scan_of_an_upload_says_that_it_is_on_disk_unscanned(place, monkeypatch):
    def fail(*args):
        raise MemoryError

    monkeypatch.setattr(place.guard, "clean_file", fail)
    with pytest.raises(HTTPError) as caught:
        upload(place, b"x" * 90, "log.txt")
    assert "could not be scanned" in caught.value.log_message
    assert place.guard.report("log.txt").unscanned == ({"surface": "file", "why": "the scan failed"},)


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["[1, 2", "text", [1, 2], 7, None])
def test_notebook_that_is_none_is_refused_with_a_message_and_the_old_file_stays(place, content):
    place.save(notebook(code_cell("x = 1")))
    before = place.text()
    with pytest.raises(HTTPError) as caught:
        place.save(content)
    assert caught.value.status_code == 400
    assert "not a notebook" in caught.value.log_message
    assert place.text() == before


def test_nbformat_3_is_scanned_cell_by_cell(place):
    value = token()
    cell = {
        "cell_type": "code",
        "language": "python",
        "metadata": {},
        "collapsed": False,
        "prompt_number": 1,
        "input": ["x = 1\n", f"key = '{value}'"],
        "outputs": [{"output_type": "stream", "stream": "stdout", "text": [f"{value}\n"]}],
    }
    old = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": [cell], "metadata": {}}],
    }
    place.save(old)
    assert value not in place.text()
    assert place.text().count(MARKER) == 2
    assert {one.surface for one in place.guard.report("a.ipynb").findings} == {"source", "output"}


def test_broken_json_in_a_notebook_file_is_read_as_text_and_redacted(place):
    value = token()
    broken = f'{{"cells": [{{"source": "key = \'{value}\'"}}'
    place.save_file(broken, "a.ipynb")
    assert place.text() == broken.replace(value, MARKER)
    assert place.guard.report("a.ipynb").unscanned


def test_lone_surrogate_does_not_hide_a_secret_from_the_scan(place):
    value = token()
    model = {"type": "notebook", "content": notebook(code_cell(f"'\ud800'; key = '{value}'"))}
    place.guard.before_save(model, "a.ipynb")
    assert value not in json.dumps(model["content"])
    assert model["content"]["cells"][0]["source"] == f"'\ud800'; key = '{MARKER}'"


def test_lone_surrogate_is_saved_or_refused_but_the_old_file_stays_whole(place):
    place.save(notebook(code_cell("x = 1")))
    before = place.text()
    with pytest.raises(HTTPError):  # Jupyter itself cannot write it as UTF-8
        place.save(notebook(code_cell("x = '\ud800'")))
    assert place.text() == before


def test_cells_of_odd_shapes_are_scanned(place):
    value = token()
    content = notebook(
        code_cell(f"'{value}'"),
        "a string",
        7,
        {"source": {"deep": [f"'{value}'"]}},
        {"outputs": f"'{value}'"},
    )
    model = {"type": "notebook", "content": content}
    place.guard.before_save(model, "a.ipynb")
    assert value not in json.dumps(model["content"])


def test_deep_nesting_is_scanned_or_refused_with_a_message(place):
    deep = [token()]
    for _ in range(20_000):
        deep = [deep]
    model = {"type": "notebook", "content": notebook({**code_cell("1"), "metadata": {"deep": deep}})}
    with pytest.raises(HTTPError) as caught:
        place.guard.before_save(model, "a.ipynb")
    assert "still in this tab" in caught.value.log_message


def test_50_mb_are_scanned_to_the_last_byte(place):
    value = token()
    lines = "epoch 1 loss 0.5\n" * 3_000_000
    model = {"type": "notebook", "content": notebook(code_cell("1", stream(f"{lines}token: {value}\n")))}
    place.guard.before_save(model, "a.ipynb")
    assert model["content"]["cells"][0]["outputs"][0]["text"].endswith(f"token: {MARKER}\n")


def test_failing_scan_refuses_the_save_with_a_message_and_quotes_nothing(place, monkeypatch):
    value = token()

    def fail(*args):
        raise RuntimeError(value)

    monkeypatch.setattr(Scanner, "scan_notebook", fail)
    with pytest.raises(HTTPError) as caught:
        place.save(notebook(code_cell(f"'{value}'")))
    assert caught.value.status_code == 500
    assert "Your work is still in this tab" in caught.value.log_message
    assert value not in caught.value.log_message
    assert not (place.root / "a.ipynb").exists()


def test_listener_that_raises_does_not_cost_the_save(place, monkeypatch):
    def fail(report):
        raise OSError

    monkeypatch.setattr(place.guard, "_on_report", fail)
    place.save(notebook(code_cell(f"'{token()}'")))
    assert MARKER in place.text()


def test_reports_are_bounded(place, monkeypatch):
    monkeypatch.setattr("qsec_jupyter.server.save.report.REPORTS", 3)
    for number in range(5):
        place.guard.before_save({"type": "notebook", "content": notebook()}, f"{number}.ipynb")
    assert place.guard.report("0.ipynb") is None
    assert place.guard.report("4.ipynb") is not None


def test_guard_works_with_defaults(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    guard = SaveGuard()
    guard.warm()
    model = {"type": "notebook", "content": notebook(code_cell(f"'{token()}'"))}
    guard.before_save(model, "a.ipynb")
    assert model["content"]["cells"][0]["source"] == f"'{MARKER}'"
    assert (tmp_path / "home" / "fingerprint.key").stat().st_mode & 0o777 == 0o600
