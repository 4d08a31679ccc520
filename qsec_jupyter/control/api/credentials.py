"""Credentials, for the kernel whose grant it is."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from fastapi import APIRouter

from ...core.errors import Invalid
from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/credentials", tags=["credentials"])


@router.post("", response_model=schemas.Credential)
def issue_credential(body: schemas.CredentialRequest, control: Control, asker: Asker) -> Any:
    """Return the credential of the asking kernel's active grant."""
    return control.issuing.issue(asker, body.target, body.job)


@router.post("/operations", response_model=schemas.OperationResult)
def operate(body: schemas.OperationRequest, control: Control, asker: Asker) -> Any:
    """Sign, verify, encrypt or decrypt with the target's key, under the asking kernel's active grant."""
    try:
        data = base64.b64decode(body.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("operation.not_base64", "The data is not base64", remedy="Update qsec.") from error
    return {"result": control.issuing.operate(asker, body.target, body.operation, data, body.signature)}
