"""The stored runs on the adding problem, as chapter 07 shows them."""

import pytest

from coursepkg.stored import recurrent


@pytest.fixture(scope="module")
def rows():
    return {(row["net"], row["steps"]): row for row in recurrent.adding_outcomes()}


def test_gates_solve_a_hundred_steps_and_the_plain_net_does_not(rows):
    assert [rows[kind, 100]["solved"] for kind in ("GRU", "LSTM", "RNN")] == ["5 of 5", "3 of 3", "0 of 5"]


def test_batches_and_errors_are_ranges_over_the_runs(rows):
    assert rows["GRU", 100]["after batches"] == "400 to 450"
    assert rows["LSTM", 100]["after batches"] == "1,000 to 1,400"
    assert rows["RNN", 100]["error where not"] == "0.153 to 0.169"
    assert rows["RNN", 50]["after batches"] == "3,500"


def test_curves_are_those_of_one_seed():
    curves = recurrent.adding_curves(100, seed=1)
    assert {kind: (len(errors), errors[-1]) for kind, errors in curves.items()} == {
        "GRU": (8, 0.0091), "RNN": (40, 0.16209), "LSTM": (24, 0.00785)
    }  # fmt: skip
