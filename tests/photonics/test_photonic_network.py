"""The hybrid network: measured, simulated, reverse-mode and numeric gradients agree, at every size the chapter uses."""

import numpy as np
import pytest
from optical import LAYOUTS, light, relative, sealed

from coursepkg import datasets, nn, optimizers
from coursepkg.photonics import (
    CouplerError,
    Crosstalk,
    HeaterLoss,
    InSituPass,
    Mesh,
    PhaseError,
    PhotonicNetwork,
    PhotonicTrainer,
    Quantisation,
    TapNoise,
    encode_points,
    fabricate,
    routes,
)
from coursepkg.photonics.network import NONLINEARITIES
from coursepkg.training import TrainingDiverged

BENT = [name for name in NONLINEARITIES if name != "identity"]


@pytest.fixture
def rng():
    return np.random.default_rng(16)


def examples(rng, n, batch=6, classes=2):
    return light(rng, batch, n) / np.sqrt(n), rng.integers(0, classes, batch)


def joined(step):
    return np.concatenate(step.gradients)


def loss_at(network, x, classes):
    return float(nn.cross_entropy(network(x), classes))


def along(network, x, classes, direction, step):
    """Central difference of the loss along a direction in all phases, with Richardson's correction."""

    def difference(h):
        values = []
        for sign in (1, -1):
            for phases, part in zip(network.phases, direction, strict=True):
                phases += sign * h * part
            values.append(loss_at(network, x, classes))
            for phases, part in zip(network.phases, direction, strict=True):
                phases -= sign * h * part
        return (values[0] - values[1]) / (2 * h)

    return (4 * difference(step) - difference(2 * step)) / 3


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [4, 8, 16, 64])
def test_measured_simulated_and_reverse_mode_gradients_agree(n, layout, rng):
    network = PhotonicNetwork.random(n, 3, layout, rng=rng, scale=2.0)
    x, classes = examples(rng, n)
    witness = routes.reverse(network)(x, classes)
    for route in (
        routes.in_situ(network),
        routes.in_situ(network, readout="toggle"),
        routes.adjoint(network),
        routes.batch_free(network),
    ):
        step = route(x, classes)
        assert step.loss == pytest.approx(witness.loss, rel=1e-12)
        np.testing.assert_allclose(step.logits, witness.logits, rtol=1e-11)
        for found, expected in zip(step.gradients, witness.gradients, strict=True):
            assert relative(found, expected) < 1e-9


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [4, 8])
def test_every_phase_agrees_with_central_differences(n, layout, rng):
    network = PhotonicNetwork.random(n, 3, layout, rng=rng, scale=2.0)
    x, classes = examples(rng, n)
    measured = routes.in_situ(network)(x, classes).gradients
    for layer, gradient in enumerate(measured):
        found = np.empty_like(gradient)
        for k in range(len(gradient)):
            direction = [np.zeros(n * n) for _ in range(3)]
            direction[layer][k] = 1.0
            found[k] = along(network, x, classes, direction, 2e-4)
        assert relative(found, gradient) < 1e-9


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [16, 64])
def test_large_networks_agree_with_central_differences_along_random_directions(n, layout, rng):
    network = PhotonicNetwork.random(n, 3, layout, rng=rng, scale=2.0)
    x, classes = examples(rng, n)
    measured = routes.in_situ(network)(x, classes).gradients
    for _ in range(5):
        direction = [rng.normal(size=n * n) / n for _ in range(3)]
        predicted = sum(d @ g for d, g in zip(direction, measured, strict=True))
        size = np.sqrt(sum(np.sum(np.square(g)) for g in measured))
        assert abs(along(network, x, classes, direction, 1e-3) - predicted) < 1e-9 * max(abs(predicted), size)


@pytest.mark.parametrize("name", NONLINEARITIES)
def test_every_nonlinearity_goes_back_as_the_tensor_engine_says(name, rng):
    network = PhotonicNetwork.random(5, 3, rng=rng, nonlinearity=name, groups=[[0], [1, 2], [4]])
    x, classes = examples(rng, 5, classes=3)
    witness = joined(routes.reverse(network)(x, classes))
    for route in (routes.in_situ, routes.adjoint):
        assert relative(joined(route(network)(x, classes)), witness) < 1e-9


