"""No expression takes time that grows faster than the text: ours are tried, a user's are refused."""

import time

import pytest

from qsec_jupyter.scan import detect
from qsec_jupyter.scan.rules.growth import grows
from qsec_jupyter.scan.rules.loader import load

RULES = [*load(), *detect.rules()]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_shipped_expression_grows(rule):
    for expression in filter(None, (rule.pattern, rule.unless)):
        assert not grows(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "(a+)+b", "(a|a)*b", "(a|aa)+$x", r"x(\w+\s*)+y", r"\w+@", r"\s*\s*\s*x", r"([a-z]+)*\d", "(.*)*z",
        r"token=(\S+,?)*;", "^(([a-z])+.)+[A-Z]([a-z])+$", r"key:( *)(=|:| +)( *)x", "(x+x+)+y",
        "(a?){30}a{30}b", "(a|aa){30}a{40}b", "(?:(?:x*)*)+y",
    ],
)  # fmt: skip
def test_what_backtracks_is_found_and_the_trial_ends(expression):
    start = time.thread_time()
    assert grows(expression)
    assert time.thread_time() - start < 15


@pytest.mark.parametrize("expression", ["a_[a-z0-9]{24}", r"\bey[\w-]{17,}\.ey[\w-]{17,}", "a{1,60}?b", "x"])
def test_what_takes_its_proportion_is_let_pass(expression):
    assert not grows(expression)
