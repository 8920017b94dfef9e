"""Trees without circles, their clusters and generations; estimates that find what made the numbers."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.tracing import chains
from khien.tracing.backward import excess, gamma_density


@given(st.dictionaries(st.integers(0, 12), st.tuples(st.integers(0, 12), st.floats(0, 1)), max_size=13))
def test_a_tree_has_no_circle_and_loses_no_more_than_it_must(best: dict[int, tuple[int, float]]) -> None:
    links = chains.tree(best)
    assert links.items() <= best.items()
    for start in links:
        seen, at = set(), start
        while at in links:
            assert at not in seen
            seen.add(at)
            at = links[at][0]
    steps = chains.generations(range(13), links)
    assert all(steps[infected] == steps[infector] + 1 for infected, (infector, _) in links.items())
    groups = chains.clusters(range(13), links)
    assert sorted(case for group in groups for case in group) == list(range(13))


def test_the_curve_shows_days_without_cases() -> None:
    first = dt.date(2021, 8, 1)
    days = [first, first, first + dt.timedelta(days=2)]
    assert [n for _, n in chains.epidemic_curve(days)] == [2, 0, 1]


@pytest.mark.parametrize(("r", "k"), [(2.0, 0.3), (1.2, 2.0)])
def test_offspring_finds_r_and_k(r: float, k: float) -> None:
    counts = np.random.default_rng(1).negative_binomial(k, k / (k + r), 3000)
    found = chains.offspring([int(n) for n in counts])
    assert found is not None
    assert found.r.low < r < found.r.high and found.k.low < k < found.k.high


def test_counts_that_are_all_the_same_have_no_upper_bound_of_k() -> None:
    found = chains.offspring([1] * 50)
    assert found is not None and found.r.value == 1 and math.isinf(found.k.high)
    assert chains.offspring([0, 0]) is None and chains.offspring([]) is None


def test_serial_interval_with_its_interval() -> None:
    days = np.random.default_rng(1).gamma(4, 1, 500)
    found = chains.serial_interval([float(d) for d in days])
    assert found is not None
    mean, sd = found
    assert mean.low < 4 < mean.high and sd.low < 2 < sd.high
    assert chains.serial_interval([3, 4]) is None


def test_weights() -> None:
    assert gamma_density(4, 4, 2.5) > gamma_density(12, 4, 2.5) > gamma_density(-2, 4, 2.5) > 0
    assert excess(1, 2) == 0 < excess(5, 1)


@pytest.mark.parametrize(("r", "k"), [(0.8, 0.1), (1.5, 0.5), (2.5, 5.0)])
def test_intervals_hold_the_truth_as_often_as_they_say(r: float, k: float) -> None:
    rng = np.random.default_rng(7)
    rounds, inside_r, inside_k = 40, 0, 0
    for _ in range(rounds):
        found = chains.offspring([int(n) for n in rng.negative_binomial(k, k / (k + r), 300)])
        assert found is not None
        inside_r += found.r.low <= r <= found.r.high
        inside_k += found.k.low <= k <= found.k.high
    assert inside_r / rounds >= 0.85 and inside_k / rounds >= 0.85  # of 95 %, with the error of 40 rounds


def test_the_serial_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    found = [chains.serial_interval(list(rng.gamma(4, 1.5, 80)), seed=n) for n in range(100)]
    assert sum(f is not None and f[0].low <= 6 <= f[0].high for f in found) >= 88
    assert sum(f is not None and f[1].low <= 3 <= f[1].high for f in found) >= 82  # of a skewed spread a little less
