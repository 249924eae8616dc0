"""The shadow on a direction that turns, and a fan of forward gradients, are what the passes gave."""

import numpy as np
import pytest

from coursepkg.visualize import tell_fan, tell_shadow

GRADIENT = np.array([1.5, 0.8])


def turning(steps=24, length=1.4, first=2):
    angles = np.arange(steps) * 2 * np.pi / steps
    v = length * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    slopes = v @ GRADIENT
    turns = [f"{360 * k // steps}°" for k in range(steps)]
    return v, slopes, tell_shadow(GRADIENT, v, slopes, slopes[:, None] * v, turns=turns, first=first)


def from_the_middle(data, name):
    return (np.array(data[name]) - data["side"] / 2) * [1, -1]


def test_the_light_falls_at_right_angles():
    v, _, story = turning()
    feet, gradient = from_the_middle(story.data, "feet"), from_the_middle(story.data, "gradient")
    across = np.abs(np.sum((gradient - feet) * v, axis=1)) / np.linalg.norm(v, axis=1)
    assert across.max() < 0.15
    assert np.linalg.norm(feet, axis=1).max() == pytest.approx(np.linalg.norm(gradient), rel=0.01)


def test_half_a_turn_gives_the_same_forward_gradient():
    _, slopes, story = turning()
    estimates = np.array(story.data["estimates"])
    np.testing.assert_allclose(estimates[:12], estimates[12:], atol=0.11)
    assert slopes[3] == pytest.approx(-slopes[15], rel=1e-12)
    assert story.asks.keys() == {14}
    assert [label for label, good, _ in story.asks[14].choices if good] == ["as at the beginning"]


def test_nothing_is_asked_where_no_direction_is_the_opposite():
    _, _, story = turning(steps=23)
    assert not story.asks


def test_no_forward_gradient_points_against_the_gradient():
    _, _, story = turning()
    assert (from_the_middle(story.data, "estimates") @ GRADIENT >= -0.1).all()


def test_the_mean_of_a_fan_is_the_mean_of_what_was_drawn_so_far():
    v = np.random.default_rng(1).normal(size=(2, 30, 2))
    runs = (v @ GRADIENT)[..., None] * v
    story = tell_fan(GRADIENT, {"0": runs[0], "1": runs[1]}, first=4)
    assert story.frames == 30
    for n, run in enumerate(runs):
        drawn = (np.array(story.data["runs"][n]) - story.data["side"] / 2) * [1, -1]
        means = (np.array(story.data["means"][n]) - story.data["side"] / 2) * [1, -1]
        scale = np.dot(drawn.ravel(), run.ravel()) / np.dot(run.ravel(), run.ravel())
        np.testing.assert_allclose(drawn, scale * run, atol=0.06)
        np.testing.assert_allclose(means[9], scale * run[:10].mean(axis=0), atol=0.06)
        off = np.linalg.norm(run[:10].mean(axis=0) - GRADIENT) / np.linalg.norm(GRADIENT)
        assert f"off by {100 * off:.0f} %" in story.data["said"][n][9]


def test_the_words_that_stand_for_a_fan():
    story = tell_fan((1.0, 2.0), {"": [(0.5, 1.5), (2.0, -1.5)]})
    assert story.fallback.alt.startswith("The gradient (1, 2) and 2 forward gradients as thin arrows, 1 of them in its")
    assert " Their mean is (1.25, 0). " in story.fallback.alt


def test_a_level_place_has_no_uphill_half_and_is_drawn_all_the_same():
    story = tell_fan((0.0, 0.0), {"": [(0.0, 0.0)]})
    assert story.data["gradient"] == [story.data["side"] / 2] * 2


def test_bad_arrays_get_advice():
    v, slopes, _ = turning()
    with pytest.raises(ValueError, match="a direction is zero"):
        tell_shadow(GRADIENT, 0 * v, slopes, v, turns=["a"] * 24)
    with pytest.raises(ValueError, match=r"estimates needs shape \(24, 2\)"):
        tell_shadow(GRADIENT, v, slopes, v[:3], turns=["a"] * 24)
    with pytest.raises(ValueError, match="first is a state from 0 to 23"):
        tell_shadow(GRADIENT, v, slopes, v, turns=["a"] * 24, first=24)
    for runs in ({}, {"": np.zeros((0, 2))}, {"": np.zeros((3, 3))}, {"a": v, "b": v[:3]}, {"": np.zeros((201, 2))}):
        with pytest.raises(ValueError, match="a fan needs runs of one shape"):
            tell_fan(GRADIENT, runs)
