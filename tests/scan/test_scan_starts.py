"""Looking at the first byte ahead changes how long an expression takes, and never what it matches."""

import random
import re

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.scan import detect
from qsec_jupyter.scan.rules.loader import load
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.rules.starts import quick

RULES = [*load(), *detect.rules()]
SOURCE = random.Random(2)
TEXT = "\n".join(fill(t, SOURCE)[0] for rule in RULES for t in (*rule.positive, *rule.negative)).encode()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_shipped_expression_matches_the_same(rule):
    plain, fast = re.compile(rule.pattern.encode()), quick(rule.pattern)
    assert [one.span() for one in plain.finditer(TEXT)] == [one.span() for one in fast.finditer(TEXT)]
    assert plain.groupindex == fast.groupindex


@given(st.binary(max_size=40).map(lambda data: bytes(b"abAB-. k\xc3\xbc\n"[one % 11] for one in data)))
@pytest.mark.parametrize(
    "pattern",
    [
        "(?i)ab|-a", "(?i:a)B", "a?b", "(?:a|b?)-", "a*", "(?<!a)b", r"\bab", "(?i)(?-i:a)b", "[^a]b", ".b",
        r"\xc3\xbc", "(?s).\n", "(a|)(b)", "(?=b)b", "(?i)k", "[a-b]{2}", "(?m)^b", "a{0}b", "(?!a)[ab]b",
    ],
)  # fmt: skip
def test_expressions_of_every_shape_match_the_same(pattern, data):
    plain, fast = re.compile(pattern.encode()), quick(pattern)
    assert [one.span() for one in plain.finditer(data)] == [one.span() for one in fast.finditer(data)]
