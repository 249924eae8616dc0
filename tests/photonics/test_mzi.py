"""One interferometer: its matrix is the product of its parts, by numbers and by algebra."""

import numpy as np
import pytest
import sympy as sp
from optical import light

from coursepkg.photonics import bar_power, coupler, mzi, null_bottom, null_top, symbolic_mzi


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_sympy_derives_the_closed_form_from_the_four_parts():
    product, closed_form, _, _ = symbolic_mzi()
    difference = (product - closed_form).applyfunc(lambda entry: sp.expand(entry.rewrite(sp.exp)))
    assert difference == sp.zeros(2, 2)


def test_the_other_sign_in_front_is_wrong_and_sympy_knows():
    product, closed_form, theta, _ = symbolic_mzi()
    wrong = closed_form * sp.exp(-sp.I * theta)
    difference = (product - wrong).applyfunc(lambda entry: sp.expand(entry.rewrite(sp.exp)))
    assert difference != sp.zeros(2, 2)


def test_numbers_agree_with_algebra(rng):
    product, closed_form, theta, phi = symbolic_mzi()
    a, b = rng.uniform(0, 6, 2)
    for matrix in (product, closed_form):
        exact = np.array(matrix.subs({theta: a, phi: b}).evalf(30).tolist(), dtype=complex)
        np.testing.assert_allclose(mzi(a, b), exact, atol=1e-15)


def test_it_is_unitary_with_a_known_determinant(rng):
    theta, phi = rng.uniform(0, 2 * np.pi, (2, 50))
    matrices = mzi(theta, phi)
    np.testing.assert_allclose(matrices.conj().swapaxes(1, 2) @ matrices, np.tile(np.eye(2), (50, 1, 1)), atol=1e-15)
    np.testing.assert_allclose(np.linalg.det(matrices), np.exp(1j * (theta + phi)), atol=1e-14)


def test_it_stays_unitary_with_wrong_couplers_but_changes(rng):
    theta, phi = rng.uniform(0, 2 * np.pi, (2, 20))
    errors = rng.normal(size=(20, 2)) * 0.2
    matrices = mzi(theta, phi, errors)
    np.testing.assert_allclose(matrices.conj().swapaxes(1, 2) @ matrices, np.tile(np.eye(2), (20, 1, 1)), atol=1e-14)
    assert np.abs(matrices - mzi(theta, phi)).max() > 0.05
    np.testing.assert_array_equal(mzi(theta, phi, np.zeros((20, 2))), mzi(theta, phi))


def test_a_coupler_halves_light_and_a_wrong_one_does_not():
    np.testing.assert_allclose(np.abs(coupler() @ [1, 0]) ** 2, [0.5, 0.5], rtol=1e-15)
    np.testing.assert_allclose(np.abs(coupler(0.1) @ [1, 0]) ** 2, [0.5 - np.sin(0.2) / 2, 0.5 + np.sin(0.2) / 2])


def test_theta_divides_power_and_phi_does_not(rng):
    theta, phi = rng.uniform(0, np.pi, 30), rng.uniform(0, 6, 30)
    power = np.abs(mzi(theta, phi)[:, 0, 0]) ** 2
    np.testing.assert_allclose(power, bar_power(theta), atol=1e-15)
    np.testing.assert_allclose(bar_power([0, np.pi / 2, np.pi]), [0, 0.5, 1], atol=1e-15)


@pytest.mark.parametrize(("null", "dark"), [(null_bottom, 1), (null_top, 0)])
def test_nulling_leaves_a_port_dark(null, dark, rng):
    u, v = light(rng, 2, 40)
    out = np.einsum("kab,bk->ak", mzi(*null(u, v)), np.stack([u, v]))
    assert np.abs(out[dark]).max() < 1e-14
    np.testing.assert_allclose(np.abs(out[1 - dark]) ** 2, np.abs(u) ** 2 + np.abs(v) ** 2, rtol=1e-13)


def test_nulling_copes_with_darkness():
    for u, v in ((0, 1j), (2, 0), (0, 0)):
        assert abs((mzi(*null_bottom(u, v)) @ [u, v])[1]) < 1e-15
        assert abs((mzi(*null_top(u, v)) @ [u, v])[0]) < 1e-15


def test_a_phase_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match=r"theta must be finite phases.*nan at position \(1,\)"):
        mzi([0.1, np.nan], 0.0)
    with pytest.raises(ValueError, match="phi must be finite"):
        mzi(0.1, np.inf)
    with pytest.raises(TypeError, match="real numbers"):
        mzi(1j, 0.0)
