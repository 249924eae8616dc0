"""The forward gradient: exact moments by enumeration first, then what only drawing can show."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from averages import WORLD, largest_z, weighted_moments

from coursepkg import gradients, nn
from coursepkg.estimators import along, directions, expectations
from coursepkg.estimators.directions import KINDS, sample_directions, signs
from coursepkg.estimators.forward_gradient import value_and_forward_gradient


def bent(x):
    """A smooth function whose gradient has neither zeros nor equal entries."""
    return np.sum(np.sin(x) * np.arange(1.0, x.size + 1)) + np.prod(np.cos(x / 3))


POINT = np.array([0.3, -1.1, 0.7, 1.9, -0.4, 0.9])
GRADIENT = gradients.reverse(bent)(POINT)


def mixed_tree(p):
    return np.sum(np.tanh(p["W"] @ p["parts"][0]) * p["parts"][1])


TREE = {
    "W": np.random.default_rng(3).normal(size=(3, 2)),
    "parts": (np.array([0.4, -1.2]), np.array([1.0, 0.5, -2.0])),
}


# --- E1, E2, E3, E6: what one sample is


def test_the_slope_is_gradient_times_direction_by_four_routes():
    v = np.random.default_rng(0).normal(size=6)
    _, slope, _ = along(bent, POINT, v)
    assert slope == pytest.approx(GRADIENT @ v, rel=1e-12)
    assert slope == pytest.approx(bent(POINT + 1e-30j * v).imag / 1e-30, rel=1e-13)
    assert slope == pytest.approx((bent(POINT + 1e-6 * v) - bent(POINT - 1e-6 * v)) / 2e-6, rel=1e-6)
    assert slope == pytest.approx(gradients.vjp(bent, POINT)[1](1.0) @ v, rel=1e-12)


def test_slopes_are_linear_in_the_direction_and_adjoint_to_the_vjp():
    rng = np.random.default_rng(1)
    u, w = rng.normal(size=6), rng.normal(size=6)

    def map_(x):
        return np.outer(np.tanh(x), np.cos(x))[:2, 1:4]

    both = gradients.jvp(map_, POINT, 0.7 * u - 1.3 * w)[1]
    apart = 0.7 * gradients.jvp(map_, POINT, u)[1] - 1.3 * gradients.jvp(map_, POINT, w)[1]
    np.testing.assert_allclose(both, apart, rtol=1e-12)
    due = rng.normal(size=(2, 3))
    assert np.sum(due * both) == pytest.approx(gradients.vjp(map_, POINT)[1](due) @ (0.7 * u - 1.3 * w), rel=1e-12)


def test_the_estimates_along_all_axes_add_up_to_the_gradient():
    total = sum(along(bent, POINT, e)[2] for e in np.eye(6))
    np.testing.assert_allclose(total, GRADIENT, rtol=1e-12)


def test_walking_backwards_says_the_same_and_never_points_uphill():
    rng = np.random.default_rng(2)
    for _ in range(20):
        v = rng.normal(size=6)
        _, slope, g = along(bent, POINT, v)
        np.testing.assert_allclose(along(bent, POINT, -v)[2], g, rtol=1e-12)
        assert g @ GRADIENT == pytest.approx(slope**2, rel=1e-12)
        assert g @ GRADIENT >= 0


# --- E4, E5: exact moments without drawing anything


def estimates_along(rows):
    return np.array([along(bent, POINT, v)[2] for v in rows])


def test_over_all_sign_vectors_the_mean_is_the_gradient_and_the_length_d_times_its_own():
    g = estimates_along(np.array(list(product((-1.0, 1.0), repeat=6))))
    np.testing.assert_allclose(g.mean(axis=0), GRADIENT, rtol=1e-12)
    ratio = np.mean(np.sum(g**2, axis=1)) / np.sum(GRADIENT**2)
    assert ratio == pytest.approx(expectations.squared_length_ratio(6), rel=1e-12)
    variance = g.var(axis=0)
    np.testing.assert_allclose(variance, np.sum(GRADIENT**2) - GRADIENT**2, rtol=1e-12)


def test_gauss_hermite_points_give_the_gaussian_moments():
    mean, squared, per_entry = weighted_moments(estimates_along, 6)
    np.testing.assert_allclose(mean, GRADIENT, rtol=1e-12)
    assert squared / np.sum(GRADIENT**2) == pytest.approx(
        expectations.squared_length_ratio(6, directions="gaussian"), rel=1e-12
    )
    np.testing.assert_allclose(per_entry, np.sum(GRADIENT**2) + GRADIENT**2, rtol=1e-12)


def test_over_all_coordinates_the_mean_is_the_gradient():
    g = estimates_along(np.sqrt(6.0) * np.eye(6))
    np.testing.assert_allclose(g.mean(axis=0), GRADIENT, rtol=1e-12)
    assert np.mean(np.sum(g**2, axis=1)) == pytest.approx(6 * np.sum(GRADIENT**2), rel=1e-12)


def test_unit_length_directions_would_be_biased_by_d():
    """The trap: a normalised v changes the learning rate in silence."""
    rows = np.array(list(product((-1.0, 1.0), repeat=6))) / np.sqrt(6.0)
    np.testing.assert_allclose(estimates_along(rows).mean(axis=0), GRADIENT / 6, rtol=1e-12)


# --- E7, E9: many directions at once


@pytest.mark.parametrize("kind", list(KINDS))
def test_directions_taken_together_are_those_taken_one_by_one(kind):
    v = sample_directions(kind, 6, count=4, rng=np.random.default_rng(5))
    value, slopes = gradients.jvps(bent, POINT, v)
    assert value == pytest.approx(bent(POINT), rel=1e-14)
    np.testing.assert_allclose(slopes, [along(bent, POINT, row)[1] for row in v], rtol=1e-12)


@pytest.mark.parametrize("kind", ["orthonormal", "coordinate"])
def test_as_many_directions_without_overlap_as_entries_are_exact(kind):
    for f, x in ((bent, POINT), (mixed_tree, TREE)):
        size = 6 if f is bent else 11
        exact = partial(gradients.forward_gradient, directions=kind, count=size, rng=np.random.default_rng(0))
        routes = {"reverse": gradients.reverse, "numeric": gradients.numeric, "forward gradient": exact}
        assert gradients.compare(f, x, routes=routes).agree


def test_a_plain_average_of_d_directions_is_not_exact_and_compare_says_so():
    noisy = partial(gradients.forward_gradient, directions="gaussian", count=6, rng=np.random.default_rng(0))
    found = gradients.compare(bent, POINT, routes={"reverse": gradients.reverse, "forward gradient": noisy})
    assert not found.agree


def test_value_and_estimate_come_from_one_pass_and_keep_structure_and_dtype():
    calls = []

    def counted(p):
        calls.append(1)
        return mixed_tree(p)

    single = {"W": TREE["W"].astype(np.float32), "parts": TREE["parts"]}
    value, g = value_and_forward_gradient(counted, rng=np.random.default_rng(0))(single)
    assert len(calls) == 1
    assert value == pytest.approx(mixed_tree(TREE), rel=1e-6)
    assert g["W"].dtype == np.float32
    assert [part.shape for part in g["parts"]] == [(2,), (3,)]


def test_a_function_of_several_arguments_gets_several_estimates():
    a, b = gradients.forward_gradient(lambda x, y: np.sum(x) * y, rng=np.random.default_rng(0))(np.ones(3), 2.0)
    assert (a.shape, b.shape) == ((3,), ())


# --- S1, S2, S7: drawing


def drawn(kind, d, count, seed=7):
    """Directions one after the other; those without overlap are drawn in pairs, so two rows belong together."""
    rng = np.random.default_rng(seed)
    if kind not in directions.WITHOUT_OVERLAP:
        return sample_directions(kind, d, count=count, rng=rng)
    return np.concatenate([sample_directions(kind, d, count=2, rng=rng) for _ in range(count // 2)])


SAMPLES = {"gaussian": 400_000, "rademacher": 400_000, "sphere": 400_000, "orthonormal": 40_000, "coordinate": 40_000}


@pytest.mark.parametrize("kind", list(KINDS))
def test_each_kind_of_direction_has_identity_second_moment(kind):
    v = drawn(kind, 5, SAMPLES[kind] // 4)
    products = np.einsum("ni,nj->nij", v, v).reshape(len(v), -1)
    assert largest_z(products, np.eye(5).reshape(-1), blocks=2) < WORLD


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_length_of_the_estimate_is_what_the_formula_says(kind):
    gradient = np.linspace(-1.0, 2.0, 20)
    v = drawn(kind, 20, SAMPLES[kind] // 4)
    lengths = ((v @ gradient) ** 2 * np.sum(v * v, axis=1) / np.sum(gradient**2))[:, None]
    assert largest_z(lengths, [expectations.squared_length_ratio(20, directions=kind)], blocks=2) < WORLD


@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "sphere"])
def test_the_mean_is_right_and_a_bias_of_two_per_cent_would_be_seen(kind):
    """The estimate regressed on the gradient has slope 1; planted biases show that the test has the power to say so."""
    gradient = np.linspace(-1.0, 2.0, 6)
    v = drawn(kind, 6, SAMPLES[kind])
    slopes = gradients.jvps(lambda x: gradient @ x, POINT, v[:100])[1]
    np.testing.assert_allclose(slopes, v[:100] @ gradient, rtol=1e-12)
    regression = ((v @ gradient) ** 2 / np.sum(gradient**2))[:, None]
    assert largest_z(regression, [1.0]) < WORLD
    for bias in (0.98, 1.02):
        assert largest_z(bias * regression, [1.0]) > WORLD


def test_errors_of_successive_steps_are_independent():
    rng = np.random.default_rng(11)
    estimate = gradients.forward_gradient(lambda x: GRADIENT @ x, rng=rng)
    errors = np.array([estimate(POINT) - GRADIENT for _ in range(2000)])
    for entry in range(6):
        e = errors[:, entry]
        assert abs(np.corrcoef(e[:-1], e[1:])[0, 1]) < 4.5 / np.sqrt(len(e))


def test_the_same_seed_gives_the_same_estimate_and_every_call_a_new_one():
    first, second = (gradients.forward_gradient(bent, rng=np.random.default_rng(4)) for _ in range(2))
    a = first(POINT)
    np.testing.assert_array_equal(a, second(POINT))
    assert not np.allclose(a, first(POINT))


# --- whole nets


def test_slopes_of_whole_nets_agree_with_reverse_mode():
    rng = np.random.default_rng(0)
    nets = {
        "dense": (nn.Sequential(nn.Linear(5, 4, rng=rng), nn.GELU(), nn.Linear(4, 3, rng=rng)), (7, 5)),
        "convolution": (
            nn.Sequential(
                nn.Conv2d(1, 2, 3, padding=1, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                nn.Linear(8, 3, rng=rng),
            ),
            (7, 1, 4, 4),
        ),
        "normalised": (nn.Sequential(nn.Linear(5, 4, rng=rng), nn.LayerNorm(4), np.tanh), (7, 5)),
    }  # fmt: skip
    for name, (net, shape) in nets.items():
        x, y = rng.normal(size=shape), rng.integers(0, 3, 7)
        point = {k: p.data for k, p in net.named_parameters()}
        v = {k: rng.normal(size=p.shape) for k, p in point.items()}

        def loss(values, net=net, x=x, y=y):
            return nn.cross_entropy(nn.functional_call(net, values, x), y)

        exact = gradients.reverse(loss)(point)
        slope = along(loss, point, v)[1]
        assert slope == pytest.approx(sum(np.sum(exact[k] * v[k]) for k in v), rel=1e-10), name


# --- bad input


def test_bad_directions_get_advice():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="must be one of gaussian, rademacher, sphere, orthonormal, coordinate"):
        gradients.forward_gradient(bent, directions="normal", rng=rng)
    with pytest.raises(ValueError, match="at least one direction, got count=0"):
        gradients.forward_gradient(bent, count=0, rng=rng)
    with pytest.raises(TypeError, match=r"whole number; got 2\.5"):
        gradients.forward_gradient(bent, count=2.5, rng=rng)
    with pytest.raises(ValueError, match="only 6 orthonormal directions for 6 entries, got count=7"):
        gradients.forward_gradient(bent, directions="orthonormal", count=7, rng=rng)(POINT)
    with pytest.raises(TypeError, match=r"Try rng=np\.random\.default_rng\(3\)"):
        gradients.forward_gradient(bent, rng=3)(POINT)
    with pytest.raises(ValueError, match="no entries"):
        gradients.forward_gradient(bent, rng=rng)(np.zeros(0))
    with pytest.raises(ValueError, match="zero everywhere"):
        along(bent, POINT, np.zeros(6))
    with pytest.raises(ValueError, match=r"shapes of the point; got \(5,\) for a point of \(6,\)"):
        along(bent, POINT, np.ones(5))


def test_bad_points_and_functions_get_advice():
    estimate = gradients.forward_gradient(bent, rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"floating-point numbers; got dtype int64. Write 1\.0"):
        estimate(np.array([1, 2, 3]))
    with pytest.raises(TypeError, match="dtype complex128"):
        estimate(np.array([1j, 2.0]))
    with pytest.raises(ValueError, match="NaN or infinity"):
        estimate(np.array([1.0, np.nan]))
    with pytest.raises(TypeError, match="needs a point"):
        estimate()
    with pytest.raises(ValueError, match=r"single number, but .* returned shape \(6,\)"):
        gradients.forward_gradient(np.sin, rng=np.random.default_rng(0))(POINT)
    with pytest.raises(ValueError, match="its slope along the direction inf"), np.errstate(divide="ignore"):
        along(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 1.0]), np.array([1.0, 1.0]))


def test_signs_are_signs_in_every_shape_and_dtype():
    for shape, kind in (((3, 5), np.float32), (17, np.float64), ((0,), np.float64), ((2, 2, 3), np.float16)):
        drawn = signs(shape, np.random.default_rng(0), kind)
        assert drawn.shape == (shape if isinstance(shape, tuple) else (shape,))
        assert drawn.dtype == kind
        assert set(np.unique(drawn)) <= {-1.0, 1.0}
    assert directions.KINDS.keys() == KINDS.keys()
