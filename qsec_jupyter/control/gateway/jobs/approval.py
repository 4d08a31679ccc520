"""Whether a job is what was approved, where an approval is bound to a payload. Pure; no I/O."""

from __future__ import annotations

from ....core.errors import Denied
from ....core.model import Grant, Payload, Price
from ...asking import amount_of, changes
from ..model import Submission


def payload_of(job: Submission) -> Payload:
    """Return a job as approvals see it; a job that names no shots has none."""
    hashes = sorted(circuit.structural_hash for circuit in job.circuits)
    return Payload(tuple(hashes), job.backend, job.shots or 0)


def cost(job: Submission, price: Price | None) -> float:
    """Return what a job costs by the catalogue's prices; 0 where they are not known."""
    return amount_of(payload_of(job), price) if price else 0.0


def check(grant: Grant, job: Submission, price: Price | None, earlier: int) -> None:
    """Make sure that a job is the one that its grant was approved for.

    Args:
        grant: Any; one that is bound to no payload takes every job.
        job: What is to be sent, as the gateway read it.
        price: The target's, as it is now.
        earlier: How many jobs the grant has had already.

    Raises:
        Denied: ``job.other_payload`` naming what differs, ``job.costs_more``, or ``job.approval_used``.
    """
    approved = grant.payload
    if approved is None:
        return
    differs = [one["field"] for one in changes(payload_of(job), approved)]
    if "shots" in differs and job.shots and 0 < job.shots < approved.shots:
        differs.remove("shots")  # fewer are no more than what was approved
    if differs:
        raise Denied(
            "job.other_payload",
            "This job was not submitted: it is not what was approved",
            f"What differs: {', '.join(differs)}.",
            "Request the target again with what you want to run.",
        )
    _refuse_dearer(grant, job, price)
    if earlier:
        raise Denied(
            "job.approval_used",
            "This job was not submitted: its approval is used up",
            "The rule: what was approved by its payload and cost runs once.",
            "Request the target again.",
        )


def _refuse_dearer(grant: Grant, job: Submission, price: Price | None) -> None:
    amount, _, currency = (grant.cost or "0.00 ").partition(" ")
    now, known = round(cost(job, price), 2), price.currency if price else currency  # as it was approved
    if now > float(amount) or (now and currency != known):
        raise Denied(
            "job.costs_more",
            "This job was not submitted: it costs more than what was approved",
            f"Approved: {grant.cost or 'no cost'}; now it is {now:.2f} {known}.",
            "Request the target again; the approver sees the new price.",
        )
