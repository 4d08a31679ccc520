"""The words that the gateway's parts share: what may be called, what is submitted, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from ...core.model import Grant, Scope
from ..callers import Caller

Operation = Literal[
    "token",
    "metadata",
    "submit",
    "job",
    "jobs",
    "result",
    "cancel",
    "delete",
    "tags",
    "open-session",
    "session",
    "close-session",
    "usage",
]
"""What a call does, whichever provider it goes to. ``token`` is answered by the gateway itself."""

JobState = Literal["intended", "sent", "accepted", "refused", "unknown", "lost", "cancelled", "done"]
"""``intended`` is written before anything is sent, ``sent`` when the first byte may have left; ``refused`` is
the provider's word; ``unknown`` is looked up at the provider by the correlation id, and ``lost`` when that is
surely not there."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a gateway token stands for: one grant, from one kernel, while the grant is active.

    Attributes:
        id: Names the token in logs and ledger without being one.
        caller: Whose kernel or tool it was made for.
        grant: The grant as it stood when it was last looked at.
        scope: What it is good for; never more than the grant's scope.
    """

    id: str
    caller: Caller
    grant: Grant
    scope: Scope


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known of a submitted circuit, from decoding it.

    Attributes:
        structural_hash: As ``docs/formats/circuit-hash.md`` defines it; what approvals are bound to.
        width: Qubits.
        depth: Longest path, in instructions.
        size: Instructions, those in blocks included.
    """

    structural_hash: str
    width: int
    depth: int
    size: int


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a vendor will see, and how: for ``%qsec exposure``.

    Attributes:
        name: Where it stands, e.g. ``circuit name``.
        sent: What is sent; opaque when it is hidden.
        original: What the user wrote; the same where it is not hidden.
        why: Why it cannot be hidden; empty when it is.
    """

    name: str
    sent: str
    original: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as its provider's module read it, before policy has seen it.

    Attributes:
        provider: The module, e.g. ``ibm``.
        program: What kind of job, e.g. ``sampler``.
        backend: The provider's name of the device.
        region: Where it stands, empty when the provider does not say.
        shots: Of all circuits together; ``None`` where the provider's default applies.
        execution_seconds: Asked limit of execution time; ``None`` where none is asked.
        tags: What the user labelled the job with, before hiding.
        session: The provider session it belongs to.
        circuits: In the order of submission; a repeated one stands there as often.
        body: What is to be sent, already hidden.
        digest: SHA-256 of the body as the client sent it: the same body again is no second job.
        names: Opaque name to the user's own, for everything that was hidden.
        fields: What the vendor will see.
        reservation: The provider's name of the reservation that it is to run in, if it names one.
        pulses: Whether anything in it is played as pulses, which say nothing of the gates they make.
    """

    provider: str
    program: str
    backend: str
    region: str
    shots: int | None
    execution_seconds: int | None
    tags: tuple[str, ...]
    session: str | None
    circuits: tuple[Circuit, ...]
    body: bytes
    digest: str
    names: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    reservation: str = ""
    pulses: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """A time in which the account has a device, or all of a provider, to itself.

    Attributes:
        backend: The device; empty for all of them.
        name: By which a job says that it runs in it; empty where the provider has no such thing.
    """

    start: datetime
    end: datetime
    backend: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """A submission that may be sent; the ledger knows of it.

    Attributes:
        correlation_id: 32 hexadecimal digits: on every record, and at the provider as a tag.
        tag: The provider-side label that finds the job again when nobody knows what became of it.
        policies: The ids of the rules that let it pass.
        repeats: The same body is on its way already, and must not be sent again: the client wants what
            :meth:`.jobs.Jobs.outcome` says of the first.
    """

    correlation_id: str
    tag: str
    policies: tuple[str, ...]
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a submission by now.

    Attributes:
        status: The HTTP status that the provider answered with, if it did.
    """

    state: JobState
    job_id: str | None = None
    status: int | None = None
