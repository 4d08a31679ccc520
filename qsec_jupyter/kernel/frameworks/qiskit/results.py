"""Reads counts and estimates out of Qiskit's results, for evidence and for a replay to compare."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from qsec_jupyter.provenance.measured import Part


def parts(result: Any) -> list[Part]:
    """Return each distribution and each array of estimates; empty for a result that holds neither.

    Args:
        result: A backend's ``Result``, or the result of a primitive of either version.
    """
    if hasattr(result, "results"):
        return [part for number, run in enumerate(result.results) for part in _experiment(number, run)]
    if hasattr(result, "values"):
        return [Part("values", values=_floats(result.values))]
    if hasattr(result, "quasi_dists"):
        return list(_first_sampler(result))
    return [part for number, pub in enumerate(result) for part in _pub(number, pub)]


def _experiment(number: int, run: Any) -> Iterator[Part]:
    counts = getattr(run.data, "counts", None)
    if counts:
        yield Part(str(number), {str(outcome): int(count) for outcome, count in counts.items()})


def _first_sampler(result: Any) -> Iterator[Part]:
    """Read a first version's probabilities back as counts, where it says of how many shots they are."""
    for number, (found, about) in enumerate(zip(result.quasi_dists, result.metadata, strict=True)):
        shots = about.get("shots")
        if isinstance(shots, int) and shots > 0:
            counts = {str(outcome): round(p * shots) for outcome, p in found.items()}
            if sum(counts.values()) == shots and min(counts.values()) >= 0:
                yield Part(str(number), counts)


def _pub(number: int, pub: Any) -> Iterator[Part]:
    data = pub.data
    registers = {str(name): data[name] for name in data}
    bits = {name: held for name, held in registers.items() if hasattr(held, "num_shots")}
    if len(bits) > 1 and hasattr(pub, "join_data"):
        bits = {"+".join(bits): pub.join_data()}  # registers may be correlated
    for name, held in bits.items():
        yield from _bit_array(f"{number}/{name}", held)
    if "evs" in registers:
        values, errors = _floats(registers["evs"]), _floats(registers.get("stds", ()))
        precision = (getattr(pub, "metadata", None) or {}).get("target_precision")
        if not any(errors) and isinstance(precision, float) and precision > 0:
            errors = [precision] * len(
                values
            )  # StatevectorEstimator adds noise of this width and tells no error
        yield Part(f"{number}/evs", values=values, errors=errors)


def _bit_array(name: str, held: Any) -> Iterator[Part]:
    import numpy

    for index in numpy.ndindex(*held.shape):
        place = f"[{','.join(map(str, index))}]" if index else ""
        yield Part(name + place, _counts(held.array[index], held.num_bits))


def _counts(shots: Any, bits: int) -> dict[str, int]:
    """Count rows of packed bits, big endian; bincount is twenty times faster than ``get_counts``."""
    import numpy

    if shots.shape[-1] == 1:
        found = numpy.bincount(shots[:, 0])
        return {format(value, f"0{bits}b"): int(found[value]) for value in numpy.flatnonzero(found)}
    rows, counts = numpy.unique(shots, axis=0, return_counts=True)
    return {
        format(int.from_bytes(row.tobytes(), "big"), f"0{bits}b"): int(count)
        for row, count in zip(rows, counts, strict=True)
    }


def _floats(values: Iterable[Any]) -> list[float]:
    import numpy

    return [float(value) for value in numpy.real(numpy.asarray(values)).ravel()]
