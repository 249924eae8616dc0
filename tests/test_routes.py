"""One gradient, many routes: exact ones agree, estimates are right on average, and costs are those that are counted."""

import numpy as np
import pytest

from coursepkg import routes
from coursepkg.photonics import SVDMesh
from coursepkg.photonics.errors import TapNoise
from coursepkg.routes.light import settings_jacobian

PROBLEMS = {
    "the chapter's": routes.flowers(),
    "another start": routes.flowers(seed=3),
    "wide, one flower of each": routes.flowers(hidden=5, each=1, seed=1),
    "narrow": routes.flowers(hidden=2, each=7, seed=2),
}
SMALL = {name: problem for name, problem in PROBLEMS.items() if problem.sizes == (4, 3, 3)}
NAMES = {route.name: route for route in routes.EXACT}


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def exact(problem):
    return routes.flat(routes.reverse_mode(problem).gradient)


def loss_in_loops(problem, theta):
    """The same loss for one vector of parameters, number by number: it shares no line with the package."""
    inputs, hidden, outputs = problem.sizes
    values = iter(theta)
    W1 = [[next(values) for _ in range(inputs)] for _ in range(hidden)]
    b1 = [next(values) for _ in range(hidden)]
    W2 = [[next(values) for _ in range(hidden)] for _ in range(outputs)]
    b2 = [next(values) for _ in range(outputs)]
    total = 0.0
    for x, t in zip(problem.x.tolist(), problem.t.tolist(), strict=True):
        h = [
            1 / (1 + np.exp(-b - sum(w * v for w, v in zip(row, x, strict=True))))
            for row, b in zip(W1, b1, strict=True)
        ]
        y = [
            1 / (1 + np.exp(-b - sum(w * v for w, v in zip(row, h, strict=True))))
            for row, b in zip(W2, b2, strict=True)
        ]
        total += sum((a - b) ** 2 for a, b in zip(y, t, strict=True))
    return total / (2 * len(problem.x))


# --- exact routes


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_reverse_mode_gives_the_slopes_of_a_loss_in_plain_loops(problem):
    theta, slopes = routes.flat(problem.parameters), []
    for i in range(problem.count):
        step = np.zeros(problem.count)
        step[i] = 1e-5
        slopes.append((loss_in_loops(problem, theta + step) - loss_in_loops(problem, theta - step)) / 2e-5)
    assert routes.relative_gap(slopes, exact(problem)) < 1e-8


def test_reverse_mode_agrees_with_pytorch():
    torch = pytest.importorskip("torch")
    problem = routes.flowers()
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in problem.parameters.items()}
    x, t = torch.tensor(problem.x.copy()), torch.tensor(problem.t.copy())
    h = torch.sigmoid(x @ leaves["W1"].T + leaves["b1"])
    y = torch.sigmoid(h @ leaves["W2"].T + leaves["b2"])
    (torch.sum((y - t) ** 2) / (2 * len(x))).backward()
    found = routes.flat({name: leaf.grad.numpy() for name, leaf in leaves.items()})
    assert routes.relative_gap(found, exact(problem)) < 1e-12


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "symbols"])
def test_every_exact_route_agrees(name, problem):
    found = NAMES[name].run(problem).gradient
    assert {key: found[key].shape for key in found} == {k: v.shape for k, v in problem.parameters.items()}
    assert routes.relative_gap(routes.flat(found), exact(problem)) < 1e-9


@pytest.mark.parametrize("problem", SMALL.values(), ids=SMALL)
def test_the_algebra_of_one_flower_agrees_when_it_is_averaged(problem):
    assert routes.relative_gap(routes.flat(routes.by_symbols(problem).gradient), exact(problem)) < 1e-12


