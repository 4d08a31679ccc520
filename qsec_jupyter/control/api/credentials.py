"""Credentials, for the kernel whose grant it is."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from ...core.errors import Invalid
from ...core.model import Tier
from .edge import Asker, Control
from .schema import Name, Schema, Text

router = APIRouter(prefix="/v1/credentials", tags=["credentials"])


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


@router.post("", response_model=Credential)
def issue_credential(body: CredentialRequest, control: Control, asker: Asker) -> Any:
    """Return the credential of the asking kernel's active grant."""
    return control.issuing.issue(asker, body.target, body.job)


@router.post("/operations", response_model=OperationResult)
def operate(body: OperationRequest, control: Control, asker: Asker) -> Any:
    """Sign, verify, encrypt or decrypt with the target's key, under the asking kernel's active grant."""
    try:
        data = base64.b64decode(body.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("operation.not_base64", "The data is not base64", remedy="Update qsec.") from error
    return {"result": control.issuing.operate(asker, body.target, body.operation, data, body.signature)}
