"""The stored runs of memory-efficient backpropagation, as chapter 08 shows them."""

import pytest

from coursepkg.stored import load
from coursepkg.stored import memory_efficient as stored


def test_losses_are_means_over_seeds_in_the_order_of_the_rates():
    curves = stored.digits_losses()
    assert curves["rows"][0] == [0.05, 0.1, 0.25, 0.5]
    assert curves["rows"][1] == pytest.approx([0.1158, 0.0728, 0.0321, 0.0168], abs=6e-5)
    assert curves["exact"][1] == pytest.approx(2 * [0.0103], abs=6e-5)


def test_scores_are_shares_of_unseen_digits():
    assert stored.digits_scores()["fold"][1] == pytest.approx([0.963, 0.981, 0.987, 0.991], abs=6e-4)


def test_docstrings_have_a_row_for_each_sketch_and_rate():
    rows = {(row["sketch"], row["rows kept"]): row for row in stored.docstrings()}
    assert len(rows) == 8
    assert rows["exact", "100%"]["unseen texts"] == "75.2%"
    assert rows["exact", "100%"]["from, to"] == "74.6%, 75.9%"
    assert rows["gaussian", "10%"]["training loss"] == "0.187"
    assert rows["fold", "2%"]["held"] == "2.59 MiB"
    assert stored.docstring_baselines()["counting words"] == pytest.approx(0.817, abs=6e-4)


def test_times_are_ratios_to_the_exact_product():
    assert stored.speed()["gaussian"] == ([0.125, 0.25, 0.5], pytest.approx([1.39, 2.65, 5.68], abs=6e-3))


def test_each_claim_comes_with_its_verdict():
    told = [(row["claim"], row["verdict"]) for row in stored.claims()]
    assert told == [(row["claim"], row["verdict"]) for row in load("memory_efficient_claims")["rows"]]
