"""Credentials, for the kernel whose grant it is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/credentials", tags=["credentials"])


@router.post("", response_model=schemas.Credential)
def issue_credential(body: schemas.CredentialRequest, control: Control, asker: Asker) -> Any:
    """Return the credential of the asking kernel's active grant."""
    return control.issuing.issue(asker, body.target)
