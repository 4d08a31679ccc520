"""A gitleaks configuration as it is: each part does what gitleaks' documentation says."""

import random

import nbformat
import pytest

from qsec_jupyter.scan import ruleset
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.engine import PatternEngine
from qsec_jupyter.scan.foreign import collect
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.scanner import Scanner

VALUE = fill("{base32:24}", random.Random(5))[0]
OTHER = fill("{base32:24}", random.Random(6))[0]
RULE = """
[[rules]]
id = "Acme Token"
description = "An Acme token"
regex = '''(?i)[\\w.-]{0,50}?(?:acme)(?:[ \\t\\w.-]{0,20})[=:]{1,3}["' ]{0,3}([a-z2-7]{24})(?:["';\\s]|$)'''
keywords = ["Acme"]
"""
LINE = f'my_acme_token = "{VALUE}"\n'


def alone(rules, folder):
    """Return a scanner with the foreign rules only: ours would find the same values by their names."""
    own = [rule for rule in rules.rules if rule.id.startswith("gitleaks/")]
    fresh = ruleset.RuleSet(own, rules.version, PatternEngine(ruleset.triggers(own)))
    return Scanner(KnownValues(), Baseline(folder / "kept.json"), b"k" * 32, fresh)


@pytest.fixture
def scan(tmp_path):
    def call(config, text, path="run.py", commit=""):
        file = tmp_path / "gitleaks.toml"
        file.write_text(config)
        rules = ruleset.load_rules(tmp_path, [str(file)])
        assert rules.refused == ()
        scanner = alone(rules, tmp_path)
        if commit:
            scanner.where = lambda path: ruleset.Where(path, commit)
        return scanner.scan_text(text, path).findings

    return call


def test_rule_is_used_with_its_own_id_title_and_group(scan):
    (one,) = scan(RULE, LINE)
    assert (one.rule, one.title) == ("gitleaks/Acme-Token", "An Acme token")
    assert (one.line, one.column) == (1, 1 + LINE.index(VALUE))
    assert one.end_column == 1 + LINE.index(VALUE) + len(VALUE)


def test_second_start_takes_it_from_the_cache_with_everything(scan):
    config = RULE + "[[rules.allowlists]]\npaths = ['''\\.lock$''']\nstopwords = ['zzzz']\n"
    for _ in range(2):
        assert scan(config, LINE)
        assert not scan(config, LINE, "a.lock")


