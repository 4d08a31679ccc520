"""The bundle: what belongs to it, its digest, its rules, and what `check` says of a wrong one."""

import pytest

from qsec_jupyter.control.policy.bundle import SHIPPED, Bundle, Place
from qsec_jupyter.control.policy.cases import described, person, read_cases, run_cases
from qsec_jupyter.control.policy.check import check, problems_of
from qsec_jupyter.control.policy.context import Job
from qsec_jupyter.control.policy.difference import compare
from qsec_jupyter.control.policy.engine import PolicyEngine
from qsec_jupyter.core.errors import Invalid

FILES = Bundle.shipped().files


def with_rules(text: str, **files: str) -> Bundle:
    """Return the shipped bundle with other rules and without its cases."""
    kept = {name: FILES[name] for name in ("schema.cedarschema", "catalog.toml")}
    return Bundle({**kept, "own.cedar": text, **files})


def codes(bundle: Bundle) -> dict[str, str]:
    return {problem.code: problem.text for problem in problems_of(bundle)}


AUTO = 'resource.approval == "auto"'
RESEARCHERS = '@id("a") permit (principal, action == Action::"request", resource)\n'


def test_the_shipped_bundle_checks_without_a_word() -> None:
    assert problems_of(Bundle.shipped()) == ()


def test_every_rule_of_the_shipped_bundle_is_held_by_a_case() -> None:
    checked = check(Bundle.shipped())
    for rule in checked.bundle.rules:
        forms = {name: text for name, text in FILES.items() if not name.endswith(".cedar")}
        fewer = _Without(forms, rule.id)
        engine = PolicyEngine(fewer)
        failed = [outcome for outcome in run_cases(checked.cases, engine) if not outcome.passed]
        assert failed, f"no case notices that {rule.id} is gone"


class _Without(Bundle):
    """The shipped bundle without one rule."""

    def __init__(self, files: dict[str, str], gone: str) -> None:
        super().__init__(files)
        rules = tuple(rule for rule in Bundle.shipped().rules if rule.id != gone)
        self.__dict__["rules"] = rules


def test_the_digest_is_over_every_file_and_its_name(tmp_path) -> None:
    digests = {Bundle.shipped().digest}
    for name in FILES:
        digests.add(Bundle({**FILES, name: FILES[name] + "\n"}).digest)
        renamed = {**FILES, f"x{name}": FILES[name]}
        del renamed[name]
        digests.add(Bundle(renamed).digest)
    assert len(digests) == 1 + 2 * len(FILES)


def test_the_state_folders_catalogue_takes_the_bundles_place(tmp_path) -> None:
    (tmp_path / "catalog.toml").write_text("# mine\n" + FILES["catalog.toml"])
    read = Place(tmp_path).read()
    assert read.catalogue.startswith("# mine")
    assert read.digest != Bundle.shipped().digest


def test_an_own_bundle_takes_the_shipped_ones_place_as_a_whole(tmp_path) -> None:
    own = tmp_path / "policy"
    own.mkdir()
    for name in ("schema.cedarschema", "catalog.toml"):
        (own / name).write_text(FILES[name])
    (own / "only.cedar").write_text(RESEARCHERS + ";")
    assert [rule.id for rule in Place(tmp_path).read().rules] == ["a"]


def test_a_folder_that_is_no_bundle_is_refused(tmp_path) -> None:
    with pytest.raises(Invalid, match=r"policy\.unreadable"):
        Bundle.read(tmp_path)
    with pytest.raises(Invalid, match=r"policy\.unreadable"):
        Place(tmp_path, tmp_path / "nowhere").read()


