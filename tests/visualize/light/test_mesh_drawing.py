"""A mesh as hardware: the light in the drawing is the light of the mesh, in both directions."""

import cmath
import math
import re

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.photonics import CouplerError, Mesh, fabricate
from coursepkg.visualize.light.mesh import _inside, draw_mesh, heater_places
from coursepkg.visualize.light.phasors import WIDEST
from coursepkg.visualize.light.story import tell_light

X = np.array([0.8, 0.5j, 0.3, -0.1])


def a_mesh(n=4, layout="rectangular"):
    return Mesh.random(n, layout, rng=np.random.default_rng(n))


def written(picture, role):
    return [text.content for text in texts(picture.svg) if text.role == role]


@pytest.mark.parametrize("layout", ["rectangular", "triangular"])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_every_heater_of_the_mesh_is_drawn_once_and_texts_keep_apart(n, layout):
    mesh = a_mesh(n, layout)
    numbers = np.linspace(-1.5, 0.7, n * n)
    picture = draw_mesh(mesh, mesh.trace(np.arange(1.0, n + 1)), heaters=numbers, title="A mesh")
    assert len(shapes(picture.svg, "heater")) == n * n == len(set(heater_places(mesh, 0.0)))
    assert len(written(picture, "heat")) == n * n
    assert misplaced(picture.svg) == []


def test_powers_at_both_ends_are_those_of_the_light():
    mesh = a_mesh()
    picture = draw_mesh(mesh, mesh.trace(X))
    expected = [abs(v) ** 2 for pair in zip(X, mesh.forward(X), strict=True) for v in pair]
    assert [float(v) for v in written(picture, "power")] == pytest.approx(expected, rel=0.05, abs=2e-3)


@pytest.mark.parametrize("flaw", [0.0, 0.1])
@pytest.mark.parametrize("backward", [False, True])
def test_the_light_inside_an_interferometer_joins_what_comes_in_and_what_goes_out(backward, flaw):
    """The fields between the columns come from the mesh; those inside are worked out again for the picture."""
    mesh = fabricate(a_mesh(), CouplerError(flaw), rng=np.random.default_rng(1))
    light = (mesh.backward_trace if backward else mesh.trace)(X)
    taps = (mesh.backward_taps if backward else mesh.forward_taps)(X)[1]
    for k, (c, m) in enumerate(zip(*mesh.positions, strict=True)):
        before, after = (tuple(light[place][m : m + 2]) for place in (c, c + 1))
        stages = _inside(mesh, k, before, after, backward)
        assert stages[0] == before
        assert stages[-1] == after
        powers = [abs(a) ** 2 + abs(b) ** 2 for a, b in stages]
        np.testing.assert_allclose(powers, powers[0], rtol=1e-12)
        np.testing.assert_allclose(stages[3][0], taps[2 * k], rtol=1e-12)  # a tap sits behind its heater
        if backward:
            phi = cmath.exp(1j * mesh.phi[k])
            np.testing.assert_allclose(stages[1][0], taps[2 * k + 1], rtol=1e-12)
            np.testing.assert_allclose(stages[1][0] * phi, before[0], rtol=1e-12)
        else:
            np.testing.assert_allclose(stages[1][0], taps[2 * k + 1], rtol=1e-12)


def test_full_power_is_the_widest_line_and_the_dark_waveguide_is_bare():
    mesh = Mesh(2, phases=[math.pi, 0.0, 0.0, 0.0])
    widths = {float(shape["stroke-width"]) for shape in shapes(draw_mesh(mesh, mesh.trace([1.0, 0.0])).svg, "light")}
    assert max(widths) == WIDEST


def test_numbers_on_heaters_are_read_out():
    picture = draw_mesh(a_mesh(2), heaters=[0.25, -1.0, 0.0, 0.5])
    assert picture.alt.endswith("At the heaters theta: 0.25; phi: −1; gamma: 0, 0.5.")
    assert written(picture, "heat") == ["0.25", "−1", "0", "0.5"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fields": np.ones(4)}, "pass mesh.trace"),
        ({"heaters": [1.0]}, "16 heaters"),
    ],
)
def test_what_does_not_fit_the_mesh_is_explained(change, message):
    with pytest.raises(ValueError, match=message):
        draw_mesh(a_mesh(), **change)
    with pytest.raises(ValueError, match="up to 8 waveguides"):
        draw_mesh(Mesh(9))


# --- the three passes ------------------------------------------------------------------------------------------------


def a_story(change=0.0):
    mesh = a_mesh(3)
    adjoint = np.array([0.3, -0.2j, 0.5])
    gradient = -(mesh.forward_taps(X[:3])[1] * mesh.backward_taps(adjoint)[1]).imag
    return mesh, gradient, tell_light(mesh, X[:3], adjoint, gradient + change)


def test_the_bars_of_every_heater_give_its_gradient():
    _, gradient, story = a_story()
    pixels = []
    for (_, forward, _), (start, end, _), (_, both, _), rest, half in story.data["bars"]:
        assert start == forward
        assert rest[:2] == sorted([end, both])
        assert half[1] - half[0] == pytest.approx((rest[1] - rest[0]) / 2, abs=0.1)
        pixels.append((both - end) / 2)
    unit = np.dot(pixels, gradient) / np.dot(gradient, gradient)
    assert unit > 0
    np.testing.assert_allclose(pixels, unit * gradient, atol=0.12)


def test_what_is_said_of_a_heater_comes_out_when_its_numbers_are_subtracted():
    _, gradient, story = a_story()
    for told, bars, slope in zip(story.data["told"], story.data["bars"], gradient, strict=True):
        both, forward, backward, half = (
            float(number.replace("−", "-")) for number in re.findall(r"(?<=[(\s])−?[\d.e]+(?=[ )]|\.$)", told)
        )
        assert (both - forward - backward) / 2 == pytest.approx(half, abs=0.0011), told
        assert half == pytest.approx(slope, abs=0.0006)
        written = [float(words.replace("−", "-")) for *_, words in bars]
        assert written == [forward, backward, both, pytest.approx(2 * half, abs=0.0011), half]


def test_each_pass_is_shown_column_by_column():
    mesh, gradient, story = a_story()
    data, depth = story.data, mesh.depth
    assert story.frames == 3 * (depth + 2) + 1
    assert data["part"] == [part for part in range(3) for _ in range(depth + 2)] + [3]
    ahead, back = (np.diff(data["front"][part * (depth + 2) : (part + 1) * (depth + 2) - 1]) for part in (0, 1))
    assert (ahead > 0).all()
    assert (back < 0).all()
    assert data["seen"][-2:] == [3, 4]
    assert all(len(row) == mesh.n**2 for row in data["heat"])
    assert all(len(beams) == len(data["pieces"]) for beams in data["beams"])
    largest = int(np.argmax(abs(gradient)))
    assert data["first"] == largest
    assert f"at {data['names'][largest]};" in story.say[-1]


def test_the_sign_of_the_gradient_is_asked_for():
    _, gradient, story = a_story()
    slope = gradient[story.data["first"]]
    right = [label for label, good, _ in story.asks[story.frames - 1].choices if good]
    assert right == ["positive" if slope > 0 else "negative"]


def test_a_story_of_light_fits_its_mesh():
    mesh = a_mesh(3)
    with pytest.raises(ValueError, match="9 heaters, got 4"):
        tell_light(mesh, X[:3], X[:3], [1.0] * 4)
    with pytest.raises(ValueError, match="up to 8 waveguides"):
        tell_light(Mesh(9), np.ones(9), np.ones(9), np.ones(81))