def test_the_settings_move_the_matrix_as_light_says(rng):
    W = rng.normal(size=(3, 4))
    light = SVDMesh.from_matrix(W)
    settings = [light.first.phases, light.attenuation, light.last.phases]
    moves = settings_jacobian(light).reshape(-1, 3, 4)
    assert len(moves) == 16 + 3 + 9
    rows = iter(moves)
    for values in settings:
        for i in range(len(values)):
            values[i] += 1e-6
            there = light.matrix().real
            values[i] -= 2e-6
            back = light.matrix().real
            values[i] += 1e-6
            np.testing.assert_allclose(next(rows), (there - back) / 2e-6, rtol=0, atol=1e-8)


def test_slopes_of_settings_determine_the_gradient_of_the_matrix(rng):
    W, W_bar = rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    light = SVDMesh.from_matrix(W)
    slopes = settings_jacobian(light) @ W_bar.ravel()
    np.testing.assert_allclose(routes.weight_from_phases(light, slopes), W_bar, rtol=1e-9)


def test_the_toggle_gives_what_the_subtraction_gives():
    problem = routes.flowers()
    one, two = (routes.in_light(problem, readout=readout) for readout in ("subtraction", "toggle"))
    assert routes.relative_gap(routes.flat(two.gradient), routes.flat(one.gradient)) < 1e-10
    assert (one.meter.forward, two.meter.forward) == (4, 6)
    assert one.kept > two.kept == 0


# --- what they cost


def products_in_loops(problem):
    """Multiplications of reverse mode, one by one, in the matrix products of the network and of its gradient."""
    (inputs, hidden, outputs), counted = problem.sizes, 0
    for _ in problem.x:
        for _ in range(hidden):
            counted += 2 * inputs  # forward, and the gradient of the weights
        for _ in range(outputs):
            counted += 3 * hidden  # those two, and what goes back to the hidden units
    return counted


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_reverse_mode_takes_less_than_three_forward_passes(problem):
    counted = routes.reverse_mode(problem).meter
    assert counted.products == routes.by_hand(problem).meter.products == products_in_loops(problem)
    once = len(problem.x) * (problem.parameters["W1"].size + problem.parameters["W2"].size)
    assert 2 * once < counted.products < 3 * once
    assert (counted.forward, counted.backward) == (2, 2)


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
@pytest.mark.parametrize("name", ["differences", "complex step", "forward mode", "reverse mode", "checkpointed"])
def test_products_are_predicted_from_shapes(name, problem):
    assert NAMES[name].run(problem).meter.products == routes.predict_products(name, problem.sizes, len(problem.x))


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_forward_gradient_takes_as_many_products_as_reverse_mode(problem):
    counted = routes.forward_gradient(problem, np.random.default_rng(0)).meter
    assert counted.products == routes.predict_products("forward gradient", problem.sizes, len(problem.x))
    assert counted.products == routes.reverse_mode(problem).meter.products
    assert counted.backward == 0


def test_runs_of_layers_are_those_of_the_method():
    problem = routes.flowers()
    counted = {route.name: route.run(problem).meter for route in routes.EXACT}
    assert counted["differences"].forward == 2 * 4 * problem.count
    assert counted["complex step"].forward == counted["forward mode"].forward == 2 * problem.count
    assert (counted["checkpointed"].forward, counted["checkpointed"].backward) == (4, 2)
    assert counted["recurrent, forward"].backward == 0


def test_a_checkpoint_keeps_less_and_computes_more_the_larger_the_batch():
    problem = routes.flowers(hidden=60, each=40)
    plain, forgetful = routes.reverse_mode(problem), routes.checkpointed(problem)
    assert forgetful.kept < plain.kept / 4
    assert forgetful.meter.products > plain.meter.products


def test_carrying_derivatives_forward_keeps_states_times_parameters():
    problem = routes.flowers()
    assert routes.carried_forward(problem).kept == 8 * len(problem.x) * sum(problem.sizes) * problem.count


