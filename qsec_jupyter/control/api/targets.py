"""The catalogue's targets, and the values behind them: put there by a person, never read."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from ...core.secret import Secret
from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/targets", tags=["targets"])


@router.get("", response_model=list[schemas.Target])
def list_targets(control: Control) -> Any:
    """Return the catalogue."""
    return list(control.catalogue.targets.values())


@router.post("/{name}/secret", response_model=schemas.KeptSecret)
def keep_secret(name: str, body: schemas.NewSecret, control: Control, asker: Asker) -> Any:
    """Keep a value that a person has pasted; nothing ever returns it but an active grant."""
    values = {part: Secret(value.strip("\r\n"), name) for part, value in body.values.items()}
    return control.upkeep.replace(asker, name, values)