def test_value_gets_its_name_elsewhere_whatever_the_name(tmp_path):
    """Which names tell of credentials is known for our own rules only."""
    file = tmp_path / "gitleaks.toml"
    file.write_text("[[rules]]\nid = 'door'\nregex = '''acme_door\\s*=\\s*\"(\\w{15})\"'''\n")
    scanner = alone(ruleset.load_rules(tmp_path, [str(file)]), tmp_path)
    sources = ['mine = "Standard_DS3_v2"', "open_door(acme_door=mine)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in sources])
    (found,) = scanner.scan_notebook(notebook, "a.ipynb").findings
    assert (found.rule, found.cell) == ("gitleaks/door", 0)


def test_keyword_must_stand_in_the_same_text(scan):
    config = RULE.replace('["Acme"]', '["Elsewhere"]')
    assert not scan(config, LINE)
    assert scan(config, LINE + "# ELSEWHERE\n")


def test_entropy_and_numbered_group(scan):
    config = "[[rules]]\nid='x'\nregex='''(k)(?:ey)=([a-z2-7]{24})'''\nsecretGroup=2\nentropy=3.0\n"
    (one,) = scan(config, f"key={VALUE}")
    assert one.column == 5
    assert not scan(config, "key=" + "ab" * 12)


def test_made_up_values_count_unless_the_configuration_says_otherwise(scan):
    config = "[[rules]]\nid='x'\nregex='''acme-[a-z]+'''\n"
    assert scan(config, "acme-example")
    assert not scan(config + "[allowlist]\nstopwords=['EXAMPLE']\n", "acme-example")


@pytest.mark.parametrize(
    ("allow", "covered", "left"),
    [
        ("regexes = ['''^a''']", "a" + VALUE[1:], "b" + VALUE[1:]),
        ("regexTarget = 'match'\nregexes = ['''^my_acme''']", None, None),
        (f"stopwords = ['{VALUE[3:9].upper()}']", VALUE, OTHER),
    ],
)
@pytest.mark.parametrize(
    "head", ["[[rules.allowlists]]", "[rules.allowlist]", "[allowlist]", "[[allowlists]]"]
)
def test_allowlist_of_a_rule_and_of_all(scan, head, allow, covered, left):
    config = f"{RULE}{head}\n{allow}\n"
    if covered is None:
        assert not scan(config, LINE)
        assert scan(config, LINE.replace("my_acme", "your_acme"))
    else:
        assert not scan(config, LINE.replace(VALUE, covered))
        assert scan(config, LINE.replace(VALUE, left))


def test_allowlist_of_the_line(scan):
    config = RULE + "[[rules.allowlists]]\nregexTarget='line'\nregexes=['''# made up$''']\n"
    assert not scan(config, LINE.strip() + "  # made up\n")
    assert scan(config, LINE + "  # made up\n")


def test_paths_and_commits(scan):
    config = RULE + "[[rules.allowlists]]\npaths = ['''(^|/)tests/''']\ncommits = ['ABCDEF']\n"
    assert not scan(config, LINE, "tests/a.py")
    assert scan(config, LINE, "src/a.py")
    assert not scan(config, LINE, commit="abcdef")


def test_condition_and_wants_all(scan):
    config = (
        RULE + f"[[rules.allowlists]]\ncondition='AND'\npaths=['''tests/''']\nregexes=['''^{VALUE[:4]}''']\n"
    )
    assert not scan(config, LINE, "tests/a.py")
    assert scan(config, LINE, "src/a.py")
    assert scan(config, LINE.replace(VALUE, OTHER), "tests/a.py")


def test_path_of_a_rule(scan):
    config = RULE + "path = '''\\.env$'''\n"
    assert scan(config, LINE, "prod.env")
    assert not scan(config, LINE, "prod.py")


def test_what_was_clean_at_one_path_is_not_clean_at_another(tmp_path):
    file = tmp_path / "g.toml"
    file.write_text(RULE + "path = '''secret'''\n")
    rules = ruleset.load_rules(tmp_path, [str(file)])
    scanner = alone(rules, tmp_path)
    assert not scanner.scan_text(LINE, "open.txt").findings
    assert scanner.scan_text(LINE, "secret.txt").findings
    assert not scanner.scan_text(LINE, "open.txt").findings


def test_extended_file_is_merged_and_watched(scan, tmp_path):
    base = tmp_path / "base.toml"
    base.write_text(
        RULE + "[[rules]]\nid='off'\nregex='''off-[a-z]{8}'''\n[allowlist]\npaths=['''\\.lock$''']\n"
    )
    config = (
        "[extend]\npath='base.toml'\ndisabledRules=['off']\n"
        "[[rules]]\nid='Acme Token'\ndescription='Ours'\n[[rules.allowlists]]\npaths=['''docs/''']\n"
        "[[allowlists]]\ntargetRules=['Acme Token']\nstopwords=['@']\n".replace("@", OTHER[:6])
    )
    (one,) = scan(config, LINE + "off-abcdefgh\n")
    assert one.title == "Ours"
    assert not scan(config, LINE, "a.lock")
    assert not scan(config, LINE, "docs/a.md")
    assert not scan(config, LINE.replace(VALUE, OTHER))
    base.write_text(base.read_text().replace("acme", "emca"))
    assert not scan(config, LINE)


@pytest.mark.parametrize(
    ("config", "rule", "why"),
    [
        ("[[rules]]\nid='a'\nregex='''a(?=b)'''\n", "a", "looks around"),
        ("[[rules]]\nid='a'\nregex='''\\pL'''\n", "a", "Unicode"),
        ("[[rules]]\nid='a'\npath='''p12'''\n", "a", "path alone"),
        ("[[rules]]\nid='a'\n", "a", "neither"),
        ("[[rules]]\nid='a'\nregex='''(a)'''\nsecretGroup=2\n", "a", "no group 2"),
        ("[[rules]]\nid='a'\nregex='''a'''\nentropy='much'\n", "a", "entropy is not"),
        ("[[rules]]\nid='a'\nregex='''a'''\n[[rules.required]]\nid='b'\n", "a", "required"),
        ("[[rules]]\nid='a'\nregex='''a'''\n[[rules.allowlists]]\ndescription='x'\n", "a", "empty"),
        (
            "[[rules]]\nid='a'\nregex='''a'''\n[[rules.allowlists]]\ncondition='XOR'\npaths=['b']\n",
            "a",
            "XOR",
        ),
        ("[[rules]]\nid='a'\nregex='''a'''\n[[rules.allowlists]]\nregexes=['''(a+)+b''']\n", "a", "faster"),
        ("[[rules]]\nregex='''a'''\n", "", "no id"),
        ("[extend]\nuseDefault=true\n", "", "useDefault"),
        ("[extend]\nurl='https://x.example'\n", "", "nothing is fetched"),
        ("[extend]\npath='absent.toml'\n", "", "cannot be read"),
        ("[extend]\npath='gitleaks.toml'\n", "", "more than 2 files"),
        ("[[rules]]\nid='a'\nregex='''a'''\n[[allowlists]]\ntargetRules=['b']\nstopwords=['x']\n", "", "'b'"),
        ("[[rules]]\nid='a'\nregex='''aa'''\n[allowlist]\nregexes=['''[\u00e9]''']\n", "", "all rules"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name_and_the_rest_is_used(tmp_path, config, rule, why):
    file = tmp_path / "gitleaks.toml"
    file.write_text(config + "[[rules]]\nid='fine'\nregex='''fine-[a-z]{20}'''\n")
    found = collect([str(file)])
    assert "gitleaks/fine" in {one.id for one in found.rules}
    assert [(one.file, one.rule) for one in found.refused] == [(str(file), rule)]
    assert why in found.refused[0].why


def test_expression_that_backtracks_is_confirmed_by_re2_or_refused(tmp_path, monkeypatch):
    file = tmp_path / "gitleaks.toml"
    file.write_text("[[rules]]\nid='slow'\nregex='''slow:(?:[a-z]+-?)+;'''\n")
    text = b"slow:" + b"abc" * 3000
    if pytest.importorskip("re2"):
        (rule,) = collect([str(file)]).rules
        assert rule.linear
        assert rule.find(text, 0, len(text)) == []
        assert rule.find(text + b";", 0, len(text) + 1)
    monkeypatch.setitem(__import__("sys").modules, "re2", None)
    (refused,) = collect([str(file)]).refused
    assert (refused.rule, "qsec-jupyter[re2]" in refused.why) == ("slow", True)
