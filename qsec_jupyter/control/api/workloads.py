"""Where workloads log in: the one route that asks for no bearer, since its body is the proof."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from . import schemas
from .edge import Control

LOGIN = "/v1/workloads/sessions"

router = APIRouter(tags=["workloads"])


@router.post(LOGIN, response_model=schemas.IssuedToken, status_code=201)
def log_in(body: schemas.Assertion, control: Control) -> Any:
    """Return a short-lived bearer for an assertion of a workload of the catalogue."""
    token, bearer = control.admission.admit(body.assertion)
    return {**asdict(token), "bearer": bearer.reveal()}