def test_the_factor_is_conjugated():
    """Sent back through |y| without the conjugate, the adjoint is wrong by half of itself; with it, exact."""
    rng = np.random.default_rng(0)
    network = PhotonicNetwork.random(4, 2, rng=rng)
    x, classes = examples(rng, 4)
    witness = joined(routes.reverse(network)(x, classes))
    outputs = network.fields(x)
    _, y_adj = network.loss_and_adjoint(outputs[1], classes)
    back = network.meshes[1].backward(y_adj).real
    direction = outputs[0] / np.abs(outputs[0])
    np.testing.assert_allclose(network.bend_back(back, outputs[0]), back * direction.conj(), rtol=1e-14)
    errors = []
    for turned in (direction.conj(), direction):
        _, forward = network.meshes[0].forward_taps(network.columns_of(x))
        _, backward = network.meshes[0].backward_taps(back * turned)
        errors.append(np.abs(-np.sum(forward * backward, axis=1).imag - witness[:16]).max())
    assert errors[0] < 1e-12
    assert errors[1] > 1e-2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_output_phases_have_no_gradient_when_only_amplitudes_count(layout, rng):
    network = PhotonicNetwork.random(6, 3, layout, rng=rng)
    for route in (routes.adjoint, routes.batch_free, routes.reverse):
        for gradient in route(network)(*examples(rng, 6)).gradients:
            assert np.abs(gradient[-6:]).max() < 1e-14 < np.abs(gradient).max()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_flawed_chips_measure_their_own_gradient(layout, rng):
    design = PhotonicNetwork.random(6, 3, layout, rng=rng)
    flaws = CouplerError(0.1), PhaseError(0.2), Crosstalk(0.02)
    network = design.with_meshes(lambda mesh: fabricate(mesh, *flaws, rng=rng))
    x, classes = examples(rng, 6)
    witness = joined(routes.reverse(network)(x, classes))
    assert relative(joined(routes.in_situ(network)(x, classes)), witness) < 1e-9
    assert relative(joined(routes.adjoint(design)(x, classes)), witness) > 0.1
    lossy = design.with_meshes(lambda mesh: fabricate(mesh, HeaterLoss(0.2), rng=rng))
    witness = joined(routes.reverse(lossy)(x, classes))
    assert relative(joined(routes.batch_free(lossy)(x, classes)), witness) < 1e-9


@pytest.mark.parametrize("layout", LAYOUTS)
def test_three_sealed_chips_measure_the_gradient_of_the_network(layout, rng):
    network = PhotonicNetwork.random(8, 3, layout, rng=rng)
    x, classes = examples(rng, 8)
    boxes = [InSituPass(sealed(mesh)) for mesh in network.meshes]
    found, witness = routes.through(network, boxes)(x, classes), routes.reverse(network)(x, classes)
    assert relative(joined(found), joined(witness)) < 1e-9


def test_the_mean_over_a_batch_is_the_mean_of_single_gradients(rng):
    network = PhotonicNetwork.random(4, 3, rng=rng)
    x, classes = examples(rng, 4, batch=5)
    route = routes.in_situ(network)
    single = [joined(route(x[[b]], classes[[b]])) for b in range(5)]
    np.testing.assert_allclose(joined(route(x, classes)), np.mean(single, axis=0), atol=1e-13)


def test_the_conventions_of_the_chip_are_the_defaults(rng):
    network = PhotonicNetwork.random(4, 3, rng=rng)
    x = encode_points(rng.normal(size=(7, 2)) / 2)
    h = x.T
    for mesh in network.meshes[:-1]:
        h = np.abs(mesh.matrix() @ h)
    power = np.abs(network.meshes[-1].matrix() @ h) ** 2
    scores = np.stack([power[0] + power[1], power[2] + power[3]], axis=1)
    np.testing.assert_allclose(network(x), scores, rtol=1e-12)
    np.testing.assert_allclose(scores.sum(axis=1), 9.0, rtol=1e-12)
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network.predict_proba(x), expected, rtol=1e-12)
    np.testing.assert_array_equal(network.predict(x), np.argmax(expected, axis=1))
    assert {mesh.layout for mesh in network.meshes} == {"triangular"}


def test_saturation_is_the_identity_for_faint_light():
    network = PhotonicNetwork([Mesh(2)], nonlinearity="saturation")
    faint = np.array([[0.0], [1e-9j]])
    np.testing.assert_allclose(network.bend(faint), faint, rtol=1e-12)
    np.testing.assert_allclose(network.bend_back(np.array([[1 - 2j], [3j]]), faint), [[1 - 2j], [3j]], rtol=1e-12)


def test_darkness_at_a_kink_has_a_finite_gradient():
    network = PhotonicNetwork.from_unitaries([np.eye(4)] * 2)
    x = np.array([[3.0, 0.0, 0.0, 0.0]])
    for name in BENT:
        network.nonlinearity = name
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(network(x)).all()
        assert np.isfinite(network.bend_back(np.ones((4, 1), complex), np.zeros((4, 1), complex))).all()


