"""What a vendor would see of circuits, before there is a job."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from .edge import Asker, Control
from .schemas import ExposedField, Schema

router = APIRouter(prefix="/v1", tags=["jobs"])


Written = Annotated[str, Field(max_length=16_000_000)]


class PreviewRequest(Schema):
    """Circuits as they stand in a job: for IBM compressed QPY in base64, for Braket the JSON of a program."""

    circuits: Annotated[list[Written], Field(min_length=1, max_length=100)]


class Preview(Schema):
    """What a vendor would see."""

    target: str
    fields: list[ExposedField]


@router.post("/targets/{name}/exposures", response_model=Preview)
async def preview(name: str, body: PreviewRequest, control: Control, asker: Asker) -> Any:
    """Return what the target's vendor would see of circuits, field by field. Nothing is sent."""
    found = await control.gateway.preview(name, body.circuits)
    return {"target": name, "fields": [asdict(one) for one in found]}
