"""Every event type, once: its name, its meaning, and who vouches for it.

An event is written to the ledger before anything is answered. ``asserted_by`` says whether the
control plane saw the thing itself or repeats what a kernel or a Jupyter server told it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of ledger entry."""

    name: str
    meaning: str
    asserted_by: Literal["control", "server", "kernel"]


_TYPES = (
    EventType("control.started", "A control plane opened this journal.", "control"),
    EventType("control.stopped", "The control plane ended in order.", "control"),
    EventType("policy.loaded", "A policy bundle came into force; the entry holds both digests.", "control"),
    EventType("policy.refused", "A changed policy bundle does not check; the old one stays.", "control"),
    EventType("ledger.truncated", "A torn tail was cut at start; the entry says how many bytes.", "control"),
    EventType("server.connected", "A Jupyter server authenticated to the control plane.", "control"),
    EventType("kernel.ended", "A kernel's process ended; what hangs on it is revoked.", "server"),
    EventType("kernel.shared", "Who is present at a kernel beside its owner has changed.", "server"),
    EventType("grant.requested", "Somebody asked for a target.", "control"),
    EventType("grant.approved", "Policy or a person approved a request.", "control"),
    EventType("grant.denied", "Policy or a person denied a request.", "control"),
    EventType("grant.activated", "A grant's clock started.", "control"),
    EventType("grant.expired", "A grant's time ran out.", "control"),
    EventType("grant.revoked", "A grant was ended early.", "control"),
    EventType("grant.cancelled", "A request was withdrawn before a decision.", "control"),
    EventType("grant.voted", "A reviewer approved a request that needs more approvals.", "control"),
    EventType("grant.extended", "A grant's end was moved.", "control"),
    EventType("grant.break_glass", "An emergency skipped approval; it wants to be looked at.", "control"),
    EventType("grant.reviewed", "Somebody looked at a use of break-glass afterwards.", "control"),
    EventType("grant.jobs_added", "A retrieve grant covers more jobs of its submit grant.", "control"),
    EventType("series.approved", "An approver approved a series of like requests in advance.", "control"),
    EventType("series.ended", "A series is over, by an approver's word.", "control"),
    EventType("lock.set", "A user, role, server, target or the site was locked.", "control"),
    EventType("lock.lifted", "A lock was lifted.", "control"),
    EventType("token.issued", "A person made a bearer for a tool; the entry holds no value.", "control"),
    EventType("token.revoked", "A bearer was ended early, with what hung on it.", "control"),
    EventType("token.expired", "A bearer's time ran out.", "control"),
    EventType("notification.dropped", "A notification could not be delivered for a day.", "control"),
    EventType("request.refused", "A request broke a rule; the entry names it.", "control"),
    EventType("credential.issued", "A credential was handed to a kernel.", "control"),
    EventType("credential.operated", "A key that never leaves its store was used for a kernel.", "control"),
    EventType("credential.rotated", "The value behind a target was replaced.", "control"),
    EventType("credential.refused", "A credential was asked for and not given.", "control"),
    EventType("credential.revoked", "The session behind a credential was ended.", "control"),
    EventType("credential.revocation_pending", "Ending a session could not be verified yet.", "control"),
    EventType(
        "run.intent", "A kernel is about to run circuits; the entry holds the statement's digest.", "kernel"
    ),
    EventType("run.submitted", "A provider took a run's job; the entry holds the job's id.", "kernel"),
    EventType("run.permitted", "A run may be submitted; the entry names grant and policies.", "control"),
    EventType("run.refused", "A run must not be submitted; the entry names the rule.", "control"),
    EventType("run.untracked", "A kernel submitted something that no recorded call made.", "kernel"),
    EventType("run.completion", "A run ended; the entry holds the statement's digest.", "kernel"),
    EventType(
        "evidence.stored", "An artefact of a run was encrypted and kept; the entry holds digests.", "control"
    ),
    EventType("run.gap", "Something about a run could not be recorded; the entry says what.", "kernel"),
    EventType(
        "gateway.refused",
        "A gateway token was used for more than it is good for; the entry names what.",
        "control",
    ),
    EventType("job.refused", "The gateway let a job not pass; the entry names the rule.", "control"),
    EventType("job.intended", "A job passed every check and is about to be sent to its provider.", "control"),
    EventType("job.sent", "A job's first byte may have left for its provider.", "control"),
    EventType("job.accepted", "A provider took a job; the entry holds the job's id.", "control"),
    EventType("job.rejected", "A provider did not take a job; the entry holds its status.", "control"),
    EventType("job.unknown", "Whether a provider took a job is not known; it is looked up there.", "control"),
    EventType("job.lost", "A job that was sent is not at its provider, and will not be.", "control"),
    EventType("job.done", "A job is over; the entry holds what it used.", "control"),
    EventType("job.cancelled", "A job was cancelled, as its provider confirmed.", "control"),
    EventType("job.cancel_pending", "A job of an ended grant is not verified cancelled yet.", "control"),
    EventType("job.read", "Results, logs or metrics of a job were asked for.", "control"),
    EventType("job.changed", "A client asked to cancel, delete or tag a job.", "control"),
    EventType("job.polled", "How often clients looked at jobs since the last such entry.", "control"),
    EventType("job.session_opened", "A provider opened a session for a grant.", "control"),
    EventType("job.session_closed", "A session at a provider was closed.", "control"),
    EventType(
        "job.session_close_pending", "A session of an ended grant is not verified closed yet.", "control"
    ),
    EventType(
        "target.reconciled",
        "A provider's job list was compared with the ledger.",
        "control",
    ),
    EventType("finding.detected", "The scanner found a secret; the entry holds no value.", "server"),
    EventType("finding.kept", "A person kept a finding, with a reason.", "server"),
    EventType("finding.unkept", "A person took a kept finding back; it is redacted again.", "server"),
    EventType("notebook.shared", "A stripped, scanned copy was made to be given away.", "server"),
)

EVENT_TYPES: dict[str, EventType] = {event.name: event for event in _TYPES}
"""The catalogue by name. ``docs/`` prints it; the control plane refuses any other name."""
