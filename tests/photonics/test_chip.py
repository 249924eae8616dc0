"""The chip's data, or a stand-in with the same names, shapes and habits."""

import numpy as np
import pytest

from coursepkg import datasets
from coursepkg.photonics import PhotonicNetwork, chip

NAMES = ("moons", "batch_gradient", "phase_sweep")


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """A computer without the files."""
    monkeypatch.setenv("COURSEPKG_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("nothing_here")
def test_the_stand_in_says_what_it_is_and_is_the_same_each_time(name):
    first, second = chip.load(name), chip.load(name)
    assert not first.measured
    assert "simulated" in first.origin
    assert "data fetch photonic-chip" in first.origin
    for key, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[key])


@pytest.mark.parametrize("name", NAMES)
def test_the_stand_in_has_the_names_and_shapes_of_the_measurements(name, monkeypatch, tmp_path):
    if not datasets.available(f"photonic_chip/{name}"):
        pytest.skip("the chip's data is not on this computer; python -m coursepkg data fetch photonic-chip")
    measured = chip.load(name)
    assert measured.measured
    for variable in ("COURSEPKG_DATA", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    simulated = chip.load(name)
    assert not simulated.measured
    assert {k: v.shape for k, v in simulated.arrays.items()} == {k: v.shape for k, v in measured.arrays.items()}
    assert {k: v.dtype.kind for k, v in simulated.arrays.items()} == {
        k: v.dtype.kind for k, v in measured.arrays.items()
    }


@pytest.mark.usefixtures("nothing_here")
def test_the_simulated_network_is_one_that_was_trained_and_measured_with_errors():
    arrays = chip.load("moons").arrays
    network = PhotonicNetwork.from_unitaries([arrays[f"unitary_{k}"] for k in (1, 2, 3)])
    np.testing.assert_allclose(network.predict_proba(arrays["x_test"]), arrays["p_test_simulated"], atol=1e-5)
    right = arrays["p_train_simulated"].argmax(axis=1) == arrays["y_train"].argmax(axis=1)
    assert right.mean() > 0.85
    np.testing.assert_allclose(np.sum(np.abs(arrays["x_train"]) ** 2, axis=1), 9, rtol=1e-6)
    difference = np.abs(arrays["p_train_measured"] - arrays["p_train_simulated"])
    assert 0.005 < difference.mean() < 0.1


def test_an_unknown_measurement_is_refused():
    with pytest.raises(ValueError, match="moons, batch_gradient, phase_sweep"):
        chip.load("ring")
