"""Gradient norms by layer, on a logarithmic axis.

The one idea: vanishing and exploding are ratios between layers, and only a logarithmic axis shows ratios. A norm of
exactly zero has no place on such an axis, so it is written out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.figure import picture_of
from coursepkg.visualize.picture import Picture
from coursepkg.visualize.style import CYCLE, INK, use_style
from coursepkg.visualize.text import format_number

_HATCHES = ("", "//", "..", "xx", "\\\\", "oo")


def draw_layer_norms(
    norms: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    layers: Sequence[str] | None = None,
    xlabel: str = "layer",
    ylabel: str = "norm of the gradient",
    title: str = "",
) -> Picture:
    """Draw gradient norms as bars, one group per layer (or per time step), one bar per run.

    Parameters
    ----------
    norms : sequence of float, or mapping of str to sequence of float
        One norm per layer, for one run or several named ones; at most six.
    layers : sequence of str, optional
        The names of the layers; by default 1, 2, ...
    xlabel, ylabel, title : str
        Labels.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If runs differ in length, a norm is negative or not finite, or there are too many runs.

    Examples
    --------
    >>> print(draw_layer_norms([0.001, 0.1]).alt)
    norm of the gradient by layer, logarithmic axis. Layer 1: 0.001, layer 2: 0.1.
    """
    runs = {k: [float(v) for v in run] for k, run in (norms if isinstance(norms, Mapping) else {"": norms}).items()}
    names = (
        [str(name) for name in layers]
        if layers is not None
        else [str(k + 1) for k in range(len(next(iter(runs.values()), [])))]
    )
    _check(runs, names)
    fig = _plot(runs, names, xlabel, ylabel, title)
    text = f"{title.rstrip('. ') + '. ' if title else ''}{ylabel} by {xlabel}, logarithmic axis."
    for run, values in runs.items():
        said = ", ".join(f"{xlabel} {name}: {format_number(value)}" for name, value in zip(names, values, strict=True))
        text += f" {run}: {said}." if run else f" {said[0].upper()}{said[1:]}."
    return picture_of(fig, text)


def _check(runs: Mapping[str, Sequence[float]], names: Sequence[str]) -> None:
    if not runs or not names:
        raise ValueError("draw_layer_norms needs at least one norm")
    if len(runs) > len(CYCLE):
        raise ValueError(f"{len(runs)} runs in one plot cannot be told apart; draw at most {len(CYCLE)}")
    for run, values in runs.items():
        if len(values) != len(names):
            raise ValueError(f"the run {run!r} has {len(values)} norms for {len(names)} layers")
        if any(not 0 <= value < float("inf") for value in values):
            raise ValueError(f"the run {run!r} holds a norm that is negative or not finite: {values}")


def _plot(runs: Mapping[str, Sequence[float]], names: Sequence[str], xlabel: str, ylabel: str, title: str) -> Any:
    import matplotlib.pyplot as plt

    positive = [value for values in runs.values() for value in values if value > 0] or [1.0]
    floor = min(positive) / 5
    width = 0.8 / len(runs)
    with use_style():
        fig, ax = plt.subplots()
        for number, (run, values) in enumerate(runs.items()):
            x = np.arange(len(names)) + (number - (len(runs) - 1) / 2) * width
            heights = [value if value > 0 else floor for value in values]
            ax.bar(
                x,
                heights,
                width * 0.92,
                color=CYCLE[number],
                edgecolor=INK,
                hatch=_HATCHES[number],
                label=run,
                bottom=0,
            )
            for place, value in zip(x, values, strict=True):
                if value == 0:
                    ax.text(place, floor, "0", ha="center", va="bottom", color=INK)
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title, yscale="log", ylim=(floor, max(positive) * 3))
        ax.set_xticks(range(len(names)), names)
        ax.grid(False, axis="x")
        if any(runs):
            ax.legend()
    return fig
