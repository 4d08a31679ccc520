"""What crosses the control plane's edge: what ``core.model`` has, plus what only the wire has."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...core.classification import DataClass, Treatment
from ...core.model import Environment, GrantState, Scope, Severity, Tier
from ..gateway.model import JobState

RunKind = Literal["intent", "completion"]
RunStatus = Literal["running", "done", "failed", "unknown"]
Text = Annotated[str, Field(max_length=4000)]
Name = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""What canonical JSON can say exactly (RFC 8785, 3.2.2.3), and what a database takes."""
Fingerprints = Annotated[list[Name], Field(min_length=1, max_length=1000)]


class Schema(BaseModel):
    """A body or answer; unknown keys of a newer peer are left out."""

    model_config = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)


class Principal(Schema):
    """Who acts, and how we know."""

    name: str
    display_name: str
    identity_provider: str
    mfa: str | None = None
    groups: list[str] = []
    roles: list[str] = []
    kind: Literal["person", "workload"] = "person"
    subject: str = ""


class Round(Schema):
    """One round of approval: who may take part (none named: every approver), and how many must agree."""

    reviewers: list[str]
    quorum: int


class Price(Schema):
    """What a target costs, as far as its provider says so in advance."""

    currency: str
    per_job: float
    per_circuit: float
    per_shot: float


class Target(Schema):
    """A place where credentials are good."""

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
    environment: Environment
    regions: list[str]
    classes: list[DataClass]
    rounds: list[Round]
    pending: int
    windows: list[str]
    break_glass: bool
    retrieve_duration: int
    bind_payload: bool
    price: Price | None


class Project(Schema):
    """People who work together on data of one class."""

    name: str
    title: str
    members: list[str]
    data_class: DataClass
    targets: list[str]


class Payload(Schema):
    """What will run: structural hashes of the circuits, one backend, shots of all circuits together."""

    circuits: Annotated[list[Name], Field(min_length=1, max_length=10_000)]
    backend: Name
    shots: Annotated[int, Field(ge=1, le=10**9)]


class Vote(Schema):
    """One reviewer's word on a request."""

    reviewer: str
    subject: str
    verdict: Literal["approve", "deny"]
    round: int
    at: str
    comment: str | None


class Grant(Schema):
    """A kernel's right to a target, for a time."""

    id: str
    target: str
    state: GrantState
    requester: str
    kernel_id: str
    reason: str
    ticket: str | None
    duration: int
    requested_at: str
    decided_by: str | None
    decided_at: str | None
    decision_comment: str | None
    activated_at: str | None
    expires_at: str | None
    ended_at: str | None
    policies: list[str]
    requester_subject: str
    requester_roles: list[str]
    project: str | None
    data_class: DataClass
    scope: Scope
    start_at: str | None
    pending_until: str | None
    break_glass: bool
    payload: Payload | None
    cost: str | None
    extends: str | None
    parent: str | None
    jobs: list[str]
    votes: list[Vote]
    reviewed_by: str | None


class PayloadChange(Schema):
    """One thing that differs between what was approved and what is asked."""

    field: Literal["circuits", "backend", "shots"]
    approved: list[str] | str | int
    asked: list[str] | str | int


class AwaitedGrant(Grant):
    """A request that the asker may decide, with what is to be looked at."""

    payload_digest: str | None
    changes: list[PayloadChange]


class GrantRequest(Schema):
    """Ask for a target."""

    target: Name
    reason: Text | None = None
    ticket: Name | None = None
    duration: Name | None = None
    kernel_id: Name | None = None
    project: Name | None = None
    data_class: Name | None = None
    start: Name | None = None
    break_glass: bool = False
    scope: Literal["submit", "metadata"] = "submit"
    payload: Payload | None = None


class Approval(Schema):
    """What a person says to an approval, and which payload they looked at."""

    comment: Text | None = None
    payload_digest: Name | None = None


class Extension(Schema):
    """Ask for more time."""

    duration: Name
    reason: Text | None = None


class Event(Schema):
    """What happened: an entry of the ledger, with names in the place of pseudonyms.

    ``actor`` is who did it (``None``: time or policy), ``requester`` whose grant or token it is about; both
    are ``None`` for persons who were forgotten. ``details`` is what else the entry says, by ``kind``.
    """

    position: int
    time: str
    kind: str
    meaning: str
    asserted_by: Literal["control", "server", "kernel"]
    actor: str | None
    requester: str | None
    target: str | None
    grant_id: str | None
    details: dict[str, Any]


class EventPage(Schema):
    """Events, newest first; ``next`` is the ``before`` of the page that follows, if one does."""

    events: list[Event]
    next: int | None
    all: bool


