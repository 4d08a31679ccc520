"""The catalogue's targets, and the values behind them: put there by a person, never read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from ...core.classification import DataClass
from ...core.model import Environment, Tier
from ...core.secret import Secret
from .edge import Asker, Control
from .schema import Name, Schema

router = APIRouter(prefix="/v1/targets", tags=["targets"])


class Price(Schema):
    """What a target costs, as far as its provider says so in advance."""

    currency: str
    per_job: float
    per_circuit: float
    per_shot: float


class Round(Schema):
    """One round of approval: who may take part (none named: every approver), and how many must agree."""

    reviewers: list[str]
    quorum: int


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


@router.get("", response_model=list[Target])
def list_targets(control: Control) -> Any:
    """Return the catalogue."""
    return list(control.catalogue.targets.values())


@router.post("/{name}/secret", response_model=KeptSecret)
def keep_secret(name: str, body: NewSecret, control: Control, asker: Asker) -> Any:
    """Keep a value that a person has pasted; nothing ever returns it but an active grant."""
    values = {part: Secret(value.strip("\r\n"), name) for part, value in body.values.items()}
    return control.upkeep.replace(asker, name, values)
