"""An opened notebook is read ahead of its first save, and a save is scanned as if it were not."""

import asyncio
import json
import logging

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager, LargeFileManager

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner
from qsec_jupyter.server.save import SaveGuard, ahead

ISSUED = "an-issued-value-0123456789"
TEXT = "energy -1.137 after 120 evaluations\n" * 200


def notebook(text):
    cell = {
        "cell_type": "code",
        "id": "c1",
        "execution_count": 1,
        "metadata": {},
        "source": "run(circuit)",
        "outputs": [{"output_type": "stream", "name": "stdout", "text": text}],
    }
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}


class Screened(Scanner):
    """Notes how much text is given to the engines."""

    characters = 0

    def _screen(self, units, search):
        self.characters += sum(len(unit.text) for unit in units)
        return super()._screen(units, search)


class Place:
    def __init__(self, kind, root, rules):
        self.known = KnownValues()
        baseline = Baseline(root / "kept.json")
        self.scanner = Screened(self.known, baseline, b"k" * 32, rules)
        self.guard = SaveGuard(scanner=self.scanner, known=self.known, baseline=baseline)
        self.manager = kind(root_dir=str(root))
        self.guard.attach(self.manager)
        self.file = root / "a.ipynb"
        self.file.write_text(json.dumps(notebook(TEXT)))

    async def call(self, name, *args, **options):
        result = getattr(self.manager, name)(*args, **options)
        return await result if asyncio.iscoroutine(result) else result

    def opened(self, **options):
        """Open the notebook, and wait until what follows of it is done."""

        async def visit():
            model = await self.call("get", path="a.ipynb", **options)
            await asyncio.sleep(0.05)
            return model

        return asyncio.run(visit())

    def save(self, text):
        model = {"type": "notebook", "format": "json", "content": notebook(text)}
        self.scanner.characters = 0
        asyncio.run(self.call("save", model, "a.ipynb"))
        return self.file.read_text()


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return load_rules(tmp_path_factory.mktemp("cache"))


@pytest.fixture(params=[LargeFileManager, AsyncLargeFileManager], ids=["sync", "async"])
def place(request, tmp_path, rules, monkeypatch):
    monkeypatch.setattr(ahead.ReadAhead.__init__, "__defaults__", (0.0,))
    return Place(request.param, tmp_path, rules)


def test_first_save_of_an_opened_notebook_reads_nothing_again(place):
    assert place.opened()["content"]["cells"]
    assert place.scanner.characters > len(TEXT)
    place.save(TEXT)
    assert place.scanner.characters == 0


def test_only_what_changed_since_it_was_opened_is_read(place):
    place.opened()
    place.save(TEXT + "one more line\n")
    assert len(TEXT) < place.scanner.characters < len(TEXT) + 100


def test_a_listing_reads_no_content(place):
    place.opened(content=False)
    assert place.scanner.characters == 0


def test_a_large_notebook_is_left_for_its_save(place, monkeypatch):
    monkeypatch.setattr(ahead, "LARGEST", len(TEXT))
    place.opened()
    assert place.scanner.characters == 0


def test_what_is_pasted_since_it_was_opened_is_redacted(place):
    place.known.add("sandbox", Secret(ISSUED, "sandbox"))
    place.opened()
    assert ISSUED not in place.save(TEXT + ISSUED)


def test_a_value_issued_since_it_was_opened_is_redacted_where_it_stood_already(place):
    place.file.write_text(json.dumps(notebook(TEXT + ISSUED)))
    place.opened()
    place.known.add("sandbox", Secret(ISSUED, "sandbox"))
    assert ISSUED not in place.save(TEXT + ISSUED)


def test_a_value_that_stood_in_the_opened_file_is_redacted(place):
    place.known.add("sandbox", Secret(ISSUED, "sandbox"))
    place.file.write_text(json.dumps(notebook(TEXT + ISSUED)))
    place.opened()
    assert ISSUED in place.file.read_text()  # opening writes nothing
    assert ISSUED not in place.save(TEXT + ISSUED)


def test_opening_outlives_a_scan_that_fails_and_it_is_said(place, monkeypatch, caplog):
    def broken(*_):
        raise RecursionError

    monkeypatch.setattr(place.scanner, "read_ahead", broken)
    with caplog.at_level(logging.WARNING):
        assert place.opened()["content"]["cells"]
    assert "not read ahead (RecursionError)" in caplog.text


def test_no_more_than_a_few_opened_notebooks_are_held(place):
    waiting = ahead.ReadAhead(place.guard, delay=60.0)

    async def visit():
        for number in range(100):
            waiting.opened({"type": "notebook", "path": f"{number}.ipynb", "content": notebook(TEXT)})
        held = dict(waiting._waiting)
        for timer in held.values():
            timer.cancel()
        return held

    assert len(asyncio.run(visit())) == 20
