"""The gradient of one mesh, from fields: against exact shifts, differences, PyTorch, and without the batch."""

import numpy as np
import pytest
from optical import LAYOUTS, flawed, light, lossy, relative

from coursepkg.photonics import AdjointPass, BatchFreePass, Mesh
from coursepkg.photonics.routes import send


@pytest.fixture
def rng():
    return np.random.default_rng(12)


def gradient_of(kind, mesh, x, y_adj):
    layer = kind(mesh)
    layer.forward(x)
    return layer.backward(y_adj)


def squared_distance(mesh, x, target):
    """A loss of the fields, and its adjoint."""
    difference = mesh.forward(x) - target
    return np.sum(np.abs(difference) ** 2) / 2, difference.conj()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 3, 8])
def test_gradient_is_the_product_of_the_two_fields_at_each_heater(n, layout, rng):
    for mesh in (flawed(n, layout, rng), lossy(n, layout, rng)):
        x, y_adj = light(rng, n, 5), light(rng, n, 5)
        _, forward = mesh.forward_taps(x)
        back, backward = mesh.backward_taps(y_adj)
        gradient, x_adj = gradient_of(AdjointPass, mesh, x, y_adj)
        np.testing.assert_allclose(gradient, -np.sum(forward * backward, axis=1).imag, atol=1e-13)
        np.testing.assert_array_equal(x_adj, back)
        np.testing.assert_allclose(x_adj, mesh.matrix().T @ y_adj, atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_does_not_matter_on_which_side_of_the_heater_the_tap_sits(layout, rng):
    mesh = flawed(6, layout, rng)
    x, y_adj = light(rng, 6, 5), light(rng, 6, 5)
    _, forward = mesh.forward_taps(x)
    _, backward = mesh.backward_taps(y_adj)
    turns = np.exp(1j * mesh.settled_phases())[:, None]
    before = np.sum((forward / turns) * (backward * turns), axis=1)
    np.testing.assert_allclose(before, np.sum(forward * backward, axis=1), atol=1e-13)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradient_is_the_exact_parameter_shift(layout, rng):
    """For a squared distance of fields, half the difference at plus and minus a quarter turn; no step size."""
    mesh = flawed(5, layout, rng).with_hardware(drivers=())
    x, target = light(rng, 5, 4), light(rng, 5, 4)
    _, y_adj = squared_distance(mesh, x, target)
    gradient, _ = gradient_of(AdjointPass, mesh, x, y_adj)
    for k in range(25):
        losses = []
        for turn in (np.pi / 2, -np.pi / 2):
            mesh.phases[k] += turn
            losses.append(squared_distance(mesh, x, target)[0])
            mesh.phases[k] -= turn
        assert (losses[0] - losses[1]) / 2 == pytest.approx(gradient[k], abs=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_output_power_has_an_exact_parameter_shift_too(layout, rng):
    mesh = flawed(5, layout, rng).with_hardware(drivers=())
    x = light(rng, 5)
    weights = rng.normal(size=5)
    gradient, _ = gradient_of(AdjointPass, mesh, x, 2 * weights * mesh.forward(x).conj())
    for k in range(25):
        powers = []
        for turn in (np.pi / 2, -np.pi / 2):
            mesh.phases[k] += turn
            powers.append(np.abs(mesh.forward(x)) ** 2)
            mesh.phases[k] -= turn
        assert weights @ (powers[0] - powers[1]) / 2 == pytest.approx(gradient[k], abs=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradient_is_the_five_point_difference_on_lossy_hardware(layout, rng):
    mesh = lossy(5, layout, rng)
    x, target = light(rng, 5, 4), light(rng, 5, 4)
    _, y_adj = squared_distance(mesh, x, target)
    gradient = mesh.pull(gradient_of(AdjointPass, mesh, x, y_adj)[0])
    step = 1e-3
    found = np.empty(25)
    for k in range(25):
        slopes = []
        for width in (1, 2):
            values = []
            for sign in (1, -1):
                mesh.phases[k] += sign * width * step
                values.append(squared_distance(mesh, x, target)[0])
                mesh.phases[k] -= sign * width * step
            slopes.append((values[0] - values[1]) / (2 * width * step))
        found[k] = (4 * slopes[0] - slopes[1]) / 3
    assert relative(found, gradient) < 1e-10


@pytest.mark.parametrize("layout", LAYOUTS)
def test_torch_agrees(layout, rng):
    torch = pytest.importorskip("torch")
    mesh = lossy(6, layout, rng).with_hardware(drivers=())
    x, y_adj = light(rng, 6, 4), light(rng, 6, 4)
    phases = torch.tensor(mesh.phases, requires_grad=True)
    inputs = torch.tensor(x, requires_grad=True)
    turns = torch.exp(1j * phases) * torch.tensor(mesh.heater_transmission)
    angles = torch.tensor(np.pi / 4 + mesh.coupler_errors)
    fields, k = inputs, 0
    for column, rho in zip(mesh.columns, mesh.column_transmission, strict=True):
        rows = list(fields * rho)
        for m in column:
            u, v = turns[2 * k + 1] * rows[m], rows[m + 1]
            for arm, angle in ((turns[2 * k], angles[k, 0]), (1.0, angles[k, 1])):
                c, s = torch.cos(angle), 1j * torch.sin(angle)
                u, v = arm * (c * u + s * v), s * u + c * v
            rows[m], rows[m + 1] = u, v
            k += 1
        fields = torch.stack(rows)
    out = fields * turns[-6:, None]
    torch.sum(torch.real(torch.tensor(y_adj) * out)).backward()
    gradient, x_adj = gradient_of(AdjointPass, mesh, x, y_adj)
    np.testing.assert_allclose(gradient, phases.grad.numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(x_adj, inputs.grad.numpy().conj(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [2, 3, 8, 16, 33])
@pytest.mark.parametrize("hardware", [flawed, lossy])
def test_batch_free_is_the_sum_of_single_gradients(n, layout, hardware, rng):
    mesh = hardware(n, layout, rng)
    x, y_adj = light(rng, n, 7), light(rng, n, 7)
    gradient, x_adj = gradient_of(BatchFreePass, mesh, x, y_adj)
    single = [gradient_of(AdjointPass, mesh, x[:, [b]], y_adj[:, [b]])[0] for b in range(7)]
    np.testing.assert_allclose(gradient, np.sum(single, axis=0), atol=1e-11)
    np.testing.assert_allclose(x_adj, mesh.backward(y_adj), atol=1e-12)
    assert relative(gradient, gradient_of(AdjointPass, mesh, x, y_adj)[0]) < 1e-12


def test_batch_free_copes_with_a_column_that_lets_nothing_through(rng):
    mesh = Mesh.random(4, rng=rng).with_hardware(column_transmission=[1.0, 0.0, 1.0, 1.0])
    gradient, x_adj = gradient_of(BatchFreePass, mesh, light(rng, 4, 2), light(rng, 4, 2))
    np.testing.assert_array_equal(gradient, np.zeros(16))
    np.testing.assert_array_equal(x_adj, np.zeros((4, 2)))


@pytest.mark.parametrize("kind", [AdjointPass, BatchFreePass])
def test_backward_needs_its_forward(kind, rng):
    layer = kind(Mesh.random(4, rng=rng))
    with pytest.raises(ValueError, match="last sent forward"):
        layer.backward(light(rng, 4, 3))
    layer.forward(light(rng, 4, 3))
    with pytest.raises(ValueError, match="last sent forward"):
        layer.backward(light(rng, 4, 2))
    with pytest.raises(ValueError, match="4 ports"):
        layer.forward(light(rng, 3, 4))


@pytest.mark.parametrize("kind", [AdjointPass, BatchFreePass])
def test_passes_neither_change_what_they_get_nor_take_back_what_they_gave(kind, rng):
    layer = kind(Mesh.random(6, rng=rng))
    x, y_adj = light(rng, 6, 6), light(rng, 6, 6)
    copies = x.copy(), y_adj.copy()
    out = layer.forward(x)
    kept_out = out.copy()
    gradient, x_adj = layer.backward(y_adj)
    kept = gradient.copy(), x_adj.copy()
    layer.forward(2 * x)
    layer.backward(3 * y_adj)
    for now, before in ((x, copies[0]), (y_adj, copies[1]), (out, kept_out), (gradient, kept[0]), (x_adj, kept[1])):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sending_with_numpy_functions_is_the_same_light(layout, rng):
    mesh = lossy(5, layout, rng)
    x = light(rng, 5, 3)
    np.testing.assert_allclose(send(mesh, mesh.settled_phases(), x), mesh.forward(x), atol=1e-14)
