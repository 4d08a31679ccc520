"""Where workloads log in: the one route that asks for no bearer, since its body is the proof."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from .edge import Control
from .schema import Schema
from .tokens import IssuedToken

LOGIN = "/v1/workloads/sessions"

router = APIRouter(tags=["workloads"])


class Assertion(Schema):
    """What a workload proves itself by."""

    assertion: Annotated[str, Field(min_length=1, max_length=16_384)]


@router.post(LOGIN, response_model=IssuedToken, status_code=201)
def log_in(body: Assertion, control: Control) -> Any:
    """Return a short-lived bearer for an assertion of a workload of the catalogue."""
    token, bearer = control.admission.admit(body.assertion)
    return {**asdict(token), "bearer": bearer.reveal()}
