"""Claim: no bundle, however wrong, half-written or hostile, lets through what a good one refuses."""

import shutil
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from qsec_jupyter.control.catalog import parse_catalog
from qsec_jupyter.control.policy.bundle import SHIPPED, Bundle, Place
from qsec_jupyter.control.policy.context import Situation
from qsec_jupyter.control.policy.engine import PolicyEngine
from qsec_jupyter.control.policy.live import LivePolicy
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.core.model import ROLES, Principal

FILES = Bundle.shipped().files
EVE = Principal("eve", "Eve", "x", roles=("researcher",))
OVERFLOW = "9223372036854775807 + 1 == 0"


def rules(text: str) -> Bundle:
    return Bundle({**{name: FILES[name] for name in ("schema.cedarschema", "catalog.toml")}, "x.cedar": text})


@pytest.mark.parametrize("effect", ["permit", "forbid"])
@pytest.mark.parametrize("where", ["when", "unless"])
def test_an_erroring_rule_denies_whatever_else_permits(effect, where) -> None:
    text = (
        '@id("all") permit (principal, action, resource);'
        f'@id("broken") {effect} (principal, action == Action::"request", resource)'
        f'{where} {{ principal.roles.contains("researcher") && {OVERFLOW} }};'
    )
    engine = PolicyEngine(rules(text))
    decision = engine.decide(EVE, "request", "sandbox", Situation())
    assert (decision.allowed, decision.policies) == (False, ("policy-error",))
    assert engine.failures == 1
    assert engine.decide(EVE, "view", "sandbox", Situation()).allowed


SHIPPED_ENGINE = PolicyEngine.shipped()
PEOPLE = st.builds(
    Principal,
    st.sampled_from(["ada", "eve"]),
    st.just(""),
    st.just("x"),
    roles=st.lists(st.sampled_from(ROLES), unique=True, max_size=3).map(tuple),
    kind=st.sampled_from(["person", "workload"]),
    scopes=st.sampled_from([(), ("submit",), ("metadata",)]),
    targets=st.sampled_from([(), ("sandbox",)]),
)
SITUATIONS = st.builds(
    Situation,
    **dict.fromkeys(("from_kernel", "own_request", "own_kernel", "single_user", "locked"), st.booleans()),
    scope=st.sampled_from(["submit", "metadata"]),
)


@settings(max_examples=300, deadline=None)
@given(PEOPLE, st.sampled_from(["request", "issue", "approve", "view", "revoke"]), SITUATIONS)
def test_a_decision_that_is_remembered_is_the_one_that_would_be_made_now(who, action, situation) -> None:
    target = parse_catalog(SHIPPED_ENGINE.bundle.catalogue).targets["sandbox"]
    for place in (target, replace(target, approval="review"), "sandbox"):
        told = [SHIPPED_ENGINE.decide(who, action, place, situation) for _ in range(2)]
        assert told == [PolicyEngine._decide(SHIPPED_ENGINE, who, action, place, situation)] * 2


def test_a_rule_that_fails_is_counted_each_time() -> None:
    engine = PolicyEngine(rules(f'@id("x") permit (principal, action, resource) when {{ {OVERFLOW} }};'))
    assert not any(engine.decide(EVE, "request", "sandbox", Situation()).allowed for _ in range(3))
    assert engine.failures == 3


@pytest.mark.parametrize(
    "hostile", ["secret", "principal", 'x"]; permit (principal, action, resource); //', "\x00"]
)
def test_names_and_circumstances_are_data(hostile) -> None:
    engine = PolicyEngine.shipped()
    who = Principal(hostile, hostile, hostile, groups=(hostile,), roles=("auditor",))
    for action in ("request", "approve", "issue", "lock", "extend"):
        assert not engine.decide(who, action, hostile, Situation(data_class=hostile, scope=hostile)).allowed


def test_a_circumstance_of_the_wrong_type_is_a_refusal() -> None:
    engine = PolicyEngine(rules('@id("all") permit (principal, action, resource);'))
    assert not engine.decide(EVE, "request", "sandbox", Situation(locked="no")).allowed


@pytest.mark.parametrize("name", ["catalog.toml", "schema.cedarschema", "grants.cedar", "tests.toml"])
def test_a_file_cut_off_anywhere_is_never_taken_for_a_looser_policy(tmp_path, name) -> None:
    """A permission that the whole bundle does not give is given by no bundle that was cut off."""
    text = FILES[name]
    for part in range(1, 12):
        cut = Bundle({**FILES, name: text[: len(text) * part // 12]})
        place = tmp_path / f"{part}"
        place.mkdir()
        for file, content in cut.files.items():
            (place / file).write_text(content)
        try:
            policy = LivePolicy(Place(tmp_path / f"home-{part}", place))
        except Invalid:
            continue
        kernel = Situation(from_kernel=True)
        boss = Principal("b", "B", "x", roles=("approver", "admin"))
        assert not policy.decide(boss, "approve", "pilot", kernel).allowed, part


def test_no_decision_sees_half_a_bundle(tmp_path) -> None:
    """Two bundles take turns; each says yes by one rule of its own name, never by the other's."""
    homes = tmp_path / "bundles"
    for name, mode in (("one", "auto"), ("two", "review")):
        shutil.copytree(SHIPPED, homes / name)
        catalogue = FILES["catalog.toml"].replace('approval = "auto"', f'approval = "{mode}"')
        (homes / name / "catalog.toml").write_text(catalogue)
        grants = FILES["grants.cedar"].replace('"open-targets-need-no-reviewer"', f'"open-{name}"')
        (homes / name / "grants.cedar").write_text(grants)
        (homes / name / "tests.toml").write_text("")
    link = tmp_path / "policy"
    link.symlink_to(homes / "one")
    policy, seen, stop = LivePolicy(Place(tmp_path)), set(), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            decision = policy.decide(EVE, "auto_approve", "sandbox", Situation())
            seen.add((decision.allowed, decision.policies))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        for turn in range(12):
            fresh = tmp_path / "next"
            fresh.symlink_to(homes / ("two" if turn % 2 == 0 else "one"))
            fresh.replace(link)
            for _ in range(3):
                policy.reload(lambda *_: None)
    finally:
        stop.set()
        for asker in askers:
            asker.join()
    assert seen == {(True, ("open-one",)), (False, ())}
