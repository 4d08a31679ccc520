"""Why a job is not read. No refusal quotes the job."""

from __future__ import annotations

from ....core.errors import Invalid


def too_large(what: str, most: str) -> Invalid:
    """Say that the job, or a part of it, is larger than may be."""
    return Invalid(
        "payload.too_large",
        "The job is too large",
        f"{what}: at most {most}.",
        "Submit it in parts, or have the target's limits raised.",
    )


def malformed(why: str) -> Invalid:
    """Say that the job is not what a client of the provider writes."""
    return Invalid(
        "payload.malformed",
        "The job cannot be read",
        f"{why[:1].upper()}{why[1:]}.",
        "Submit it with the provider's own client.",
    )


def too_costly(why: str) -> Invalid:
    """Say that reading the job takes more than it may."""
    return Invalid(
        "payload.too_costly",
        "Reading the job takes too much",
        f"{why[:1].upper()}{why[1:]}.",
        "Make its circuits smaller, or submit them in several jobs.",
    )


def unsupported(why: str, remedy: str = "") -> Invalid:
    """Say that there is something in the job that the gateway cannot look into, so it cannot let it pass."""
    return Invalid(
        "payload.unsupported",
        "The job holds something that the gateway cannot check",
        f"{why[:1].upper()}{why[1:]}.",
        remedy or "Leave it out, or use a target whose credential is delivered.",
    )
