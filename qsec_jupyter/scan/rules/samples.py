"""Samples for rules, drawn at random: a rule file holds templates, never a credential.

``{random:44}`` becomes 44 characters of base64url, ``{hex:40}`` hex digits, and so on; see ``_DRAW``.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Callable

from .checks import github_checksum

_SLOT = re.compile(
    r"\{(random|alnum|letters|hex|base64|upper32|upper36|base32|bech32|digits|jwt|github|pypi|discord|pem|uuid)(?::(\d+))?\}"
)
_CLASSES = (str.isupper, str.islower, str.isdigit)
_URLSAFE = string.ascii_letters + string.digits + "-_"


def _pick(alphabet: str) -> Callable[[random.Random, int], str]:
    return lambda source, length: "".join(source.choices(alphabet, k=length))


def _mixed(alphabet: str) -> Callable[[random.Random, int], str]:
    """As ``_pick``, and drawn again until all three classes are there twice, as vendors' tokens have them.

    What is too short for that has each of them as often as fits.
    """
    pick = _pick(alphabet)

    def draw(source: random.Random, length: int) -> str:
        while True:
            value = pick(source, length)
            if min(sum(map(test, value)) for test in _CLASSES) >= min(2, length // len(_CLASSES)):
                return value

    return draw


def _jwt(source: random.Random, length: int) -> str:
    parts = (
        {"alg": "RS256", "typ": "JWT"},
        {"sub": str(source.getrandbits(60)), "iat": source.getrandbits(31)},
    )
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, _pick(_URLSAFE)(source, 86)])


def _github(source: random.Random, length: int) -> str:
    body = _mixed(string.ascii_letters + string.digits)(source, 30)
    return body + github_checksum(body)


def _pem(source: random.Random, length: int) -> str:
    name = "PRIVATE " + "KEY"
    lines = [_pick(string.ascii_letters + string.digits + "+/")(source, 64) for _ in range(3)]
    return "\n".join([f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"])


def _uuid(source: random.Random, length: int) -> str:
    text = f"{source.getrandbits(128):032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _pypi(source: random.Random, length: int) -> str:
    """A macaroon of format 2 (pymacaroons): version, location, identifier, caveats, signature."""
    identifier = _uuid(source, 0).encode()
    head = b"\x02\x01\x08pypi.org\x02" + bytes([len(identifier)]) + identifier
    raw = head + b"\0\0\x06\x20" + source.randbytes(32)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _discord(source: random.Random, length: int) -> str:
    number = str(source.randint(10**17, 10**18 - 1)).encode()
    tail = ".".join(_mixed(_URLSAFE)(source, size) for size in (6, 38))
    return base64.b64encode(number).rstrip(b"=").decode() + "." + tail


_DRAW: dict[str, Callable[[random.Random, int], str]] = {
    "random": _mixed(_URLSAFE),
    "alnum": _mixed(string.ascii_letters + string.digits),
    "letters": _pick(string.ascii_letters),
    "upper36": _pick(string.ascii_uppercase + string.digits),
    "bech32": _pick("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    "pypi": _pypi,
    "discord": _discord,
    "hex": _pick("0123456789abcdef"),
    "base64": _mixed(string.ascii_letters + string.digits + "+/"),
    "upper32": _pick(string.ascii_uppercase + "234567"),
    "base32": _pick(string.ascii_lowercase + "234567"),
    "digits": _pick(string.digits),
    "jwt": _jwt,
    "github": _github,
    "pem": _pem,
    "uuid": _uuid,
}


def fill(template: str, source: random.Random) -> tuple[str, list[str]]:
    """Return ``template`` with every slot drawn anew, and the drawn values in order."""
    drawn: list[str] = []

    def draw(match: re.Match[str]) -> str:
        drawn.append(_DRAW[match[1]](source, int(match[2] or 0)))
        return drawn[-1]

    return _SLOT.sub(draw, template), drawn
