"""A mesh as hardware: the light in the drawing is the light of the mesh, in both directions."""

import cmath
import math

import numpy as np
import pytest
from drawn import misplaced, shapes, texts

from coursepkg.photonics import CouplerError, Mesh, fabricate
from coursepkg.visualize.light import WIDEST
from coursepkg.visualize.mesh import _inside, draw_mesh, heater_places
from coursepkg.visualize.passes import LightPasses, step_through_light

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


def test_light_has_come_as_far_as_is_said():
    mesh = a_mesh()
    lit = [len(shapes(draw_mesh(mesh, mesh.trace(X), reached=c).svg, "light")) for c in range(5)]
    assert lit[0] == 0
    assert lit == sorted(lit)
    assert len(set(lit)) == 5
    assert written(draw_mesh(mesh, mesh.trace(X), reached=2), "power") == ["0.64", "0.25", "0.09", "0.01"]
    assert "It has passed 2 columns" in draw_mesh(mesh, mesh.trace(X), reached=2).alt


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
        ({"reached": 9}, "0 to 4 columns"),
        ({"heaters": [1.0]}, "16 heaters"),
    ],
)
def test_what_does_not_fit_the_mesh_is_explained(change, message):
    with pytest.raises(ValueError, match=message):
        draw_mesh(a_mesh(), **change)
    with pytest.raises(ValueError, match="up to 8 waveguides"):
        draw_mesh(Mesh(9))


# --- the three passes ------------------------------------------------------------------------------------------------


def passes():
    mesh = a_mesh(3)
    adjoint = np.array([0.3, -0.2j, 0.5])
    _, ahead = mesh.forward_taps(X[:3])
    _, behind = mesh.backward_taps(adjoint)
    return LightPasses(mesh, X[:3], adjoint, -(ahead * behind).imag)


def test_the_powers_in_the_pictures_give_the_gradient_at_the_end():
    shown = passes()
    p = shown.powers
    np.testing.assert_allclose((p["sum"] - p["forward"] - p["backward"]) / 2, shown.gradient, atol=1e-12)


def test_each_pass_is_shown_column_by_column_and_every_step_can_be_drawn():
    shown = passes()
    depth = shown.mesh.depth
    assert len(shown.steps) == 3 * (depth + 2) + 1
    assert [step.phase for step in shown.steps].count("backward") == depth + 2
    for number, step in enumerate(shown.steps):
        picture = shown.picture(number)
        assert misplaced(picture.svg) == []
        assert step.sentence[0].isupper()
    assert written(shown.picture(len(shown.steps) - 1), "heat") != []


def test_the_widget_plays_all_steps():
    shown = passes()
    widget = step_through_light(shown.mesh, X[:3], [0.3, -0.2j, 0.5], shown.gradient)
    slider = next(child for child in widget.children[0].children if getattr(child, "description", "") == "Step")
    assert slider.max == len(shown.steps) - 1
    before = widget.children[1].value
    slider.value = slider.max
    assert widget.children[1].value != before
    assert "gradient" in widget.children[2].value
