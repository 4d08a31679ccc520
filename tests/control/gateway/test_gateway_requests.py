"""How a request is taken apart, and what of a provider's table it can reach. No socket."""

from datetime import datetime, timedelta, timezone

import pytest
from catalogue import target
from hypothesis import given, strategies as st

from qsec_jupyter.control.catalog import parse_catalog
from qsec_jupyter.control.gateway.model import Reservation
from qsec_jupyter.control.gateway.providers import PROVIDERS
from qsec_jupyter.control.gateway.request import read_request
from qsec_jupyter.control.gateway.routes import Route, Table, check_query
from qsec_jupyter.control.gateway.settings import GatewaySettings
from qsec_jupyter.core.errors import Invalid, NotFound, QsecError

HOSTS = frozenset({"127.0.0.1:9"})
USUAL = {name: provider.addresses for name, provider in PROVIDERS.items()}
MORNING = datetime(2026, 1, 31, 9, tzinfo=timezone.utc)
NOON = MORNING + timedelta(hours=3)
MORE = """
reservations = true
[targets.amazon.gateway]
provider = "braket"
instance = "us-east-1/amazon-braket-lab/tasks"
[[targets.amazon.gateway.reservations]]
name = "arn:r/1"
backend = "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1"
start = 2026-01-31T10:00:00+01:00
end = 2026-01-31T12:00:00Z
"""
RESERVED = target("amazon", MORE, provider="braket", tier="proxy")


def scope(path=b"/t/runtime/jobs", query=b"", method="GET", headers=()):
    return {
        "method": method,
        "raw_path": path,
        "query_string": query,
        "headers": [(b"host", b"127.0.0.1:9"), *headers],
    }


def test_a_plain_request_is_taken_apart():
    found = read_request(scope(b"/ibm-pilot/runtime/jobs/abc", b"a=1&a=2&b=%20"), HOSTS)
    assert (found.target, found.api, found.path) == ("ibm-pilot", "runtime", "/jobs/abc")
    assert found.query == (("a", "1"), ("a", "2"), ("b", " "))


@given(st.binary(max_size=60))
def test_no_path_leaves_its_target(tail):
    """What is accepted has the target and api that stand in front, and no step upwards, decoded or not."""
    try:
        found = read_request(scope(b"/t/runtime/" + tail), HOSTS)
    except QsecError:
        return
    assert (found.target, found.api) == ("t", "runtime")
    assert not {".", ".."} & set(found.path.split("/"))
    assert "\\" not in found.path
    assert not any(step in found.path.lower() for step in ("%2e%2e", "%2f..", "%00", "%25"))


@given(st.text(alphabet="./%2eEfFabc-_~;\\", max_size=40))
def test_no_path_matches_a_table_but_by_its_own_segments(tail):
    table = PROVIDERS["ibm"].table
    try:
        route, places = table.match("runtime", "GET", "/" + tail)
    except NotFound:
        return
    assert route.pattern.count("/") == ("/" + tail).count("/")
    assert all(place and place[0] not in "./%" and "%" not in place for place in places.values())


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"1"), (b"Content-Length", b"1")],
        [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"content-length", b"1_0")],
        [(b"content-length", "١".encode())],
        [(b"host", b"127.0.0.1:9")],
        [(b"authorization", b"a"), (b"authorization", b"b")],
        [(b"upgrade", b"h2c")],
        [(b"te", b"trailers")],
        [(b"x", b"y")] * 70,
    ],
)
def test_headers_that_can_be_read_in_two_ways_are_refused(headers):
    with pytest.raises(Invalid):
        read_request(scope(headers=headers), HOSTS)


