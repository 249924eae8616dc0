"""Unitary to phases and back, for both layouts and for matrices with many zeros."""

import numpy as np
import pytest
from optical import LAYOUTS

from coursepkg.photonics import Mesh, decompose, haar_unitary
from coursepkg.photonics.svd import SVDMesh


def round_trip(unitary, layout):
    return np.abs(Mesh.from_unitary(unitary, layout).matrix() - unitary).max()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 7, 8, 16, 33, 64])
def test_round_trip(n, layout):
    rng = np.random.default_rng(n)
    ports = np.arange(n)
    special = {
        "Haar": haar_unitary(n, rng=rng),
        "real": np.linalg.qr(rng.normal(size=(n, n)))[0],
        "identity": np.eye(n),
        "reversal": np.eye(n)[::-1],
        "cyclic shift": np.roll(np.eye(n), 1, axis=0),
        "diagonal": np.diag(np.exp(1j * rng.uniform(0, 6, n))),
        "Fourier": np.exp(-2j * np.pi * np.outer(ports, ports) / n) / np.sqrt(n),
    }
    for name, unitary in special.items():
        assert round_trip(unitary, layout) < 1e-12, name


@pytest.mark.parametrize("layout", LAYOUTS)
def test_round_trip_at_256(layout):
    assert round_trip(haar_unitary(256, rng=np.random.default_rng(0)), layout) < 1e-12


@pytest.mark.parametrize("layout", LAYOUTS)
def test_phases_lie_in_their_ranges(layout):
    mesh = Mesh.random(9, layout, rng=np.random.default_rng(2))
    assert 0 <= mesh.theta.min() <= mesh.theta.max() <= np.pi
    assert 0 <= mesh.phases.min() <= mesh.phases.max() < 2 * np.pi
    assert mesh.phases.shape == (81,)


def test_the_matrix_given_is_not_changed():
    unitary = haar_unitary(5, rng=np.random.default_rng(1))
    copy = unitary.copy()
    for layout in LAYOUTS:
        decompose(unitary, layout)
        decompose(unitary.T, layout)
    np.testing.assert_array_equal(unitary, copy)


def test_haar_matrices_have_no_preferred_direction():
    rng = np.random.default_rng(5)
    first = np.array([haar_unitary(4, rng=rng)[0, 0] for _ in range(4000)])
    assert abs(np.mean(first)) < 0.03  # the phase of a column is uniform
    assert np.mean(np.abs(first) ** 2) == pytest.approx(1 / 4, rel=0.05)
    assert np.mean(np.abs(first) ** 4) == pytest.approx(2 / (4 * 5), rel=0.08)


def test_haar_meshes_are_mostly_near_cross():
    mesh = Mesh.random(64, rng=np.random.default_rng(0))
    assert np.mean(np.cos(mesh.theta / 2) ** 2) == pytest.approx(0.91, abs=0.01)
    assert np.median(mesh.theta) == pytest.approx(0.39, abs=0.03)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(2, 2), (3, 5), (6, 4), (8, 8)])
def test_any_matrix_through_attenuators(shape, layout):
    rng = np.random.default_rng(7)
    matrix = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    mesh = SVDMesh.from_matrix(matrix, layout)
    x, y = rng.normal(size=(shape[1], 3)), rng.normal(size=(shape[0], 3))
    np.testing.assert_allclose(mesh.matrix(), matrix, atol=1e-13)
    np.testing.assert_allclose(mesh.forward(x), matrix @ x, atol=1e-13)
    np.testing.assert_allclose(mesh.forward(x[:, 0]), matrix @ x[:, 0], atol=1e-13)
    np.testing.assert_allclose(mesh.backward(y), matrix.T @ y, atol=1e-13)
    assert mesh.attenuation.max() == 1.0


def test_a_matrix_of_zeros_is_darkness():
    np.testing.assert_array_equal(np.abs(SVDMesh.from_matrix(np.zeros((3, 2))).matrix()), np.zeros((3, 2)))


def test_bad_matrices_are_refused():
    with pytest.raises(ValueError, match=r"not unitary: U\^H U differs from the identity by 3; *|SVDMesh"):
        Mesh.from_unitary(2 * np.eye(3))
    with pytest.raises(ValueError, match=r"square, at least 2 x 2; got shape \(2, 3\)"):
        Mesh.from_unitary(np.ones((2, 3)))
    with pytest.raises(ValueError, match="NaN"):
        Mesh.from_unitary(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="NaN"):
        SVDMesh.from_matrix(np.full((2, 2), np.inf))
    with pytest.raises(ValueError, match="at least 2 rows"):
        SVDMesh.from_matrix(np.ones((1, 4)))
    with pytest.raises(ValueError, match="the layout is"):
        decompose(np.eye(3), "clements")
    with pytest.raises(TypeError, match="rng must be"):
        haar_unitary(3, rng=0)
    mesh = Mesh(3)
    with pytest.raises(ValueError, match="2 attenuators"):
        SVDMesh(mesh, Mesh(2), [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="from 0 to 1"):
        SVDMesh(mesh, Mesh(2), [1.0, 1.5])
