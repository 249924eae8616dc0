"""Arrows of forward gradients: the fan, the shadow, and the plane they lie in."""

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.visualize.fan import draw_fan
from coursepkg.visualize.plane import Plane
from coursepkg.visualize.shadow import draw_shadow

GRADIENT = np.array([1.5, -0.8])
V = np.random.default_rng(0).normal(size=(60, 2))
ESTIMATES = (V @ GRADIENT)[:, None] * V


def tip(shape):
    """The first corner of an arrow's head."""
    return tuple(float(n) for n in shape["d"].strip("MZ").split("L")[0].split())


def test_every_estimate_is_an_arrow_in_the_shaded_half():
    picture = draw_fan(GRADIENT, ESTIMATES, ESTIMATES.mean(axis=0))
    assert len(shapes(picture.svg, "estimate")) == 60
    assert "60 of 60 arrows lie in the half-plane of the gradient" in picture.alt
    assert "59 of 60" in draw_fan(GRADIENT, [*ESTIMATES[1:], -GRADIENT], GRADIENT).alt


def test_gradient_and_mean_are_named_with_their_numbers_and_drawn_to_one_scale():
    picture = draw_fan(GRADIENT, ESTIMATES, 2 * GRADIENT, title="At one point")
    assert picture.alt.startswith("At one point. 60 forward gradients as thin arrows, the true gradient (1.5, −0.8)")
    (true,), (mean,) = shapes(picture.svg, "gradient"), shapes(picture.svg, "mean")
    centre = np.array([14 + 190, 44 + 190])
    a, b = np.array(tip(true)) - centre, np.array(tip(mean)) - centre
    np.testing.assert_allclose(b, 2 * a, atol=0.3)
    assert a[0] > 0
    assert a[1] > 0  # down on paper: the second component is negative


def test_an_arrow_that_leaves_the_paper_ends_at_its_edge_without_a_head():
    plane = Plane(1.0, side=100, left=0, top=0)
    (line,) = plane.arrow((4.0, 2.0), stroke="black", role="far")
    assert "M50 50L100 25" in line


def test_the_shaded_half_is_the_half():
    plane = Plane(1.0, side=100, left=0, top=0)
    for normal in ((1.0, 0.0), (0.3, -0.9), (1.0, 1.0)):
        corners = [tuple(map(float, p.split())) for p in plane.half(normal, fill="red").split('"')[1][1:-1].split("L")]
        x, y = np.array(corners).T
        assert abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2) == pytest.approx(5000, abs=5)


def test_the_shadow_ends_at_the_foot_of_the_gradient():
    v = np.array([2.0, 1.0])
    slope = float(GRADIENT @ v)
    picture = draw_shadow(GRADIENT, v, slope, slope * v, reach=3.0)
    (shadow,), (light,) = shapes(picture.svg, "shadow"), shapes(picture.svg, "light")
    ends = [np.array([float(n) for n in part.split()]) for part in light["d"].strip("M").split("L")]
    along = np.array([float(n) for n in shadow["d"].strip("M").split("L")[1].split()])
    np.testing.assert_allclose(ends[1], along, atol=0.11)
    ray = ends[1] - ends[0]
    assert abs(ray @ [v[0], -v[1]]) < 0.02 * np.linalg.norm(ray) * np.linalg.norm(v)
    assert "The slope along v is 2.2, so the forward gradient is 2.2 times v = (4.4, 2.2)." in picture.alt
    assert [t.content for t in texts(picture.svg) if t.role == "slope"] == ["∇f · v = 2.2"]


def test_words_are_apart_and_on_the_paper():
    assert not misplaced(draw_fan(GRADIENT, ESTIMATES, GRADIENT, title="A rather long title over the picture").svg)
    assert not misplaced(draw_shadow(GRADIENT, (0.5, 2.0), -0.85, (-0.4, -1.7), title="Shadow").svg)


def test_nothing_to_draw_gets_advice():
    with pytest.raises(ValueError, match="at least one estimate"):
        draw_fan(GRADIENT, np.zeros((0, 2)), GRADIENT)
    with pytest.raises(ValueError, match="direction is zero"):
        draw_shadow(GRADIENT, (0.0, 0.0), 0.0, (0.0, 0.0))
