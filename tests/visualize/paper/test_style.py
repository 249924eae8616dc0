"""Colours that survive greyscale and colour-blind eyes."""

import itertools
import re

import numpy as np
import pytest

from coursepkg.visualize.paper import picture, style

# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as seen by protanopes and deuteranopes.
PROTANOPIA = np.array(
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
)
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
)
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)


def channels(code):
    return np.array([int(code[start : start + 2], 16) / 255 for start in (1, 3, 5)])


def linear(code):
    values = channels(code)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    t = TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def luminance(code):
    return float(TO_XYZ[1] @ linear(code))


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_lines_differ_in_lightness_dash_and_marker():
    lightness = [lab(linear(code))[0] for code in style.CYCLE]
    assert all(abs(a - b) > 6 for a, b in itertools.combinations(lightness, 2))
    assert all(abs(a - b) > 15 for a, b in itertools.pairwise(lightness))
    assert len(set(style.DASHES)) == len(set(style.MARKERS)) == len(style.CYCLE)


@pytest.mark.parametrize("eye", [PROTANOPIA, DEUTERANOPIA])
def test_lines_differ_for_colour_blind_eyes(eye):
    seen = [lab(eye @ linear(code)) for code in style.CYCLE]
    assert all(np.linalg.norm(a - b) > 9 for a, b in itertools.combinations(seen, 2))


def test_text_and_lines_have_contrast_on_paper():
    for name in ("INK", "MUTED", "VALUE", "GRADIENT", "ROUTE"):
        assert contrast(getattr(style, name), style.PAPER) >= 4.5, name
    for code in (*style.CYCLE, style.EDGE):
        assert contrast(code, style.PAPER) >= 3, code
    assert contrast(style.INK, style.HIGHLIGHT) >= 4.5


def in_the_dark(code):
    """A colour as the filter of dark pages shows it: lightness turned around by .933, then hues by half a turn."""
    lums = np.array([0.213, 0.715, 0.072])
    turned = (2 * np.outer(np.ones(3), lums) - np.eye(3)) @ (0.933 - 0.866 * channels(code))
    return "#" + "".join(f"{round(255 * part):02x}" for part in turned.clip(0, 1))


def test_what_is_highlighted_is_read_in_the_dark():
    drawn = picture.adapt(f'<svg width="2"><circle r="1" fill="{style.HIGHLIGHT}"/></svg>')
    instead = re.search(rf'\[fill="{style.HIGHLIGHT}"\].*?{{fill:(#\w+)', drawn)[1]
    assert np.abs(channels(in_the_dark(instead)) - channels(style.DARK_HIGHLIGHT)).max() < 0.01
    assert contrast(in_the_dark(style.INK), style.DARK_HIGHLIGHT) >= 4.5
    assert contrast(in_the_dark(style.INK), in_the_dark(style.PAPER)) >= 4.5
    for code in (style.CYCLE[1], style.EDGE, style.ROUTE):  # what rings and lines are drawn in
        assert contrast(in_the_dark(code), in_the_dark(style.PAPER)) >= 3, code
    red, green, blue = channels(style.DARK_HIGHLIGHT)
    assert green / red > 0.75 > 0.3 > blue / red  # gold: turned around by itself, yellow has half as much green as red


def test_the_diverging_colours_are_white_at_zero_and_as_dark_on_both_sides():
    low, *_, high = style.DIVERGING
    assert style.DIVERGING[len(style.DIVERGING) // 2] == "#ffffff"
    assert lab(linear(low))[0] == pytest.approx(lab(linear(high))[0], abs=15)