class Assertion(Schema):
    """What a workload proves itself by."""

    assertion: Annotated[str, Field(min_length=1, max_length=16_384)]


class NewSecret(Schema):
    """A value that a person keeps for a target, by the names of its parts; the usual one has none."""

    values: Annotated[
        dict[Name, Annotated[str, Field(max_length=65_536)]], Field(min_length=1, max_length=20)
    ]


class KeptSecret(Schema):
    """Where the value of a target is kept now. Never the value."""

    target: str
    where: str
    parts: list[str]


class BulkDenial(Schema):
    """Deny several requests at once."""

    ids: Annotated[list[Name], Field(min_length=1, max_length=200)]
    comment: Text | None = None


class Denials(Schema):
    """Which requests were denied, and why the others were not."""

    denied: list[str]
    refused: dict[str, str]


class Lock(Schema):
    """What is locked, by whom and why."""

    id: str
    kind: Literal["user", "role", "server", "target", "site"]
    name: str
    reason: str
    locked_by: str
    locked_at: str
    lifted_by: str | None
    lifted_at: str | None


class TokenRequest(Schema):
    """Make a bearer for a tool."""

    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    targets: Annotated[list[Name], Field(max_length=100)] = []
    seconds: Annotated[int, Field(ge=1, le=86_400)]
    label: Annotated[str, Field(max_length=80)] = ""


class Token(Schema):
    """What is known of a bearer: everything but its value."""

    id: str
    label: str
    owner: str
    scopes: list[Scope]
    targets: list[str]
    created_at: str
    expires_at: str


class IssuedToken(Token):
    """A bearer with its value, which is told this once."""

    bearer: str


class LockRequest(Schema):
    """Lock something; a lock of the site needs no name."""

    kind: Name
    name: Name = ""
    reason: Text


class Locked(Schema):
    """A lock that was set, and the grants that it ended."""

    lock: Lock
    ended: list[str]


class Series(Schema):
    """Like requests that were approved once."""

    id: str
    subject: str
    target: str
    terms: dict[str, Any]
    left: int
    until: str
    approved_by: str
    grant_id: str


class SeriesRequest(Schema):
    """Approve requests like one."""

    grant_id: Name
    times: Count
    days: Count


class Present(Schema):
    """Who is present at a shared kernel."""

    names: Annotated[list[Name], Field(max_length=200)]


class Shared(Schema):
    """The grants that a newcomer's lesser rights ended."""

    ended: list[str]


class Comment(Schema):
    """What a person says to a decision."""

    comment: Text | None = None


class CredentialRequest(Schema):
    """Ask for the credential of an active grant, or for the right to read the results of one job."""

    target: Name
    job: Name | None = None


class Credential(Schema):
    """A credential on its way to the one kernel whose grant it is."""

    target: str
    grant_id: str
    value: str
    expires_at: str
    tier: Tier
    revocability: str
    source: str
    fields: dict[str, str] = {}
    public: dict[str, str] = {}
    refresh_at: str | None = None
    outlives: str | None = None


class OperationRequest(Schema):
    """Use a key that never leaves its store; ``data`` is base64."""

    target: Name
    operation: Literal["sign", "verify", "encrypt", "decrypt"]
    data: Annotated[str, Field(max_length=1_500_000)]
    signature: Text = ""


class OperationResult(Schema):
    """The store's own text form; base64 for what was decrypted, ``true`` or ``false`` for verifying."""

    result: str


class VaultInfo(Schema):
    """Which store of credentials is in use."""

    kind: Literal["vault", "openbao", "sealed-store"]
    origin: Literal["external", "dev", "embedded"]
    label: str
    address: str | None
    key_protection: Literal["os-keyring", "file-0600"] | None


class Check(Schema):
    """One thing that is right or wrong, and what to do about it."""

    name: str
    ok: bool
    detail: str
    remedy: str


class Health(Schema):
    """Everything that is right or wrong."""

    status: Literal["ok", "degraded", "down"]
    checks: list[Check]


class RunJob(Schema):
    """The job of a run as the gateway saw it itself, not as the kernel says."""

    correlation_id: str
    state: JobState
    target: str
    grant_id: str
    backend: str
    shots: int | None
    circuits: int | None
    usage_seconds: float | None
    asserted_by: Literal["control"] = "control"


