"""The table of claims of chapter 10 is what the stored runs say, and its rules give the words that they promise."""

import json
import statistics
from pathlib import Path

import neural_tree_claims as script
import pytest
import verdicts

FOLDER = Path(__file__).parent.parent / "benchmarks"
STORED = json.loads(script.RESULT.read_text(encoding="utf-8"))
OURS = json.loads(script.RESULT.with_name("neural_tree.json").read_text(encoding="utf-8"))
THEIRS = json.loads(script.RESULT.with_name("neural_tree_published.json").read_text(encoding="utf-8"))


def claim(beginning):
    (found,) = [row for row in STORED["rows"] if row["claim"].startswith(beginning)]
    return found


def test_the_stored_table_is_the_one_that_the_stored_runs_give():
    """If not: python benchmarks/neural_tree_claims.py."""
    assert STORED["rows"] == script.rows()


def test_what_the_chapter_says_of_the_claims():
    assert claim("the trees of the tables have")["verdict"] == "holds"
    assert claim("single trees read MNIST")["verdict"] == "holds"
    assert claim("the score is that of unseen")["verdict"] == "does not hold here"
    assert claim("the column headed Adam")["verdict"] == "does not hold here"


@pytest.mark.parametrize("beginning", ["accuracies:", "r² of the regressions", "the score is that"])
def test_a_row_says_how_many_runs_it_rests_on(beginning):
    words = claim(beginning)["settings"]
    regression = {"accuracies:": [False], "r² of the regressions": [True]}.get(beginning, [False, True])
    for name in (name for kind in regression for name in script.tables(THEIRS, regression=kind)):
        number = len(OURS["their_splits"][name]) if script.paired(OURS, name) else len(script.made(OURS, name))
        assert f"{name} {number}" in words


def made_up(gains):
    """Six runs a table in which our best moment is below theirs, and above the last epoch, by these gains."""
    return {
        "their_splits": {
            name: {
                str(k): {
                    "theirs": 0.9 + gain + k / 1000, "best_on_test": 0.9, "validation": 0.9 - gain,
                    "last_epoch": 0.9 - gain - k / 1000, "counted": k != 3, "parameters": 100,
                }
                for k in range(6)
            }
            for name, gain in gains.items()
        },
        "their_rivals": {
            name: {
                str(k): {
                    "logistic regression": {"test": 0.9, "parameters": 10}, "MLP": {"test": 0.95, "parameters": 1000},
                    "decision tree": {"test": 0.9, "parameters": 20}, "random forest": {"test": 0.9, "parameters": 999},
                }
                for k in range(5)
            }
            for name in gains
        },
        "published": {}, "honest": {},
    }  # fmt: skip


def tables(*names):
    """What is read of the authors' trees."""
    score = {"test": [0.9, 0.92, 0.94] * 5, "train": [0.8] * 15}
    return {"tables": {name: {"scores": {"rmsprop": score}} for name in names}}


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ({"iris": 0.0, "wine": 0.004}, "holds"),
        ({"iris": 0.0, "wine": 0.05}, "holds in part"),
        ({"iris": 0.02, "wine": 0.05}, "does not hold here"),
    ],
)
def test_a_claim_about_all_tables_holds_if_it_holds_on_each(gains, verdict):
    assert script.accuracies(tables(*gains), made_up(gains))["verdict"] == verdict
    assert script.unseen(tables(*gains), made_up(gains))["verdict"] == verdict


def test_runs_that_the_papers_mean_leaves_out_are_left_out_of_ours():
    ours = made_up({"baseball": 0.0})
    assert len(script.made(ours, "baseball")) == 5
    ours["their_splits"] = {}
    ours["published"] = {"baseball": {str(k): {"parameters": k, "best_on_test": 0.5} for k in (3, 7, 8, 150)}}
    assert [run["parameters"] for run in script.made(ours, "baseball")] == [8, 150]


def test_a_table_with_few_runs_on_their_splits_is_compared_by_means():
    ours = made_up({"wine": 0.0})
    best = [0.8, 0.84, 0.86, 0.9]
    ours["published"]["wine"] = {
        str(k): {"best_on_test": score, "last_epoch": 0.7, "parameters": 100} for k, score in enumerate(best)
    }
    for k in range(2, 6):
        del ours["their_splits"]["wine"][str(k)]
    low, high = script.shortfall(tables("wine"), ours, "wine")
    published = [0.9, 0.92, 0.94] * 5
    assert (low + high) / 2 == pytest.approx(0.92 - 0.85, rel=1e-9)
    error = (statistics.variance(published) / 15 + statistics.variance(best) / 4) ** 0.5
    assert (high - low) / 2 == pytest.approx(2.353 * error, rel=1e-9)
    assert "on splits and trees of our own: wine 4" in script.accuracies(tables("wine"), ours)["settings"]


def test_rivals_are_compared_on_the_runs_that_all_tables_have():
    ours = made_up({"iris": 0.0, "wine": 0.02})
    found = script.ahead_of_others(tables("iris", "wine"), ours)
    assert found["verdict"] == "does not hold here"
    assert "trees 0.890, logistic regression 0.900, perceptron 0.950" in found["ours"]
    assert "minus tree +6.0 to +6.0 points" in found["ours"]
    assert script.few_numbers(tables("iris", "wine"), ours)["verdict"] == "holds in part"


def test_without_enough_rivals_the_ten_honest_runs_are_compared():
    ours = made_up({"iris": 0.0, "wine": 0.02})
    del ours["their_rivals"]["wine"]["1"]
    ours["honest"] = {
        name: {
            str(k): {"test": 0.8 + k / 100, "parameters": 90, "rivals": ours["their_rivals"]["iris"]["0"]}
            for k in range(10)
        }
        for name in ("iris", "wine")
    }
    found = script.ahead_of_others(tables("iris", "wine"), ours)
    assert "trees 0.845" in found["ours"]
    assert "ten splits of our own" in found["settings"]


def test_the_interval_of_thirty_runs_is_students():
    draws = [((7 * k) % 30) / 30 for k in range(30)]
    low, high = verdicts.interval(draws)
    assert (high - low) / 2 == pytest.approx(1.699 * statistics.stdev(draws) / 30**0.5, rel=1e-9)
