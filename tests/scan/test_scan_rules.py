"""Rules as data: every one is proved on samples of its own, and a bad one is refused by name."""

import random
import re

import pytest

from qsec_jupyter.core.errors import Bug, Invalid
from qsec_jupyter.scan import detect
from qsec_jupyter.scan.rules.checks import CHECKS, github_checksum, placeholder
from qsec_jupyter.scan.rules.loader import FOLDER, Rule, load, prove
from qsec_jupyter.scan.rules.samples import fill

RULES = load()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_finds_its_positive_samples_and_no_negative_one(rule):
    assert rule.positive
    assert rule.negative
    prove(rule)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_finds_999_of_1000_fresh_samples(rule):
    source = random.Random(f"many {rule.id}")
    missed = total = 0
    for _ in range(1000 // len(rule.positive)):
        for template in rule.positive:
            text, drawn = fill(template, source)
            data = text.encode()
            found = [data[a:b].decode() for a, b in rule.find(data, 0, len(data))]
            total += 1
            hit = any(max(drawn, key=len) in value for value in found)
            missed += not (hit and re.search(rule.trigger.encode(), data))
    assert missed <= total * 0.006, f"{missed} of {total}"


def test_every_vendor_of_the_catalogue_has_a_rule():
    labels = {rule.label for rule in RULES}
    vendors = {
        "ibm-quantum",
        "azure-quantum",
        "dwave",
        "ionq",
        "quantinuum",
        "rigetti",
        "qbraid",
        "iqm",
        "xanadu",
        "aws",
    }
    assert vendors <= labels


def test_rule_files_hold_no_token():
    for path in FOLDER.glob("*.toml"):
        text = path.read_text()
        for rule in RULES:
            data = text.encode()
            for start, end in rule.find(data, 0, len(data)):
                raise AssertionError(f"{path.name}: {rule.id} finds {end - start} bytes in its own folder")


@pytest.mark.parametrize(
    "value",
    [
        "your-token-goes-here",
        "xxxxxxxxxxxxxxxx",
        "<paste your key>",
        "${TOKEN}",
        "AKIAIOSFODNN7EXAMPLE",
        "0123456789abcdef",
    ],
)
def test_placeholders_are_no_secrets(value):
    assert placeholder(value)


def test_github_checksum_is_the_published_one():
    # crc32(b"123456789") is the check value of CRC-32/ISO-HDLC, 0xCBF43926 = 3421780262.
    value, digits = 0xCBF43926, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = sum(digits.index(c) * 62**i for i, c in enumerate(reversed(github_checksum("123456789"))))
    assert number == value


def test_jwt_check_wants_a_header_that_names_an_algorithm():
    assert not CHECKS["jwt-header"]("eyJub3QiOiJhbGcifQ.e30.x")
    assert not CHECKS["jwt-header"]("!!!.e30.x")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ('pattern = "("', "parse"),
        ('pattern = "x"\nchecks = ["no-such"]', "unknown checks"),
        ('pattern = "x"\ncolour = "red"', "parse"),
    ],
)
def test_bad_rule_is_refused_by_file_and_name(tmp_path, body, why):
    head = '[[rule]]\nid = "broken"\nlabel = "l"\ntitle = "t"\nseverity = "low"\nremedy = "r"\n'
    (tmp_path / "mine.toml").write_text(head + body)
    with pytest.raises(Invalid) as caught:
        load(tmp_path)
    assert "mine.toml" in caught.value.detail
    assert "broken" in caught.value.detail
    assert why in caught.value.detail


def test_rule_that_fails_its_samples_is_not_used():
    rule = Rule(
        "r", "l", "t", "low", "m", pattern="(abc[0-9]{9})", trigger="abc", positive=("xyz{digits:9}",)
    )
    with pytest.raises(Bug, match=r"rule\.unproven"):
        prove(rule)


def test_plugins_of_detect_secrets_are_a_second_source_without_the_noisy_ones():
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    names = {plugin.__name__ for plugin in get_mapping_from_secret_type_to_class().values()}
    rules = list(detect.rules())
    assert len(rules) >= 25
    assert detect.OMITTED.keys() <= names
    for rule in rules:
        assert rule.compiled