def test_rules_know_file_line_effect_and_advice_whatever_stands_around_them() -> None:
    text = (
        '// @id("no") permit;\n\n@id("one")\n@advice("do ; this\n  \\"now\\"")\n'
        + RESEARCHERS.partition(" ")[2]
    )
    bundle = with_rules(text + ';\n// more\nforbid (principal, action, resource) when { "a;b" == "c" };')
    one, other = bundle.rules
    assert (one.id, one.place, one.effect, one.advice) == ("one", "own.cedar:3", "permit", 'do ; this "now"')
    assert (other.id, other.named, other.place) == ("own.cedar:9", False, "own.cedar:9")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("permit (principal, action, resource", "policy.syntax"),
        ("permit (principal == ?principal, action, resource);", "policy.template"),
        (RESEARCHERS + "when { principal.age > 3 };", "policy.invalid"),
        (RESEARCHERS + ";" + RESEARCHERS + ";", "policy.duplicate_id"),
        ("permit (principal, action, resource);", "rule.no_id"),
        (RESEARCHERS + f'when {{ {AUTO} && resource.approval == "review" }};', "rule.unreachable"),
        (RESEARCHERS + "when { context.locked && !context.locked };", "rule.unreachable"),
        (RESEARCHERS + ';@id("b") forbid (principal, action, resource);', "rule.overruled"),
        (RESEARCHERS + ';@id("b") forbid (principal, action == Action::"deny", resource);', "rule.idle"),
        (RESEARCHERS + ';@id("b") permit (principal, action, resource);', "rule.redundant"),
        (RESEARCHERS + 'when { principal.roles.contains("reseacher") };', "rule.unknown_word"),
        (RESEARCHERS + 'when { ["prod"].contains(resource.environment) };', "rule.unknown_word"),
        ('@id("a") permit (principal, action, resource == Target::"nowhere");', "rule.unknown_word"),
        ('@id("a") forbid (principal, action, resource);', "rule.no_advice"),
        (RESEARCHERS + ";", "rule.untested"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_name(text, code) -> None:
    assert code in codes(with_rules(text))


def test_a_syntax_error_names_its_line() -> None:
    bundle = with_rules(RESEARCHERS + ";\n\npermit (principal, action resource);")
    assert (
        codes(bundle)["policy.syntax"]
        == "own.cedar cannot be parsed; the policy that begins in line 4 is wrong."
    )


def test_two_rules_that_together_overrule_a_third_are_seen() -> None:
    text = (
        RESEARCHERS + ';@id("b") forbid (principal, action, resource) when { context.locked };'
        '@id("c") forbid (principal, action, resource) unless { context.locked };'
    )
    assert "rule.overruled" in codes(with_rules(text))


def test_rules_that_matter_are_left_alone() -> None:
    text = (
        RESEARCHERS + 'when { principal.roles.containsAny(["researcher", "operator"]) };'
        '@id("b") permit (principal, action == Action::"request", resource) when { context.break_glass };'
        '@id("c") @advice("x") forbid (principal, action, resource) when { context.locked };'
    )
    assert set(codes(with_rules(text))) == {"rule.untested"}


@pytest.mark.parametrize(
    "case",
    [
        "not toml [",
        "[other]\nx = 1",
        '[[case]]\nname = "x"',
        '[[case]]\nname="x"\nwho="researcher"\naction="fly"\ntarget="t"\nexpect="allowed"',
        '[[case]]\nname="x"\nwho="researcher"\naction="request"\ntarget="t"\nexpect="yes"',
        '[[case]]\nname="x"\nwho={rolls=["a"]}\naction="request"\ntarget="t"\nexpect="allowed"',
        '[[case]]\nname="x"\nwho="researcher"\naction="request"\ntarget={where="t"}\nexpect="allowed"',
        '[[case]]\nname="x"\nwho="a"\naction="request"\ntarget="t"\ncontext={locked="no"}\nexpect="allowed"',
        '[[case]]\nname="x"\nwho="a"\naction="request"\ntarget="t"\nexpects="allowed"\nexpect="allowed"',
    ],
)
def test_a_wrong_table_of_cases_is_refused_not_guessed(case) -> None:
    assert "policy.cases" in codes(with_rules(RESEARCHERS + ";", **{"tests.toml": case}))


def test_a_case_that_fails_refuses_the_bundle() -> None:
    case = '[[case]]\nname="nobody"\nwho="researcher"\naction="request"\ntarget="t"\nexpect="refused"'
    checked = check(with_rules(RESEARCHERS + ";", **{"tests.toml": case}))
    with pytest.raises(Invalid, match=r"'nobody': expected refused, was allowed by a"):
        checked.require()


def test_a_list_in_a_case_stands_for_each_of_its_members() -> None:
    case = '[[case]]\nname="x"\nwho=["researcher","auditor"]\naction=["request","deny"]\ntarget="t"\n'
    case += 'expect="allowed"'
    bundle = with_rules(RESEARCHERS + ";", **{"tests.toml": case})
    outcomes = run_cases(read_cases(bundle, {}), PolicyEngine(bundle))
    assert [outcome.passed for outcome in outcomes] == [True, False, True, False]


def test_a_difference_names_rules_entries_and_cases() -> None:
    files = dict(FILES)
    files["grants.cedar"] = files["grants.cedar"].replace(
        'principal.roles.containsAny(["researcher", "operator"])', 'principal.roles.contains("researcher")', 1
    )
    files["catalog.toml"] = files["catalog.toml"].replace('approval = "review"', 'approval = "auto"')
    files["runs.cedar"] += '\n@id("new") @advice("x") permit (principal, action == Action::"view", resource);'
    found = compare(check(Bundle.shipped()), check(Bundle(files)))
    assert {(change.kind, change.what) for change in found.rules} == {
        ("changed", "researchers-request"),
        ("added", "new"),
    }
    assert {change.what for change in found.catalogue} == {"targets.pilot"}
    otherwise = {pair.after.case.name for pair in found.cases}
    assert "researchers and operators request everywhere (operator, request, production)" in otherwise
    assert "researchers and operators request everywhere (researcher, request, production)" not in otherwise


def test_a_bundle_does_not_differ_from_itself() -> None:
    assert not compare(check(Bundle.shipped()), check(Bundle.read(SHIPPED)))


def test_a_schema_from_before_jobs_is_taken_with_a_warning_and_lets_no_job_pass() -> None:
    old = FILES["schema.cedarschema"].partition('action "submit"')[0]
    found = problems_of(with_rules(RESEARCHERS + ";", **{"schema.cedarschema": old}))
    outdated = [problem for problem in found if problem.code == "schema.outdated"]
    assert [problem.level for problem in outdated] == ["warning"]
    assert "submit" in outdated[0].text
    engine = PolicyEngine(with_rules("permit (principal, action, resource);", **{"schema.cedarschema": old}))
    decision = engine.decide(person("researcher"), "submit", described({}, {}), Job())
    assert not decision.allowed
    assert "schema" in decision.advice
    assert engine.failures == 0


def test_a_rule_that_compares_shots_must_ask_for_them_first() -> None:
    few = '@id("few") permit (principal, action == Action::"submit", resource) when { %s context.shots < 9 };'
    assert "policy.invalid" in codes(with_rules(few % ""))
    assert "policy.invalid" not in codes(with_rules(few % "context has shots &&"))
