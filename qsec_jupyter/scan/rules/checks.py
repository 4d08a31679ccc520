"""What is not a secret: checks that a rule's match must pass, on the matched value alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import zlib
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
_LONG, _SHORT = 128, 12
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HEX = re.compile(r"[0-9a-fA-F]+")
_REFERENCE = re.compile(
    r"os\.environ|getenv|getpass|process\.env|secrets?\.|self\.|settings\.|config\.|[({\[]"
)
# What repeats below can be read in one way only: a value of many short words would take for ever otherwise.
_WORDS = re.compile(r"(?:[A-Za-z][a-z]*)?(?:[-_./ ](?:[A-Za-z][a-z]*)?)*[0-9]{0,2}")
_WORD = "(?:[A-Z]?[a-z]+|[A-Z]{2,})[0-9]{0,3}|[A-Z]?[a-z]{2,6}[0-9]{1,3}[A-Za-z]{1,3}"
_PART = f"(?:{_WORD}|[0-9]{{1,4}}[a-z]?|[0-9]{{8}})"
_PARTS = re.compile(f"{_PART}(?:[-_./:]{_PART})+")  # a name with numbers in it: measurement-2024-10-07-run
_SEPARATORS = re.compile(r"[-_./:]+")
_LONG_WORD = re.compile(r"[A-Za-z]{4,}[0-9]{0,2}")
_LOOSE = re.compile(
    f"{_WORD}|[A-Z]{{0,4}}[a-z]+[0-9]{{0,4}}|[A-Za-z]{{1,3}}[0-9]{{1,4}}[A-Za-z]{{0,4}}"
    "|(?:[A-Z][a-z]+){1,6}[0-9]{0,4}|v[0-9]{1,2}(?:alpha|beta|rc)[0-9]{1,2}"
    "|[0-9]{1,8}[A-Za-z]{0,3}|[a-z0-9]{1,5}|[0-9a-f]{6,8}"
)
_CAMEL = re.compile(  # a name of a class with a number in it: Optimize1qGatesDecomposition
    r"(?=(?:.*[A-Z][a-z]{3}){2}).*[0-9].*[A-Za-z]$"
)
_HUMPS = re.compile(
    r"(?:[A-Z][a-z]{2,}(?![a-z])|(?<![A-Za-z])[a-z]{3,}(?![a-z])|(?<![A-Z])[A-Z]{1,3}(?=[A-Z][a-z])"
    r"|(?<![A-Z])[A-Z]{2,4}(?![A-Za-z])|[A-Z][0-9](?=[A-Z][a-z])|[0-9]{1,2}(?![0-9])[a-z]{0,2}(?![a-z]))+"
)
_HIDDEN = re.compile(r"qsec_h[nj][0-9a-v]{20}|t-[0-9a-f]{16}|qsec[-:_][0-9a-f]{32}")
"""What the gateway writes in place of names and tags."""

_FOLDER = r"(?:[\w.-]{0,4}(?=/|$)|(?![\w.-]{0,4}(?:/|$))[A-Za-z_.-]+[0-9]{0,3})"
_FOLDERS = re.compile(f"{_FOLDER}(?:/{_FOLDER}){{2,}}")
_TIME = r"[0-9]{1,2}[:.][0-9]{2}(?:[:.][0-9]{2}(?:[.,][0-9]{1,9})?)?"
_DATE = (
    "(?:[0-9]{4}[-/._][0-9]{1,2}[-/._][0-9]{1,2}|[0-9]{1,2}[-/._][0-9]{1,2}[-/._][0-9]{4}"
    "|[0-9]{1,2}[-/.][A-Z][a-z]{2,8}[-/.][0-9]{4}|[0-9]{4}-W[0-9]{2}(?:-[0-9])?)"
)
_ZONE = "(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?"
_DATUM = re.compile(
    f"(?:{_DATE}(?:[T_@:+-]{{1,2}}{_TIME})?|{_TIME}|[0-9]{{8}}[T_-]?[0-9]{{6}}){_ZONE}"
    r"|P(?=[0-9T])(?:[0-9.]+[YMWD])*(?:T(?:[0-9.]+[HMS])+)?"  # ISO 8601, 4.4
    r"|(?:[0-9.]+(?:ns|us|ms|s|sec|m|min|h|hours?|d|days?|w|weeks?)[,_:]?){1,6}"
    r"|[vV]?[0-9]+(?:\.[0-9]+){1,4}(?:[-.+_]?[A-Za-z]{1,12}[-._]?[0-9]{0,12}){0,4}"
    r"|(?i:[a-z][a-z0-9+.-]{1,20}://)[\w.-]+(?::[0-9]{1,5})?(?:/[\w.,:+~/-]*)?"
)
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./:")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def entropy(value: str) -> float:
    """Return Shannon's entropy of the characters of ``value``, in bits a character."""
    total = len(value)
    if not total:
        return 0.0
    return math.log2(total) - sum(n * math.log2(n) for n in map(value.count, set(value)) if n > 1) / total


