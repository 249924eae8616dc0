"""The real chip of Pai et al. 2023: our network is its simulation, and the measurement is near."""

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.photonics import PhotonicNetwork, routes

pytestmark = pytest.mark.skipif(
    not datasets.available("photonic_chip/moons"),
    reason="the chip's data is not on this computer; python -m coursepkg data fetch photonic-chip",
)


@pytest.fixture(scope="module")
def chip():
    return datasets.photonic_chip("moons")


@pytest.fixture(scope="module")
def network(chip):
    return PhotonicNetwork.from_unitaries([chip[f"unitary_{k}"] for k in (1, 2, 3)])


@pytest.mark.parametrize("part", ["train", "test"])
def test_our_probabilities_are_the_authors_simulation(part, chip, network):
    found = network.predict_proba(chip[f"x_{part}"])
    assert np.abs(found - chip[f"p_{part}_simulated"]).max() < 1e-5


def test_accuracies_of_simulation_and_measurement_are_the_published_ones(chip, network):
    right, measured, agree = [], [], []
    for part in ("train", "test"):
        classes = chip[f"y_{part}"].argmax(axis=1)
        ours, device = network.predict(chip[f"x_{part}"]), chip[f"p_{part}_measured"].argmax(axis=1)
        right += list(ours == classes)
        measured += list(device == classes)
        agree += list(ours == device)
    assert np.mean(right) == pytest.approx(0.960, abs=1e-9)
    assert np.mean(measured) == pytest.approx(0.956, abs=1e-9)
    assert np.mean(agree) == pytest.approx(0.972, abs=1e-9)


def test_the_chip_measures_its_gradient_on_real_inputs(chip, network):
    x, classes = chip["x_test"], chip["y_test"].argmax(axis=1)
    measured, witness = (route(network)(x, classes) for route in (routes.in_situ, routes.reverse))
    for found, expected in zip(measured.gradients, witness.gradients, strict=True):
        assert np.linalg.norm(found - expected) < 1e-9 * np.linalg.norm(expected)


def test_measured_probabilities_are_within_a_few_per_cent(chip):
    for part in ("train", "test"):
        difference = np.abs(chip[f"p_{part}_measured"] - chip[f"p_{part}_simulated"])
        assert difference.mean() < 0.03
