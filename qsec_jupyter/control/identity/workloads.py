"""Workloads and how they prove who they are: a signed assertion (OpenID Connect, Kubernetes, a certificate).

An assertion is a JSON Web Token (RFC 7519). What is checked follows RFC 8725: the algorithm is chosen by the
key and never by the token, issuer and audience are exact, times are bounded, and no text of the token is ever
repeated.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NoReturn, TypeVar, get_args

import jwt

from ...core.duration import parse_duration
from ...core.errors import Denied
from ...core.model import ROLES, Principal, Scope
from . import certificates
from .keys import Key, Keys
from .replay import UsedAssertions

LEEWAY = 60.0
"""How far the clocks of an issuer and of this machine may differ (seconds)."""

_OPTIONS: Any = {
    "require": ["exp", "iat", "sub", "iss", "aud"],
    **dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_iss"), False),
}
"""Times, audience and issuer are checked here: by the injected clock, and more strictly."""

LONGEST = 16_384
"""An assertion of more characters than this is none."""

_Word = TypeVar("_Word", bound=str)

SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Workload:
    """Who may act as this workload, and what it then may do: ``[workloads.<name>]`` of the catalogue.

    Attributes:
        kind: ``oidc``; ``kubernetes``: a pod's projected token, the same one for as long as it is valid; or
            ``certificate``: signed by the key of a client certificate, which ``ca`` issued for ``subject``.
        issuer: The ``iss`` that its assertions carry, exactly.
        audience: The one ``aud`` that they carry.
        jwks: Where the issuer's public keys are: an absolute path, or an ``https`` address.
        ca: Authority that ``jwks`` is verified against, when it is not a public one.
        subject: Pattern of ``sub``; ``*`` stands for anything but a colon.
        claims: Patterns of further claims, by name; a dot leads into a table.
        roles: What policy sees.
        scopes: submit, retrieve, metadata.
        targets: Which targets it may ask for.
        max_age: How old an assertion may be (seconds), however long it says it is good for.
        single_use: Whether an assertion is good for one session only.
    """

    name: str
    kind: Literal["oidc", "kubernetes", "certificate"]
    issuer: str
    audience: str
    jwks: str
    ca: str | None
    subject: str
    claims: tuple[tuple[str, str], ...]
    roles: tuple[str, ...]
    scopes: tuple[Scope, ...]
    targets: tuple[str, ...]
    max_age: int
    single_use: bool

    @classmethod
    def parse(cls, name: str, entry: Mapping[str, Any]) -> Workload:
        """Build a workload from its entry in the catalogue.

        Raises:
            KeyError, TypeError, ValueError: It lacks something, or says it wrongly.
        """
        kind = entry.get("kind", "oidc")
        if kind not in {"oidc", "kubernetes", "certificate"}:
            raise ValueError("kind is neither oidc, kubernetes nor certificate")
        pods = kind == "kubernetes"
        workload = cls(
            name=name,
            kind=kind,
            issuer=_text(entry["issuer"]),
            audience=_text(entry["audience"]),
            jwks="" if kind == "certificate" else _text(entry["jwks"]),
            ca=_text(entry["ca"]) if "ca" in entry or kind == "certificate" else None,
            subject=_text(entry["subject"]),
            claims=tuple(
                (_text(key), _text(value)) for key, value in sorted(entry.get("claims", {}).items())
            ),
            roles=_among(entry["roles"], ROLES),
            scopes=_among(entry.get("scopes", ["metadata"]), SCOPES),
            targets=tuple(_text(one) for one in entry.get("targets", [])),
            max_age=parse_duration(entry.get("max_age", "1h" if pods else "10m")),
            single_use=bool(entry.get("single_use", not pods)),
        )
        workload._require_safe(set(entry))
        return workload

    def _require_safe(self, keys: set[str]) -> None:
        if unknown := keys - set(self.__slots__) - {"title"}:
            raise ValueError(f"{min(unknown)} does not exist")
        if self.kind == "certificate":
            if not (self.ca or "").startswith("/") or "jwks" in keys:
                raise ValueError("a certificate's ca is an absolute path, and there is no jwks")
        elif not self.jwks.startswith(("/", "https://")):
            raise ValueError("jwks is neither an absolute path nor an https address")
        if not re.sub(r"[*:/]", "", self.subject):
            raise ValueError("subject would match everybody")
        if set(self.roles) & {"approver", "admin"}:
            raise ValueError("a workload neither approves nor administers")

    def is_meant(self, claims: Mapping[str, Any]) -> bool:
        """Say whether an assertion with these claims speaks for this workload."""
        if not matches(self.subject, claims.get("sub")):
            return False
        return all(matches(pattern, _claim(claims, name)) for name, pattern in self.claims)


@dataclass(frozen=True, slots=True)
class Verified:
    """A workload that has proved who it is.

    Attributes:
        assertion: SHA-256 of the assertion: names it in the ledger without repeating it.
    """

    principal: Principal
    workload: Workload
    expires_at: float
    assertion: str


class Verifier:
    """Checks assertions of the catalogue's workloads.

    Args:
        workloads: The catalogue's entries.
        keys: The issuers' public keys.
        used: Remembers what was used.
        clock: Gives the time.
    """

    def __init__(
        self,
        workloads: Mapping[str, Workload],
        keys: Keys,
        used: UsedAssertions,
        clock: Callable[[], datetime],
    ) -> None:
        self._workloads = workloads
        self._keys = keys
        self._used = used
        self._clock = clock

    def verify(self, assertion: str) -> Verified:
        """Return who an assertion speaks for; it cannot be used again where it is good for one session.

        Raises:
            Denied: ``workload.*``: which check it does not pass.
            Unavailable: ``workload.no_keys``: the issuer's keys cannot be had.
        """
        header, told = _unverified(assertion)
        candidates = [one for one in self._workloads.values() if one.issuer == told.get("iss")]
        if not candidates:
            _refuse(
                "unknown_issuer", "No workload of the catalogue has that issuer", "Add it to [workloads]."
            )
        claims = self._claims(assertion, header, candidates[0])
        fitting = [one for one in candidates if [one.audience] == _audiences(claims)]
        if not fitting:
            _refuse(
                "audience",
                "The assertion is meant for somebody else",
                "Have it issued for our audience alone.",
            )
        meant = [one for one in fitting if one.is_meant(claims)]
        if len(meant) != 1:
            _refuse_subject(len(meant))
        self._check_times(claims, meant[0])
        return self._accepted(assertion, claims, meant[0])

    def _claims(self, assertion: str, header: dict[str, Any], workload: Workload) -> dict[str, Any]:
        key, names = self._key(header, workload)
        if header["alg"] not in key.algorithms:
            _refuse("algorithm", "The assertion is not signed the way its issuer's key is used", _OTHER)
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key.public,
                algorithms=[header["alg"]],
                options=_OPTIONS,
            )
        except jwt.PyJWTError as error:
            raise _denied("signature", "The assertion's signature or form is not valid", _OTHER) from error
        if claims["iss"] != workload.issuer:
            _refuse("unknown_issuer", "The assertion's issuer is not the one of its key", _OTHER)
        if names is not None and claims["sub"] not in names:
            _refuse("subject", "The assertion's subject is not a name of its certificate", _OTHER)
        return claims

    def _key(self, header: dict[str, Any], workload: Workload) -> tuple[Key, tuple[str, ...] | None]:
        """Return the key that must have signed, and the names that it may speak for, if limited."""
        if workload.kind == "certificate":
            return certificates.key_of(header, workload.ca or "", self._clock())
        return self._keys.find(workload.jwks, workload.ca, header.get("kid")), None

    def _check_times(self, claims: Mapping[str, Any], workload: Workload) -> None:
        now = self._clock().timestamp()
        issued, ends = _number(claims["iat"]), _number(claims["exp"])
        begins = _number(claims["nbf"]) if "nbf" in claims else issued
        if ends <= now - LEEWAY:
            _refuse("expired", "The assertion has expired", f"{_clocks(now - ends)} Have a fresh one issued.")
        if max(issued, begins) > now + LEEWAY:
            _refuse("not_yet", "The assertion is not valid yet", _clocks(max(issued, begins) - now))
        if issued + workload.max_age <= now - LEEWAY:
            _refuse("too_old", "The assertion is too old for this workload", "Have a fresh one issued.")

    def _accepted(self, assertion: str, claims: Mapping[str, Any], workload: Workload) -> Verified:
        now = self._clock().timestamp()
        ends = min(_number(claims["exp"]), _number(claims["iat"]) + workload.max_age)
        # The same claims under another encoding of the signature are the same assertion.
        said = assertion.rpartition(".")[0]
        identifier = hashlib.sha256(said.encode()).hexdigest()
        if workload.single_use and not self._used.first_use(identifier, ends + LEEWAY, now):
            _refuse("replayed", "The assertion was used before", "Have a fresh one issued for each run.")
        subject = str(claims["sub"])
        principal = Principal(
            name=f"workload:{workload.name}:{subject}",
            display_name=f"{workload.name} ({subject})",
            identity_provider=workload.issuer,
            roles=workload.roles,
            kind="workload",
            scopes=workload.scopes,
            targets=workload.targets,
        )
        return Verified(principal, workload, ends, identifier)


def matches(pattern: str, value: Any) -> bool:
    """Say whether a claim fits a pattern, in which ``*`` stands for anything but a colon."""
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, (str, int)):
        return False
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(r"[^:\n\r]*".join(parts), str(value)) is not None


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims as they say they are: only to find the key by."""
    try:
        if len(assertion) > LONGEST or assertion.count(".") != 2:
            raise jwt.DecodeError
        header = jwt.get_unverified_header(assertion)
        told = jwt.decode(assertion, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise _denied(
            "malformed", "That is not an assertion", "It has the form of a JSON Web Token."
        ) from error
    if not isinstance(header.get("alg"), str) or "crit" in header or "b64" in header:
        _refuse("malformed", "The assertion's header is not one that is understood", _OTHER)
    return header, told


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name; a dot may be part of a name, or lead into a table."""
    if name in claims:
        return claims[name]
    for key, value in claims.items():
        if isinstance(value, dict) and name.startswith(f"{key}."):
            found = _claim(value, name[len(key) + 1 :])
            if found is not None:
                return found
    return None


def _audiences(claims: Mapping[str, Any]) -> list[Any]:
    told = claims["aud"]
    return told if isinstance(told, list) else [told]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        _refuse("malformed", "The assertion's times are no numbers", _OTHER)
    return float(value)


def _clocks(seconds: float) -> str:
    return f"It differs from this machine's clock by {seconds:.0f} s; at most {LEEWAY:.0f} s are forgiven."


def _refuse_subject(count: int) -> NoReturn:
    if count:
        _refuse("ambiguous", "The assertion fits several workloads", "Make their subjects or claims differ.")
    _refuse("subject", "The assertion's subject or claims fit no workload", "Compare them with [workloads].")


_OTHER = "Have it issued anew; `qsec policy check` says whether the catalogue is right."


def _denied(code: str, title: str, remedy: str) -> Denied:
    return Denied(f"workload.{code}", title, "", remedy)


def _refuse(code: str, title: str, remedy: str) -> NoReturn:
    raise _denied(code, title, remedy)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a text is missing")
    return value


def _among(told: Any, known: tuple[_Word, ...]) -> tuple[_Word, ...]:
    if not isinstance(told, list) or not told or set(told) - set(known):
        raise ValueError(f"one of {', '.join(known)} is wanted")
    return tuple(told)