# --- training


def task(rng, n=80):
    points, classes = datasets.moons(n, rng=rng)
    return encode_points(points), classes


def trained(route_names, seed=3, errors=(), epochs=6):
    rng = np.random.default_rng(seed)
    network = PhotonicNetwork.random(4, 3, rng=rng)
    data = task(rng)
    made = {
        "in situ": lambda: routes.in_situ(network, errors, rng=rng),
        "toggle": lambda: routes.in_situ(network, readout="toggle"),
        "reverse": lambda: routes.reverse(network),
        "adjoint": lambda: routes.adjoint(network),
        "batch free": lambda: routes.batch_free(network),
    }
    trainer = PhotonicTrainer(network, [made[name]() for name in route_names], optimizers.Adam(network.phases, lr=0.02))
    trainer.fit(data, epochs=epochs, batch_size=10, rng=np.random.default_rng(seed))
    return network, trainer, data


def test_all_routes_train_the_same_network_and_may_be_interleaved():
    reference, trainer, _ = trained(["reverse"])
    assert trainer.history.loss[-1] < 0.8 * trainer.history.loss[0]
    for names in (["in situ"], ["toggle"], ["adjoint"], ["batch free"], ["in situ", "reverse"]):
        network, other, _ = trained(names)
        np.testing.assert_allclose(np.concatenate(network.phases), np.concatenate(reference.phases), atol=1e-8)
        np.testing.assert_allclose(other.batch_losses, trainer.batch_losses, rtol=1e-8)


def test_noise_disturbs_training_and_does_not_stop_it():
    quiet, _, _ = trained(["in situ"])
    noisy, trainer, data = trained(["in situ"], errors=[TapNoise(0.02)], epochs=30)
    assert np.abs(np.concatenate(noisy.phases) - np.concatenate(quiet.phases)).max() > 1e-3
    assert trainer.accuracy(data) > 0.8
    assert trainer.evaluate(data).metric == trainer.accuracy(data)


def test_training_keeps_fine_phases_behind_coarse_converters(rng):
    network = PhotonicNetwork.random(4, 3, rng=rng).with_meshes(lambda mesh: fabricate(mesh, Quantisation(5), rng=rng))
    x, classes = task(rng)
    trainer = PhotonicTrainer(network, routes.adjoint(network), optimizers.Adam(network.phases, lr=0.01))
    history = trainer.fit((x, classes), epochs=15, batch_size=10, rng=rng)
    assert history.loss[-1] < history.loss[0]


def test_divergence_is_named(rng):
    network = PhotonicNetwork.random(4, 1, rng=rng)
    broken = lambda x, classes: routes.Step(1.0, [np.full(16, np.nan)], np.zeros((len(x), 2)))  # noqa: E731
    trainer = PhotonicTrainer(network, broken, optimizers.GD(network.phases, lr=0.1))
    with pytest.raises(TrainingDiverged, match="epoch 1, step 1: a gradient is not finite"):
        trainer.fit(task(rng, 20), epochs=1, batch_size=10, rng=rng)


def test_bad_input_is_refused_with_advice(rng):
    network = PhotonicNetwork.random(4, 2, rng=rng)
    with pytest.raises(ValueError, match=r"4 ports: x has shape \(batch, 4\), one example per row; got \(4, 7\)"):
        network(np.ones((4, 7)))
    with pytest.raises(ValueError, match="no mesh"):
        PhotonicNetwork([])
    with pytest.raises(ValueError, match=r"one number of ports, got \[3, 4\]"):
        PhotonicNetwork([Mesh(4), Mesh(3)])
    with pytest.raises(ValueError, match="abs, power, saturation, identity; got 'relu'"):
        PhotonicNetwork([Mesh(4)], nonlinearity="relu")
    with pytest.raises(ValueError, match="numbers from 0 to 3"):
        PhotonicNetwork([Mesh(4)], groups=[[0, 1], [4]])
    with pytest.raises(ValueError, match="not unitary"):
        PhotonicNetwork.from_unitaries([np.ones((4, 4))])
    other = PhotonicNetwork.random(4, 2, rng=rng)
    with pytest.raises(ValueError, match=r"make it with network\.phases"):
        PhotonicTrainer(network, routes.adjoint(network), optimizers.GD(other.phases, lr=0.1))
    with pytest.raises(ValueError, match=r"integers of shape \(2,\)"):
        routes.adjoint(network)(np.ones((2, 4)), np.zeros((2, 3), dtype=int))
    with pytest.raises(ValueError, match="class numbers must lie in"):
        routes.adjoint(network)(np.ones((2, 4)), [0, 2])
