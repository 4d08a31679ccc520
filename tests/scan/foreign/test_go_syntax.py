"""Go's regular expressions: the same text matches as Go's own documentation says, or the rule is refused."""

import re

import pytest

from qsec_jupyter.scan.foreign.go_syntax import CAP, Untranslatable, for_re2, translate


@pytest.mark.parametrize(
    ("expression", "matching", "other"),
    [
        ("^a$", ["a"], ["a\n", "ba", "b\na"]),
        ("(?m)^a$", ["a", "b\na\nc"], ["ba"]),
        (r"a\z", ["a"], ["a\n"]),
        ("(?i)a|b", ["A", "B"], ["c"]),
        ("a(?i)b|c", ["aB", "C"], ["AB"]),
        ("a(?i)b(?-i)c", ["aBc"], ["aBC"]),
        ("a(?i:b)c", ["aBc"], ["ABc", "aBC"]),
        ("(?i)a(?-i:b)", ["Ab"], ["AB"]),
        ("(x(?i)a|b)c", ["xAc", "Bc"], ["xAC"]),
        ("x.y", ["xay"], ["x\ny"]),
        ("(?s)x.y", ["x\ny"], ["xy"]),
        ("[[:alnum:]_]{3}", ["a_9"], ["a-9"]),
        ("[]a]", ["]", "a"], ["b"]),
        ("[^]a]", ["b"], ["]", "a"]),
        ("[a&&b]", ["&"], ["c"]),
        ("{a}", ["{a}"], ["a"]),
        ("a{,3}b", ["a{,3}b"], ["aab"]),
        (r"\Qa.b*\Ec", ["a.b*c"], ["axbc"]),
        (r"\x{41}\x42\103", ["ABC"], ["abc"]),
        (r"\x{e9}+z", ["\u00e9\u00e9z"], ["ez"]),
        ("(?P<one>a)(?<two>b)", ["ab"], ["ba"]),
        (r"\$(?:\d+|{\d+})", ["$1", "${1}"], ["$a"]),
    ],
)
def test_translation_matches_what_go_matches(expression, matching, other):
    pattern = re.compile(translate(expression).encode())
    assert all(pattern.search(text.encode()) for text in matching)
    assert not any(pattern.search(text.encode()) for text in other)


def test_translation_is_what_re2_takes(re2):
    for expression in ("(?i)x[a-z]+y{3,}$", r"^\s*a.*\z", "a(?i)b|c"):
        assert re2.compile(for_re2(translate(expression)))


@pytest.fixture
def re2():
    return pytest.importorskip("re2", reason="the extra re2 is not installed")


def test_group_is_named_and_runs_end():
    assert translate("(a)(b+)", 2) == f"(a)(?P<secret>b{{1,{CAP}}})"


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("[\u00e9]", "beyond ASCII"), (r"\pL", "property"), (r"\P{Greek}", "property"), ("a(?=b)", "looks"),
        ("(?<!a)b", "looks"), ("(a", "not closed"), ("a)", "not opened"), ("a**", "repetition"),
        ("*a", "repeats nothing"), (r"(a)\1", "refers back"), ("[a", "not closed"), ("(?U)a+", "lazy"),
        ("a{1001}", "thousand"), (r"\y", "Go refuses"), ("[[:nope:]]", "no counterpart"), ("[z-a]", "parse"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_is_refused_with_the_reason(expression, why):
    with pytest.raises(Untranslatable, match=why):
        translate(expression)
    with pytest.raises(Untranslatable, match="no group 2"):
        translate("(a)", 2)
