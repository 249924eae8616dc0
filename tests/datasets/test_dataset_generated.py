"""The toy problems have the shape, the balance and the randomness that they promise."""

import subprocess
import sys

import numpy as np
import pytest

from coursepkg import datasets

MAKERS = {"moons": datasets.moons, "rings": datasets.rings, "spirals": datasets.spirals}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("n", [3, 100, 101])
def test_points_are_plane_and_classes_are_balanced(make, n):
    X, y = make(n, rng=np.random.default_rng(1))
    assert X.shape == (n, 2)
    assert X.dtype == np.float64
    assert y.shape == (n,)
    assert np.issubdtype(y.dtype, np.integer)
    counts = np.bincount(y)
    assert counts.sum() == n
    assert np.ptp(counts) <= 1


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_the_generator_decides_everything(make):
    X1, y1 = make(50, rng=np.random.default_rng(7))
    X2, y2 = make(50, rng=np.random.default_rng(7))
    X3, _ = make(50, rng=np.random.default_rng(8))
    np.testing.assert_array_equal(X1, X2)
    np.testing.assert_array_equal(y1, y2)
    assert not np.allclose(X1, X3, rtol=1e-3, atol=0)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_the_classes_come_mixed(make):
    _, y = make(100, rng=np.random.default_rng(3))
    assert len(np.unique(y[:20])) > 1


def test_moons_without_noise_lie_on_two_half_circles():
    X, y = datasets.moons(40, noise=0.0, rng=np.random.default_rng(2))
    np.testing.assert_allclose(np.hypot(*X[y == 0].T), 1.0, rtol=1e-12)
    np.testing.assert_allclose(np.hypot(*(X[y == 1] - [1.0, 0.5]).T), 1.0, rtol=1e-12)
    assert X[y == 0][:, 1].min() >= -1e-12
    assert X[y == 1][:, 1].max() <= 0.5 + 1e-12


def test_moons_are_those_of_scikit_learn():
    from sklearn.datasets import make_moons

    ours, classes = datasets.moons(32, noise=0.0, rng=np.random.default_rng(2))
    theirs, labels = make_moons(32, shuffle=False)
    for k in (0, 1):
        rows = [part[np.lexsort(np.round(part, 9).T)] for part in (ours[classes == k], theirs[labels == k])]
        np.testing.assert_allclose(*rows, rtol=1e-9, atol=1e-12)


def test_rings_without_noise_have_two_radii():
    X, y = datasets.rings(41, noise=0.0, factor=0.3, rng=np.random.default_rng(2))
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y == 0, 1.0, 0.3), rtol=1e-12)


def test_spiral_arms_are_turned_copies_of_each_other():
    X, y = datasets.spirals(60, classes=4, noise=0.0, rng=np.random.default_rng(2))
    arms = [X[y == k][np.argsort(np.hypot(*X[y == k].T))] for k in range(4)]
    quarter_turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(arms[1], arms[0] @ quarter_turn, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.hypot(*arms[2].T).max(), 1.0, rtol=1e-12)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_noise_has_the_stated_standard_deviation(make):
    clean, _ = make(4000, noise=0.0, rng=np.random.default_rng(5))
    noisy, _ = make(4000, noise=0.3, rng=np.random.default_rng(5))
    assert (noisy - clean).std() == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize("wrong", [7, None, np.random.RandomState(7)])
def test_a_seed_in_place_of_a_generator_is_explained(wrong):
    with pytest.raises(TypeError, match=r"np\.random\.default_rng\((7|0)\)"):
        datasets.moons(10, rng=wrong)


def test_impossible_requests_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="at least 2"):
        datasets.moons(1, rng=rng)
    with pytest.raises(ValueError, match="standard deviation"):
        datasets.moons(10, noise=-0.1, rng=rng)
    with pytest.raises(ValueError, match="inner ring"):
        datasets.rings(10, factor=1.5, rng=rng)
    with pytest.raises(ValueError, match="at least 2 classes"):
        datasets.spirals(10, classes=1, rng=rng)


def test_importing_the_data_sets_loads_no_heavy_library():
    code = "import sys, coursepkg.datasets; print(*{'sklearn', 'scipy', 'tqdm', 'pandas', 'ssl'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
