"""What tests of drawings in all rooms share; by lying here it makes `drawn` importable."""

import matplotlib as mpl
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture
def axes(monkeypatch):
    """The axes of the figures that were drawn, kept although the figures are closed."""
    made = []
    make = plt.subplots

    def remember(*args, **kwargs):
        fig, ax = make(*args, **kwargs)
        made.append(ax)
        return fig, ax

    monkeypatch.setattr(plt, "subplots", remember)
    return made
