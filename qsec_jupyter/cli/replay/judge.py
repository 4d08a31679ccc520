"""The verdict on a replay, with what it rests on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ...provenance import environment, measured
from ...provenance.equality import DISTANCE, PERMUTATIONS, POWER, Comparison, compare
from .artefacts import Material

Json = dict[str, Any]
Verdict = Literal["verified", "bit-identical", "statistically equal", "different"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a replay.

    Attributes:
        verdict: ``verified`` when the artefacts match and it was not, or could not be, compared further.
        why: What the verdict rests on, a sentence each.
        environment: What is another one here than then: field, then, now.
        tests: The statistical tests, when there were any.
    """

    run_id: str
    verdict: Verdict
    why: tuple[str, ...]
    environment: tuple[tuple[str, str, str], ...]
    tests: tuple[Comparison, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing contradicts the record."""
        return self.verdict != "different"

    def to_json(self) -> Json:
        """Return it as JSON."""
        return {**asdict(self), "ok": self.ok}


def verified(run_id: str, material: Material, why: str) -> Judgement:
    """Judge by the artefacts alone."""
    changed = tuple(surroundings(material))
    if material.mismatches:
        return Judgement(run_id, "different", material.mismatches, changed)
    matches = f"signatures and {len(material.circuits)} circuit(s) match the record"
    return Judgement(run_id, "verified", (matches, why), changed)


def judge(run_id: str, material: Material, result: Any, alpha: float) -> Judgement:
    """Judge a run that was run again.

    Args:
        run_id: Which run.
        material: Its artefacts; they match the record.
        result: What it measured this time, as the framework returns it.
        alpha: The probability to call equal outcomes different.
    """
    from ...kernel.frameworks.qiskit import jobs, results

    changed = tuple(surroundings(material))
    digest, _ = jobs.digest_result(result)
    if material.result is not None and digest == {key: material.result.get(key) for key in digest}:
        return Judgement(run_id, "bit-identical", ("the result has the recorded digest",), changed)
    if material.measured is None:
        return verified(
            run_id, material, "it ran again, but what it measured then was not kept to compare with"
        )
    try:
        tests = compare(measured.decode(material.measured), results.parts(result), alpha)
    except ValueError as error:
        return Judgement(run_id, "different", (str(error),), changed)
    worst = min(tests, key=lambda test: test.adjusted)
    seeded = _seeded(material)
    if worst.adjusted < alpha:
        why = f"{worst.name}: {worst.test}, p = {worst.adjusted:.3g} after correction for {len(tests)}"
        return Judgement(run_id, "different", (why, *seeded), changed, tuple(tests))
    why = f"no test is significant at {alpha:g} (smallest corrected p = {worst.adjusted:.3g})"
    return Judgement(
        run_id, "statistically equal", (why, *_weak(tests, alpha), *seeded), changed, tuple(tests)
    )


def _seeded(material: Material) -> tuple[str, ...]:
    """Say that a seed should have made it bit-identical, where one was set."""
    seeds = (material.said.get("execution") or {}).get("seeds") or {}
    if not seeds:
        return ()
    return ("a seed was set and the result is not bit-identical: versions or thread counts may differ",)


def _weak(tests: list[Comparison], alpha: float) -> tuple[str, ...]:
    """Say what these tests could hardly have seen."""
    found = []
    weak = [test for test in tests if test.power is not None and test.power < POWER]
    if weak:
        least = min(weak, key=lambda test: test.power or 0.0)
        seen = f"{least.power:.2g}"
        found.append(f"few shots: {least.name} would show a distance of {DISTANCE} with probability {seen}")
    if any("permutation" in test.test for test in tests) and len(tests) > alpha * (PERMUTATIONS + 1):
        found.append("so many comparisons: a permutation test alone cannot become significant")
    return tuple(found)


def surroundings(material: Material) -> list[tuple[str, str, str]]:
    """Return what is another one in this environment: field, then, now."""
    then = material.said.get("environment") or {}
    now, manifest = environment.environment()
    names = ("python", "implementation", "os", "machine", "cpu")
    found = [(name, str(then.get(name)), str(now[name])) for name in names if then.get(name) != now[name]]
    found += _differing("threads", then.get("threads") or {}, now["threads"])
    if material.packages is None:
        return found + _differing("packages", then.get("frameworks") or {}, now["frameworks"])
    return found + _differing("packages", json.loads(material.packages), json.loads(manifest))


def _differing(group: str, then: Json, now: Json) -> list[tuple[str, str, str]]:
    names = sorted({*then, *now})
    return [
        (f"{group}.{name}", str(then.get(name, "not there")), str(now.get(name, "not there")))
        for name in names
        if then.get(name) != now.get(name)
    ]
