"""A grant's life: the table of transitions, and the rules of a request."""

from datetime import datetime, timezone
from itertools import product

import pytest

from qsec_jupyter.control.grants import TRANSITIONS, step
from qsec_jupyter.core.errors import Conflict, Denied, Invalid, NotFound, QsecError
from qsec_jupyter.core.model import GRANT_STATES, OPEN_STATES, Grant

NOW = datetime(2026, 1, 31, 9, tzinfo=timezone.utc)
EVENTS = ("approve", "deny", "cancel", "activate", "expire", "revoke")


def grant_in(state: str) -> Grant:
    return Grant("g", "sandbox", state, "ada", "k", "r", None, 60, "2026-01-31T09:00:00.000Z")


@pytest.mark.parametrize(("state", "event"), list(product(GRANT_STATES, EVENTS)))
def test_only_what_the_table_holds_can_happen(state, event) -> None:
    if (state, event) in TRANSITIONS:
        assert step(grant_in(state), event, NOW).state == TRANSITIONS[state, event]
    else:
        with pytest.raises(Conflict):
            step(grant_in(state), event, NOW)


def test_final_states_are_final_and_open_states_can_end() -> None:
    assert {state for state, _ in TRANSITIONS} == OPEN_STATES
    for state in OPEN_STATES:
        assert any(a == state and b not in OPEN_STATES for (a, _), b in TRANSITIONS.items())


def test_clock_starts_at_activation(ask, clock, plane) -> None:
    grant = ask.request("pilot", duration="30m")
    clock.forward(hours=2)
    decided = plane.access.decide(plane.owner, grant.id, "approve")
    assert decided.expires_at == "2026-01-31T11:30:00.000Z"


@pytest.mark.parametrize(
    ("change", "code", "kind"),
    [
        ({"target": "nowhere"}, "target.unknown", NotFound),
        ({"reason": "  "}, "request.reason_missing", Invalid),
        ({"reason": None}, "request.reason_missing", Invalid),
        ({"reason": "x" * 501}, "request.reason_too_long", Invalid),
        ({"ticket": "JIRA-1"}, "request.ticket_malformed", Invalid),
        ({"ticket": "QC-1\n"}, "request.ticket_malformed", Invalid),
        ({"target": "pilot", "ticket": None}, "request.ticket_missing", Invalid),
        ({"duration": "soon"}, "duration.malformed", Invalid),
        ({"duration": "9h"}, "duration.over_cap", Invalid),
    ],
)
def test_bad_request_is_refused_naming_the_rule_and_recorded(ask, events, change, code, kind) -> None:
    if change.get("ticket") == "QC-1\n":
        change = {"ticket": "QC-1\nx"}
    with pytest.raises(kind) as caught:
        ask.request(**change)
    assert caught.value.code == code
    assert caught.value.remedy
    assert events("request.refused")[-1]["data"]["rule"] == code
    assert "grant.requested" not in events()


def test_sandbox_is_approved_by_policy_at_once(ask, events) -> None:
    grant = ask.request()
    assert (grant.state, grant.decided_by) == ("active", "policy")
    assert "open-targets-need-no-reviewer" in grant.policies
    assert events()[-3:] == ["grant.requested", "grant.approved", "grant.activated"]


def test_pilot_waits_and_says_so_until_it_is_denied_with_a_comment(ask, plane) -> None:
    grant = ask.request("pilot")
    assert grant.state == "requested"
    with pytest.raises(Denied) as waiting:
        ask.credential("pilot")
    assert waiting.value.code == "grant.pending"
    plane.access.decide(plane.owner, grant.id, "deny", "not this week")
    with pytest.raises(Denied) as denied:
        ask.credential("pilot")
    assert denied.value.code == "grant.denied"
    assert "not this week" in denied.value.detail


def test_own_approval_is_named_as_such(ask, plane, events) -> None:
    grant = ask.request("pilot")
    decided = plane.access.decide(plane.owner, grant.id, "approve", "ok")
    assert decided.decided_by == "ada (own request)"
    assert events("grant.approved")[-1]["data"]["self_approval"] is True


def test_decided_request_is_not_decided_again(ask, plane) -> None:
    grant = ask.request("pilot")
    plane.access.decide(plane.owner, grant.id, "deny")
    with pytest.raises(Conflict):
        plane.access.decide(plane.owner, grant.id, "approve")


def test_expiry_ends_grant_session_and_credential(ask, plane, clock, broker, events) -> None:
    grant = ask.request(duration="30m")
    ask.credential()
    assert plane.access.keep_time() == pytest.approx(1800)
    clock.forward(minutes=30)
    assert plane.access.keep_time() is None
    assert ask.state(grant) == "expired"
    assert broker.open == {}
    with pytest.raises(Denied) as caught:
        ask.credential()
    assert caught.value.code == "grant.expired"
    assert events()[-3:] == ["grant.expired", "credential.revoked", "credential.refused"]


def test_credential_is_refused_at_the_very_moment_of_expiry(ask, clock) -> None:
    ask.request(duration="30m")
    clock.forward(minutes=30)
    with pytest.raises(Denied):
        ask.credential()


def test_undecided_request_expires_after_a_day(ask, plane, clock) -> None:
    grant = ask.request("pilot")
    clock.forward(hours=24)
    plane.access.keep_time()
    assert ask.state(grant) == "expired"


def test_refusal_never_quotes_what_was_sent(ask) -> None:
    with pytest.raises(QsecError) as caught:
        ask.request(ticket="s3cret-looking-text")
    assert "s3cret" not in str(caught.value)