_PUBLISHED = frozenset(
    # SHA-256 of values that vendors print in their documentation and everyone copies: jwt.io's token, that of
    # RFC 7519, Azurite's and Cosmos' emulator keys, Stripe's test keys, GitHub's and AWS's examples.
    {
        "7f75367e7881255134e1375e723d1dea8ad5f6a4fdb79d938df1f1754a830606",
        "c794fa6d20c64efb9adf980ae93af472a1679775862d421ffe55d4a57fad5b3e",
        "da816f9f2c16e6c5390e7636cadc40c43551bf0bbcf8f36c65539e6633a9c5e8",
        "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
        "aa6547439583c3a275d4542a0df6c1ad6a863971be9f2a2220f027cc02aef615",
        "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",
        "f2d6ca16515033e5dce14eba840b979d27b5cbae24bb3e5bf484339667f86397",
        "3543c50b0cb9cea8e55eb1f529b79f043cb250d485fde7b66cabbb5183add7da",
        "78314b11be2e581549ac1c4f616563fad3fdf0c3b71678f6e2299182080e0598",
        "e21b597ba6b9cafa59d9ebc4d65c0385f5eb3fa56abab2607fa76589ad849a33",
        "8d4ef6536dc8895f256c1e0d95dcd19763036732d64a095e44a90ed444267ad3",
        "b8e148545b13c78bc74da2f1a7275dd71e56ddece129d7d2f7b3ecc06f7994da",
        "cf4d418ed3de92d71f767db5391d5a2dacd40e1ce49e75d1137e2ecf4982d844",
        "e4da07ad200089ce7f40110f02910677ae48b4134c1df10b4350062fcb9a32b3",
    }
)


def placeholder(value: str) -> bool:
    """Tell whether ``value`` stands for a secret instead of being one (``<your token>``, ``xxxxxx``)."""
    if len(set(value)) < 5 or _TEMPLATE.search(value) or "EXAMPLE" in value:
        return True
    if hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest() in _PUBLISHED:
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


def _drawn_letters(value: str) -> bool:
    """Tell whether the case of letters changes as it does in random ones."""
    cases = (sum(map(str.isupper, value)), sum(map(str.islower, value)))
    return min(cases) >= 4 and _turns(value) >= len(value) * 0.3


def _datum(value: str) -> bool:
    """Tell whether ``value`` is a date, a time, a duration, a version, or a URL without user and query."""
    return _DATUM.fullmatch(value.rstrip(".,:;?!")) is not None


def _class_name(value: str) -> bool:
    if len(value) > _LONG or _random(value):
        return False
    return bool(_CAMEL.match(value) and _HUMPS.fullmatch(value))


def _wordy(value: str) -> bool:
    """Tell whether ``value`` is a name of a word at least, and of parts with numbers: ``nlp-e2e-mlops``."""
    parts = [part for part in _SEPARATORS.split(value) if part]
    return len(parts) > 1 and any(map(_LONG_WORD.fullmatch, parts)) and all(map(_LOOSE.fullmatch, parts))


def _assigned(value: str) -> str:
    """Return what stands behind ``name=`` in ``value``; nothing when it begins otherwise."""
    name, _, rest = value.partition("=")
    return rest if name.isidentifier() and rest.strip("=") else ""


def _opaque(value: str) -> bool:
    """A credential without a known form: neither words, identifier, path, reference nor number."""
    if _datum(value) or _REFERENCE.match(value) or _UUID.fullmatch(value) or _WORDS.fullmatch(value):
        return False
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    return bool(digits and letters) and entropy(value) >= 3.0


def _password(value: str) -> bool:
    """Something a person may have typed as a password: letters with digits or signs, no reference."""
    if _datum(value) or _REFERENCE.search(value) or _UUID.fullmatch(value) or value.isdigit():
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


def _pypi(value: str) -> bool:
    """A PyPI token is a macaroon of version 2 whose location is the index (PyPI's documentation)."""
    try:
        raw = base64.urlsafe_b64decode(value[5:] + "=" * (-len(value[5:]) % 4))
    except (ValueError, binascii.Error):
        return False
    return raw.startswith((b"\x02\x01\x08pypi.org", b"\x02\x01\x0dtest.pypi.org"))


def _discord(value: str) -> bool:
    """The first part of a bot token is the bot's number in base64."""
    head = value.split(".", 1)[0]
    try:
        return base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).isdigit()
    except (ValueError, binascii.Error):
        return False


def _named(value: str) -> bool:
    """What stands under the name of a credential and is one: no words, path, reference, number or address."""
    if (rest := _assigned(value)) and (len(rest) < _SHORT or not _named(rest)):
        return False
    if _HIDDEN.match(value) or _datum(value) or _FOLDERS.fullmatch(value) or _class_name(value):
        return False
    if _REFERENCE.match(value) or _WORDS.fullmatch(value) or _PARTS.fullmatch(value) or _wordy(value):
        return False
    if _CODE.search(value) or (_LOCATION.match(value) and not (value[0] == "/" and _random(value))):
        return False
    if not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))):
        return False
    return entropy(value) >= (2.9 if _HEX.fullmatch(value) or _UUID.fullmatch(value) else 3.2)


_CODE = re.compile(
    r"A-Z|a-z0-9|0-9a-[zf]|[()\[\]{}]|[a-z]{3,}\.[a-z_]{3,}|==(?!$)|->|::|_[a-z]+_[a-z]+_|(?:[a-z]{3,}[-_]){3}"
)
_LOCATION = re.compile(
    r"(?i)https?:|wss?:|(?:vault|op|ssm|env|file|keyring|ref\+\w{1,12}):|/[a-z]+/|~/|\.\.?/|arn:|crn:|projects/|sha\d{1,3}[-:=]|md5[-:=]|data:|v?\d+\.\d+"
)


CHECKS: dict[str, Callable[[str], bool]] = {
    "discord-id": _discord,
    "drawn-letters": _drawn_letters,
    "has-digit": lambda value: any(map(str.isdigit, value)),
    "named": _named,
    "not-reference": lambda value: not _REFERENCE.search(value) and "$" not in value[:1],
    "not-digest": lambda value: not value.startswith(("sha", "MII")),
    "not-github-36": lambda value: len(value) != 40,
    "pypi-macaroon": _pypi,
    "turning": lambda value: _turns(value) >= len(value) * 0.25,
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
