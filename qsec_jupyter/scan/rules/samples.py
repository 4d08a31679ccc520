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

_SLOT = re.compile(r"\{(random|alnum|hex|base64|upper32|base32|digits|jwt|github|pem|uuid)(?::(\d+))?\}")
_URLSAFE = string.ascii_letters + string.digits + "-_"


def _pick(alphabet: str) -> Callable[[random.Random, int], str]:
    return lambda source, length: "".join(source.choices(alphabet, k=length))


def _mixed(alphabet: str) -> Callable[[random.Random, int], str]:
    """As ``_pick``, and drawn again until all three classes are there twice, as vendors' tokens have them."""
    pick = _pick(alphabet)

    def draw(source: random.Random, length: int) -> str:
        while True:
            value = pick(source, length)
            if min(sum(map(test, value)) for test in (str.isupper, str.islower, str.isdigit)) >= 2:
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


_DRAW: dict[str, Callable[[random.Random, int], str]] = {
    "random": _mixed(_URLSAFE),
    "alnum": _mixed(string.ascii_letters + string.digits),
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
