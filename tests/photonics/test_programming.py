"""A flawed mesh can be made to do what the ideal one does, with a model of its flaws or by looking for darkness."""

import numpy as np
import pytest
from optical import LAYOUTS

from coursepkg.photonics import (
    Bench,
    CouplerError,
    Crosstalk,
    Mesh,
    PhaseError,
    Quantisation,
    correct,
    fabricate,
    haar_unitary,
    mzi,
    null_bottom,
    nullify,
)
from coursepkg.photonics.programming import reachable_bar_power


def distance(mesh, target):
    return np.linalg.norm(mesh.matrix() - target) / np.sqrt(mesh.n)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 4, 9, 16])
def test_correction_is_exact_within_reach(n, layout):
    exact = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        target = haar_unitary(n, rng=rng)
        mesh = fabricate(Mesh.from_unitary(target, layout), CouplerError(0.01), rng=rng)
        before = distance(mesh, target)
        within = correct(mesh, target)
        if within.all():
            exact += 1
            assert distance(mesh, target) < 1e-12 < before
        else:
            assert distance(mesh, target) < before / 4
    assert exact >= 2


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("n", "sigma"), [(64, 0.02), (64, 0.05)])
def test_out_of_reach_what_is_left_grows_with_the_square_of_the_error(n, sigma, layout):
    rng = np.random.default_rng(n)
    target = haar_unitary(n, rng=rng)
    mesh = fabricate(Mesh.from_unitary(target, layout), CouplerError(sigma), rng=rng)
    assert distance(mesh, target) == pytest.approx(sigma * np.sqrt(2 * (n - 1)), rel=0.1)
    within = correct(mesh, target)
    assert 0.85 < within.mean() < 1
    assert 0.4 < distance(mesh, target) / (n * sigma**2) < 1.1


@pytest.mark.parametrize("layout", LAYOUTS)
def test_correction_reaches_through_offsets_and_heat(layout):
    rng = np.random.default_rng(3)
    target = haar_unitary(6, rng=rng)
    mesh = fabricate(Mesh(6, layout), CouplerError(0.005), PhaseError(0.3), Crosstalk(0.02), rng=rng)
    assert correct(mesh, target).all()
    assert distance(mesh, target) < 1e-12
    coarse = fabricate(mesh, Quantisation(12), rng=rng)
    correct(coarse, target)
    assert distance(coarse, target) == pytest.approx(2 * np.pi / 2**12 * np.sqrt(6 / 12), rel=0.4)


def test_correcting_perfect_hardware_is_programming_it():
    rng = np.random.default_rng(0)
    for special in (np.eye(4), np.eye(4)[::-1], haar_unitary(4, rng=rng)):
        for layout in LAYOUTS:
            mesh = Mesh.random(4, layout, rng=rng)
            assert correct(mesh, special).all()
            np.testing.assert_allclose(mesh.matrix(), special, atol=1e-12)


def test_the_reachable_power_is_what_scanning_theta_finds():
    rng = np.random.default_rng(9)
    flaws = rng.normal(size=(20, 2)) * 0.2
    scan = np.abs(mzi(np.linspace(0, np.pi, 401)[:, None], 0.0, flaws)[..., 0, 0]) ** 2
    least, largest = reachable_bar_power(flaws)
    np.testing.assert_allclose(scan.min(axis=0), least, atol=1e-12)
    np.testing.assert_allclose(scan.max(axis=0), largest, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 3, 4, 8])
def test_nulling_programs_a_chip_that_nobody_knows(n, layout):
    rng = np.random.default_rng(n)
    target = haar_unitary(n, rng=rng)
    mesh = fabricate(Mesh(n, layout), CouplerError(0.005), PhaseError(1.0), rng=rng)
    flawless = fabricate(Mesh.from_unitary(target, layout), CouplerError(0.005), rng=np.random.default_rng(1))
    assert correct(flawless, target).all() or n > 4
    launches = nullify(Bench(mesh), target, layout=layout)
    assert distance(mesh, target) < 1e-10
    assert launches <= mesh.depth * 8 * 30 + 1


def test_nulling_takes_rounds_by_columns_not_by_interferometers():
    rng = np.random.default_rng(1)
    target = haar_unitary(12, rng=rng)
    mesh = Mesh(12)
    launches = nullify(Bench(mesh), target)
    assert distance(mesh, target) < 1e-10
    assert launches < 8 * len(mesh.theta)


def analyzer(light):
    """A chain of interferometers, each of which leaves its lower output dark; as a matrix."""
    chain, light = np.eye(len(light), dtype=complex), light.copy()
    for m in reversed(range(len(light) - 1)):
        step = np.eye(len(light), dtype=complex)
        step[m : m + 2, m : m + 2] = mzi(*null_bottom(light[m], light[m + 1]))
        chain, light = step @ chain, step @ light
        assert abs(light[m + 1]) < 1e-12
    return chain


@pytest.mark.parametrize("n", [2, 5, 8])
def test_generator_then_analyzer_is_all_light_in_one_port(n):
    """Run backward, an analyzer of the conjugate makes the light itself: reciprocity."""
    rng = np.random.default_rng(n)
    wanted = rng.normal(size=n) + 1j * rng.normal(size=n)
    wanted /= np.linalg.norm(wanted)
    generator = analyzer(wanted.conj()).T
    made = generator[:, 0]  # one beam into the top port
    np.testing.assert_allclose(made * (wanted[0] / made[0]), wanted, atol=1e-12)
    out = analyzer(wanted) @ made
    assert abs(out[0]) == pytest.approx(1.0, abs=1e-12)
    assert np.abs(out[1:]).max() < 1e-12


def test_bad_targets_are_refused():
    with pytest.raises(ValueError, match="4 ports, the target is a matrix of 3 rows"):
        correct(Mesh(4), np.eye(3))
    with pytest.raises(ValueError, match="not unitary"):
        nullify(Bench(Mesh(4)), np.ones((4, 4)))
