"""One interferometer and its fringes: the marks sit on the curves, and the words say the powers."""

import math

import numpy as np
import pytest
from drawn import texts

from coursepkg.photonics import mzi
from coursepkg.visualize.light.heater import draw_interferometer


@pytest.mark.parametrize("x", [(1.0, 0.0), (0.8, 0.6j), (0.3 - 0.2j, 1.1)])
@pytest.mark.parametrize(("theta", "phi"), [(0.0, 0.0), (1.3, 4.0), (math.pi, 0.2)])
def test_the_powers_are_those_of_the_matrix(theta, phi, x):
    picture = draw_interferometer(theta, phi, x, title="One interferometer")
    out = np.abs(mzi(theta, phi) @ np.array(x)) ** 2
    written = [float(t.content) for t in texts(picture.svg) if t.role == "power"]
    assert written[1::2] == pytest.approx(out.tolist(), rel=0.06, abs=6e-3)
    assert picture.svg.count("<svg ") == 3  # the hardware and the fringes, each whole


def test_with_light_in_one_port_phi_draws_no_fringe():
    assert "over phi from 0.23 to 0.23." in draw_interferometer(1.0, 2.0).alt
    assert "over theta the top output goes from 0 to 1" in draw_interferometer(1.0, 2.0).alt
    assert "over phi from 0.23 to 0.23." not in draw_interferometer(1.0, 2.0, (0.8, 0.6j)).alt


@pytest.mark.parametrize("x", [(0.0, 0.0), (1.0,), (1.0, float("nan"))])
def test_an_interferometer_needs_light(x):
    with pytest.raises(ValueError, match="two inputs"):
        draw_interferometer(1.0, 0.0, x)
