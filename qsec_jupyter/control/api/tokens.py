"""Bearers for tools: made, listed and revoked by the person whose they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from . import schemas
from .edge import Asker, Control

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])


@router.get("", response_model=list[schemas.Token])
def list_tokens(control: Control, asker: Asker) -> Any:
    """Return the caller's tokens, without their values."""
    return control.tokens.listed(asker)


@router.post("", response_model=schemas.IssuedToken, status_code=201)
def issue_token(body: schemas.TokenRequest, control: Control, asker: Asker) -> Any:
    """Make a token; its value is told this once."""
    token, bearer = control.tokens.issue(
        asker, tuple(body.scopes), tuple(body.targets), body.seconds, body.label
    )
    return {**asdict(token), "bearer": bearer.reveal()}


@router.post("/{token_id}/revoke", response_model=schemas.Token)
def revoke_token(token_id: str, control: Control, asker: Asker) -> Any:
    """End a token, and what hangs on it."""
    return control.tokens.revoke(asker, token_id)
