"""A measured gradient is compared with that of the device as it is, and the chip's tasks are the authors'."""

import numpy as np
import pytest

from coursepkg.photonics import Mesh, errors, fabricate
from coursepkg.photonics.comparing import one_minus_cosine, true_and_measured
from coursepkg.photonics.tasks import circle_and_moons


@pytest.fixture
def design():
    return Mesh.random(6, rng=np.random.default_rng(1))


def test_a_device_without_loss_is_measured_rightly_whatever_its_couplers(design):
    device = fabricate(design, errors.CouplerError(0.1), rng=np.random.default_rng(2))
    true, measured = true_and_measured(device, "subtraction")
    np.testing.assert_allclose(measured, true, atol=1e-12)
    assert np.abs(true).max() > 0.1
    assert one_minus_cosine(true, true_and_measured(design, "subtraction")[0]) > 0.01


def test_loss_biases_the_subtraction_more_than_the_toggle(design):
    device = fabricate(design, errors.HeaterLoss(0.5), rng=np.random.default_rng(2))
    off = [one_minus_cosine(*true_and_measured(device, readout)) for readout in ("subtraction", "toggle")]
    assert off[0] > 5 * off[1] > 0


def test_noise_is_that_of_the_bench(design):
    noise = [errors.TapNoise(0.05)]
    first, second = (true_and_measured(design, "toggle", noise, seed=seed) for seed in (0, 1))
    assert one_minus_cosine(*first) > 1e-4
    assert not np.allclose(first[0], second[0])


def test_what_crosstalk_costs_who_does_not_know_its_map():
    wide = Mesh.random(16, rng=np.random.default_rng(1))
    for strength, cost in ((0.02, 1.5e-4), (0.1, 4.7e-3)):
        device = fabricate(wide, errors.Crosstalk(strength), rng=np.random.default_rng(2))
        reached, _ = true_and_measured(device, "subtraction")
        assert one_minus_cosine(reached, device.pull(reached)) == pytest.approx(cost, rel=0.05)


def test_both_tasks_have_250_points_and_light_of_one_power():
    for task in circle_and_moons().values():
        assert task.points.shape == (250, 2)
        assert np.bincount(task.classes).tolist() == [125, 125]
        assert [len(part[1]) for part in (task.train, task.test)] == [200, 50]
        np.testing.assert_allclose(np.sum(np.abs(task.test[0]) ** 2, axis=1), 9.0)
