"""A mesh multiplies by its matrix forward, by the transpose backward, and loses no light."""

import tracemalloc

import numpy as np
import pytest
from optical import LAYOUTS, flawed, light, lossy

from coursepkg.photonics import Mesh, haar_unitary

SIZES = [2, 3, 8, 17]


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", SIZES)
def test_forward_is_the_matrix_and_backward_its_transpose(n, layout, rng):
    unitary = haar_unitary(n, rng=rng)
    mesh = Mesh.from_unitary(unitary, layout)
    x = light(rng, n, 5)
    np.testing.assert_allclose(mesh.matrix(), unitary, atol=1e-12)
    np.testing.assert_allclose(mesh.forward(x), unitary @ x, atol=1e-12)
    np.testing.assert_allclose(mesh.backward(x), unitary.T @ x, atol=1e-12)
    np.testing.assert_allclose(mesh.backward(np.eye(n)), unitary.T, atol=1e-12)
    np.testing.assert_allclose(mesh.backward(mesh.forward(x).conj()).conj(), x, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", SIZES)
def test_reciprocity_holds_for_flawed_and_lossy_hardware_too(n, layout, rng):
    for mesh in (flawed(n, layout, rng), lossy(n, layout, rng)):
        np.testing.assert_allclose(mesh.backward(np.eye(n)), mesh.matrix().T, atol=1e-14)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [*SIZES, 64])
