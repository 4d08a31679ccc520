"""Who, what and when: the values that cross every wire.

Times are RFC 3339 in UTC with a trailing ``Z``; durations are seconds.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal, get_args

from .canonical import digest
from .classification import DATA_CLASSES, DataClass
from .finding import Finding as Finding, Severity as Severity  # noqa: PLC0414  # words of every wire, too

GrantState = Literal["requested", "approved", "active", "expired", "revoked", "denied", "cancelled"]
GRANT_STATES: tuple[str, ...] = get_args(GrantState)
OPEN_STATES: frozenset[str] = frozenset({"requested", "approved", "active"})
"""States that something can still come of; every other state is final."""

Tier = Literal["deliver", "proxy", "operate"]
Environment = Literal["dev", "test", "pilot", "production"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)

Scope = Literal["submit", "retrieve", "metadata"]
"""What a grant is good for: to submit jobs and read their results, only to read those of certain jobs, or
only to look at backends and queues."""

Role = Literal["developer", "researcher", "operator", "approver", "admin", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)


def rfc3339(moment: datetime) -> str:
    """Return ``moment`` in UTC with milliseconds, e.g. ``2026-01-31T09:30:00.000Z``."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return the time that an RFC 3339 text names."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts: a person or a workload, and how we know.

    Attributes:
        name: What people call them; it may change.
        subject: What the identity provider calls them, for good; the name where it says nothing else.
        kind: A person decides; a workload (a CI job, a schedule) never does.
        scopes: Of a workload: what its grants may be for. A person's role says that.
        targets: Of a workload: those that it may ask for.
    """

    name: str
    display_name: str
    identity_provider: str
    mfa: str | None = None
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    kind: Literal["person", "workload"] = "person"
    subject: str = ""
    scopes: tuple[Scope, ...] = ()
    targets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.subject:
            object.__setattr__(self, "subject", self.name)

    @classmethod
    def noted(cls, name: str, subject: str, roles: tuple[str, ...] = ()) -> Principal:
        """Return somebody as a record of ours notes them: how they were called, and what they were then."""
        return cls(name, name, "", roles=roles, subject=subject)

    def matches(self, pattern: str) -> bool:
        """Say whether a pattern of the catalogue means this principal.

        Args:
            pattern: A name, ``id:<subject>``, ``group:<group>`` or ``role:<role>``.
        """
        kind, _, rest = pattern.partition(":")
        if kind == "group":
            return rest in self.groups
        if kind == "role":
            return rest in self.roles
        if kind == "id":
            return rest == self.subject
        return pattern == self.name


@dataclass(frozen=True, slots=True)
class Round:
    """One round of approval: who may take part, and how many must agree.

    Attributes:
        reviewers: Patterns (see :meth:`Principal.matches`); none stands for every approver.
        quorum: How many different people must approve.
    """

    reviewers: tuple[str, ...] = ()
    quorum: int = 1

    def takes(self, principal: Principal) -> bool:
        """Say whether somebody may take part."""
        return not self.reviewers or any(principal.matches(pattern) for pattern in self.reviewers)


@dataclass(frozen=True, slots=True)
class Price:
    """What a target costs, as far as its provider says so in advance."""

    currency: str
    per_job: float = 0.0
    per_circuit: float = 0.0
    per_shot: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """A place where credentials are good, as the catalogue describes it.

    Attributes:
        classes: Data classes whose work may go there.
        rounds: Rounds of approval, one after the other.
        pending: How long a request waits for a decision (seconds).
        windows: When grants may be active, such as ``mon-fri 08:00-18:00 Europe/Berlin``; none: always.
        break_glass: Whether an emergency may skip approval.
        retrieve_duration: How long results of submitted jobs may be read afterwards (seconds); 0: not at all.
        bind_payload: Whether a request must say what will run, and approval holds for that only.
        reservations: Whether grants are active only within a reservation of the provider.
        reconcile: How often the provider's list of jobs is compared with the ledger (seconds); 0: when asked.
    """

    name: str
    title: str
    provider: str
    tier: Tier
    approval: Literal["auto", "review"]
    max_duration: int
    default_duration: int
    ticket_pattern: str | None
    ticket_required: bool
    revocability: str
    environment: Environment = "dev"
    regions: tuple[str, ...] = ()
    classes: tuple[DataClass, ...] = DATA_CLASSES
    rounds: tuple[Round, ...] = (Round(),)
    pending: int = 86_400
    windows: tuple[str, ...] = ()
    break_glass: bool = False
    retrieve_duration: int = 0
    bind_payload: bool = False
    reservations: bool = False
    reconcile: int = 0
    price: Price | None = None

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Target:
        """Build a target from its JSON form; keys that this version does not know are left out."""
        values = _known(cls, data)
        for name in ("regions", "classes", "windows"):
            if name in values:
                values[name] = tuple(values[name])
        if "rounds" in values:
            values["rounds"] = tuple(Round(tuple(r["reviewers"]), r["quorum"]) for r in values["rounds"])
        if values.get("price"):
            values["price"] = Price(**_known(Price, values["price"]))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Project:
    """People who work together on data of one class."""

    name: str
    title: str
    members: tuple[str, ...]
    data_class: DataClass
    targets: tuple[str, ...] = ()
    """The targets of its work; none stands for all."""

    def has(self, principal: Principal) -> bool:
        """Say whether somebody is a member."""
        return any(principal.matches(pattern) for pattern in self.members)


@dataclass(frozen=True, slots=True)
class Payload:
    """What will run: what an approval may be bound to.

    Attributes:
        circuits: Structural hashes, sorted; a repeated circuit stands there as often.
        backend: Name of the backend.
        shots: Shots of all circuits together.
    """

    circuits: tuple[str, ...]
    backend: str
    shots: int

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return digest({"circuits": list(self.circuits), "backend": self.backend, "shots": self.shots})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Payload:
        """Build a payload from its JSON form."""
        return cls(tuple(sorted(map(str, data["circuits"]))), str(data["backend"]), int(data["shots"]))


@dataclass(frozen=True, slots=True)
class Vote:
    """One reviewer's word on a request, in one round."""

    reviewer: str
    subject: str
    verdict: Literal["approve", "deny"]
    round: int
    at: str
    comment: str | None = None

    @property
    def person(self) -> Principal:
        """Who said it, as they were called then."""
        return Principal.noted(self.reviewer, self.subject)


