"""The public API: ask for a target, use its credential, see what there is.

``import qsec_jupyter as qsec`` offers these names. They speak to the control plane over the kernel's own
channel; a secret is known to redaction before its :class:`Credential` exists.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..core.duration import format_duration
from ..core.errors import Invalid, NotFound, QsecError
from ..core.model import Grant, Target
from .cards import Grants, Run, Status, Targets
from .credential import Credential
from .exposure import exposure
from .session import current

if TYPE_CHECKING:
    from braket.aws import AwsSession
    from qiskit_ibm_runtime import QiskitRuntimeService

__all__ = [
    "Credential",
    "braket_session",
    "credential",
    "decrypt",
    "encrypt",
    "exposure",
    "extend",
    "grants",
    "provenance",
    "request",
    "revoke",
    "runtime_service",
    "sign",
    "status",
    "targets",
    "verify",
]


def request(
    target: str,
    *,
    reason: str,
    ticket: str | None = None,
    duration: str | int | None = None,
    project: str | None = None,
    start: datetime | str | None = None,
    run: tuple[Any, str, int] | None = None,
    break_glass: bool = False,
    scope: str = "submit",
    wait: bool = True,
    timeout: float | None = None,
) -> Grant:
    """Ask for a target.

    Args:
        target: Its name in the catalogue; :func:`targets` lists them.
        reason: Why you need it. Approvers and auditors read it.
        ticket: A ticket id, when the target asks for one.
        duration: Such as ``"30m"``, or a number of seconds; the target's default when left out.
        project: The project that the work belongs to.
        start: When the grant shall begin, with its time zone; at once when left out.
        run: What will run, for a target that is approved for that only: circuits, the backend's name, and
            the shots of all circuits together.
        break_glass: This is an emergency: skip approval, where the target allows that. It is looked at.
        scope: ``"submit"``; or ``"metadata"``, to look at backends and queues through the gateway only.
        wait: Wait until somebody has decided, when a person has to, and until the grant begins.
        timeout: Wait no longer than this (seconds); ``None`` waits on.

    Returns:
        The grant: active, unless ``wait`` is false and a person has to decide.

    Raises:
        Denied: Refused by policy or by a person; the detail holds the comment.
        Invalid: The request breaks a rule; the detail names it.
        Unavailable: No channel, no control plane, or nobody decided within ``timeout``.
    """
    if not isinstance(reason, str) or not reason.strip():
        raise Invalid("request.reason_empty", "A request needs a reason", "", 'Add reason="...".')
    span = format_duration(duration) if isinstance(duration, int) else duration
    wish = {
        "target": target,
        "reason": reason,
        "ticket": ticket,
        "duration": span,
        "project": project,
        "start": start.isoformat() if isinstance(start, datetime) else start,
        "break_glass": break_glass,
        "scope": scope,
        "payload": None if run is None else _payload(*run),
    }
    return current().request(wish, wait=wait, limit=timeout)


def _payload(circuits: Any, backend: str, shots: int) -> dict[str, Any]:
    """Describe what will run by the circuits' structural hashes."""
    from ..provenance.circuit import structural_hash

    several = circuits if isinstance(circuits, (list, tuple)) else [circuits]
    return {
        "circuits": [structural_hash(circuit) for circuit in several],
        "backend": str(backend),
        "shots": int(shots),
    }


def extend(target_or_id: str, duration: str | int, reason: str | None = None, *, wait: bool = True) -> Grant:
    """Ask for more time on a grant before it ends; its credential stays the same.

    Args:
        target_or_id: A target's name (its newest open grant is meant) or a grant's id.
        duration: How much more, such as ``"30m"`` or a number of seconds.
        reason: Why; the grant's own reason when left out.
        wait: Wait until somebody has decided, when a person has to.

    Returns:
        The extension, a grant of its own whose end is the new end.

    Raises:
        Invalid: ``duration.over_cap`` when the whole would be longer than the target allows.
        Denied: Refused by policy or by a person.
    """
    span = format_duration(duration) if isinstance(duration, int) else duration
    return current().extend(target_or_id, span, reason, wait=wait)


def credential(target: str) -> Credential:
    """Return the credential for a target that you hold an active grant for; cached until it ends.

    Raises:
        Denied: ``grant.expired``, ``grant.revoked``, or no grant at all; the remedy says what to do.
        Unavailable: No channel, or no control plane and nothing cached.
    """
    return current().credential(target)


