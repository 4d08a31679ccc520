"""`qsec runs`, `show` and `diff` on a state folder, beside a control plane that has it open."""

import json

import pytest

from qsec_jupyter.core.errors import Bug, Conflict, Invalid, NotFound


def test_runs_are_listed_newest_first_and_filtered(qsec, recorded) -> None:
    found = json.loads(qsec("runs", "--json").stdout)["runs"]
    assert {run["run_id"] for run in found} == {recorded.a, recorded.b}
    assert json.loads(qsec("runs", "BELL.ipynb", "--json").stdout)["runs"][0]["run_id"] == recorded.a
    assert json.loads(qsec("runs", "--status", "failed", "--json").stdout)["runs"] == []
    assert "aer_simulator" in qsec("runs").stdout
    assert "No recorded run" in qsec("runs", "nothing-like-it").stdout


def test_no_journal_is_an_empty_list(qsec, qsec_home) -> None:
    assert json.loads(qsec("runs", "--json").stdout) == {"runs": []}


def test_a_run_is_shown_by_the_beginning_of_its_id(qsec, recorded) -> None:
    shown = qsec("show", "aaaa").stdout
    for part in (recorded.a, "qsec-circuit-v1:" + "0" * 64, "Not known", "Cite as", "1" * 64):
        assert part in shown
    assert json.loads(qsec("show", "aaaa", "--json").stdout)["summary"]["run_id"] == recorded.a
    assert qsec("show", "aaaa", "--bibtex").stdout.startswith("@misc{qsec-aaaa")


@pytest.mark.parametrize("asked", ["../../etc/passwd", "a%", "aaa", "' OR 1=1 --", "a" * 65, "ÄÄÄÄ"])
def test_id_of_another_form_is_refused(qsec, recorded, asked) -> None:
    for command in ("show", "export"):
        more = ["--format", "prov"] if command == "export" else []
        assert isinstance(qsec(command, asked, *more).exception, Invalid)


def test_unknown_and_ambiguous_ids_are_told_apart(qsec, recorded) -> None:
    assert isinstance(qsec("show", "ffff").exception, NotFound)
    recorded.plane.evidence.record([{"run_id": "aaaa" + "c" * 28, "kind": "intent", "time": "t"}], "k1")
    assert isinstance(qsec("show", "aaaa").exception, Conflict)


def test_difference_is_told_by_group(qsec, recorded) -> None:
    told = json.loads(qsec("diff", "aaaa", "bbbb", "--json").stdout)
    groups = {group["name"]: group for group in told["groups"]}
    assert groups["execution"]["changes"] == [{"field": "shots", "a": 1000, "b": 2000}]
    assert groups["environment"]["equal"]
    assert not groups["result"]["equal"]
    text = qsec("diff", "aaaa", "bbbb").stdout
    assert "- shots: 1000" in text
    assert "+ shots: 2000" in text


def test_altered_statement_is_not_shown(qsec, recorded, qsec_home) -> None:
    for path in (qsec_home / "journal-0" / "statements").glob("*.json"):
        path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    assert isinstance(qsec("show", "aaaa").exception, Bug)


def test_terminal_escapes_of_a_lying_kernel_are_not_printed(qsec, plane) -> None:
    lie = "evil\x1b[2J\x1b]0;owned\x07[red]x[/]"
    plane.evidence.record([{"run_id": "d" * 32, "kind": "intent", "time": "t", "operation": lie}], "k1")
    for text in (qsec("runs").stdout, qsec("show", "dddd").stdout):
        assert "\x1b" not in text
        assert "\x07" not in text
