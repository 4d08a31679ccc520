"""Private keys and self-contained tokens: they have a structure that can be checked without any name."""

from __future__ import annotations

import base64
import functools
import textwrap
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ..model import Client, Format
from ..randoms import draw, guid, jwt, mixed, subject_claims

_KEY = Client(
    product="SSH",
    variables=("private_key", "ssh_key", "pem", "KEY"),
    env=("SSH_PRIVATE_KEY", "PRIVATE_KEY"),
    keys=("private_key", "key"),
    calls=(
        "key = serialization.load_pem_private_key({v}.encode(), password=None)",
        "pkey = paramiko.RSAKey.from_private_key(io.StringIO({v}))",
    ),
    host="gateway.example",
    logger="paramiko.transport",
)
_TOKEN = Client(
    product="API",
    variables=("jwt", "access_token", "id_token", "session"),
    env=("ACCESS_TOKEN", "JWT"),
    keys=("access_token", "id_token", "jwt"),
    calls=(
        "r = requests.get(url, headers={{'Authorization': 'Bearer ' + {v}}})",
        "claims = jwt.decode({v}, options={{'verify_signature': False}})",
    ),
    headers=("Authorization: Bearer {v}",),
    host="auth.example",
    logger="urllib3.connectionpool",
)
_AGE = Client(
    product="age",
    variables=("identity", "age_key"),
    env=("SOPS_AGE_KEY",),
    keys=("identity",),
    calls=("identity = pyrage.x25519.Identity.from_str({v})",),
)

_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def _prime(rng: Random, bits: int) -> int:
    """Return a probable prime (Miller-Rabin to eight bases) that suits the exponent 65537."""
    while True:
        n = rng.getrandbits(bits) | (3 << bits - 2) | 1
        if (
            all(n % p for p in _SMALL)
            and n % 65537 != 1
            and all(_passes(n, rng.randrange(2, n - 1)) for _ in range(8))
        ):
            return n


def _passes(n: int, base: int) -> bool:
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    x = pow(base, odd, n)
    if x in (1, n - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False


@functools.lru_cache(maxsize=64)
def _rsa(seed: int) -> rsa.RSAPrivateKey:
    rng = Random(seed)
    p, q = _prime(rng, 1024), _prime(rng, 1024)
    d = pow(65537, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(65537, p * q)
    ).private_key()


def rsa_pem(rng: Random, pkcs8: bool = False) -> str:
    """Return a real RSA-2048 private key in PEM; a set draws from few, because primes cost time."""
    form = PrivateFormat.PKCS8 if pkcs8 else PrivateFormat.TraditionalOpenSSL
    return _rsa(rng.randrange(4)).private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def _ec_pem(rng: Random) -> str:
    key = ec.derive_private_key(rng.getrandbits(250), ec.SECP256R1())
    form = rng.choice([PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def _ssh_pem(rng: Random) -> str:
    """An OpenSSH key; its two check integers (PROTOCOL.key) are drawn from the seed like the rest."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32))
    text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    head, *body, end = text.splitlines()
    data = bytearray(base64.b64decode("".join(body)))
    at = data.index(b"\0\0\0\x33\0\0\0\x0bssh-ed25519") + 4 + 0x33 + 4
    data[at : at + 8] = rng.randbytes(4) * 2
    lines = textwrap.wrap(base64.b64encode(data).decode(), 70)
    return "\n".join([head, *lines, end, ""])


def pem_body(value: str) -> str:
    """Return the base64 lines of a PEM file, which are the key."""
    return "\n".join(line for line in value.splitlines() if line and "-----" not in line)


def _jwt(algorithm: str):  # type: ignore[no-untyped-def]
    return lambda rng: jwt(rng, subject_claims(rng, "https://auth.example"), algorithm, rng.random() < 0.5)


def _age(rng: Random) -> str:
    """An age identity: bech32 of 32 bytes under ``AGE-SECRET-KEY-`` (BIP 173 checksum)."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    part = "age-secret-key-"
    bits = int.from_bytes(rng.randbytes(32), "big") << 4
    data = [bits >> shift & 31 for shift in range(255, -1, -5)]
    head = [ord(c) >> 5 for c in part] + [0] + [ord(c) & 31 for c in part]
    rest = _polymod([*head, *data, 0, 0, 0, 0, 0, 0]) ^ 1
    data += [rest >> 5 * (5 - i) & 31 for i in range(6)]
    return (part + "1" + "".join(alphabet[d] for d in data)).upper()


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    return check


FORMATS = (
    Format("PEM", "RSA private key", "structured", rsa_pem, _KEY, pem_body, multiline=True),
    Format("PEM", "EC private key", "structured", _ec_pem, _KEY, pem_body, multiline=True),
    Format("PEM", "OpenSSH private key", "structured", _ssh_pem, _KEY, pem_body, multiline=True),
    Format("JWT", "HS256 token", "structured", _jwt("HS256"), _TOKEN),
    Format("JWT", "RS256 token", "structured", _jwt("RS256"), _TOKEN),
    Format("JWT", "EdDSA token", "structured", _jwt("EdDSA"), _TOKEN),
    Format("age", "identity", "structured", _age, _AGE),
)
__all__ = ["FORMATS", "draw", "guid", "mixed", "pem_body", "rsa_pem"]
