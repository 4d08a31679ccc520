"""Dates, addresses, class names and what follows a marker are no credentials; what resembles them is."""

import time

import pytest

from qsec_jupyter.core.secret import MARKED, marker
from qsec_jupyter.scan.rules.checks import CHECKS
from qsec_jupyter.scan.rules.loader import load

PLAIN = (
    "2026-11-29T01:42:39.123Z",
    "2026-11-29T01:42:39+01:00",
    "2026-11-29_01:42",
    "29.11.2026",
    "2026-W48-7",
    "20261129T014239Z",
    "01:42:39.123",
    "P1DT12H30M15S",
    "1h30m20s500ms",
    "v12.4.1rc2.dev20261129",
    "https://vault.example.net:8200/v1/kv",
)
CREDENTIALS = (
    "2026-11-29T01:42:39.123ZkQ9xT2vW7",
    "P1DT12H30M15Skq93vTzW",
    "https://nina:kQ9xT2vW7z@example.net",
    "Qk9mT2vW7zPw3xRb8LdN",
    "f3a9c1d07be24586f3a9c1d07be24586",
)
HOSTILE = (
    "aB" * 600,
    "1." * 600,
    "a/" * 600,
    "ABCdef1" * 170,
    "1h" * 600,
    "P" + "1Y" * 600,
    "12" * 600,
    "ab1c-" * 200,
)


@pytest.fixture(scope="module")
def named():
    return next(rule for rule in load() if rule.id == "named-credential")


@pytest.mark.parametrize("name", ["named", "opaque", "password"])
@pytest.mark.parametrize("value", PLAIN)
def test_plain_data_is_no_credential(name, value):
    assert not CHECKS[name](value)


@pytest.mark.parametrize("value", [one for one in CREDENTIALS if "@" not in one])
def test_what_only_begins_like_plain_data_is_one(value):
    assert CHECKS["named"](value)


def test_address_with_a_password_may_be_one():
    assert CHECKS["password"](CREDENTIALS[2].removeprefix("https://"))


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_makes_a_check_slow(value):
    began = time.process_time()
    for suffix in ("", "!", "=x1", "/!"):
        CHECKS["named"](value[:1024] + suffix)
    assert time.process_time() - began < 0.2


def test_marker_names_nothing_of_what_follows_it(named):
    secret = CREDENTIALS[3]
    behind = f"{marker('sandbox-key')}\n{secret}".encode()
    assert named.find(behind, 0, len(behind)) == []
    own = f"{marker('sandbox-key')} token: {secret}".encode()
    assert [own[slice(*span)].decode() for span in named.find(own, 0, len(own))] == [secret]


def test_marker_begins_as_is_looked_for():
    assert marker("x" * 99).startswith(MARKED)
