"""Issuers' public keys (JSON Web Key Sets, RFC 7517), from a file or over https, kept for a while."""

from __future__ import annotations

import json
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from ...core.errors import Denied, Unavailable

FRESH_SECONDS = 300.0
"""How long a fetched set is used without a second look."""

PAUSE_SECONDS = 30.0
"""How long after a fetch an unknown key causes no other one."""

_FETCH_SECONDS = 5.0
_LIMIT = 1 << 20
_SMALLEST_RSA = 2048

_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and the algorithms that it may be used with (RFC 8725, 3.1)."""

    kid: str | None
    public: Any
    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: tuple[Key, ...]
    read_at: float


class Keys:
    """The key sets of all issuers.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sets: dict[tuple[str, str | None], _KeySet] = {}
        self._lock = threading.Lock()

    def find(self, place: str, ca: str | None, kid: Any) -> Key:
        """Return the key of that id; a set of one key needs no id.

        Args:
            place: Absolute path or https address of the set.
            ca: Path of the authority that the address is verified against; the system's when ``None``.
            kid: The id in the assertion's header.

        Raises:
            Denied: ``workload.unknown_key``.
            Unavailable: ``workload.no_keys``.
        """
        with self._lock:  # one fetch at a time
            known = self._sets.get((place, ca))
            age = self._clock() - known.read_at if known else float("inf")
            if known is None or age > FRESH_SECONDS or (_pick(known, kid) is None and age > PAUSE_SECONDS):
                known = self._sets[place, ca] = _KeySet(read(place, ca), self._clock())
        key = _pick(known, kid)
        if key is None:
            raise Denied(
                "workload.unknown_key",
                "The assertion is signed by a key that its issuer does not publish",
                "",
                "Have it issued anew; a key that was just replaced is seen within half a minute.",
            )
        return key


def _pick(known: _KeySet, kid: Any) -> Key | None:
    if kid is None:
        return known.keys[0] if len(known.keys) == 1 else None
    return next((key for key in known.keys if key.kid == kid), None)


def read(place: str, ca: str | None) -> tuple[Key, ...]:
    """Read a key set. Keys that are secret, too small or of no known kind are left out.

    Raises:
        Unavailable: ``workload.no_keys``.
    """
    try:
        data = _fetch(place, ca) if place.startswith("https://") else Path(place).read_bytes()
        told = json.loads(data)["keys"]
        found = [_key(entry) for entry in told if isinstance(entry, dict)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            "workload.no_keys",
            "The public keys of the workload's issuer cannot be had",
            f"{place} ({type(error).__name__}).",
            "Correct jwks in the catalogue, or wait until the issuer answers.",
        ) from error
    return tuple(key for key in found if key is not None)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Keys come from the address that the catalogue names, and from no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _fetch(address: str, ca: str | None) -> bytes:
    secure = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca))
    opener = urllib.request.build_opener(secure, _NoRedirect)
    with opener.open(address, timeout=_FETCH_SECONDS) as answer:
        data: bytes = answer.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise ValueError("too large")
    return data


def _key(entry: dict[str, Any]) -> Key | None:
    # A secret key ("oct") in a public set would let whoever reads the set sign.
    if entry.get("kty") not in {"RSA", "EC", "OKP"} or entry.get("use", "sig") != "sig":
        return None
    public = {name: value for name, value in entry.items() if name not in {"d", "p", "q", "dp", "dq", "qi"}}
    try:
        loaded = jwt.PyJWK.from_dict(public, algorithm=_first_algorithm(public)).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    allowed = algorithms_of(loaded)
    if "alg" in entry:
        allowed = tuple(name for name in allowed if name == entry["alg"])
    kid = entry.get("kid")
    return Key(kid if isinstance(kid, str) else None, loaded, allowed) if allowed else None


def _first_algorithm(entry: dict[str, Any]) -> str | None:
    return "RS256" if entry["kty"] == "RSA" and "alg" not in entry else None


def algorithms_of(public: Any) -> tuple[str, ...]:
    """Return the algorithms that a public key may be used with; none for one that is too small or unknown."""
    if isinstance(public, rsa.RSAPublicKey):
        return _RSA if public.key_size >= _SMALLEST_RSA else ()
    if isinstance(public, ec.EllipticCurvePublicKey):
        name = _CURVES.get(public.curve.name)
        return (name,) if name else ()
    return ("EdDSA",) if isinstance(public, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)) else ()
