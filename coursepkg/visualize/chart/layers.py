"""Gradient norms by layer, on a logarithmic axis.

The one idea: vanishing and exploding are ratios between layers, and only a logarithmic axis shows ratios. A norm of
exactly zero has no place on such an axis, so it is written out.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.visualize.chart.common import plain_logs
from coursepkg.visualize.paper.figure import key, picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, PAPER, use_style
from coursepkg.visualize.paper.text import format_number, text_width, wrap

_WIDTH, _SIZE = 500.0, 15.3  # pixels: of the axes, and of their letters
_HATCHES = ("", "///", "\\\\\\", "xxx", "---", "+++")  # so that runs stay apart in greyscale


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
    text = f"{lead(title)}{ylabel} by {xlabel}, logarithmic axis."
    for run, values in runs.items():
        said = ", ".join(f"{xlabel} {name}: {format_number(value)}" for name, value in zip(names, values, strict=True))
        text += f" {run}: {said}." if run else f" {said[0].upper()}{said[1:]}."
    return picture_of(_plot(runs, names, xlabel, ylabel, title), text)


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

    width = 0.8 / len(runs)
    longest = max(text_width(word, _SIZE) for name in names for word in name.split()) + 8
    every = math.ceil(len(names) * longest / _WIDTH)
    logs = [math.log10(value) for values in runs.values() for value in values if value] or [0.0]
    low = math.floor(min(logs) - 0.15)
    with use_style():
        # Placed by hand, without small ticks: a figure turns through dozens of these, and layout is half the time.
        fig, ax = plt.subplots(layout="none")
        fig.subplots_adjust(left=0.155, right=0.98, bottom=0.2, top=0.84)
        ax.set(yscale="log", ylim=(10.0**low, 10.0 ** max(math.ceil(max(logs)), low + 1)))
        for number, (run, values) in enumerate(runs.items()):
            places = [place + (number - (len(runs) - 1) / 2) * width for place in range(len(names))]
            style: Any = {"color": CYCLE[number], "hatch": _HATCHES[number], "edgecolor": PAPER, "linewidth": 0.6}
            ax.bar(places, values, 0.94 * width, label=run, **style)
            for place in (place for place, value in zip(places, values, strict=True) if value == 0):
                ax.text(place, 0.01, "0", transform=ax.get_xaxis_transform(), ha="center")
        ax.set(xlabel=xlabel, ylabel=ylabel)
        shown = names[::every]
        room = _WIDTH / len(shown)
        ax.set_xticks(range(0, len(names), every), ["\n".join(wrap(name, _SIZE, room)) for name in shown])
        ax.minorticks_off()
        ax.grid(visible=False, axis="x")
        if any(runs):
            key(ax, title)
        else:
            ax.set_title(title)
        plain_logs(ax)
    return fig
