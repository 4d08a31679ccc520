import stat
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.core.canonical import canonical_bytes, digest
from qsec_jupyter.core.duration import format_duration, parse_duration
from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.core.events import EVENT_TYPES
from qsec_jupyter.core.model import Grant, rfc3339
from qsec_jupyter.core.paths import home, journals


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("8h", 28800), ("1h30m", 5400), ("90s", 90), (" 2D ", 172800)]
)
def test_duration_reads_what_people_write(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "30", "m", "1m1h", "-5m", "1.5h", "5 m", "99999999999h", None])
def test_malformed_duration_is_refused_with_a_remedy(text) -> None:
    with pytest.raises(Invalid) as caught:
        parse_duration(text)
    assert caught.value.code == "duration.malformed"
    assert caught.value.remedy


@given(st.integers(1, 10_000_000))
def test_duration_round_trips(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_canonical_form_is_rfc_8785() -> None:
    # RFC 8785, section 3.2.2: sorted keys, shortest numbers, no white space.
    assert canonical_bytes({"b": 1.0, "a": [True, None, "€"]}) == '{"a":[true,null,"€"],"b":1}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


def test_rfc3339_is_utc_with_milliseconds() -> None:
    moment = datetime(2026, 1, 31, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    assert rfc3339(moment) == "2026-01-31T09:30:00.000Z"


def test_grant_ignores_keys_of_a_newer_version() -> None:
    data = dict.fromkeys(("id", "target", "state", "requester", "kernel_id", "reason", "ticket"), "x")
    grant = Grant.from_dict({**data, "duration": 60, "requested_at": "t", "policies": ["p"], "later": 1})
    assert grant.policies == ("p",)


def test_home_is_private_and_empty_of_journals_at_first(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "new"))
    assert stat.S_IMODE(home().stat().st_mode) == 0o700
    assert journals() == []


def test_every_event_has_a_meaning_and_a_voucher() -> None:
    assert len(EVENT_TYPES) > 10
    for name, event in EVENT_TYPES.items():
        assert event.name == name
        assert event.meaning.endswith(".")
