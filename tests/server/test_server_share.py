"""Copies that may be given away: what is stripped, what is redacted, what the report says."""

import copy
import json
import random
import string

import pytest

from qsec_jupyter.core.classification import DataPolicy
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner
from qsec_jupyter.server.share import Keep, default_path, make_copy, report, report_path

ALL = Keep(outputs=True, execution_counts=True, metadata=True)
TOKEN = "".join(random.Random(5).choices(string.ascii_letters + string.digits + "-_", k=44))


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    return load_rules(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def baseline(tmp_path):
    return Baseline(tmp_path / "kept.json")


@pytest.fixture
def scanner(baseline, rules):
    return Scanner(KnownValues(), baseline, b"k" * 32, rules)


def notebook(**cell_metadata):
    stream = {"output_type": "stream", "name": "stdout", "text": f"token: {TOKEN}\n"}
    cell = {
        "cell_type": "code", "id": "first", "execution_count": 7, "metadata": cell_metadata,
        "source": f"token = '{TOKEN}'", "outputs": [stream],
    }  # fmt: skip
    text = {"cell_type": "markdown", "id": "second", "metadata": {}, "source": "plain"}
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "author": "Ada", "a.b": 1}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [cell, text]}


def test_copy_holds_source_and_language_and_nothing_else(scanner) -> None:
    original = notebook(collapsed=True, tags=["parameters"])
    before = copy.deepcopy(original)
    shared = make_copy(original, "a.ipynb", Keep(), scanner)
    assert original == before
    assert TOKEN not in shared.text
    cell = shared.notebook["cells"][0]
    assert (cell["outputs"], cell["execution_count"], cell["id"]) == ([], None, "first")
    assert cell["metadata"] == {"tags": ["parameters"]}
    assert list(shared.notebook["metadata"]) == ["kernelspec"]
    assert shared.removed == {"outputs": 1, "metadata": 3, "secrets": 1}


def test_what_is_kept_is_redacted_all_the_same(scanner) -> None:
    shared = make_copy(notebook(), "a.ipynb", ALL, scanner)
    cell = shared.notebook["cells"][0]
    assert cell["execution_count"] == 7
    assert shared.notebook["metadata"]["author"] == "Ada"
    assert TOKEN not in shared.text
    assert shared.removed == {"outputs": 0, "metadata": 0, "secrets": 2}
    assert {one.path for one in shared.findings} == {"a.ipynb"}


@pytest.mark.parametrize("metadata", [{"keep_output": True}, {"init_cell": True}, {"tags": ["keep_output"]}])
def test_notebook_does_not_decide_for_itself_what_is_kept_of_it(scanner, metadata) -> None:
    shared = make_copy(notebook(**metadata), "a.ipynb", Keep(), scanner)
    assert shared.notebook["cells"][0]["outputs"] == []


@pytest.mark.parametrize("path", ["a.ipynb", "folder/a.ipynb"])
def test_value_that_is_kept_in_the_original_is_not_given_away(scanner, baseline, path) -> None:
    baseline.keep(scanner.fingerprint(TOKEN), path, "it is mine", "ada")
    assert TOKEN not in make_copy(notebook(), path, ALL, scanner).text


@pytest.mark.parametrize(
    "content", [None, [], "x", {}, {"nbformat": 3, "worksheets": []}, {"nbformat": 4, "cells": [1]}]
)
def test_what_is_no_notebook_is_not_shared(scanner, content) -> None:
    with pytest.raises(Invalid):
        make_copy(content, "a.ipynb", Keep(), scanner)


@pytest.mark.parametrize("data", [None, [], {"outputs": "yes"}, {"sources": True}])
def test_choice_that_makes_no_sense_is_refused(data) -> None:
    with pytest.raises(Invalid):
        Keep.from_dict(data)


def test_report_says_what_was_done_and_quotes_nothing(scanner) -> None:
    shared = make_copy(notebook(), "a|<b>.ipynb", ALL, scanner)
    text = report(
        shared, "a|<b>.ipynb", "a-shared.ipynb", DataPolicy().of(), "s1", "2026-01-31T09:30:00.000Z"
    )
    assert TOKEN not in text
    assert shared.sha256 in text
    assert "`s1`" in text
    assert "cell 1, source, line 1" in text
    assert "a\\|\\<b\\>.ipynb" in text
    nothing = report(shared, "a.ipynb", "b.ipynb", DataPolicy().of(), None, "now")
    assert "**no**" in nothing


def test_copy_lies_beside_the_original_with_its_report() -> None:
    assert default_path("x/a.b.ipynb") == "x/a.b-shared.ipynb"
    assert report_path("x/a-shared.ipynb") == "x/a-shared.report.md"


def test_copy_is_json_that_a_notebook_reader_takes(scanner) -> None:
    import nbformat

    for keep in (Keep(), ALL):
        nbformat.validate(
            nbformat.from_dict(json.loads(make_copy(notebook(), "a.ipynb", keep, scanner).text))
        )
