"""Random texts over the alphabets that vendors use, all drawn from one seeded source."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import string
import uuid
from random import Random

HEX = "0123456789abcdef"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BASE36 = string.digits + string.ascii_lowercase
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
BASE64 = string.ascii_letters + string.digits + "+/"
URLSAFE = string.ascii_letters + string.digits + "-_"


def draw(rng: Random, alphabet: str, length: int) -> str:
    """Return ``length`` characters of ``alphabet``."""
    return "".join(rng.choices(alphabet, k=length))


def hexa(rng: Random, length: int) -> str:
    """Return ``length`` lower-case hexadecimal digits."""
    return draw(rng, HEX, length)


def mixed(rng: Random, length: int, alphabet: str = BASE62) -> str:
    """Return a text that has a digit, an upper- and a lower-case letter, as nearly all random keys have."""
    while True:
        text = draw(rng, alphabet, length)
        kinds = (str.isdigit, str.isupper, str.islower)
        if all(any(map(kind, text)) for kind in kinds) and text[0].isalnum() and text[-1].isalnum():
            return text


def guid(rng: Random) -> str:
    """Return a version 4 UUID."""
    return str(uuid.UUID(bytes=rng.randbytes(16), version=4))


def b64(data: bytes) -> str:
    """Return standard base64 with padding."""
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    """Return URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def in_base(number: int, alphabet: str, width: int) -> str:
    """Return ``number`` in positional notation, padded with the alphabet's zero."""
    text = ""
    while number:
        number, rest = divmod(number, len(alphabet))
        text = alphabet[rest] + text
    return text.rjust(width, alphabet[0])


def crc_token(rng: Random, prefix: str, body: int = 30) -> str:
    """Return a token that ends in the base62 CRC32 of its body (GitHub, "Behind GitHub's new authentication
    token formats", 2021; npm uses the same form)."""
    text = mixed(rng, body)
    return prefix + text + in_base(binascii.crc32(text.encode()), BASE62, 6)


def jwt(rng: Random, claims: dict[str, object], algorithm: str = "HS256", kid: bool = False) -> str:
    """Return a JSON Web Token (RFC 7519); HS256 is really signed, other signatures are random bytes."""
    header: dict[str, object] = {"alg": algorithm, "typ": "JWT"}
    if kid:
        header["kid"] = f"20{rng.randint(22, 26)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}0830"
    parts = [b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
    text = ".".join(parts)
    if algorithm == "HS256":
        signature = hmac.new(rng.randbytes(32), text.encode(), hashlib.sha256).digest()
    else:
        signature = rng.randbytes({"RS256": 256, "ES256": 64, "EdDSA": 64}[algorithm])
    return f"{text}.{b64url(signature)}"


def subject_claims(rng: Random, issuer: str) -> dict[str, object]:
    """Return plausible claims of an access token."""
    start = rng.randint(1_690_000_000, 1_790_000_000)
    return {
        "iss": issuer,
        "sub": f"{rng.choice(['IBMid', 'auth0', 'user'])}-{draw(rng, string.digits, 10)}",
        "aud": rng.choice(["quantum", "https://api." + issuer.removeprefix("https://"), "cloud"]),
        "iat": start,
        "exp": start + rng.choice([600, 3600, 86_400]),
        "jti": guid(rng),
        "scope": rng.choice(["openid profile email", "ibm openid", "offline_access"]),
    }


WORDS = [
    "alpha",
    "bench",
    "circuit",
    "data",
    "east",
    "falcon",
    "grid",
    "heron",
    "ideal",
    "jet",
    "kit",
    "lab",
    "main",
    "node",
    "open",
    "phase",
    "quant",
    "ring",
    "site",
    "test",
    "unit",
    "vault",
    "west",
    "xray",
    "yard",
    "zone",
    "demo",
    "prod",
    "stage",
    "team",
    "gruppe",
    "projekt",
    "messung",
    "rechner",
]


def slug(rng: Random, parts: int = 2) -> str:
    """Return a few plain words joined by hyphens."""
    return "-".join(rng.choice(WORDS) for _ in range(parts))


def password(rng: Random, url: bool = False) -> str:
    """Return what a password generator or a careful person makes; ``url`` keeps out what a URL would escape."""
    length = rng.randint(12, 22)
    symbols = "-_.~" if url else "!#$%&*+-.=?@^_~"
    while True:
        text = draw(rng, BASE62 * 3 + symbols * 4, length)
        if (
            any(map(str.isdigit, text))
            and any(map(str.isalpha, text))
            and text[0].isalnum()
            and text[-1].isalnum()
        ):
            return text


def mailbox(rng: Random) -> str:
    """Return an e-mail address under a reserved domain (RFC 2606)."""
    return f"{rng.choice(WORDS)}.{rng.choice(WORDS)}@{rng.choice(WORDS)}.example"
