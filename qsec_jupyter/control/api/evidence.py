"""Artefacts of runs on their way into the encrypted store. Nothing leaves it here."""

from __future__ import annotations

import base64
import zlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import Field

from ...core.errors import Invalid
from ..evidence.artefacts import MAX_BYTES
from .edge import AskingKernel, Control, own_journal, require_kernel
from .schema import Name, Schema

router = APIRouter(prefix="/v1/evidence", tags=["evidence"], dependencies=[Depends(own_journal)])


class EvidenceBytes(Schema):
    """An artefact: base64 of its bytes, or of their zlib stream (RFC 1950) for ``deflate``."""

    media_type: Name
    encoding: Literal["identity", "deflate"] = "identity"
    data: Annotated[str, Field(max_length=12 * 1024 * 1024)]


class EvidenceStored(Schema):
    """It is kept; ``stored`` is false when it was before."""

    sha256: str
    stored: bool


Sha256 = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.put("/{sha256}", response_model=EvidenceStored)
def store_evidence(
    sha256: Sha256, body: EvidenceBytes, control: Control, asking_kernel: AskingKernel = None
) -> Any:
    """Keep an artefact; one that is there already is answered again."""
    kernel = require_kernel(asking_kernel)
    stored = control.artefacts.put(sha256, body.media_type, _bytes(body), kernel)
    control.checkpoints.after_events()
    return {"sha256": sha256, "stored": stored}


def _bytes(body: EvidenceBytes) -> bytes:
    try:
        data = base64.b64decode(body.data, validate=True)
        if body.encoding == "deflate":  # one byte more than is allowed is enough to be refused
            return zlib.decompressobj().decompress(data, MAX_BYTES + 1)
    except (ValueError, zlib.error) as error:  # binascii.Error is a ValueError
        raise Invalid("evidence.malformed", "An artefact is malformed", "Its encoding is broken.") from error
    return data
