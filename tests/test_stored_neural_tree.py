"""Chapter 10 shows what was stored about the neural tree."""

from statistics import mean, stdev

import pytest

from coursepkg.stored import load, neural_tree


def test_the_row_of_an_optimizer_has_its_best_moment_and_its_end():
    rows = {row["optimizer"]: row for row in neural_tree.optimizers()}
    assert rows["RMSprop"] == {
        "optimizer": "RMSprop", "best": "0.993 ± 0.015", "published": "0.992", "last epoch": "0.973 ± 0.028",
    }  # fmt: skip
    assert rows["Adam, as coded"]["last epoch"] == "0.787 ± 0.174"


@pytest.mark.parametrize(("name", "expected"), [("iris", (0.990, 0.947, 0.960)), ("wine", (0.997, 0.942, 0.967))])
def test_one_run_is_scored_in_three_ways(name, expected):
    found = neural_tree.three_ways(name)
    assert [len(scores) for scores in found.values()] == [10, 10, 10]
    assert [mean(scores) for scores in found.values()] == pytest.approx(expected, abs=6e-4)


def test_three_scores_of_every_table_at_hand():
    rows = {row["data"]: row for row in neural_tree.three_scores()}
    tables, ours = load("neural_tree_published")["tables"], load("neural_tree")
    assert list(rows) == list(tables)
    for name, row in rows.items():
        theirs = tables[name]["scores"]["rmsprop"]["test"]
        assert row["best on test, theirs"] == f"{mean(theirs):.3f} ± {stdev(theirs):.3f}"
        on_theirs = list(ours["their_splits"].get(name, {}).values())
        if len(on_theirs) >= 5:
            assert row["our runs"] == f"{len(on_theirs)} of 30"
            runs = [run for run in on_theirs if run["counted"]]
            assert row["chosen on validation"].startswith(f"{mean(run['validation'] for run in runs):.3f} ± ")
        else:
            assert row["our runs"].endswith(", own splits")
            regression = name in ("baseball", "diabetes", "friedman")
            runs = [run for run in ours["published"][name].values() if run["parameters"] >= 8 or not regression]
        assert row["last epoch"].startswith(f"{mean(run['last_epoch'] for run in runs):.3f} ± ")
    assert rows["iris"]["our runs"] == "30 of 30"


def test_chosen_by_nothing_every_table_scores_below_the_published_number():
    """As chapter 10 says of the table."""
    for row in neural_tree.three_scores():
        score = {key: float(value.split(" ±")[0]) for key, value in row.items() if " ± " in value}
        for honest in {"chosen on validation", "last epoch"} & set(score):
            assert score[honest] < min(score["best on test, theirs"], score["best on test, ours"]), row["data"]


def test_rivals_stand_on_the_same_splits():
    rows = {row["data"]: row for row in neural_tree.rivals_on_their_splits()}
    stored = load("neural_tree")
    assert set(rows) == {name for name, rivals in stored["their_rivals"].items() if len(rivals) >= 5}
    rivals, trees = stored["their_rivals"]["iris"], stored["their_splits"]["iris"]
    assert rows["iris"]["runs"] == str(len(rivals))
    linear, tree = (
        [rivals[k]["logistic regression"]["test"] for k in rivals],
        [trees[k]["validation"] for k in rivals],
    )
    assert rows["iris"]["linear model"] == f"{mean(linear):.3f} ± {stdev(linear):.3f}"
    assert rows["iris"]["neural tree"] == f"{mean(tree):.3f} ± {stdev(tree):.3f}"


def test_digit_trees_have_the_errors_of_their_names_and_the_recomputed_ones():
    assert neural_tree.digit_trees() == [
        {"tree": "mnist_10k", "parameters": "11,987", "in its name": "7.7 %", "recomputed": "7.73 %"},
        {"tree": "mnist_18k", "parameters": "18,836", "in its name": "6.5 %", "recomputed": "6.59 %"},
        {"tree": "mnist_20k", "parameters": "23,835", "in its name": "6.0 %", "recomputed": "6.05 %"},
    ]


def test_claims_come_with_settings_and_verdict():
    rows = neural_tree.claims()
    assert [row["verdict"] for row in rows] == [row["verdict"] for row in load("neural_tree_claims")["rows"]]
    assert all(list(row) == ["claim", "verdict", "published", "here", "settings"] for row in rows)


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
        "data": "ionosphere", "neural tree": "0.896 ± 0.034", "logistic regression": "0.871 ± 0.027",
        "MLP": "0.856 ± 0.037", "decision tree": "0.897 ± 0.035", "random forest": "0.929 ± 0.034",
    }  # fmt: skip
