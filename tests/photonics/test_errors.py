"""Every flaw does what its law says, none does anything at strength zero, and all can be combined."""

import math

import numpy as np
import pytest
from optical import LAYOUTS, light, relative

from coursepkg.photonics import (
    AdjointPass,
    Bench,
    ColumnLoss,
    CouplerError,
    Crosstalk,
    DetectorNoise,
    HeaterLoss,
    Mesh,
    PhaseError,
    PortError,
    Quantisation,
    TapNoise,
    errors,
    fabricate,
)

NOTHING = [
    CouplerError(0.0), PhaseError(0.0), Quantisation(math.inf), Crosstalk(0.0), HeaterLoss(0.0), ColumnLoss(0.0)
]  # fmt: skip
SOMETHING = [
    CouplerError(0.05), PhaseError(0.03), Quantisation(6), Crosstalk(0.01), HeaterLoss(0.1), ColumnLoss(0.1)
]  # fmt: skip


@pytest.fixture
def rng():
    return np.random.default_rng(77)


def distance(a, b):
    return np.linalg.norm(a.matrix() - b.matrix()) / np.sqrt(a.n)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("nothing", [*([flaw] for flaw in NOTHING), NOTHING])
def test_at_strength_zero_no_bit_changes(nothing, layout, rng):
    mesh = Mesh.random(6, layout, rng=rng)
    chip = fabricate(mesh, *nothing, rng=rng)
    x, y_adj = light(rng, 6, 4), light(rng, 6, 4)
    np.testing.assert_array_equal(chip.forward(x), mesh.forward(x))
    np.testing.assert_array_equal(chip.backward_taps(y_adj)[1], mesh.backward_taps(y_adj)[1])
    gradients = []
    for made in (mesh, chip):
        layer = AdjointPass(made)
        layer.forward(x)
        gradients.append(made.pull(layer.backward(y_adj)[0]))
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize("flaw", SOMETHING, ids=lambda flaw: type(flaw).__name__)
def test_each_flaw_alone_changes_the_chip_and_not_the_design(flaw, rng):
    mesh = Mesh.random(6, rng=rng)
    before = mesh.matrix()
    chip = fabricate(mesh, flaw, rng=rng)
    assert distance(chip, mesh) > 1e-3
    np.testing.assert_array_equal(mesh.matrix(), before)
    np.testing.assert_array_equal(chip.phases, mesh.phases)


def test_flaws_add_up_and_are_seeded(rng):
    mesh = Mesh.random(6, rng=rng)
    chips = [fabricate(mesh, *SOMETHING, rng=np.random.default_rng(seed)) for seed in (4, 4, 5)]
    np.testing.assert_array_equal(chips[0].matrix(), chips[1].matrix())
    assert distance(chips[0], chips[2]) > 1e-2
    twice = fabricate(mesh, ColumnLoss(0.1), ColumnLoss(0.2), rng=rng)
    np.testing.assert_allclose(twice.matrix(), fabricate(mesh, ColumnLoss(0.3), rng=rng).matrix(), atol=1e-14)
    halves = fabricate(fabricate(mesh, CouplerError(0.1), rng=rng), CouplerError(0.1), rng=rng)
    assert np.std(halves.coupler_errors) == pytest.approx(0.1 * np.sqrt(2), rel=0.4)


# --- laws: how far the matrix moves, ||dU||_F / sqrt(n)


