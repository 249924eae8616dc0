"""Light measures the gradient: powers alone are enough, and the code sees nothing else."""

import ast
import inspect

import numpy as np
import pytest
from optical import LAYOUTS, flawed, light, relative, sealed

from coursepkg.photonics import (
    AdjointPass,
    Bench,
    ColumnLoss,
    DetectorNoise,
    HeaterLoss,
    InSituPass,
    Mesh,
    PortError,
    TapNoise,
    fabricate,
    insitu,
    lock_in,
)

READOUTS = ("subtraction", "toggle")


@pytest.fixture
def rng():
    return np.random.default_rng(21)


def measured(device, readout, x, y_adj):
    layer = InSituPass(device, readout)
    return layer.forward(x), *layer.backward(y_adj)


def simulated(mesh, x, y_adj):
    layer = AdjointPass(mesh)
    return layer.forward(x), *layer.backward(y_adj)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("n", [2, 4, 7, 16])
def test_a_sealed_chip_gives_its_gradient(n, readout, layout, rng):
    mesh = flawed(n, layout, rng)  # wrong couplers and phases do not matter: the device itself is measured
    x, y_adj = light(rng, n, 5), light(rng, n, 5)
    box = sealed(mesh)
    for found, expected in zip(measured(box, readout, x, y_adj), simulated(mesh, x, y_adj), strict=True):
        assert relative(found, expected) < 1e-12
    for _, fields in box.launched:
        assert np.sum(np.abs(fields) ** 2, axis=0).max() < 2 + 1e-12


def test_the_sealed_chip_is_sealed(rng):
    box = sealed(Mesh.random(3, rng=rng))
    with pytest.raises(AttributeError):
        box.mesh  # noqa: B018
    reading = box.forward(light(rng, 3, 2))
    for powers in reading:
        assert powers.dtype == float
        assert (powers >= 0).all()


def test_the_measuring_code_never_asks_for_a_field():
    """In the source of the pass and of the lock-in, a device is asked for n, forward and backward, and nothing else."""
    for part in (insitu.InSituPass, insitu.lock_in):
        tree = ast.parse(inspect.getsource(part))
        asked = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                owner = node.value
                name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
                if name == "device":
                    asked.add(node.attr)
        assert asked <= {"n", "forward", "backward"}
        assert "_mesh" not in inspect.getsource(part)


def test_the_bench_reads_powers_and_nothing_else(rng):
    mesh = Mesh.random(4, rng=rng)
    x = light(rng, 4, 3)
    reading = Bench(mesh).forward(x)
    out, taps = mesh.forward_taps(x)
    assert reading.taps.dtype == reading.outputs.dtype == float
    np.testing.assert_allclose(reading.taps, np.abs(taps) ** 2, rtol=1e-13)
    np.testing.assert_allclose(reading.outputs[1], np.abs(out + 1j) ** 2, rtol=1e-13)
    np.testing.assert_allclose(reading.fields(), out, atol=1e-14)
    np.testing.assert_allclose(Bench(mesh).backward(x).fields(), mesh.backward(x), atol=1e-14)
    np.testing.assert_allclose(Bench(mesh).waveguides(x), np.abs(mesh.trace(x)) ** 2, rtol=1e-13)


@pytest.mark.parametrize("readout", READOUTS)
def test_three_passes_are_what_the_formula_says(readout, rng):
    mesh = flawed(5, "triangular", rng)
    x, y_adj = light(rng, 5, 1), light(rng, 5, 1)
    layer = InSituPass(Bench(mesh), readout)
    layer.forward(x)
    gradient, x_adj = layer.backward(y_adj)
    _, forward = mesh.forward_taps(x)
    _, backward = mesh.backward_taps(y_adj)
    np.testing.assert_allclose(layer.passes.forward, np.abs(forward) ** 2, rtol=1e-12)
    np.testing.assert_allclose(layer.passes.backward, np.abs(backward) ** 2, rtol=1e-12)
    _, summed = mesh.forward_taps(x - 1j * x_adj.conj())
    np.testing.assert_allclose(summed, forward - 1j * backward.conj(), atol=1e-12)
    seen = layer.passes.sum if readout == "subtraction" else layer.passes.sum[0]
    size = np.linalg.norm(x_adj) if readout == "toggle" else 1
    if readout == "subtraction":
        np.testing.assert_allclose(seen, np.abs(summed) ** 2, rtol=1e-10)
    else:
        even = np.linalg.norm(x) * size * np.abs(forward / np.linalg.norm(x) - 1j * backward.conj() / size) ** 2
        np.testing.assert_allclose(seen, even, rtol=1e-10)
    np.testing.assert_allclose(gradient, -(forward * backward).imag[:, 0], atol=1e-12)


