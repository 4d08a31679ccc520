"""What a replay is made from: each artefact that the record names, opened and held against the record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...control.evidence.reading import Journal, artefact
from ...core.errors import NotFound

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """A run's artefacts.

    Attributes:
        said: What the kernel said when the run began, signed.
        circuits: The circuits.
        values: Parameter values and observables as they were given; ``None`` for a run without any.
        measured: What was measured, encoded; ``None`` when it was not kept.
        noise: The noise model's serialised form, or ``None``.
        packages: The package manifest, or ``None``.
        result: Digest and encoding of the recorded result, or ``None``.
        mismatches: What does not fit the record, a sentence each.
    """

    said: Json
    circuits: tuple[Any, ...]
    values: bytes | None
    measured: bytes | None
    noise: bytes | None
    packages: bytes | None
    result: Json | None
    mismatches: tuple[str, ...]


def gather(journal: Journal, run: Json) -> Material:
    """Open every artefact of a run.

    Raises:
        NotFound: ``replay.no_intent`` or ``replay.not_kept``.
        Unavailable: Evidence is there and cannot be opened: altered, or its key needs a Vault.
    """
    if run["intent"] is None:
        raise NotFound(
            "replay.no_intent",
            "There is nothing to run again",
            "Only the end of this run was recorded, not what was asked for.",
        )
    said = run["intent"]["predicate"]["run"]
    execution = said.get("execution") or {}
    mismatches: list[str] = []
    circuits = tuple(
        _circuit(journal, place, told, mismatches)
        for place, told in enumerate(execution.get("circuits") or ())
    )
    if not circuits:
        raise _not_kept("no circuit of it was described")
    parameters = execution.get("parameters")
    values = None
    if parameters is not None:
        values = artefact(journal, parameters.get("evidence"))
        if values is None:
            raise _not_kept("its parameter values were not kept")
    ended = ((run["completion"] or {}).get("predicate") or {}).get("run") or {}
    result = ended.get("result")
    backend = said.get("backend") or {}
    return Material(
        said=said,
        circuits=circuits,
        values=values,
        measured=artefact(journal, (result or {}).get("evidence")),
        noise=artefact(journal, backend.get("noise_model")),
        packages=artefact(journal, (said.get("environment") or {}).get("packages")),
        result=result,
        mismatches=tuple(mismatches),
    )


def _circuit(journal: Journal, place: int, told: Json, mismatches: list[str]) -> Any:
    """Return a circuit from its artefact, and note when its structure is not the recorded one."""
    from ...provenance import circuit as provenance

    data = artefact(journal, told.get("qpy"))
    if data is None:
        raise _not_kept(
            f"circuit {place} was not kept, or is a program of a framework that is not replayed yet"
        )
    made = provenance.load(data)
    known = told.get("structural_hash") or {}
    if known.get("alg") == provenance.ALGORITHM and provenance.structural_hash(made) != known.get("value"):
        mismatches.append(f"circuit {place}: its artefact has another structure than the record says")
    return made


def _not_kept(why: str) -> NotFound:
    return NotFound(
        "replay.not_kept",
        "There is not enough evidence to run it again",
        f"{why[0].upper()}{why[1:]}.",
        "`qsec show` lists what is not known of the run.",
    )