def runtime_service(target: str, *, job: str | None = None, **options: Any) -> QiskitRuntimeService:
    """Return IBM's own ``QiskitRuntimeService`` for a target of tier *proxy*.

    It is unmodified, and works as it does against IBM Quantum; its calls go through the gateway, which holds
    the key. What this kernel holds is a token that is good there only, and ends with the grant.

    Args:
        target: Its name in the catalogue; you hold an active grant for it, or the right to read its results.
        job: Only to read the results of this job and of those that were submitted with it: it needs no
            grant of this kernel, as long as the target lets results be read afterwards.
        options: For the client's constructor, but for account, instance and addresses.

    Raises:
        Denied: As :func:`credential`.
        Invalid: ``runtime.not_proxied`` for a target of another tier.
        Unavailable: IBM's client is not installed, or the gateway does not answer.
    """
    from .runtime import service

    session = current()
    return service(session.reading(target, job) if job else session.credential(target), options)


def braket_session(target: str) -> AwsSession:
    """Return Amazon's own ``AwsSession`` for a target of tier *proxy*: give it to ``AwsDevice``.

    It is unmodified; its calls go through the gateway, which holds the account's keys. What this kernel holds
    is a token that is good there only, and ends with the grant.

    Raises:
        Denied: As :func:`credential`.
        Invalid: ``braket.not_proxied`` for another kind of target.
        Unavailable: Amazon's SDK is not installed.
    """
    from .braket_session import session

    return session(current().credential(target))


def sign(target: str, data: bytes) -> str:
    """Sign with a target's key, which never leaves its store (tier *operate*).

    Returns:
        The signature in the store's own form, e.g. ``vault:v1:…``.

    Raises:
        Denied: As :func:`credential`.
        Invalid: ``vault.not_operated`` for a target that delivers a credential instead.
    """
    return _operated(target, "sign", data)


def verify(target: str, data: bytes, signature: str) -> bool:
    """Say whether ``signature`` is the target's key's over ``data``; raises as :func:`sign`."""
    return _operated(target, "verify", data, signature) == "true"


def encrypt(target: str, data: bytes) -> str:
    """Encrypt with a target's key; the answer is in the store's own form. Raises as :func:`sign`."""
    return _operated(target, "encrypt", data)


def decrypt(target: str, ciphertext: str) -> bytes:
    """Decrypt what :func:`encrypt` gave; raises as :func:`sign`."""
    return base64.b64decode(_operated(target, "decrypt", ciphertext.encode()))


def _operated(target: str, operation: str, data: bytes, signature: str = "") -> str:
    text = base64.b64encode(data).decode()
    answer = current().channel.call(
        "operate", target=target, operation=operation, data=text, signature=signature
    )
    return str(answer["result"])


def targets() -> Targets:
    """Return what can be asked for."""
    found = current().channel.call("targets")["targets"]
    return Targets(Target.from_dict(target) for target in found)


def grants() -> Grants:
    """Return this kernel's grants, newest first."""
    return current().grants()


def revoke(target_or_id: str, comment: str | None = None) -> Grant:
    """Hand a grant back early, or withdraw a request.

    Args:
        target_or_id: A target's name (its newest open grant is meant) or a grant's id.
        comment: For the record.

    Raises:
        NotFound: This kernel holds no such open grant.
    """
    return current().revoke(target_or_id, comment)


def status() -> Status:
    """Return what is on, what is off and why. Never raises for a missing part: it says so."""
    from .health import checks

    try:
        return Status(current().channel.call("status", within=5.0), checks(), None)
    except QsecError as error:
        return Status({}, checks(), error)


def provenance(run_id: str | None = None) -> Run:
    """Return the record of a run: the last one of this kernel, or the one with that id.

    Raises:
        NotFound: ``run.none``: nothing has been recorded yet.
    """
    from . import execution

    session = current()
    execution.stop(2.0)
    if run_id is None:
        runs = session.channel.call("runs", limit=1)["runs"]
        if not runs:
            raise NotFound(
                "run.none",
                "No run has been recorded",
                "",
                "Run a circuit first; `%qsec status` says what is hooked.",
            )
        run_id = str(runs[0]["run_id"])
    return Run(session.channel.call("run", run_id=run_id))
