"""`qsec rules`: every rule is listed, tried and explained, and no generated value is printed."""

import json
import random

import pytest
from typer.testing import CliRunner

from qsec_jupyter.cli.main import app
from qsec_jupyter.core.errors import NotFound
from qsec_jupyter.scan.rules.checks import CHECKS
from qsec_jupyter.scan.rules.explain import CHECKS as MEANINGS, explain
from qsec_jupyter.scan.rules.loader import load
from qsec_jupyter.scan.rules.samples import fill

RULES = load()
OWN = """
[[rule]]
id = "acme-token"
label = "acme"
title = "Acme token"
severity = "high"
remedy = "Withdraw it at acme.example."
pattern = '''acme_(?P<secret>[a-z0-9]{24})'''
positive = ['t = "acme_{base32:24}"']
negative = ['acme_{base32:23}!']
"""


def qsec(*args):
    return CliRunner().invoke(app, ["rules", *map(str, args)])


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(OWN)
    return file


def test_list_names_every_rule_with_family_and_severity(own):
    answer = qsec("list", "--rules", own, "--json")
    assert answer.exit_code == 0, answer.output
    rows = {row["id"]: row for row in json.loads(answer.stdout)["rules"]}
    assert {rule.id for rule in RULES} < rows.keys()
    assert rows["github-token"]["family"] == "github"
    assert (
        rows["acme-token"] | {"family": "mine", "severity": "high", "source": str(own)} == rows["acme-token"]
    )
    printed = qsec("list", "--rules", own).stdout
    assert "acme-token" in printed
    assert "mine" in printed


def test_test_passes_for_what_is_shipped_and_draws_other_samples():
    assert qsec("test").exit_code == 0
    answer = qsec("test", "--seed", "5")
    assert answer.exit_code == 0, answer.output
    assert f"{len(RULES)} rules tested, 0 failed" in answer.stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("{24})'''", "{25})'''", "misses"),
        ("{24})'''", "{20,24})'''", "wrongly finds"),
        ("{24})'''", "{24}'''", "does not parse"),
        ('severity = "high"', 'severity = "terrible"', "severity is not"),
        ('severity = "high"', "severity = 3", "severity is not"),
        ('label = "acme"', "", "label missing"),
        ('label = "acme"', 'label = "acme"\ncolour = "red"', "unknown field"),
        ('"acme-token"', '"acme\\u001b[31m"', "id is not"),
        ('"acme-token"', '"github-token"', "id is taken"),
        ("pattern = ", "before = -1\npattern = ", "before is not"),
        ("positive = [", "checks = ['no-such']\npositive = [", "unknown checks"),
    ],
)
def test_a_bad_rule_is_refused_by_name_and_the_rest_goes_on(own, old, new, why):
    good = OWN.replace("acme", "fine")
    own.write_text(OWN.replace(old, new) + good)
    answer = qsec("test", "--rules", own)
    assert answer.exit_code == 1
    assert why in answer.stdout
    assert "\x1b" not in answer.stdout
    listed = json.loads(qsec("list", "--rules", own, "--json").stdout)
    assert "fine-token" in {row["id"] for row in listed["rules"]}
    assert str(own) in listed["refused"][0]["file"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[[rule", b"[other]\n", b"rule = 3\n", b"rule = [1]\n"])
def test_a_file_that_is_no_rule_file_is_named(tmp_path, content):
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    answer = qsec("test", "--rules", file, "--rules", tmp_path / "absent.toml")
    assert answer.exit_code == 1
    assert "broken.toml" in answer.stdout
    assert "absent.toml" in answer.stdout


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_explanation_shows_what_matters_and_no_drawn_value(rule):
    explanation = explain(rule)
    shown = json.dumps(explanation.as_dict()) + "".join(text for _, text in explanation.rows())
    _, drawn = fill(rule.positive[0], random.Random(rule.id))
    assert not any(value in shown for value in drawn if len(value) > 3)
    assert rule.remedy in explanation.remedy
    assert explanation.example
    assert len(explanation.left_alone) == len(rule.negative)
    if rule.action == "redact":
        assert "[redacted: " in explanation.written


def test_every_check_is_explained():
    assert MEANINGS.keys() == CHECKS.keys()


def test_explain_by_id(own):
    answer = qsec("explain", "acme-token", "--rules", own)
    assert answer.exit_code == 0, answer.output
    for text in (
        "Acme token",
        "high",
        "Withdraw it at acme.example.",
        "acme_****",
        "acme_[redacted: acme]",
        "23",
    ):
        assert text in answer.stdout
    assert "broker issued" in qsec("explain", "issued-credential").stdout
    assert json.loads(qsec("explain", "github-token", "--json").stdout)["severity"] == "critical"


def test_unknown_id_names_the_near_ones():
    answer = qsec("explain", "githubtoken")
    assert isinstance(answer.exception, NotFound)
    assert "github-token" in answer.exception.remedy
