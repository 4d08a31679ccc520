"""What is written is what nbformat writes, byte for byte, and it refuses what nbformat refuses."""

import asyncio
import copy
import io
import json
import logging
import warnings
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager, LargeFileManager

from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner
from qsec_jupyter.server.save import SaveGuard, writing

LINES = st.lists(
    st.sampled_from(["x = 1", "\n", "\r", "\r\n", "\x0b", "\u2028", "\x85", '"', "\\", "\x1b[1m", "é"])
)
TEXTS = st.one_of(st.text(max_size=12), LINES.map("".join), st.just("\ud800"))
MULTILINE = st.one_of(TEXTS, st.lists(TEXTS, max_size=4))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=20,
)
MIMES = st.sampled_from(
    ["text/html", "image/png", "image/svg+xml", "application/javascript", "application/x+json"]
)
BUNDLES = st.dictionaries(MIMES, st.one_of(MULTILINE, JSON), max_size=3)
METADATA = st.dictionaries(
    st.sampled_from(["trusted", "signature", "orig_nbformat", "tags", "Z"]), JSON, max_size=3
)
OUTPUTS = st.one_of(
    st.fixed_dictionaries({"output_type": st.just("stream"), "name": st.just("stdout"), "text": MULTILINE}),
    st.fixed_dictionaries({"output_type": st.just("display_data"), "data": BUNDLES, "metadata": METADATA}),
    st.fixed_dictionaries(
        {
            "output_type": st.just("execute_result"),
            "data": BUNDLES,
            "metadata": METADATA,
            "execution_count": JSON,
        }
    ),
    st.fixed_dictionaries(
        {
            "output_type": st.just("error"),
            "ename": TEXTS,
            "evalue": TEXTS,
            "traceback": st.lists(TEXTS, max_size=3),
        }
    ),
    JSON,
)
CELLS = st.one_of(
    st.fixed_dictionaries(
        {
            "cell_type": st.just("code"),
            "metadata": METADATA,
            "source": MULTILINE,
            "outputs": st.lists(OUTPUTS, max_size=3),
        },
        optional={
            "id": st.sampled_from(["a", "b"]),
            "execution_count": st.integers(),
            "attachments": BUNDLES,
        },
    ),
    st.fixed_dictionaries(
        {"cell_type": st.sampled_from(["markdown", "raw"]), "metadata": METADATA, "source": MULTILINE},
        optional={
            "id": st.sampled_from(["c", "d"]),
            "attachments": st.dictionaries(TEXTS, BUNDLES, max_size=2),
        },
    ),
    JSON,
)
NOTEBOOKS = st.fixed_dictionaries(
    {
        "nbformat": st.sampled_from([4, 4, 4, 3]),
        "nbformat_minor": st.sampled_from([2, 4]),
        "metadata": st.one_of(METADATA, JSON),
        "cells": st.lists(CELLS, max_size=3),
    },
    optional={"worksheets": JSON, "Extra": JSON},
)


def code_cell(**more):
    cell = {
        "cell_type": "code",
        "id": "a",
        "execution_count": 1,
        "metadata": {"trusted": True},
        "outputs": [],
    }
    return {**cell, "source": "x = 1\ny = 2", **more}


def notebook(*cells):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"b": 1, "a": [1.5, None]}, "cells": list(cells)}


def outcome(write, content):
    """Return what is written, what was said of it, and what became of the notebook."""
    nb, said = nbformat.from_dict(copy.deepcopy(content)), {}
    try:
        data = write(nb, said)
    except Exception as error:
        return type(error), str(error)
    return data, str(said), repr(nb)


def nbformats(nb, said):
    """Return what nbformat writes into a file of Jupyter's."""
    file = io.BytesIO()
    with io.TextIOWrapper(file, encoding="utf-8", newline="\n", write_through=True) as text:
        nbformat.write(nb, text, capture_validation_error=said)
        return file.getvalue()


def as_json(value):
    return json.dumps(value, indent=1, sort_keys=True, separators=(",", ": "), ensure_ascii=False)