@dataclass(frozen=True, slots=True)
class Grant:
    """A principal's right to a target, from one kernel, for a time.

    Attributes:
        requester_subject: The requester's ``Principal.subject``: it stays when the name changes.
        requester_roles: The roles that they asked with; a lock of a role ends what was asked with it.
        start_at: Not active before then.
        pending_until: When a request that nobody decided expires.
        payload: What will run; approval then holds for nothing else.
        cost: What the payload costs by the catalogue's prices, with its currency.
        extends: The grant whose end this request moves.
        parent: The submit grant whose jobs a retrieve grant may read.
        jobs: Those jobs' ids.
        votes: What reviewers said so far.
        reviewed_by: Who looked at a use of break-glass afterwards.
    """

    id: str
    target: str
    state: GrantState
    requester: str
    kernel_id: str
    reason: str
    ticket: str | None
    duration: int
    requested_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    decision_comment: str | None = None
    activated_at: str | None = None
    expires_at: str | None = None
    ended_at: str | None = None
    policies: tuple[str, ...] = ()
    requester_subject: str = ""
    requester_roles: tuple[str, ...] = ()
    project: str | None = None
    data_class: DataClass = "internal"
    scope: Scope = "submit"
    start_at: str | None = None
    pending_until: str | None = None
    break_glass: bool = False
    payload: Payload | None = None
    cost: str | None = None
    extends: str | None = None
    parent: str | None = None
    jobs: tuple[str, ...] = ()
    votes: tuple[Vote, ...] = ()
    reviewed_by: str | None = None

    @property
    def holder(self) -> Principal:
        """Who asked, as they were called and with the roles that they had then."""
        return Principal.noted(self.requester, self.requester_subject, self.requester_roles)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Grant:
        """Build a grant from its JSON form; keys that this version does not know are left out."""
        values = _known(cls, data)
        for name in ("policies", "jobs", "requester_roles"):
            values[name] = tuple(values.get(name) or ())
        payload = values.get("payload")
        values["payload"] = None if payload is None else Payload.from_dict(payload)
        values["votes"] = tuple(Vote(**_known(Vote, vote)) for vote in values.get("votes") or ())
        return cls(**values)


def _known(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    names = {f.name for f in dataclasses.fields(kind)}
    return {key: value for key, value in data.items() if key in names}
