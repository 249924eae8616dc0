"""Chapter 10 shows what was stored about the neural tree."""

from statistics import mean

import pytest

from coursepkg.stored import neural_tree


def test_the_row_of_an_optimizer_has_its_best_moment_and_its_end():
    rows = {row["optimizer"]: row for row in neural_tree.optimizers()}
    assert rows["RMSprop"] == {"optimizer": "RMSprop", "best": "0.993", "published": "0.992", "last epoch": "0.973"}
    assert rows["Adam, as coded"]["last epoch"] == "0.787"


@pytest.mark.parametrize(("name", "expected"), [("iris", (0.990, 0.947, 0.960)), ("wine", (0.997, 0.942, 0.967))])
def test_one_run_is_scored_in_three_ways(name, expected):
    found = neural_tree.three_ways(name)
    assert [len(scores) for scores in found.values()] == [10, 10, 10]
    assert [mean(scores) for scores in found.values()] == pytest.approx(expected, abs=6e-4)


def test_the_published_rule_gives_the_published_numbers():
    rows = {row["data"]: row for row in neural_tree.published()}
    assert rows["iris"]["ours"] == "0.997 ± 0.003"
    assert rows["pima"] == {
        "data": "pima", "ours": "0.800 ± 0.016", "published": "0.822", "their sd": "0.026", "last epoch": "0.721",
    }  # fmt: skip


def test_the_published_runs_err_less_on_their_test_sets():
    found = neural_tree.published_errors()
    assert found["iris"] == (0.076, 0.008)
    assert len(found) == 9
    assert all(test < train for train, test in found.values())


def test_the_contest_counts_numbers_and_scores():
    found = neural_tree.contest("iris", "wine", "wdbc")
    assert found["neural tree"] == pytest.approx((207, 0.957), rel=2e-3)
    assert found["logistic regression"] == pytest.approx((29.3, 0.962), rel=2e-3)


def test_each_table_of_the_contest_has_a_score_for_each_model():
    rows = neural_tree.table_by_table()
    assert [row["data"] for row in rows] == list(neural_tree.CLASSES)
    assert rows[3] == {
        "data": "ionosphere", "neural tree": "0.896", "logistic regression": "0.871", "MLP": "0.856",
        "decision tree": "0.897", "random forest": "0.929",
    }  # fmt: skip