class RunSummary(Schema):
    """A recorded run, as a line."""

    run_id: str
    kernel_id: str
    framework: str
    operation: str
    backend: str
    circuits: int
    shots: int | None
    status: RunStatus
    started_at: str
    ended_at: str | None
    intent: str | None
    completion: str | None
    ledger_index: int | None
    signed_by: str
    grant_id: str | None
    parent_run_id: str | None
    notebook: str | None
    gaps: list[str]
    job_id: str | None = None
    gateway: RunJob | None = None


class RunPage(Schema):
    """Runs, newest first, and the cursor of the next page."""

    runs: list[RunSummary]
    next: str | None


class RunRecords(Schema):
    """What a kernel says about its runs; see ``docs/formats/statements.md``."""

    records: Annotated[list[dict[str, Any]], Field(max_length=1000)]
    server: dict[str, Any] | None = None


class Problem(Schema):
    """A refusal or failure (RFC 9457)."""

    type: str
    status: int
    code: str
    kind: Literal["invalid", "denied", "not_found", "conflict", "unavailable", "bug"]
    title: str
    detail: str
    remedy: str


class RunResult(Schema):
    """What became of one record."""

    run_id: str
    kind: str
    statement: str | None = None
    index: int | None = None
    error: Problem | None = None


class RunResults(Schema):
    """What became of each record."""

    results: list[RunResult]


class RunDigests(Schema):
    """Ids of a run's statements."""

    intent: str | None
    completion: str | None


class RunIndexes(Schema):
    """Ledger positions of a run's statements."""

    intent: int | None
    completion: int | None


class Citation(Schema):
    """How a run is cited."""

    text: str
    bibtex: str


class Run(Schema):
    """A run with its statements, its nested calls and how it is cited."""

    summary: RunSummary
    intent: dict[str, Any] | None
    completion: dict[str, Any] | None
    envelopes: RunDigests
    ledger: RunIndexes
    children: list[dict[str, Any]]
    citation: Citation


class Change(Schema):
    """A field that differs; ``null`` where a run does not have it."""

    field: str
    a: str | float | int | bool | None
    b: str | float | int | bool | None


class DifferenceGroup(Schema):
    """What differs, of one kind."""

    name: Literal["circuit", "parameters", "backend", "execution", "environment", "source", "result"]
    equal: bool
    changes: list[Change]


class RunDifference(Schema):
    """Two runs, and what changed from the first to the second."""

    a: RunSummary
    b: RunSummary
    groups: list[DifferenceGroup]


class EvidenceBytes(Schema):
    """An artefact: base64 of its bytes, or of their zlib stream (RFC 1950) for ``deflate``."""

    media_type: Name
    encoding: Literal["identity", "deflate"] = "identity"
    data: Annotated[str, Field(max_length=12 * 1024 * 1024)]


class EvidenceStored(Schema):
    """It is kept; ``stored`` is false when it was before."""

    sha256: str
    stored: bool


class Finding(Schema):
    """A secret that was found. Never the value."""

    rule: Name
    title: Text
    severity: Severity
    surface: Name
    path: Text
    cell: Count | None
    cell_id: Name | None
    line: Count
    column: Count
    fingerprint: Name
    remedy: Text
    action: Literal["redacted", "kept", "reported"] = "reported"
    end_column: Count = 0
    confidence: Literal["high", "medium", "low"] = "high"
    target: Annotated[str, Field(max_length=40)] = ""


class RecordedFinding(Finding):
    """A finding as the panel lists it."""

    id: int
    found_at: str
    kept_reason: str | None


class FindingReport(Schema):
    """What a save found in a file."""

    path: Text
    findings: Annotated[list[Finding], Field(max_length=10_000)]


class Recorded(Schema):
    """How many were new, and the grants that ended because their credential was among them."""

    recorded: int
    ended: list[str] = []


class FindingList(Schema):
    """Findings, newest first."""

    findings: list[RecordedFinding]


class Keep(Schema):
    """Which findings may stay, and why."""

    path: Text
    fingerprints: Fingerprints
    reason: Text


class Unkeep(Schema):
    """Which kept findings are taken back."""

    path: Text
    fingerprints: Fingerprints


class Kept(Schema):
    """How many listed findings changed."""

    changed: int


class SharedParts(Schema):
    """What a shared copy still holds."""

    outputs: bool
    execution_counts: bool
    metadata: bool


class Removed(Schema):
    """How much was taken out of a shared copy."""

    outputs: Count
    metadata: Count
    secrets: Count


class Share(Schema):
    """A copy that was made to be given away."""

    source: Text
    path: Text
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Count
    data_class: DataClass
    keep: SharedParts
    removed: Removed
    findings: Count


class ShareRecorded(Schema):
    """The share's id and its position in the ledger."""

    share_id: str
    ledger_index: int


