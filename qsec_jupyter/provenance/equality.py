"""Whether two runs measured the same: two-sample tests over counts and estimates, with what they can see.

Counts of one circuit are compared by a G-test of homogeneity (likelihood ratio, chi-square distributed), with
outcomes that are too rare for it pooled into one; where pooling would hide more than a tenth of the counts,
by a permutation test of the same statistic; two outcomes with few counts by Fisher's exact test. Estimates
are compared by a z-test with their stated standard errors. Many comparisons are corrected by Holm's method.

A test that finds nothing says little without its power. It is stated for a total variation distance of
``DISTANCE`` between the outcomes as tested, as a lower bound over all alternatives at that distance: the
noncentrality of any of them is at least ``4 d^2 n m / (n + m)``, by the Cauchy-Schwarz inequality.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy
from scipy import optimize, stats

from .measured import Part

Table = Any  # a numpy array: two rows of counts by outcome, or many of them

DISTANCE = 0.1
"""The total variation distance that a test's power is stated for."""

PERMUTATIONS = 9999
"""How many permutations a permutation test draws; its smallest p-value is one over one more."""

POWER = 0.8
"""The power at which the smallest distance that a test would see is stated."""

_EXPECTED = 5.0  # the usual bound below which the chi-square approximation is not trusted (Cochran 1954)
_MOST_POOLED = 0.1
_AT_ONCE = 256  # permutations in memory at a time
_MOST_OUTCOMES = 4096  # of a permuted table
_EXACT = 1e-9  # relative difference that floating point may make in what should be exact


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test.

    Attributes:
        name: What was compared, as the part is called.
        test: Which test.
        statistic: Its statistic; ``None`` for one that has none.
        freedom: Degrees of freedom, where the test has them.
        p: The p-value.
        adjusted: The p-value after Holm's correction for all comparisons of the run.
        distance: Total variation distance between the two samples, or the largest difference of estimates.
        power: Probability to see a distance of ``DISTANCE``, at least; ``None`` for estimates.
        detectable: Distance (or difference) that is seen with a probability of ``POWER``.
    """

    name: str
    test: str
    statistic: float | None
    freedom: int | None
    p: float
    adjusted: float
    distance: float
    power: float | None
    detectable: float | None


def compare(first: Sequence[Part], second: Sequence[Part], alpha: float) -> list[Comparison]:
    """Compare two runs part by part.

    Args:
        first: What the recorded run measured.
        second: What it measured this time.
        alpha: The probability to call equal ones different, over the whole run.

    Raises:
        ValueError: If the parts are not the same by name.
    """
    if [part.name for part in first] != [part.name for part in second]:
        raise ValueError("the runs measured different things")
    found: list[Comparison] = []
    for a, b in zip(first, second, strict=True):
        found += [compare_counts(a.name, a.counts, b.counts, alpha)] if a.counts else _estimates(a, b, alpha)
    return _holm(found)


def compare_counts(
    name: str, first: Mapping[str, int], second: Mapping[str, int], alpha: float
) -> Comparison:
    """Compare counts of outcomes."""
    outcomes = sorted({*first, *second})
    table = numpy.array([[sample.get(o, 0) for o in outcomes] for sample in (first, second)], dtype=float)
    n, m = table.sum(axis=1)
    if not n or not m:
        raise ValueError("a run measured nothing")
    distance = min(1.0, float(abs(table[0] / n - table[1] / m).sum() / 2))
    if len(outcomes) == 1:
        told = Comparison(name, "one outcome in both", None, None, 1.0, 1.0, 0.0, None, None)
        return _with_power(told, 1, n, m, alpha)
    if len(outcomes) == 2 and _least_expected(table) < _EXPECTED:
        result = stats.fisher_exact(table)
        odds = float(result.statistic) if math.isfinite(result.statistic) else None
        told = Comparison(
            name, "Fisher's exact test", odds, None, float(result.pvalue), 1.0, distance, None, None
        )
        return _with_power(told, 1, n, m, alpha)
    pooled, share = _pool(table)
    if share > _MOST_POOLED or pooled.shape[1] < 2:
        statistic, p = _permute(table)
        freedom = len(outcomes) - 1
        test = f"permutation test of G ({PERMUTATIONS} permutations)"
    else:
        result = stats.chi2_contingency(pooled, correction=False, lambda_="log-likelihood")
        statistic, p, freedom = float(result.statistic), float(result.pvalue), int(result.dof)
        test = "G-test" if pooled.shape == table.shape else "G-test, rare outcomes pooled"
    told = Comparison(name, test, statistic, freedom, p, 1.0, distance, None, None)
    return _with_power(told, freedom, n, m, alpha)


def _least_expected(table: Table) -> float:
    return float((table.sum(axis=0) * table.sum(axis=1).min() / table.sum()).min())


def _pool(table: Table) -> tuple[Table, float]:
    """Join the outcomes that are rare in both samples together; return that table and the share joined.

    Which are joined depends on the sum of both samples alone, which says nothing about their difference.
    """
    total = table.sum(axis=0)
    rare = total * table.sum(axis=1).min() / table.sum() < _EXPECTED
    if not rare.any():
        return table, 0.0
    rest = table[:, rare].sum(axis=1, keepdims=True)
    kept = table[:, ~rare]
    if rest.sum() * table.sum(axis=1).min() / table.sum() < _EXPECTED and kept.shape[1]:
        smallest = int(kept.sum(axis=0).argmin())  # the rest alone is still too rare: join one more
        rest = rest + kept[:, [smallest]]
        kept = numpy.delete(kept, smallest, axis=1)
    share = float(total[rare].sum() / total.sum())
    return numpy.hstack([kept, rest]), share


def _g(table: Table) -> Table:
    """Return G of one table, or of many along the first axis."""
    n = table.sum(axis=-1, keepdims=True)
    expected = n * table.sum(axis=-2, keepdims=True) / n.sum(axis=-2, keepdims=True)
    with numpy.errstate(divide="ignore", invalid="ignore"):
        terms = numpy.where(table > 0, table * numpy.log(table / expected), 0.0)
    statistic: Table = 2 * terms.sum(axis=(-2, -1))
    return statistic


def _permute(table: Table) -> tuple[float, float]:
    """Return G and the share of random divisions of the joint counts with one as large.

    The observed division counts as one of them (Phipson and Smyth 2010). The generator's seed is fixed, so
    that the same counts give the same p-value.
    """
    table = _coarse(table)
    total, n = table.sum(axis=0).astype(int), int(table[0].sum())
    generator = numpy.random.default_rng(0)
    observed = float(_g(table))
    bound = observed - _EXACT * max(observed, 1.0)
    as_large = 0
    for start in range(0, PERMUTATIONS, _AT_ONCE):
        size = min(_AT_ONCE, PERMUTATIONS - start)
        draws = generator.multivariate_hypergeometric(total, n, size=size, method="marginals")
        divided = numpy.stack([draws, total - draws], axis=1).astype(float)
        as_large += int((_g(divided) >= bound).sum())
    return observed, (as_large + 1) / (PERMUTATIONS + 1)


def _coarse(table: Table) -> Table:
    """Join all but the most frequent outcomes of very many, by their sum over both samples."""
    if table.shape[1] <= _MOST_OUTCOMES:
        return table
    order = numpy.argsort(-table.sum(axis=0), kind="stable")
    kept, rest = table[:, order[: _MOST_OUTCOMES - 1]], table[:, order[_MOST_OUTCOMES - 1 :]]
    return numpy.hstack([kept, rest.sum(axis=1, keepdims=True)])


# -- power -------------------------------------------------------------------------------------


def _with_power(told: Comparison, freedom: int, n: float, m: float, alpha: float) -> Comparison:
    def power(distance: float) -> float:
        noncentrality = 4 * distance**2 * n * m / (n + m)
        critical = stats.chi2.isf(alpha, freedom)
        return float(stats.ncx2.sf(critical, freedom, noncentrality))

    return replace(told, power=power(DISTANCE), detectable=_reach(power))


def _reach(power: Callable[[float], float]) -> float | None:
    """Return the distance at which ``power`` reaches ``POWER``; ``None`` when even 1 does not."""
    if power(1.0) < POWER:
        return None
    return float(optimize.brentq(lambda distance: power(distance) - POWER, 1e-9, 1.0))


# -- estimates ---------------------------------------------------------------------------------


def _estimates(a: Part, b: Part, alpha: float) -> list[Comparison]:
    if len(a.values) != len(b.values):
        raise ValueError("the runs estimated different things")
    return [_estimate(a, b, place, alpha) for place in range(len(a.values))]


def _estimate(a: Part, b: Part, place: int, alpha: float) -> Comparison:
    difference = b.values[place] - a.values[place]
    name = f"{a.name}[{place}]" if len(a.values) > 1 else a.name
    error = math.hypot(*(part.errors[place] if place < len(part.errors) else 0.0 for part in (a, b)))
    if not error:
        scale = max(abs(a.values[place]), abs(b.values[place]), 1.0)
        p = 1.0 if abs(difference) <= _EXACT * scale else 0.0
        return Comparison(name, "exact comparison", None, None, p, 1.0, abs(difference), None, None)
    z = difference / error
    reach = error * float(stats.norm.isf(alpha / 2) + stats.norm.ppf(POWER))
    p = float(2 * stats.norm.sf(abs(z)))
    return Comparison(name, "z-test", z, None, p, 1.0, abs(difference), None, reach)


def _holm(found: list[Comparison]) -> list[Comparison]:
    """Correct p-values for their number (Holm 1979)."""
    order = sorted(range(len(found)), key=lambda place: found[place].p)
    adjusted, highest = [1.0] * len(found), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, found[place].p * (len(found) - rank)))
        adjusted[place] = highest
    return [replace(told, adjusted=p) for told, p in zip(found, adjusted, strict=True)]
