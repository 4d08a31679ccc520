"""What is not a secret: checks that a rule's match must pass, on the matched value alone."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

_TEMPLATE = re.compile(r"\[redacted|<[^>]*>|\$\{|\{\{|\{\w*\}|%\(|\*{4}|\.{3}|…|x{6}|X{6}|0{8}")
_PLACEHOLDER = re.compile(
    r"(?i:example|placeholder|change[-_ ]?me|dummy|redacted|insert|replace|your[-_ ]?"
    r"|my[-_]?(?:token|key|api|secret|pass)|some[-_]?(?:token|key|secret)|(?:\b|_)(?:fake|todo|paste|test)(?:\b|_)|sample|deadbeef|goes[-_]?here|lorem|foobar|undefined"
    r"|not[-_]?set"
    r"|api[-_]?key|token[-_]?here|password|passwort|hunter2|qwerty|secret[-_]?(?:key|token))"
)
_SEQUENCE = re.compile(r"(.)\1{5}|0123456789|abcdefgh|12345678|ABCDEFGH|98765432")
_LONG = 128
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_REFERENCE = re.compile(
    r"os\.environ|getenv|getpass|process\.env|secrets?\.|self\.|settings\.|config\.|[({\[]"
)
_WORDS = re.compile(r"[A-Za-z]?[a-z]*(?:[-_./ ][A-Za-z]?[a-z]*)*[0-9]{0,2}")
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./:")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def entropy(value: str) -> float:
    """Return Shannon's entropy of the characters of ``value``, in bits a character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values()) if total else 0.0


def placeholder(value: str) -> bool:
    """Tell whether ``value`` stands for a secret instead of being one (``<your token>``, ``xxxxxx``)."""
    if len(set(value)) < 5 or _TEMPLATE.search(value):
        return True
    # In random text a short word or run turns up by chance.
    return (
        not _random(value)
        and len(value) <= _LONG
        and bool(_PLACEHOLDER.search(value) or _SEQUENCE.search(value))
    )


def _mixed(value: str) -> bool:
    """Upper case, lower case and digits, as a random token of 30 or more characters has them."""
    kinds = [sum(map(test, value)) for test in (str.isupper, str.islower, str.isdigit)]
    return min(kinds) >= 2


def _turns(value: str) -> int:
    """Count changes of character class; words and identifiers have few, random text has many."""
    kinds = [0 if c.islower() else 1 if c.isupper() else 2 if c.isdigit() else 3 for c in value]
    return sum(a != b for a, b in pairwise(kinds))


def _random(value: str) -> bool:
    """Looks drawn at random: about six in ten neighbours differ in class; in identifiers two in ten do."""
    return _mixed(value) and _turns(value) >= len(value) * 0.34 and entropy(value) >= 4.0


def _opaque(value: str) -> bool:
    """A credential without a known form: neither words, identifier, path, reference nor number."""
    if _REFERENCE.match(value) or _UUID.fullmatch(value) or _WORDS.fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    return bool(digits and letters) and entropy(value) >= 3.0


def _password(value: str) -> bool:
    """Something a person may have typed as a password: letters with digits or signs, no reference."""
    if _REFERENCE.search(value) or _UUID.fullmatch(value) or value.isdigit():
        return False
    if not set(value) - _NAME_CHARACTERS:
        return False
    return any(map(str.isalpha, value)) and entropy(value) >= 2.5


def _jwt(value: str) -> bool:
    """The first part of a JSON Web Token is an object that names an algorithm (RFC 7515, 4.1.1)."""
    head = value.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, binascii.Error):
        return False
    return isinstance(header, dict) and isinstance(header.get("alg"), str)


def github_checksum(body: str) -> str:
    """Return the six characters that end a GitHub token: CRC32 of its random part in base 62.

    Source: GitHub, "Behind GitHub's new authentication token formats" (2021).
    """
    number, digits = zlib.crc32(body.encode("ascii")), ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0")


def _github(value: str) -> bool:
    body = value.split("_", 1)[1]
    return body[-6:] == github_checksum(body[:-6])


CHECKS: dict[str, Callable[[str], bool]] = {
    "github-crc32": _github,
    "jwt-header": _jwt,
    "mixed": _mixed,
    "not-hex": lambda value: _HEX.fullmatch(value) is None,
    "not-uuid": lambda value: _UUID.fullmatch(value) is None,
    "opaque": _opaque,
    "password": _password,
    "random": _random,
}
"""The checks that a rule may name in ``checks``."""