def test_curves_of_products_hold_what_is_counted_and_the_formula_runs_through_it():
    measured, predicted = routes.products_by_size([2, 6], [2, 6, 50])
    for name, (counts, multiples) in measured.items():
        assert counts == [19, 51]
        assert predicted[name][0] == [19, 51, 403]
        np.testing.assert_allclose(multiples, predicted[name][1][:2], rtol=1e-12)
    assert all(2 < multiple < 3 for multiple in predicted["reverse mode"][1])
    np.testing.assert_allclose(
        predicted["forward gradient, error 0.1"][1],
        [100 * (count - 1) * multiple for count, multiple in zip(*predicted["reverse mode"], strict=True)],
        rtol=1e-12,
    )


def test_curves_of_bytes_hold_what_routes_keep():
    found = routes.bytes_by_size([2, 6])
    assert found["recurrent, forward"][1] == [8 * 12 * 9 * 19, 8 * 12 * 13 * 51]
    assert found["forward gradient"][1] == [8 * 19, 8 * 51]


def test_formulas_of_slopes_are_longer_than_that_of_the_loss():
    of_loss, of_slopes = routes.formula_operations(routes.flowers())
    assert of_slopes > 27 * of_loss / 2
    assert of_loss > 2 * 21  # a product and a sum for each weight at least


def test_every_ending_has_a_situation():
    assert sorted(ending for _, ending in routes.SITUATIONS.values()) == list(range(len(routes.QUESTIONS) + 1))


def test_the_matrix_of_the_recurrent_form_holds_the_weights_and_nothing_else():
    problem = routes.flowers()
    W = routes.recurrent_matrix(problem)
    np.testing.assert_array_equal(W[4:7, :4], problem.parameters["W1"])
    np.testing.assert_array_equal(W[7:, 4:7], problem.parameters["W2"])
    assert np.count_nonzero(W) == 21


def test_an_unknown_formula_is_named():
    with pytest.raises(ValueError, match="forward gradient, got 'light'"):
        routes.predict_products("light", (4, 3, 3), 12)


# --- estimates


@pytest.mark.parametrize("route", routes.ESTIMATES, ids=lambda route: route.name)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_estimates_are_right_on_average(route, seed):
    problem = routes.flowers(seed=seed)
    drawn = routes.draw(route.run, problem, 150, np.random.default_rng(seed))
    assert np.max(np.abs(routes.z_scores(drawn, exact(problem)))) < 4


@pytest.mark.parametrize("route", routes.ESTIMATES, ids=lambda route: route.name)
def test_one_draw_is_not_the_gradient(route):
    problem = routes.flowers()
    found = route.run(problem, np.random.default_rng(0)).gradient
    assert routes.relative_gap(routes.flat(found), exact(problem)) > 0.01


def test_the_forward_gradient_is_as_noisy_as_its_formula_says():
    problem = routes.flowers()
    drawn = routes.draw(routes.forward_gradient, problem, 20_000, np.random.default_rng(0))
    assert routes.noise(drawn, exact(problem)) == pytest.approx(26, rel=0.05)
    assert routes.predicted_noise(routes.forward_gradient, problem) == problem.count - 1


def test_the_sketch_is_as_noisy_as_its_formula_says():
    problem = routes.flowers(hidden=2)
    drawn = routes.draw(routes.sketched, problem, 1500, np.random.default_rng(0))
    assert routes.noise(drawn, exact(problem)) == pytest.approx(
        routes.predicted_noise(routes.sketched, problem), rel=0.1
    )


def test_a_sketch_leaves_biases_alone():
    problem = routes.flowers()
    found, right = (r.gradient for r in (routes.sketched(problem, np.random.default_rng(0)), routes.by_hand(problem)))
    for name in ("b1", "b2"):
        np.testing.assert_allclose(found[name], right[name], rtol=1e-12)
    assert routes.relative_gap(found["W1"], right["W1"]) > 0.01


