"""Properties of every decision, and how one is explained."""

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings, strategies as st

from qsec_jupyter.control.policy import cases
from qsec_jupyter.control.policy.context import ACTIONS, Job, Situation, kind_of
from qsec_jupyter.control.policy.engine import PolicyEngine
from qsec_jupyter.control.policy.explain import explain
from qsec_jupyter.core.classification import DATA_CLASSES
from qsec_jupyter.core.errors import Denied
from qsec_jupyter.core.model import ENVIRONMENTS, ROLES, Principal

ENGINE = PolicyEngine.shipped()
CHOICES = {"data_class": DATA_CLASSES, "scope": ("submit", "retrieve", "metadata")}

people = st.builds(
    Principal,
    name=st.text(max_size=20),
    display_name=st.just("x"),
    identity_provider=st.just("x"),
    groups=st.lists(st.text(max_size=5), max_size=2).map(tuple),
    roles=st.lists(st.sampled_from(ROLES), max_size=6, unique=True).map(tuple),
    kind=st.sampled_from(["person", "workload"]),
    scopes=st.lists(st.sampled_from(CHOICES["scope"]), unique=True).map(tuple),
    targets=st.lists(st.sampled_from(["described", "other"]), unique=True).map(tuple),
)
targets = st.one_of(
    st.text(max_size=20),
    st.builds(
        lambda **told: cases.described(told, {}),
        approval=st.sampled_from(["auto", "review"]),
        environment=st.sampled_from(ENVIRONMENTS),
        tier=st.sampled_from(["deliver", "proxy", "operate"]),
        classes=st.lists(st.sampled_from(DATA_CLASSES), unique=True).map(tuple),
        break_glass=st.booleans(),
    ),
)
situations = st.builds(
    Situation,
    **{
        field.name: st.sampled_from(CHOICES[field.name]) if field.name in CHOICES else st.booleans()
        for field in fields(Situation)
    },
)

jobs = st.builds(
    Job,
    backend=st.text(max_size=20),
    shots=st.none() | st.integers(0, 2**40),
    execution_seconds=st.none() | st.integers(0, 2**40),
    labels=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    **{name: st.sampled_from(CHOICES[name]) for name in CHOICES},
    **{
        name: st.booleans()
        for name in (
            "own_grant",
            "member",
            "payload_bound",
            "within_envelope",
            "within_quota",
            "locked",
            "session",
        )
    },
)
on_grants = st.sampled_from([action for action in ACTIONS if kind_of(action) is Situation])


@settings(max_examples=400, deadline=None)
@given(people, targets, jobs)
def test_what_no_job_may_ever_do(who, target, job) -> None:
    decision = ENGINE.decide(who, "submit", target, job)
    assert "policy-error" not in decision.policies
    if decision.allowed:
        assert job.own_grant
        assert job.member
        assert job.within_envelope
        assert job.within_quota
        assert job.scope == "submit"
        assert not job.locked
        assert job.data_class in target.classes
        assert {"developer", "researcher", "operator"} & set(who.roles)
        if who.kind == "workload":
            assert "submit" in who.scopes
            assert target.name in who.targets


@settings(max_examples=400, deadline=None)
@given(people, on_grants, targets, situations)
def test_what_no_person_may_ever_have(who, action, target, situation) -> None:
    decision = ENGINE.decide(who, action, target, situation)
    if not decision.allowed:
        return
    assert decision.policies, "allowed without a rule"
    if action in {"approve", "deny"}:
        assert "approver" in who.roles
        assert who.kind == "person"
        assert not situation.from_kernel
    if action == "approve":
        assert situation.single_user or not situation.own_request
        assert not situation.voted
    if action == "lock":
        assert "admin" in who.roles
        assert not situation.from_kernel
    if action in {"request", "auto_approve", "approve", "issue", "extend"}:
        assert not situation.locked
    if action in {"issue", "cancel"}:
        assert situation.own_request
    if who.kind == "workload" and action in {"request", "issue", "extend"}:
        assert situation.scope in who.scopes
        name = target if isinstance(target, str) else target.name
        assert name in who.targets
    if set(who.roles) <= {"auditor"} and not situation.own_request:
        alone = {"run": situation.local, "rotate": situation.single_user}  # on a machine of one's own
        assert action in {"view", "auto_approve"} or alone.get(action)


@settings(max_examples=200, deadline=None)
@given(people, on_grants, targets, situations)
def test_an_explanation_tells_the_decision_it_explains(who, action, target, situation) -> None:
    asked = cases.Case("", who, action, target, situation, "allowed")
    told = explain(ENGINE, asked)
    assert told.decision == ENGINE.decide(who, action, target, situation)
    assert {rule.id for rule in told.decided} == set(told.decision.policies)
    if not told.decision.allowed and not told.decision.policies:
        assert not told.overruled
        assert all(missed.conditions for missed in told.missed)


@settings(max_examples=100, deadline=None)
@given(people, targets, situations)
def test_more_roles_never_take_a_request_away(who, target, situation) -> None:
    if ENGINE.decide(who, "request", target, situation).allowed:
        everything = replace(who, roles=ROLES)
        assert ENGINE.decide(everything, "request", target, situation).allowed


def test_a_refusal_shows_the_advice_of_its_rule() -> None:
    who = Principal("a", "A", "x", roles=("researcher",))
    locked = ENGINE.decide(who, "request", cases.described({}, {}), Situation(locked=True))
    with pytest.raises(Denied) as refusal:
        locked.require("request", "described")
    assert refusal.value.remedy.startswith("Wait until the lock is lifted")
    nobody = ENGINE.decide(replace(who, roles=()), "request", cases.described({}, {}), Situation())
    assert "Ask who administers the roles" in nobody.advice


def test_an_explanation_says_what_was_missing() -> None:
    who = Principal("a", "A", "x", roles=("developer",))
    target = cases.described({"environment": "production"}, {})
    told = explain(ENGINE, cases.Case("", who, "request", target, Situation(), "allowed"))
    missing = {missed.rule.id: missed.conditions for missed in told.missed}
    assert missing["developers-request-outside-production"] == (
        'when { ["dev", "test"].contains(resource.environment) }',
    )
