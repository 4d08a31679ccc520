"""The tests that judge a replay: right against their libraries, calibrated, and honest about their power."""

import json

import numpy
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from qsec_jupyter.provenance import equality, measured
from qsec_jupyter.provenance.equality import compare, compare_counts
from qsec_jupyter.provenance.measured import Part

ALPHA = 0.01
MANY = {"00": 480, "01": 120, "10": 130, "11": 270}


def drawn(generator, p, shots):
    return {format(i, "b"): int(n) for i, n in enumerate(generator.multinomial(shots, p)) if n}


def test_g_test_is_scipys() -> None:
    other = {"00": 500, "01": 100, "10": 140, "11": 260}
    told = compare_counts("x", MANY, other, ALPHA)
    expected = stats.chi2_contingency(
        [list(MANY.values()), list(other.values())], correction=False, lambda_="log-likelihood"
    )
    assert told.test == "G-test"
    assert (told.statistic, told.freedom, told.p) == pytest.approx((expected.statistic, 3, expected.pvalue))


def test_two_outcomes_with_few_counts_are_compared_exactly() -> None:
    told = compare_counts("x", {"0": 9, "1": 1}, {"0": 2, "1": 8}, ALPHA)
    assert told.test == "Fisher's exact test"
    assert told.p == pytest.approx(stats.fisher_exact([[9, 1], [2, 8]]).pvalue)


def test_rare_outcomes_are_pooled() -> None:
    rare = {format(i, "05b"): 1 for i in range(20)}
    told = compare_counts("x", {**rare, "a": 500, "b": 480}, {"a": 510, "b": 490}, ALPHA)
    assert told.test == "G-test, rare outcomes pooled"
    assert told.freedom == 2


def test_many_rare_outcomes_are_permuted_not_pooled_away() -> None:
    generator = numpy.random.default_rng(1)
    p = numpy.full(256, 1 / 256)
    told = compare_counts("x", drawn(generator, p, 200), drawn(generator, p, 200), ALPHA)
    assert told.test.startswith("permutation test of G")
    assert told.p > ALPHA
    half = numpy.where(numpy.arange(256) < 128, 2 / 256, 0)
    assert compare_counts("x", drawn(generator, p, 200), drawn(generator, half, 200), ALPHA).p < ALPHA


def test_permutation_test_gives_the_same_p_each_time() -> None:
    counts = {str(i): 1 for i in range(50)}
    other = {str(i): 1 for i in range(25, 75)}
    assert compare_counts("x", counts, other, ALPHA) == compare_counts("x", counts, other, ALPHA)


def test_one_outcome_in_both_is_equal_and_disjoint_outcomes_are_not() -> None:
    assert compare_counts("x", {"0": 100}, {"0": 100}, ALPHA).p == 1
    assert compare_counts("x", {"0": 100}, {"1": 100}, ALPHA).p < 1e-20


def test_very_many_outcomes_need_bounded_memory(monkeypatch) -> None:
    monkeypatch.setattr(equality, "PERMUTATIONS", 499)
    counts = {str(i): 1 for i in range(20_000)}
    told = compare_counts("x", counts, counts, ALPHA)
    assert told.p == 1


@pytest.mark.parametrize(
    ("p", "shots"),
    [([0.5, 0.5], 1000), ([0.97, 0.03], 60), ([0.4, 0.3, 0.2, 0.1], 500), ([1 / 64] * 64, 150)],
)
def test_equal_distributions_are_called_different_no_more_often_than_agreed(p, shots, monkeypatch) -> None:
    monkeypatch.setattr(equality, "PERMUTATIONS", 499)
    generator = numpy.random.default_rng(5)
    trials = 120
    rejected = sum(
        compare_counts("x", drawn(generator, p, shots), drawn(generator, p, shots), 0.05).p < 0.05
        for _ in range(trials)
    )
    # Above 14 of 120 lies less than one in a thousand when the rate is 0.05.
    assert rejected <= stats.binom.isf(0.001, trials, 0.05)


