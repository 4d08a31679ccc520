"""Who may call the sandbox: API keys, the short-lived bearers made from them, the instances they reach."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from .refusals import Refusal, forbidden, malformed, unauthenticated

_ACCOUNT = hashlib.md5(b"qsec sandbox", usedforsecurity=False).hexdigest()  # an account is named by 32 digits


@dataclass(frozen=True, slots=True)
class Instance:
    """One service instance, as an account has them.

    Attributes:
        name: What its owner calls it.
        crn: Cloud resource name, which every call carries.
        plan: What was bought, e.g. ``open``.
        pricing: How it is paid, e.g. ``free``.
        tags: Labels of the account's own.
    """

    name: str
    crn: str
    plan: str
    pricing: str
    tags: tuple[str, ...] = ()

    @property
    def plan_id(self) -> str:
        """The id under which the catalogue describes the plan."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"qsec-sandbox/plans/{self.plan}"))

    @property
    def region(self) -> str:
        """Where it stands."""
        return self.crn.split(":")[5]


def _instance(name: str, region: str, plan: str, pricing: str) -> Instance:
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"qsec-sandbox/{name}")
    crn = f"crn:v1:sandbox:public:quantum-computing:{region}:a/{_ACCOUNT}:{number}::"
    return Instance(name, crn, plan, pricing, ("sandbox",))


INSTANCES = (
    _instance("sandbox-open", "us-east", "open", "free"),
    _instance("sandbox-premium", "eu-de", "premium", "paid"),
    _instance("sandbox-internal", "us-east", "internal", "subscription"),
)
"""The instances of every sandbox; their names are the same each time, so that a catalogue can name them."""


@dataclass(slots=True)
class Account:
    """One API key and what it reaches.

    Attributes:
        id: Names the account without being a secret.
        instances: By cloud resource name.
    """

    id: str
    instances: dict[str, Instance] = field(default_factory=lambda: {each.crn: each for each in INSTANCES})

    def instance(self, crn: str) -> Instance:
        """Return the instance of that name.

        Raises:
            Refusal: 400 without a name, 403 for one that this account does not have.
        """
        if not crn:
            raise malformed("The header Service-CRN is missing.", "Name the instance in it.")
        if (found := self.instances.get(crn)) is None:
            raise forbidden("This API key does not reach that instance.")
        return found


class Accounts:
    """All API keys and the bearers that are alive. Keys and bearers are kept as digests only.

    Args:
        clock: Returns the time in seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seal = secrets.token_bytes(32)
        self._keys: dict[bytes, Account] = {}
        self._bearers: dict[bytes, tuple[float, Account]] = {}

    def add(self, key: str, instances: tuple[Instance, ...] = INSTANCES) -> Account:
        """Let an API key in."""
        digest = _digest(key)
        account = Account(f"IBMid-sandbox-{digest.hex()[:10]}", {each.crn: each for each in instances})
        self._keys[digest] = account
        return account

    def remove(self, account_id: str) -> bool:
        """Forget an API key and all its bearers; return whether there was one."""
        gone = [digest for digest, account in self._keys.items() if account.id == account_id]
        for digest in gone:
            del self._keys[digest]
        self._bearers = {k: v for k, v in self._bearers.items() if v[1].id != account_id}
        return bool(gone)

    def exchange(self, key: str, seconds: float) -> tuple[str, float]:
        """Return a bearer for an API key, and when it ends.

        Raises:
            Refusal: 400, as the provider's identity service answers.
        """
        account = self._keys.get(_digest(key))
        if account is None:
            raise Refusal(400, 415, "Provided API key could not be found.", "Check the API key.")
        now = self._clock()
        if len(self._bearers) > 10_000:
            self._bearers = {k: v for k, v in self._bearers.items() if v[0] > now}
        bearer = self._bearer(account, now, now + seconds)
        self._bearers[_digest(bearer)] = (now + seconds, account)
        return bearer, now + seconds

    def _bearer(self, account: Account, now: float, until: float) -> str:
        """Return a JSON Web Token (RFC 7519): the client reads from it when to ask for the next one."""
        claims = {
            "iss": "qsec sandbox",
            "sub": account.id,
            "iat": int(now),
            "exp": int(until),
            "jti": secrets.token_urlsafe(24),
        }
        parts = [{"alg": "HS256", "typ": "JWT"}, claims]
        signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_base64(hmac.digest(self._seal, signed.encode(), 'sha256'))}"

    def find(self, authorization: str) -> Account:
        """Return whose request it is.

        Args:
            authorization: The header: a bearer, or ``apikey`` and the key itself, which the client sends
                when the exchange failed.

        Raises:
            Refusal: 401.
        """
        scheme, _, value = authorization.partition(" ")
        digest = _digest(value)
        if scheme.lower() == "bearer":
            until, account = self._bearers.get(digest, (0.0, None))
            if account is not None and until > self._clock():
                return account
        elif scheme.lower() == "apikey" and (known := self._keys.get(digest)) is not None:
            return known
        raise unauthenticated()

    def expire(self, authorization: str | None = None) -> None:
        """Let one bearer, or all, have expired."""
        if authorization is None:
            self._bearers.clear()
        else:
            self._bearers.pop(_digest(authorization.partition(" ")[2]), None)


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "replace")).digest()


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