def test_a_batch_measures_the_sum_of_its_examples(rng):
    mesh = flawed(4, "rectangular", rng)
    x, y_adj = light(rng, 4, 6), light(rng, 4, 6)
    for readout in READOUTS:
        together = measured(Bench(mesh), readout, x, y_adj)[1]
        alone = [measured(Bench(mesh), readout, x[:, [b]], y_adj[:, [b]])[1] for b in range(6)]
        np.testing.assert_allclose(together, np.sum(alone, axis=0), atol=1e-11)


@pytest.mark.parametrize("readout", READOUTS)
def test_darkness_has_no_gradient(readout, rng):
    x = light(rng, 4, 2)
    x[:, 1] = 0.0
    out, gradient, x_adj = measured(Bench(Mesh.random(4, rng=rng)), readout, x, np.zeros((4, 2)))
    assert np.abs(gradient).max() < 1e-13
    assert np.abs(x_adj).max() < 1e-15
    assert np.abs(out[:, 1]).max() < 1e-14


# --- the analog variant


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_lock_in_measures_the_gradient_of_a_batch(layout, rng):
    mesh = flawed(5, layout, rng)
    x, y_adj = light(rng, 5, 4), light(rng, 5, 4)
    _, gradient, x_adj = simulated(mesh, x, y_adj)
    found = lock_in(sealed(mesh), x, x_adj, periods=3, samples=4)
    assert relative(found.gradient, gradient) < 1e-12
    assert found.currents.shape == (25, 24)
    assert found.square.tolist() == ([1] * 4 + [-1] * 4) * 3


def test_the_current_is_a_constant_and_a_square_wave_whose_sign_is_the_gradients(rng):
    mesh = Mesh.random(4, rng=rng)
    x, y_adj = light(rng, 4), light(rng, 4)
    _, gradient, x_adj = simulated(mesh, x[:, None], y_adj[:, None])
    found = lock_in(Bench(mesh), x, x_adj)
    swing = found.currents[:, found.square > 0] - found.currents[:, found.square < 0]
    np.testing.assert_allclose(swing, np.tile(swing[:, :1], (1, 50)), atol=1e-14)
    large = np.abs(gradient) > 1e-6
    np.testing.assert_array_equal(np.sign(swing[large, 0]), np.sign(gradient[large]))
    scale = 2 * np.linalg.norm(x) * np.linalg.norm(x_adj) / 2
    np.testing.assert_allclose(swing[:, 0] * scale / 2, gradient, atol=1e-12)


def test_more_samples_average_the_noise(rng):
    mesh = Mesh.random(4, rng=rng)
    x, y_adj = light(rng, 4), light(rng, 4)
    _, gradient, x_adj = simulated(mesh, x[:, None], y_adj[:, None])

    def spread(samples):
        bench = Bench(mesh, [TapNoise(0.05)], rng=np.random.default_rng(0))
        runs = [lock_in(bench, x, x_adj, samples=samples).gradient - gradient for _ in range(30)]
        return np.sqrt(np.mean(np.square(runs)))

    assert spread(40) == pytest.approx(spread(10) / 2, rel=0.15)


# --- what goes wrong, and what does not


@pytest.mark.parametrize("layout", LAYOUTS)
def test_under_balanced_loss_the_toggle_measures_the_truth_times_a_known_factor(layout, rng):
    mesh = fabricate(flawed(6, layout, rng), ColumnLoss(0.5), rng=rng)
    x, y_adj = light(rng, 6, 1), light(rng, 6, 1)
    truth = simulated(mesh, x, y_adj)[1]
    found = measured(Bench(mesh), "toggle", x, y_adj)[1]
    rho = mesh.column_transmission[0]
    passed = np.concatenate([np.repeat(mesh.positions[0] + 1, 2), np.full(6, mesh.depth)])
    np.testing.assert_allclose(found, rho ** (2 * passed) * truth, atol=1e-12)
    assert relative(measured(Bench(mesh), "subtraction", x, y_adj)[1], truth) > 0.3


