"""Bearers for tools: made, listed and revoked by the person whose they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from ...core.model import Scope
from .edge import Asker, Control
from .schema import Name, Schema

router = APIRouter(prefix="/v1/tokens", tags=["tokens"])


class TokenRequest(Schema):
    """Make a bearer for a tool."""

    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    targets: Annotated[list[Name], Field(max_length=100)] = []
    seconds: Annotated[int, Field(ge=1, le=86_400)]
    label: Annotated[str, Field(max_length=80)] = ""


class Token(Schema):
    """What is known of a bearer: everything but its value."""

    id: str
    label: str
    owner: str
    scopes: list[Scope]
    targets: list[str]
    created_at: str
    expires_at: str


class IssuedToken(Token):
    """A bearer with its value, which is told this once."""

    bearer: str


@router.get("", response_model=list[Token])
def list_tokens(control: Control, asker: Asker) -> Any:
    """Return the caller's tokens, without their values."""
    return control.tokens.listed(asker)


@router.post("", response_model=IssuedToken, status_code=201)
def issue_token(body: TokenRequest, control: Control, asker: Asker) -> Any:
    """Make a token; its value is told this once."""
    token, bearer = control.tokens.issue(
        asker, tuple(body.scopes), tuple(body.targets), body.seconds, body.label
    )
    return {**asdict(token), "bearer": bearer.reveal()}


@router.post("/{token_id}/revoke", response_model=Token)
def revoke_token(token_id: str, control: Control, asker: Asker) -> Any:
    """End a token, and what hangs on it."""
    return control.tokens.revoke(asker, token_id)