@given(NOTEBOOKS)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_notebook_is_written_as_nbformat_writes_it_or_refused_as_it_refuses(content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of cells without an id
        assert outcome(writing.written, content) == outcome(nbformats, content)


@given(JSON)
def test_any_json_is_encoded_as_the_standard_library_does(value):
    expected = as_json(value)
    if "\ud800" in expected:
        with pytest.raises(UnicodeEncodeError):
            writing.encoded(value)
    else:
        assert writing.encoded(value) == expected.encode()


SIGNS = [
    *map(chr, range(0x21)),
    '"',
    "\\",
    "\x7f",
    "\x85",
    "é",
    "\u2028",
    "\u2029",
    "█",
    "\U0001f600",
    "\ud800",
]


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_each_sign_is_written_in_long_texts_as_nbformat_does(sign):
    long, lines = f"{'x' * 5000}{sign}{'y' * 10}", f"a\n{sign}\nb{sign}\r\n\tc\r{sign}" * 500
    data = {"text/plain": lines, "image/png": long, "text/html": [long, lines], "application/x+json": [lines]}
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": lines},
        {"output_type": "display_data", "metadata": {}, "data": data},
    ]
    content = notebook(code_cell(outputs=outputs, source=lines + "end"))
    assert outcome(writing.written, content) == outcome(nbformats, content)


@pytest.mark.parametrize(
    "odd", [{1: "a number as a key"}, (1, 2), b"bytes", range(2), {"b": 1, 2: 1}], ids=repr
)
def test_what_json_does_not_give_is_left_to_nbformat(odd):
    content = notebook(code_cell(metadata={"odd": odd}))
    assert outcome(writing.written, content) == outcome(nbformats, content)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return load_rules(tmp_path_factory.mktemp("cache"))


@pytest.fixture(params=[LargeFileManager, AsyncLargeFileManager], ids=["sync", "async"])
def managers(request, tmp_path, rules):
    """One manager as it is, and one with the guard."""
    made = []
    for name in ("bare", "guarded"):
        (tmp_path / name).mkdir()
        made.append(request.param(root_dir=str(tmp_path / name)))
    known, baseline = KnownValues(), Baseline(tmp_path / "kept.json")
    guard = SaveGuard(scanner=Scanner(known, baseline, b"k" * 32, rules), known=known, baseline=baseline)
    guard.attach(made[1])
    return made


def save(manager, content):
    result = manager.save(
        {"type": "notebook", "format": "json", "content": copy.deepcopy(content)}, "a.ipynb"
    )
    return asyncio.run(wait_for(result)) if asyncio.iscoroutine(result) else result


async def wait_for(result):
    return await result


def files(manager):
    root = Path(manager.root_dir)
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_files_and_checkpoints_are_those_of_a_server_without_us(managers):
    assert ["_save_notebook" in vars(manager) for manager in managers] == [False, True]
    output = {
        "output_type": "display_data",
        "metadata": {},
        "data": {"text/html": "<b>\n</b>", "image/png": "iVBO"},
    }
    for content in (notebook(code_cell(outputs=[output])), notebook(code_cell(source="z = 3"))):
        for manager in managers:
            save(manager, content)
        bare, guarded = map(files, managers)
        assert bare == guarded
        assert len(bare) == 2


def test_invalid_notebook_is_written_with_jupyters_own_message_and_log(managers, caplog):
    answers, logs = [], []
    for manager in managers:
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            answers.append(save(manager, notebook(code_cell(execution_count="one")))["message"])
        logs.append([(record.name, record.getMessage()) for record in caplog.records])
    assert answers[0] == answers[1]
    assert answers[0].startswith("Notebook validation failed")
    assert logs[0] == logs[1] != []
    assert files(managers[0]) == files(managers[1])


def test_trusted_notebook_is_signed(managers):
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b></b>"}}
    guarded = managers[1]
    save(guarded, notebook(code_cell(outputs=[output])))
    nb = nbformat.read(f"{guarded.root_dir}/a.ipynb", as_version=4)
    assert guarded.notary.check_signature(nb)


def test_manager_that_writes_in_its_own_way_keeps_it(tmp_path):
    class Own(LargeFileManager):
        def _save_notebook(self, os_path, nb, capture_validation_error=None):
            raise NotImplementedError

    manager = Own(root_dir=str(tmp_path))
    writing.attach(manager)
    assert "_save_notebook" not in vars(manager)