@pytest.mark.parametrize(
    ("flaw", "law"),
    [
        (PhaseError(0.003), lambda n: 0.003 * np.sqrt(n - 1)),
        (CouplerError(0.003), lambda n: 0.003 * np.sqrt(2 * (n - 1))),
        (Quantisation(8), lambda n: 2 * np.pi / 2**8 * np.sqrt(n / 12)),
        (Quantisation(11), lambda n: 2 * np.pi / 2**11 * np.sqrt(n / 12)),
    ],
    ids=lambda value: "law" if callable(value) else str(value),  # a function's address differs between processes
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_matrix_moves_as_far_as_the_law_says(flaw, law, layout, rng):
    for n in (16, 64):
        meshes = [Mesh.random(n, layout, rng=rng) for _ in range(8)]
        found = np.sqrt(np.mean([distance(fabricate(mesh, flaw, rng=rng), mesh) ** 2 for mesh in meshes]))
        assert found == pytest.approx(law(n), rel=0.1)


def test_eleven_bits_are_needed_for_a_hundredth_at_64_ports(rng):
    mesh = Mesh.random(64, rng=rng)
    assert distance(fabricate(mesh, Quantisation(11), rng=rng), mesh) < 0.01
    assert distance(fabricate(mesh, Quantisation(10), rng=rng), mesh) > 0.01


@pytest.mark.parametrize("layout", LAYOUTS)
def test_flaws_without_loss_keep_the_matrix_unitary_and_loss_does_not(layout, rng):
    mesh = Mesh.random(8, layout, rng=rng)
    chip = fabricate(mesh, *SOMETHING[:4], rng=rng)
    np.testing.assert_allclose(chip.matrix().conj().T @ chip.matrix(), np.eye(8), atol=1e-12)
    for flaw in SOMETHING[4:]:
        worn = fabricate(mesh, flaw, rng=rng).matrix()
        power = np.sum(np.abs(worn) ** 2, axis=0)
        assert (power < 1).all()


def test_balanced_loss_is_what_it_says_in_decibels(rng):
    mesh = Mesh.random(8, rng=rng)
    chip = fabricate(mesh, ColumnLoss(0.25), rng=rng)
    np.testing.assert_allclose(chip.matrix(), 10 ** (-0.25 * 8 / 20) * mesh.matrix(), atol=1e-14)
    assert errors.amplitude(20.0) == pytest.approx(0.1)


# --- thermal crosstalk


def heat(mesh, kappa):
    """The map from asked to reached phases as a matrix, column by column."""
    chip = mesh.with_hardware(drivers=())
    chip = fabricate(chip, Crosstalk(kappa), rng=np.random.default_rng(0))
    driver = chip.drivers[0]
    unit = np.eye(mesh.n**2)
    return np.stack([driver.settle(row) for row in unit], axis=1), np.stack([driver.pull(row) for row in unit], axis=0)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_heat_decays_with_distance_and_its_gradient_is_the_transpose(layout, rng):
    mesh = Mesh.random(5, layout, rng=rng)
    settle, pull = heat(mesh, 0.02)
    np.testing.assert_allclose(settle, pull, atol=1e-15)  # row i of pull is e_i^T C
    np.testing.assert_array_equal(np.diagonal(settle), np.ones(25))
    column, top = mesh.positions
    place = np.empty((25, 2))
    place[0:20:2, 0], place[1:20:2, 0], place[20:, 0] = 2 * column + 1, 2 * column, 2 * mesh.depth
    place[0:20:2, 1], place[1:20:2, 1], place[20:, 1] = top, top, np.arange(5)
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    expected = np.where(apart <= 6, 0.02 * np.exp(-apart), 0.0) + 0.98 * np.eye(25)
    np.testing.assert_allclose(settle, expected, atol=1e-15)


def test_no_two_heaters_share_a_place(rng):
    for layout in LAYOUTS:
        settle, _ = heat(Mesh(7, layout), 1.0)
        assert (settle[~np.eye(49, dtype=bool)] < 0.999).all()


def test_the_gradient_at_the_commands_knows_about_heat_and_offsets(rng):
    mesh = fabricate(Mesh.random(4, rng=rng), Crosstalk(0.1), PhaseError(0.3), rng=rng)
    x, y_adj = light(rng, 4, 3), light(rng, 4, 3)
    layer = AdjointPass(mesh)
    layer.forward(x)
    gradient = mesh.pull(layer.backward(y_adj)[0])
    found = np.empty(16)
    for k in range(16):
        values = []
        for step in (1e-5, -1e-5):
            mesh.phases[k] += step
            values.append(np.sum(np.real(y_adj * mesh.forward(x))))
            mesh.phases[k] -= step
        found[k] = (values[0] - values[1]) / 2e-5
    assert relative(found, gradient) < 1e-9
    raw = layer.backward(y_adj)[0]
    assert relative(raw, gradient) > 0.02


def test_rounding_rounds_to_the_steps_of_the_converter(rng):
    mesh = fabricate(Mesh.random(4, rng=rng), Quantisation(3), rng=rng)
    steps = mesh.settled_phases() / (np.pi / 4)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-12)
    assert np.abs(mesh.settled_phases() - mesh.phases).max() <= np.pi / 8 + 1e-12


# --- measurements


def test_shot_noise_follows_the_square_root_of_power(rng):
    powers = np.array([[0.0], [0.01], [1.0]]) * np.ones((1, 20000))
    for noisy in (TapNoise(0.02).tap(powers, rng), DetectorNoise(0.02).detector(powers, rng)):
        np.testing.assert_allclose(noisy.std(axis=1), 0.02 * np.sqrt(powers[:, 0]), rtol=0.03)
        assert (np.abs(noisy.mean(axis=1) - powers[:, 0]) < 5 * 0.02 * np.sqrt(powers[:, 0] / 20000) + 1e-15).all()
    reading = Bench(Mesh(3), [DetectorNoise(0.1)], rng=rng).forward([1.0, 0.0, 0.0])
    np.testing.assert_array_equal(reading.taps, Bench(Mesh(3)).forward([1.0, 0.0, 0.0]).taps)
    assert np.abs(reading.outputs - Bench(Mesh(3)).forward([1.0, 0.0, 0.0]).outputs).max() > 1e-3


def test_port_errors_are_relative_and_their_phase_counts_in_pi(rng):
    fields = np.full((1, 40000), 2.0 + 0j)
    moved = PortError(amplitude=0.05).port(fields, rng)
    assert np.std(moved.real) == pytest.approx(0.1, rel=0.03)
    assert np.abs(moved.imag).max() == 0
    turned = PortError(phase=0.025).port(fields, rng)
    assert np.std(np.angle(turned)) == pytest.approx(0.025 * np.pi, rel=0.03)
    np.testing.assert_allclose(np.abs(turned), 2.0, rtol=1e-14)


def test_bad_strengths_are_refused():
    for wrong in (-0.1, np.nan, np.inf):
        for kind in (CouplerError, PhaseError, Crosstalk, HeaterLoss, ColumnLoss, TapNoise, DetectorNoise):
            with pytest.raises(ValueError, match=r"is the strength of an error, a finite number and at least 0; got"):
                kind(wrong)
        with pytest.raises(ValueError, match="phase is the strength"):
            PortError(phase=wrong)
    with pytest.raises(ValueError, match="at least 1 bit"):
        Quantisation(0)
    with pytest.raises(TypeError, match="TapNoise is no flaw of a chip"):
        fabricate(Mesh(3), TapNoise(0.1), rng=np.random.default_rng(0))
    with pytest.raises(TypeError, match="rng must be"):
        fabricate(Mesh(3), rng=3)


def test_every_magnitude_names_an_error_that_exists():
    for magnitude in errors.LITERATURE:
        name, _, part = magnitude.error.partition(".")
        for typical in magnitude.typical:
            assert getattr(errors, name)(
                **{part: typical} if part else {next(iter(getattr(errors, name).__dataclass_fields__)): typical}
            )
