"""``qsec.exposure()``: what the vendor sees of a job, or would see of circuits that were not sent yet."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from ..core.errors import Invalid, NotFound
from .cards import lines, table
from .session import current

_HEADS = ("What", "You wrote", "The vendor sees", "Why it is seen")


class Exposure:
    """What the vendor sees, field by field.

    Attributes:
        title: Of which job, or that it is of circuits which were not sent.
        fields: Each with ``name``, ``original``, ``sent`` and ``why``.
    """

    def __init__(self, title: str, fields: Sequence[dict[str, Any]]) -> None:
        self.title = title
        self.fields = list(fields)

    @property
    def hidden(self) -> list[dict[str, Any]]:
        """The fields that the vendor sees in an opaque form only."""
        return [field for field in self.fields if not field["why"]]

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The fields that the vendor sees as they are."""
        return [field for field in self.fields if field["why"]]

    def _rows(self) -> Iterable[tuple[str, str, str, str]]:
        for field in (*self.hidden, *self.seen):
            sent = "the same" if field["sent"] == field["original"] else field["sent"]
            yield field["name"], field["original"], sent, field["why"] or "hidden"

    def _repr_html_(self) -> str:
        return table(self._summary(), _HEADS, self._rows(), "The vendor sees nothing of this job.")

    def __repr__(self) -> str:
        return lines(self._summary(), [(row[0], " | ".join(row[1:])) for row in self._rows()])

    def _summary(self) -> str:
        return f"{self.title}: {len(self.hidden)} hidden, {len(self.seen)} seen"


def exposure(circuits: Any = None, *, target: str | None = None, job: str | None = None) -> Exposure:
    """Return what the vendor sees.

    Args:
        circuits: A circuit or several that were not sent yet; nothing is sent now, either.
        target: Where they would go; whether names are hidden is the target's to say.
        job: The provider's id of a job, or its correlation id; this kernel's last one when left out.

    Raises:
        NotFound: ``job.none`` when this kernel has sent none; ``job.unknown``.
        Invalid: ``exposure.`` and ``no_target``, ``no_circuit`` or ``no_qpy``; or why a job of these would be
            refused.
    """
    if circuits is None:
        return _sent(job)
    if target is None:
        raise Invalid(
            "exposure.no_target",
            "Say where the circuits would go",
            "Each target says itself what is hidden.",
            'qsec.exposure(circuits, target="…")',
        )
    several = list(circuits) if isinstance(circuits, (list, tuple)) else [circuits]
    given = [_written(circuit) for circuit in several]
    answer = current().channel.call("preview", target=target, circuits=given)
    return Exposure(f"{target}, not sent", answer["fields"])


def _sent(job: str | None) -> Exposure:
    channel = current().channel
    if job is None:
        found = channel.call("jobs", limit=1)["jobs"]
        if not found:
            raise NotFound(
                "job.none",
                "This kernel has sent no job through the gateway",
                "",
                'Run one, or look at circuits first: qsec.exposure(circuits, target="…").',
            )
        job = str(found[0]["correlation_id"])
    told = channel.call("exposure", job=job)
    return Exposure(f"{told['target']}, job {told.get('job_id') or 'without an id'}", told["fields"])


def _written(circuit: Any) -> str:
    """Return a circuit as it stands in a job: OpenQASM as it is, Braket's as OpenQASM, Qiskit's as QPY."""
    if isinstance(circuit, str) and circuit.lstrip().startswith("OPENQASM"):
        return circuit
    if type(circuit).__module__.startswith("braket."):
        from braket.circuits.serialization import IRType

        return str(circuit.to_ir(ir_type=IRType.OPENQASM).json())
    if not hasattr(circuit, "qregs"):
        raise Invalid(
            "exposure.no_circuit",
            "That is no circuit",
            f"It is a {type(circuit).__name__}.",
            "Give a circuit of Qiskit or Braket, a text that begins with OPENQASM, or a list of them.",
        )
    from qiskit import qpy

    file = io.BytesIO()
    try:
        qpy.dump(circuit, file, **_annotations())
    except qpy.QpyError as error:
        raise Invalid(
            "exposure.no_qpy",
            "That circuit cannot be written as a job has it",
            str(error).strip('"'),
            "Look at the job once it was sent: qsec.exposure().",
        ) from error
    return base64.b64encode(zlib.compress(file.getvalue())).decode()


def _annotations() -> dict[str, Any]:
    """Return the option that has annotations of boxes written as IBM's client does, if that is installed."""
    try:
        from ibm_quantum_schemas.common.annotation_serializer import AnnotationSerializer
    except ImportError:
        return {}
    return {"annotation_factories": {"samplomatic": AnnotationSerializer}}