def test_uneven_loss_biases_subtraction_and_hardly_the_toggle(rng):
    def off(readout, seed):
        rng = np.random.default_rng(seed)
        mesh = fabricate(Mesh.random(16, rng=rng), HeaterLoss(0.05), rng=rng)
        x = light(rng, 16, 1)
        x /= np.linalg.norm(x)
        target = light(rng, 16, 1)
        y_adj = (mesh.forward(x) - target / np.linalg.norm(target)).conj()
        truth, found = simulated(mesh, x, y_adj)[1], measured(Bench(mesh), readout, x, y_adj)[1]
        return 1 - truth @ found / np.linalg.norm(truth) / np.linalg.norm(found)

    digital = np.median([off("subtraction", seed) for seed in range(9)])
    toggled = np.median([off("toggle", seed) for seed in range(9)])
    assert 0.03 < digital < 0.4
    assert toggled < 0.004
    assert digital > 25 * toggled


@pytest.mark.parametrize("readout", READOUTS)
def test_noise_at_zero_strength_changes_no_bit(readout, rng):
    mesh = flawed(5, "rectangular", rng)
    x, y_adj = light(rng, 5, 4), light(rng, 5, 4)
    silent = [PortError(0.0, 0.0), TapNoise(0.0), DetectorNoise(0.0)]
    quiet = measured(Bench(mesh), readout, x, y_adj)
    noisy = measured(Bench(mesh, silent, rng=np.random.default_rng(1)), readout, x, y_adj)
    for a, b in zip(quiet, noisy, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(
        Bench(mesh).waveguides(x), Bench(mesh, silent, rng=np.random.default_rng(1)).waveguides(x)
    )


def test_noise_is_seeded(rng):
    mesh = Mesh.random(4, rng=rng)
    x, y_adj = light(rng, 4, 3), light(rng, 4, 3)
    runs = [
        measured(
            Bench(mesh, [TapNoise(0.01), PortError(0.02, 0.02), DetectorNoise(0.01)], rng=np.random.default_rng(seed)),
            "toggle", x, y_adj,
        )
        for seed in (5, 5, 6)
    ]  # fmt: skip
    for a, b, c in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.abs(a - c).max() > 1e-6


@pytest.mark.parametrize("readout", READOUTS)
def test_tap_noise_is_unbiased(readout, rng):
    mesh = Mesh.random(4, rng=rng)
    x, y_adj = light(rng, 4, 1), light(rng, 4, 1)
    truth = simulated(mesh, x, y_adj)[1]
    bench = Bench(mesh, [TapNoise(0.02)], rng=np.random.default_rng(0))
    runs = np.array([measured(bench, readout, x, y_adj)[1] for _ in range(400)])
    sigma = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert (sigma > 0).all()
    assert (np.abs(runs.mean(axis=0) - truth) < 5 * sigma).all()


def test_bad_input_is_refused_with_advice(rng):
    mesh = Mesh.random(4, rng=rng)
    with pytest.raises(ValueError, match="'subtraction' or 'toggle', got 'analog'"):
        InSituPass(Bench(mesh), "analog")
    with pytest.raises(TypeError, match="HeaterLoss is no error of launching or reading"):
        Bench(mesh, [HeaterLoss(0.1)], rng=rng)
    with pytest.raises(TypeError, match="rng must be"):
        Bench(mesh, [TapNoise(0.1)])
    layer = InSituPass(Bench(mesh))
    with pytest.raises(ValueError, match=r"4 ports: fields have shape \(4, batch\), got \(3, 4\)"):
        layer.forward(light(rng, 3, 4))
    with pytest.raises(ValueError, match="last sent forward"):
        layer.backward(light(rng, 4, 3))
    layer.forward(light(rng, 4, 2))
    with pytest.raises(ValueError, match="last sent forward"):
        layer.backward(light(rng, 4, 3))
    with pytest.raises(ValueError, match="at least 1 period"):
        lock_in(Bench(mesh), np.ones(4), np.ones(4), periods=0)