@pytest.mark.parametrize(("shots", "distance"), [(300, 0.1), (1000, 0.1), (150, 0.1)])
def test_stated_power_is_reached(shots, distance) -> None:
    generator = numpy.random.default_rng(3)
    p, q = [0.5, 0.5], [0.5 + distance, 0.5 - distance]
    trials = 300
    told = compare_counts(
        "x", {"0": shots // 2, "1": shots - shots // 2}, {"0": shots // 2, "1": shots // 2}, 0.05
    )
    seen = sum(
        compare_counts("x", drawn(generator, p, shots), drawn(generator, q, shots), 0.05).p < 0.05
        for _ in range(trials)
    )
    # The statement is a lower bound: what is seen may be more, and less only by chance.
    assert seen >= stats.binom.ppf(0.001, trials, told.power)


def test_what_is_detectable_shrinks_with_shots() -> None:
    few = compare_counts("x", {"0": 50, "1": 50}, {"0": 50, "1": 50}, ALPHA)
    many = compare_counts("x", {"0": 5000, "1": 5000}, {"0": 5000, "1": 5000}, ALPHA)
    assert few.power < 0.3 < 0.999 < many.power
    assert few.detectable > 5 * many.detectable
    assert compare_counts("x", {"0": 1, "1": 1}, {"0": 1, "1": 1}, ALPHA).detectable is None


def test_estimates_are_compared_by_their_errors() -> None:
    a = Part("0/evs", values=[0.50, 0.0], errors=[0.01, 0.01])
    near, far = (
        Part("0/evs", values=[0.51, 0.0], errors=[0.01, 0.01]),
        Part("0/evs", values=[0.6, 0.0], errors=[0.01] * 2),
    )
    assert all(told.adjusted > ALPHA for told in compare([a], [near], ALPHA))
    assert min(told.adjusted for told in compare([a], [far], ALPHA)) < ALPHA
    (told, _) = compare([a], [near], ALPHA)
    assert told.p == pytest.approx(2 * stats.norm.sf(0.01 / (0.01 * 2**0.5)))


def test_estimates_without_an_error_must_be_the_same() -> None:
    a = Part("0/evs", values=[0.25])
    assert compare([a], [Part("0/evs", values=[0.25 + 1e-15])], ALPHA)[0].adjusted == 1
    assert compare([a], [Part("0/evs", values=[0.2501])], ALPHA)[0].adjusted == 0


def test_many_comparisons_are_corrected() -> None:
    generator = numpy.random.default_rng(4)
    parts = [[Part(str(i), drawn(generator, [0.5, 0.5], 500)) for i in range(100)] for _ in range(2)]
    found = compare(*parts, ALPHA)
    assert min(told.p for told in found) < 0.05
    assert min(told.adjusted for told in found) > ALPHA
    expected = stats.false_discovery_control([told.p for told in found], method="by")
    assert len(expected) == len(found)


@pytest.mark.parametrize("second", [[], [Part("y", {"0": 1})], [Part("x", values=[1.0])]])
def test_runs_that_measured_different_things_are_not_compared(second) -> None:
    with pytest.raises(ValueError, match=r"."):
        compare([Part("x", {"0": 1})], second, ALPHA)


counts = st.dictionaries(st.text("01", min_size=1, max_size=4), st.integers(1, 500), min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(counts, counts)
def test_any_counts_give_a_probability_and_do_not_depend_on_the_order(a, b) -> None:
    one, two = compare_counts("x", a, b, ALPHA), compare_counts("x", b, a, ALPHA)
    assert 0 <= one.p <= 1
    assert 0 <= one.distance <= 1
    assert one.distance == pytest.approx(two.distance)
    if "permutation" not in one.test:
        assert one.p == pytest.approx(two.p, rel=1e-6, abs=1e-12)


@given(st.lists(st.tuples(st.text(max_size=5), counts)))
def test_measured_comes_back_as_it_was(given_parts) -> None:
    parts = [Part(name, held) for name, held in given_parts] + [Part("e", values=[0.1], errors=[0.2])]
    assert measured.decode(measured.encode(parts)) == parts


@pytest.mark.parametrize("data", [b"[]", b"{}", b'{"format": "qsec.dev/measured/v1", "parts": [1]}', b"x"])
def test_what_is_not_measured_is_refused(data) -> None:
    with pytest.raises(ValueError, match=r"."):
        measured.decode(data)
    assert json.loads(measured.encode([])) == {"format": measured.FORMAT, "parts": []}
