"""Matplotlib figures on their way to the page."""

import matplotlib as mpl
import numpy as np
import pytest

from coursepkg.visualize.paper.figure import picture_of
from coursepkg.visualize.paper.style import settings, use_style

mpl.use("Agg")
import matplotlib.pyplot as plt


def figure():
    with use_style():
        fig, ax = plt.subplots()
        ax.plot([3, 2, 1], label="run")
        ax.fill_between([0, 1, 2], [1, 1, 1], [2, 2, 2], hatch="//")
        ax.legend()
    return fig


def test_the_same_figure_gives_the_same_bytes():
    assert picture_of(figure(), "A falling line").svg == picture_of(figure(), "A falling line").svg


def test_no_date_and_no_version_is_written():
    svg = picture_of(figure(), "A falling line").svg
    assert "<dc:date>" not in svg
    assert mpl.__version__ not in svg


def test_the_figure_is_closed_even_when_the_words_are_refused():
    picture_of(figure(), "A falling line")
    assert not plt.get_fignums()


@pytest.mark.parametrize("alt", ["", "figure", "plot"])
def test_lazy_words_are_refused(alt):
    fig = figure()
    with pytest.raises(ValueError, match="does not say"):
        picture_of(fig, alt)
    plt.close(fig)


def test_what_is_no_figure_gets_advice():
    with pytest.raises(TypeError, match=r"pass `fig` from plt\.subplots"):
        picture_of(np.zeros(3), "Three zeros in a row")


def test_the_style_ends_with_its_block():
    before = dict(mpl.rcParams)
    with use_style():
        assert mpl.rcParams["svg.hashsalt"] == settings()["svg.hashsalt"]
        assert mpl.rcParams["font.family"] == ["DejaVu Sans"]
    assert dict(mpl.rcParams) == before