class Job(Schema):
    """What a provider calls a run's job."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    session: Name | None = None


class JobRun(Schema):
    """The run that a job belongs to."""

    run_id: str


class RunBackend(Schema):
    """Where a run is about to go, as the kernel says."""

    name: Name
    type: Name | None = None
    provider: Name | None = None


class RunPlan(Schema):
    """A run that asks for permission."""

    run_id: Annotated[str, Field(pattern="^[0-9a-zA-Z]{8,64}$")]
    framework: Name
    operation: Name
    backend: RunBackend
    circuits: Annotated[list[Annotated[str, Field(max_length=128)]], Field(max_length=1000)] = []
    shots: Count | None = None


class Permit(Schema):
    """Permission to submit a run; ``target`` is ``null`` for a local simulator."""

    run_id: str
    target: str | None
    grant_id: str | None
    policies: list[str]


class Untracked(Schema):
    """A submission that no recorded call made."""

    operation: Name
    program: Name
    backend: Name
    cell_id: Name | None = None
    path: Text = ""


class Gap(Schema):
    """Something that could not be recorded."""

    kernel_id: Name | None = None
    run_id: Name | None = None
    what: Text


class GapRecorded(Schema):
    """It is noted."""

    recorded: bool


class Ended(Schema):
    """The grants that ended with a kernel."""

    revoked: list[str]


class ClassRule(Schema):
    """What happens to a secret in a file of one data class."""

    source: Treatment
    outputs: Treatment
    files: Treatment
    keep: bool


class DataClasses(Schema):
    """The data classes from the most open to the strictest, with the default and the floor."""

    default: DataClass
    floor: DataClass
    rules: dict[DataClass, ClassRule]


class SharedKernel(Schema):
    """A kernel at which others are present: it gets the least that they and its owner may do."""

    kernel_id: str
    present: list[str]
    roles: list[str]


class GatewayJob(Schema):
    """A job that went through the gateway; everything here the control plane saw itself but ``run_id``."""

    correlation_id: str
    job_id: str | None
    state: JobState
    target: str
    grant_id: str
    kernel_id: str
    requester: str
    provider: str | None
    program: str | None
    backend: str
    region: str | None
    session: str | None
    shots: int | None
    execution_seconds: int | None
    circuits: int | None
    cost: float | None
    project: str | None
    ticket: str | None
    tag: str | None
    status: int | None
    policies: list[str] | None
    intended_at: str
    sent_at: str | None
    ended_at: str | None
    usage_seconds: float | None
    ending: str | None
    run_id: str | None


class JobList(Schema):
    """Jobs, newest first."""

    jobs: list[GatewayJob]


class ExposedField(Schema):
    """One thing that a vendor sees, beside what the user wrote; ``why`` says why it is not hidden."""

    name: str
    sent: str
    original: str
    why: str


class Exposure(GatewayJob):
    """What the vendor sees of a job."""

    fields: list[ExposedField]
    labels: list[str]


class ReconciliationRequest(Schema):
    """How far back to look."""

    days: Annotated[int, Field(ge=1, le=366)] = 30


class Discrepancy(Schema):
    """One job of which provider and ledger say different things."""

    kind: Literal["foreign", "lost", "usage", "untagged", "unresolved"]
    job_id: str
    correlation_id: str | None
    detail: str
    meaning: str


class Reconciliation(Schema):
    """What comparing a provider's list with the ledger found."""

    target: str
    since: str
    until: str
    at_provider: int
    in_ledger: int
    findings: list[Discrepancy]


class Quota(Schema):
    """How much may be used in a month, by whom it is counted, and what was; ``None`` where that depends."""

    by: Literal["user", "project", "target"]
    unit: Literal["jobs", "shots", "execution_seconds", "cost"]
    allowed: float
    used: float | None


class Limits(Schema):
    """What jobs at a target with a gateway must keep to; ``None``, or no backend, for any."""

    target: str
    backends: list[str]
    max_shots: int | None
    max_circuits: int | None
    max_width: int | None
    max_depth: int | None
    max_execution_time: int | None
    quotas: list[Quota]


class State(Schema):
    """All that the panel shows, with a version to wait on."""

    version: int
    newest_event: int
    mode: Literal["record", "enforce"]
    principal: Principal
    vault: VaultInfo
    targets: list[Target]
    grants: list[Grant]
    approvals: list[AwaitedGrant]
    shared: list[SharedKernel]
    gateway: str | None
    limits: list[Limits]
    locks: list[Lock]
    projects: list[Project]
    runs: list[RunSummary]
    findings: list[RecordedFinding]
    data_classes: DataClasses
    health: Health
