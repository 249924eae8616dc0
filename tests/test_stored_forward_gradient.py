"""The stored runs of the forward gradient, as chapter 09 shows them."""

import pytest

from coursepkg.stored import forward_gradient as stored
from coursepkg.stored import load


def test_walks_that_were_lost_are_counted():
    rows = {(row["function"], row["rate"]): row for row in stored.surfaces()}
    assert rows["Beale from (-1.0, 1.5)", 0.01]["Gaussian, lost"] == "10 of 20"
    assert rows["Rosenbrock from (-1.0, 0.0)", 0.0005]["signs, lost"] == "0 of 20"


def test_the_best_rate_of_one_direction_falls_with_the_parameters():
    assert stored.best_rates()["Gaussian"] == ([650, 4810, 26122], [0.05, 0.01, 0.005])
    assert stored.best_rates()["backprop"][1] == [1.0, 1.0, 0.5]


def test_curves_run_by_iteration_or_by_time():
    by_step, by_time = (stored.losses("mlp", by=axis)["backprop, 0.3"] for axis in ("iteration", "seconds"))
    assert by_step[0][-1] == 1200
    assert by_time[0][-1] == pytest.approx(17.1, abs=0.05)
    assert list(by_step[1]) == list(by_time[1])


def test_the_papers_estimator_has_three_starts_beside_backpropagation():
    found = stored.paper_losses("logistic")
    assert list(found) == [f"{way}, seed {seed}" for way in ("backprop, 1", "Gaussian, 0.003") for seed in range(3)]
    assert found["Gaussian, 0.003, seed 1"][0][-1] == 50_000
    assert found["Gaussian, 0.003, seed 1"][1][-1] == pytest.approx(0.527, abs=5e-4)


def test_one_rate_for_all_hides_the_difference():
    ends = [curve[1][-1] for curve in stored.losses("mlp", "same").values()]
    assert max(ends) - min(ends) < 0.002


def test_each_model_has_its_best_runs():
    rows = stored.best_runs()
    assert len(rows) == 11
    assert rows[0]["test accuracy"] == "92.3 %"


def test_with_depth_a_loss_for_each_layer_gains():
    found = stored.by_depth()
    assert found["activities"] == ([1, 2, 4], [0.14159, 0.31865, 0.56537])
    assert found["local losses"][1][2] == 0.35284


def test_the_parts_of_a_forward_gradient_add_up_to_it():
    whole = load("forward_gradient")["dense"]["rows"]["MLP"]["forward gradient, Gaussian"]["ms"]
    assert sum(stored.milliseconds().values()) == pytest.approx(whole, rel=1e-12)
    assert stored.ratios()["forward gradient, Gaussian"] == pytest.approx(8.93, abs=5e-3)


def test_convolutions_in_three_engines():
    rows = {row["engine"]: row for row in stored.convolutions()}
    assert rows["jax"] == {"engine": "jax", "R_f": "4.17", "R_b": "5.12", "R_f / R_b": "0.81"}
    assert list(rows) == ["course", "torch", "jax"]


def test_sixteen_directions_cost_less_than_half_a_pass_each():
    assert dict(zip(*stored.each_direction(), strict=True))[16] == pytest.approx(0.47, abs=5e-3)


def test_peaks_grow_with_depth_for_backpropagation_alone():
    found = {name: peaks[-1] - peaks[0] for name, (_, peaks) in stored.peaks().items()}
    assert found["backpropagation"] == pytest.approx(30, abs=0.1)
    assert found["rank one"] < 0.2


def test_each_claim_comes_with_its_verdict():
    told = [(row["claim"], row["here"], row["verdict"]) for row in stored.claims()]
    assert told == [(row["claim"], row["ours"], row["verdict"]) for row in load("forward_gradient_claims")["rows"]]