def test_flawed_couplers_keep_it_unitary_and_energy_is_conserved_in_every_column(n, layout, rng):
    mesh = flawed(n, layout, rng)
    matrix = mesh.matrix()
    np.testing.assert_allclose(matrix.conj().T @ matrix, np.eye(n), atol=1e-12)
    x = light(rng, n, 6)
    power = np.sum(np.abs(mesh.trace(x)) ** 2, axis=1)
    np.testing.assert_allclose(power, np.tile(power[0], (mesh.depth + 2, 1)), rtol=1e-12)
    back = np.sum(np.abs(mesh.backward_trace(x)) ** 2, axis=1)
    np.testing.assert_allclose(back, np.tile(back[-1], (mesh.depth + 2, 1)), rtol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_mesh_is_its_interferometers_put_together_by_hand(layout, rng):
    for mesh in (flawed(5, layout, rng), lossy(5, layout, rng)):
        phases = mesh.settled_phases()
        arms = mesh.heater_transmission * np.exp(1j * phases)
        matrix = np.eye(5, dtype=complex)
        k = 0
        for column, rho in zip(mesh.columns, mesh.column_transmission, strict=True):
            step = rho * np.eye(5, dtype=complex)
            for m in column:
                c1, c2 = np.cos(np.pi / 4 + mesh.coupler_errors[k])
                s1, s2 = np.sin(np.pi / 4 + mesh.coupler_errors[k])
                first, second = ([[c, 1j * s], [1j * s, c]] for c, s in ((c1, s1), (c2, s2)))
                theta, phi = arms[2 * k], arms[2 * k + 1]
                step[m : m + 2, m : m + 2] = (
                    rho * np.array(second) @ np.diag([theta, 1]) @ np.array(first) @ np.diag([phi, 1])
                )
                k += 1
            matrix = step @ matrix
        np.testing.assert_allclose(mesh.matrix(), np.diag(arms[-5:]) @ matrix, atol=1e-14)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_taps_traces_and_sweeps_tell_one_story(layout, rng):
    mesh = lossy(6, layout, rng)
    x, y = light(rng, 6, 4), light(rng, 6, 4)
    out, taps = mesh.forward_taps(x)
    back, back_taps = mesh.backward_taps(y)
    np.testing.assert_array_equal(out, mesh.forward(x))
    np.testing.assert_array_equal(back, mesh.backward(y))
    np.testing.assert_array_equal(taps[-6:], out)  # the last taps are the outputs
    np.testing.assert_array_equal(back_taps[-6:], y)
    np.testing.assert_array_equal(mesh.trace(x)[-1], out)
    np.testing.assert_array_equal(mesh.backward_trace(y)[0], back)
    for seen, (_, powers) in (
        (taps, mesh.forward_taps(x, powers=True)),
        (back_taps, mesh.backward_taps(y, powers=True)),
    ):
        np.testing.assert_allclose(powers, np.abs(seen) ** 2, rtol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_taps_sit_behind_the_heaters(layout, rng):
    mesh = flawed(5, layout, rng)
    x = light(rng, 5, 3)
    _, taps = mesh.forward_taps(x)
    places = mesh.trace(x)
    phases = mesh.settled_phases()
    column, top = mesh.positions
    for k in range(len(mesh.theta)):
        u, v = places[column[k], top[k]], places[column[k], top[k] + 1]
        angle = np.pi / 4 + mesh.coupler_errors[k, 0]
        behind_phi = np.exp(1j * phases[2 * k + 1]) * u
        behind_theta = np.exp(1j * phases[2 * k]) * (np.cos(angle) * behind_phi + 1j * np.sin(angle) * v)
        np.testing.assert_allclose(taps[2 * k + 1], behind_phi, atol=1e-14)
        np.testing.assert_allclose(taps[2 * k], behind_theta, atol=1e-14)


def test_a_single_vector_and_a_batch_have_their_own_shapes(rng):
    mesh = Mesh.random(4, rng=rng)
    x = light(rng, 4)
    assert mesh.forward(x).shape == mesh.backward(x).shape == (4,)
    assert mesh.forward_taps(x)[1].shape == (16,)
    assert mesh.trace(x).shape == (6, 4)
    assert mesh.trace(x[:, None]).shape == (6, 4, 1)
    assert mesh.forward(np.ones((4, 0))).shape == (4, 0)
    np.testing.assert_array_equal(mesh.forward(x[:, None])[:, 0], mesh.forward(x))
    np.testing.assert_allclose(mesh.forward(np.stack([x, x], axis=1))[:, 1], mesh.forward(x), rtol=1e-13)


def test_results_are_new_arrays_and_inputs_stay(rng):
    mesh = Mesh.random(6, rng=rng)
    x = light(rng, 6, 3)
    before = x.copy()
    first = mesh.forward(x)
    kept = first.copy()
    back = mesh.backward(x)
    kept_back = back.copy()
    mesh.forward(2 * x)
    mesh.backward(3 * x)
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(back, kept_back)
    np.testing.assert_array_equal(x, before)


def test_fields_in_any_memory_order_and_type(rng):
    mesh = Mesh.random(4, rng=rng)
    x = light(rng, 3, 4)
    np.testing.assert_array_equal(mesh.forward(x.T), mesh.forward(np.ascontiguousarray(x.T)))
    np.testing.assert_allclose(mesh.forward([1, 0, 0, 0]), mesh.matrix()[:, 0], rtol=1e-13)
    np.testing.assert_allclose(mesh.forward(x.T.astype(np.complex64)), mesh.forward(x.T), rtol=1e-6)


def test_a_phase_changed_in_place_counts_at_once(rng):
    mesh = Mesh.random(4, rng=rng)
    before = mesh.matrix()
    mesh.phases[-1] += np.pi
    np.testing.assert_allclose(mesh.matrix()[-1], -before[-1], atol=1e-14)
    np.testing.assert_allclose(mesh.matrix()[:-1], before[:-1], atol=1e-14)


def test_other_hardware_has_its_own_settings(rng):
    mesh = Mesh.random(4, rng=rng)
    other = mesh.with_hardware(column_transmission=np.full(4, 0.5))
    other.phases[0] = 9.0
    assert mesh.phases[0] != 9.0
    assert other.columns == mesh.columns


@pytest.mark.parametrize("layout", LAYOUTS)
def test_light_can_be_rewound_to_any_column(layout, rng):
    mesh = flawed(5, layout, rng)
    x = light(rng, 5, 2)
    places = mesh.trace(x)
    for c in range(mesh.depth):
        np.testing.assert_allclose(mesh.rewind(places[c + 1], c), x, atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_heater_moves_the_matrix_by_the_same_amount(layout, rng):
    mesh = flawed(5, layout, rng).with_hardware(drivers=())
    step = 1e-5
    for k in range(25):
        sides = []
        for sign in (1, -1):
            mesh.phases[k] += sign * step
            sides.append(mesh.matrix())
            mesh.phases[k] -= sign * step
        assert np.linalg.norm(sides[0] - sides[1]) / (2 * step) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_matrix_is_built_on_the_way(layout):
    """With its settings known, a mesh of 256 ports needs for a beam far less memory than 256 x 256 numbers."""
    mesh = Mesh(256, layout)
    x = np.ones(256)
    for send in (mesh.forward, mesh.backward):
        send(x)
        tracemalloc.start()
        send(x)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 256 * 256 * 16 / 8


def test_bad_input_is_refused_with_advice(rng):
    mesh = Mesh.random(4, rng=rng)
    with pytest.raises(ValueError, match=r"4 ports.*got \(5,\)"):
        mesh.forward(np.ones(5))
    with pytest.raises(ValueError, match=r"got \(7, 4\); fields are columns, transpose rows"):
        mesh.backward(np.ones((7, 4)))
    with pytest.raises(ValueError, match=r"4 ports"):
        mesh.forward_taps(np.ones((4, 2, 2)))
    with pytest.raises(TypeError, match="complex amplitudes"):
        mesh.forward(["a", "b", "c", "d"])
    mesh.phases[2] = np.nan
    with pytest.raises(ValueError, match=r"phases must be finite.*nan at position \(2,\)"):
        mesh.forward(np.ones(4))
    with pytest.raises(ValueError, match="finite"):
        mesh.phases = np.full(16, np.inf)
    with pytest.raises(ValueError, match=r"16 phases \(12 in its interferometers and 4 at its outputs\), got .*15"):
        Mesh(4, phases=np.zeros(15))
    with pytest.raises(ValueError, match=r"coupler_errors has one entry"):
        Mesh(4, coupler_errors=np.zeros(6))
    with pytest.raises(ValueError, match="not negative"):
        Mesh(4, heater_transmission=-np.ones(16))
    with pytest.raises(ValueError, match="finite angles"):
        Mesh(4, coupler_errors=np.full((6, 2), np.nan))
    with pytest.raises(TypeError, match="rng must be"):
        Mesh.random(4, rng=1)


def test_fields_that_are_no_numbers_are_refused(rng):
    mesh = Mesh.random(4, rng=rng)
    with pytest.raises(ValueError, match="NaN or infinity"):
        mesh.forward([1.0, np.nan, 0.0, 0.0])
