"""What all bodies and answers have in common; each route module has its own."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=4000)]
Name = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""What canonical JSON can say exactly (RFC 8785, 3.2.2.3), and what a database takes."""


class Schema(BaseModel):
    """A body or answer; unknown keys of a newer peer are left out."""

    model_config = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)
