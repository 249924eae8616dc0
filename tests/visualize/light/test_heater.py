"""One heater: what the three powers say about the loss, for every phase."""

import math
import re

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.photonics import Mesh
from coursepkg.visualize.light.heater import draw_heater

TURNS = np.linspace(0.0, 2 * math.pi, 13)


def at_a_heater(angle, k=10):
    """The two fields at one heater of a mesh turned to an angle, and the loss Re(w . y) that the second is for."""
    mesh = Mesh.random(4, rng=np.random.default_rng(4))
    phases = mesh.phases.copy()
    phases[k] = angle
    mesh.phases = phases
    x, w = np.array([0.8, 0.5, 0.3j, 0.14]), np.array([-0.1, 0.5j, 0.6, -0.3])
    return mesh.forward_taps(x)[1][k], mesh.backward_taps(w)[1][k], float(np.real(w @ mesh.forward(x)))


LOSSES = [at_a_heater(angle)[2] for angle in TURNS]


@pytest.mark.parametrize("angle", [0.3, 1.4, 2.9, 5.1])
def test_the_slope_that_is_written_is_that_of_the_loss(angle):
    forward, backward, _ = at_a_heater(angle)
    picture = draw_heater(forward, backward, LOSSES, turned=angle)
    step = 1e-5
    slope = (at_a_heater(angle + step)[2] - at_a_heater(angle - step)[2]) / (2 * step)
    (written,) = re.findall(r"the slope: (−?[\d.]+)", " ".join(text.content for text in texts(picture.svg)))
    assert float(written.replace("−", "-")) == pytest.approx(slope, abs=0.006)
    assert abs(slope) > 0.1


def test_together_is_the_bar_that_the_phase_changes():
    found = [draw_heater(*at_a_heater(angle)[:2], LOSSES, turned=angle) for angle in (0.3, 2.9)]
    bars = [[float(bar["width"]) for bar in shapes(picture.svg, "bar")] for picture in found]
    assert bars[0][:2] == bars[1][:2]
    assert bars[1][2] > 2 * bars[0][2]


@pytest.mark.parametrize("angle", TURNS)
def test_nothing_overlaps_at_any_phase(angle):
    picture = draw_heater(*at_a_heater(angle)[:2], LOSSES, turned=angle, title="One heater")
    assert misplaced(picture.svg) == []
    assert len(shapes(picture.svg, "arrow")) == 3


@pytest.mark.parametrize("fields", [(0.0, 0.0), (math.nan, 1.0)])
def test_where_no_light_meets_nothing_is_drawn(fields):
    with pytest.raises(ValueError, match="at least one of them with light"):
        draw_heater(*fields, LOSSES, turned=0.0)


def test_a_curve_needs_three_losses():
    with pytest.raises(ValueError, match="at least three"):
        draw_heater(1.0, 1.0, [0.0, 1.0], turned=0.0)