def test_literal_parts_of_a_pattern_are_no_expressions():
    table = Table([Route("a", "GET", "/v1.0/x+/{name}", "metadata", "metadata")])
    assert table.match("a", "GET", "/v1.0/x+/n")[1] == {"name": "n"}
    for path in ("/v1a0/x+/n", "/v1.0/xx/n", "/v1.0/x+/n/", "/v1.0/x+/", "/v1.0/x+/n/m"):
        with pytest.raises(NotFound):
            table.match("a", "GET", path)
    with pytest.raises(NotFound):
        table.match("a", "POST", "/v1.0/x+/n")


def test_scopes_reach_what_is_below_them_only():
    reached = {
        scope_: {r.operation for r in PROVIDERS["ibm"].table.routes if r.reached_by(scope_)}
        for scope_ in ("metadata", "retrieve", "submit")
    }
    assert reached["metadata"] == {"token", "metadata", "usage"}
    assert reached["retrieve"] - reached["metadata"] == {"jobs", "job", "result"}
    assert {"submit", "cancel", "delete", "tags", "open-session"} <= reached["submit"] - reached["retrieve"]


def test_parameter_that_a_route_does_not_take_is_refused():
    route = Route("a", "GET", "/", "metadata", "metadata", frozenset({"limit"}))
    check_query(route, [("limit", "1")])
    with pytest.raises(Invalid, match="one with a strange name"):
        check_query(route, [("x y", "1")])


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider": "other"},
        {"provider": "ibm", "adresses": {}},
        {"provider": "ibm", "addresses": {"admin": "https://x.example"}},
        {"provider": "ibm", "addresses": {"runtime": "http://x.example"}},
        {"provider": "ibm", "addresses": {"runtime": "https://u:p@x.example"}},
        {"provider": "ibm", "addresses": {"runtime": "https://x.example/a/../b"}},
        {"provider": "ibm", "addresses": {"runtime": "https://x.example?a=b"}},
        {"provider": "ibm", "addresses": {"runtime": "ftp://127.0.0.1"}},
        {"provider": "ibm", "hide": "yes"},
        {"provider": "ibm", "max_body_mb": 0},
        {"provider": "ibm", "instance": "a\r\nb"},
        {"provider": "ibm", "connect": "soon"},
        {"provider": "braket", "reservations": {"start": MORNING, "end": NOON}},
        {"provider": "braket", "reservations": [{"start": MORNING}]},
        {"provider": "braket", "reservations": [{"start": NOON, "end": MORNING}]},
        {"provider": "braket", "reservations": [{"start": NOON, "end": NOON}]},
        {"provider": "braket", "reservations": [{"start": MORNING.replace(tzinfo=None), "end": NOON}]},
        {"provider": "braket", "reservations": [{"start": MORNING.isoformat(), "end": NOON}]},
        {"provider": "braket", "reservations": [{"start": MORNING, "end": NOON, "arn": "r/1"}]},
        {"provider": "braket", "reservations": [{"start": MORNING, "end": NOON, "name": "r 1"}]},
        {"provider": "braket", "reservations": [{"start": MORNING, "end": NOON, "backend": ""}]},
    ],
)
def test_settings_that_are_wrong_are_refused_at_load(wrong):
    with pytest.raises((ValueError, QsecError)):
        GatewaySettings.parse(wrong, USUAL)


def test_settings_need_the_provider_only():
    made = GatewaySettings.parse(
        {"provider": "ibm", "addresses": {"runtime": "http://127.0.0.1:1/api/v1/"}}, USUAL
    )
    assert made.addresses["runtime"] == "http://127.0.0.1:1/api/v1"
    assert made.addresses["iam"] == "https://iam.cloud.ibm.com"
    assert (made.hide, made.max_body) == (True, 64 * 1024 * 1024)


def test_reservations_that_the_provider_does_not_list_are_named_in_the_catalogue():
    catalogue = parse_catalog(RESERVED)
    (one,) = catalogue.gateways["amazon"].reservations
    assert one == Reservation(MORNING, NOON, "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1", "arn:r/1")
    with pytest.raises(Invalid, match="reservations = true is not set"):
        parse_catalog(RESERVED.replace("reservations = true\n", ""))
