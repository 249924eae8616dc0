"""A mesh multiplies by its matrix forward, by the transpose backward, and loses no light."""

import numpy as np
import pytest

from coursepkg.photonics import Mesh, haar_unitary

LAYOUTS = ("rectangular", "triangular")


def cnormal(rng, *shape):
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 3, 8, 17])
def test_forward_is_the_matrix_and_backward_its_transpose(n, layout, rng):
    unitary = haar_unitary(n, rng=rng)
    mesh = Mesh.from_unitary(unitary, layout)
    x = cnormal(rng, n, 5)
    np.testing.assert_allclose(mesh.matrix(), unitary, atol=1e-12)
    np.testing.assert_allclose(mesh.forward(x), unitary @ x, atol=1e-12)
    np.testing.assert_allclose(mesh.backward(x), unitary.T @ x, atol=1e-12)
    np.testing.assert_allclose(mesh.backward(np.eye(n)), unitary.T, atol=1e-12)
    np.testing.assert_allclose(mesh.backward(mesh.forward(x).conj()).conj(), x, atol=1e-12)