def test_draws_in_one_run_are_those_of_single_walks():
    problem = routes.flowers()
    many = routes.draw(routes.forward_gradient, problem, 3, np.random.default_rng(5))
    directions = np.sign(many)
    for one, v in zip(many, directions, strict=True):
        assert np.ptp(np.abs(one)) < 1e-12 * np.max(np.abs(one))  # the same slope in front of every sign
        slope = exact(problem) @ v
        np.testing.assert_allclose(one, slope * v, rtol=1e-9)


def test_half_the_noise_of_the_camera_is_half_the_scatter():
    problem = routes.flowers()
    scatter = []
    for sigma in (0.004, 0.002):
        drawn = [
            routes.flat(routes.in_light(problem, [TapNoise(sigma)], np.random.default_rng(k), "toggle").gradient)
            for k in range(20)
        ]
        scatter.append(routes.noise(drawn, exact(problem)))
    assert scatter[0] / scatter[1] == pytest.approx(4, rel=0.01)


def test_one_draw_says_nothing_about_scatter():
    with pytest.raises(ValueError, match="fewer than two draws"):
        routes.draw(routes.sketched, routes.flowers(), 1, np.random.default_rng(0))


# --- how right


def test_z_scores_count_standard_errors():
    draws = np.array([[1.0, 4.0], [2.0, 4.0], [6.0, 4.0]])
    error = np.sqrt(7.0) / np.sqrt(3)  # the sample variance of 1, 2, 6 is 7
    np.testing.assert_allclose(routes.z_scores(draws, [2.0, 4.0]), [1 / error, 0.0], rtol=1e-12)
    assert routes.z_scores(draws, [2.0, 5.0])[1] == np.inf


def test_a_bias_of_a_hundredth_is_found_by_enough_draws(rng):
    true = np.array([1.0, -2.0, 0.5])
    drawn = 1.01 * true + 0.1 * rng.normal(size=(40_000, 3))
    assert np.max(np.abs(routes.z_scores(drawn, true))) > 4


def test_a_gap_is_measured_against_the_largest_entry():
    assert routes.relative_gap([2.0, 1e-9], [2.0, 3e-9]) == pytest.approx(1e-9, rel=1e-9)
    assert routes.relative_gap([2.0, -4.0], [2.0, -5.0]) == pytest.approx(0.2, rel=1e-12)


@pytest.mark.parametrize(
    ("gap", "words"),
    [(0.0, "to 12 digits"), (2.6e-12, "to 11 digits"), (9e-10, "to 9 digits"), (2e-9, "OFF by 2.0e-09")],
)
def test_agreement_in_words(gap, words):
    assert routes.agreement(gap) == words


# --- the table


@pytest.fixture(scope="module")
def table():
    return routes.survey(routes.flowers(), draws=60)


def test_the_table_has_every_route_with_every_entry(table):
    assert [row["route"] for row in table] == [route.name for route in (*routes.EXACT, *routes.ESTIMATES)]
    assert all(all(row.values()) for row in table)
    assert len({tuple(row) for row in table}) == 1


def test_no_exact_route_is_off_and_no_estimate_strays(table):
    for row in table:
        if row["right"] == "exact":
            assert row["how right"] in {f"to {digits} digits" for digits in (9, 10, 11, 12)}
        else:
            assert float(row["how right"].removeprefix("|z| < ")) < 4


def test_measures_are_those_of_the_table_and_time_comes_on_top(table):
    found = routes.measures(routes.flowers())
    rows = {row["route"]: row for row in table}
    assert set(found["time, in forward passes"]) == set(found["bytes kept"]) == set(rows)
    assert all(value > 0 for value in found["time, in forward passes"].values())
    for name, row in rows.items():
        assert row["bytes kept"] == f"{found['bytes kept'][name]}"
        counted = found["products, in forward passes"].get(name)
        assert row["products"] == ("–" if counted is None else f"{counted:.1f}")
    assert found["layers run"]["checkpointed"] == 6
    assert 20 < found["noise, in squared gradients"]["forward gradient"] < 32
