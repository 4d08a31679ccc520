"""The snapshot that the panel shows, with a long poll; health."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from ...core.classification import DataClass, Treatment
from .edge import LONG_POLL_SECONDS, Asker, Control
from .findings import RecordedFinding
from .grants import AwaitedGrant, Grant
from .jobs import Limits
from .kernels import SharedKernel
from .locks import Lock
from .runs import RunSummary
from .schema import Schema
from .targets import Target

router = APIRouter(prefix="/v1", tags=["state"])


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


class Project(Schema):
    """People who work together on data of one class."""

    name: str
    title: str
    members: list[str]
    data_class: DataClass
    targets: list[str]


class VaultInfo(Schema):
    """Which store of credentials is in use."""

    kind: Literal["vault", "openbao", "sealed-store"]
    origin: Literal["external", "dev", "embedded"]
    label: str
    address: str | None
    key_protection: Literal["os-keyring", "file-0600"] | None


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


Wait = Annotated[float, Query(ge=0, le=LONG_POLL_SECONDS)]


@router.get("/state", response_model=State)
async def get_state(control: Control, asker: Asker, since: int = 0, wait: Wait = 0) -> Any:
    """Return everything the panel shows; with ``since``, as soon as something has changed."""
    if wait and since <= control.changes.version:
        await control.changes.beyond(since, wait)
    return await asyncio.to_thread(control.panel.snapshot, asker)


@router.get("/health", response_model=Health)
def get_health(control: Control) -> Any:
    """Return what is right and wrong."""
    return control.health.report()
