"""The index of runs: found by words and fields, page by page, cited, compared, fast."""

import json
from pathlib import Path

import pytest
from test_control_evidence import completion, intent

from qsec_jupyter.control import tables
from qsec_jupyter.control.evidence.runs import Query
from qsec_jupyter.core.errors import Invalid, NotFound


def run_of(number: int, **more):
    return intent(f"{number:032x}", **more)


@pytest.fixture
def four(plane):
    """Record four runs of two kernels on two days."""
    plane.evidence.record(
        [
            run_of(1, time="2026-01-30T09:00:00.000Z", backend={"name": "ibm_fez"}),
            run_of(2, time="2026-01-31T09:00:00.000Z", source={"cell_id": "cell-42"}),
        ],
        "k1",
    )
    plane.evidence.record(
        [
            run_of(3, time="2026-01-31T23:59:59.999Z", framework="cirq"),
            run_of(4, time="2026-02-01T00:00:00.000Z", parent_run_id=f"{1:032x}"),
            completion(f"{4:032x}"),
        ],
        "k2",
        {"notebook": {"path": "work/Bell.ipynb", "sha256": "2" * 64}},
    )
    return plane.runs


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [4, 3, 2, 1]),
        (Query(search="FEZ"), [1]),
        (Query(search="cell-42"), [2]),
        (Query(search="bell.ipynb cirq"), [3]),
        (Query(search="0" * 64), [4, 3, 2, 1]),
        (Query(search="%"), []),
        (Query(search="_"), [4, 3, 2, 1]),
        (Query(backend="ibm_fez"), [1]),
        (Query(framework="cirq"), [3]),
        (Query(status="done"), [4]),
        (Query(status="running", kernel_id="k2"), [3]),
        (Query(since="2026-01-31"), [4, 3, 2]),
        (Query(until="2026-01-31"), [3, 2, 1]),
        (Query(since="2026-01-31T10:00:00+01:00", until="2026-01-31"), [3, 2]),
    ],
)
def test_query_finds(four, query, expected) -> None:
    assert [int(row["run_id"], 16) for row in four.search(query, 10)[0]] == expected


def test_pages_meet_without_overlap_also_while_runs_are_added(four, plane) -> None:
    first, cursor = four.search(Query(), 3)
    plane.evidence.record([run_of(5)], "k1")
    second, end = four.search(Query(), 3, cursor)
    assert [int(row["run_id"], 16) for row in first + second] == [4, 3, 2, 1]
    assert end is None


@pytest.mark.parametrize("cursor", ["-1", "x", "9" * 40, "1; DROP TABLE runs"])
def test_cursor_of_ones_own_making_is_refused(four, cursor) -> None:
    with pytest.raises(Invalid):
        four.search(Query(), 3, cursor)


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "9999-12-31"])
def test_time_that_is_none_is_refused(four, time) -> None:
    with pytest.raises(Invalid):
        four.search(Query(until=time), 3)


def test_run_knows_its_children_and_how_it_is_cited(four) -> None:
    parent = four.get(f"{1:032x}")
    assert [child["run_id"] for child in parent["children"]] == [f"{4:032x}"]
    text, bibtex = parent["citation"]["text"], parent["citation"]["bibtex"]
    assert parent["envelopes"]["intent"] in text
    assert "ibm_fez" in text
    assert "ibm\\_fez" in bibtex
    assert bibtex.count("{") == bibtex.count("}")


def test_what_the_server_said_of_the_notebook_is_marked_as_the_servers(four) -> None:
    predicate = four.get(f"{3:032x}")["intent"]["predicate"]
    assert predicate["server"] == {
        "assertedBy": "server",
        "notebook": {"path": "work/Bell.ipynb", "sha256": "2" * 64},
    }


def test_difference_is_in_groups_and_names_both_sides(four) -> None:
    compared = four.diff(f"{1:032x}", f"{2:032x}")
    groups = {group["name"]: group for group in compared["groups"]}
    assert list(groups) == [
        "circuit", "parameters", "backend", "execution", "environment", "source", "result",
    ]  # fmt: skip
    assert groups["backend"]["changes"] == [{"field": "name", "a": "ibm_fez", "b": "aer_simulator"}]
    assert groups["circuit"]["equal"]
    assert groups["source"]["changes"] == [{"field": "cell_id", "a": None, "b": "cell-42"}]


def test_kernel_compares_only_its_own_runs(four) -> None:
    with pytest.raises(NotFound):
        four.diff(f"{1:032x}", f"{3:032x}", "k1")


def test_page_of_ten_thousand_runs_needs_no_scan_of_summaries(plane) -> None:
    row = {
        "kernel_id": "k", "summary": {"x": "y" * 500}, "framework": "qiskit", "backend": "aer",
        "status": "done", "started_at": "2026-01-31T09:00:00.000Z", "searched": "aer qiskit " * 20,
    }  # fmt: skip
    with plane.store._begin() as connection:
        rows = [{**row, "run_id": f"{n:032x}", "position": n + 100} for n in range(10_000)]
        connection.execute(tables.runs.insert(), rows)
    found, more = plane.runs.search(Query(search="aer", status="done"), 50)
    assert len(found) == 50
    assert more == str(10_000 + 100 - 50)


def test_runs_that_were_recorded_before_the_index_are_found_in_it(tmp_path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, text

    from qsec_jupyter.control import store as module

    path = tmp_path / "qsec.db"
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        summary = {
            "run_id": "a" * 32, "kernel_id": "k1", "framework": "qiskit", "operation": "x.run",
            "backend": "aer", "status": "done", "started_at": "2026-01-31T09:00:00.000Z",
        }  # fmt: skip
        connection.execute(
            text("INSERT INTO runs (run_id, kernel_id, position, summary) VALUES (:i, 'k1', 7, :s)"),
            {"i": "a" * 32, "s": json.dumps(summary)},
        )
    engine.dispose()
    store = module.Store(module.open_engine(path))
    (row,) = store.newest(tables.runs, Query(search="X.RUN", status="done").conditions(), 5)
    assert row["summary"] == {**summary, "parent_run_id": None, "notebook": None}
    store.close()
