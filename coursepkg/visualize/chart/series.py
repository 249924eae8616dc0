"""What runs along an axis: measurements beside laws, losses over steps, norms by layer.

The one idea: a law is a line, a measurement is a mark, and the eye compares them; on logarithmic axes a power law is a
straight line, and ratios between layers are distances. The caller brings the numbers, the plot their words.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.chart.common import plain_logs
from coursepkg.visualize.paper import Picture, capital, format_number, key, lead, picture_of, plural, text_width, wrap
from coursepkg.visualize.paper.style import CYCLE, DASHES, MARKERS, PAPER, use_style

Series = Mapping[str, tuple[Any, Any]]
_WIDTH, _SIZE = 500.0, 15.3  # pixels: of the axes, and of their letters
_HATCHES = ("", "///", "\\\\\\", "xxx", "---", "+++")  # so that runs stay apart in greyscale


def draw_series(
    measured: Series,
    predicted: Series | None = None,
    *,
    joined: bool = False,
    log: str = "",
    y_ends: tuple[float, float] | None = None,
    xlabel: str = "x",
    ylabel: str = "y",
    title: str = "",
) -> Picture:
    """Draw y against x, measured as marks and predicted as lines; a prediction of the same name gets the same colour.

    Parameters
    ----------
    measured : mapping of str to (x, y)
        Two arrays of one length per name; at most six names.
    predicted : mapping of str to (x, y), optional
        Lines; at most six names together with the measured ones.
    joined : bool
        Join the measured marks by lines, for something that runs on, such as a loss over time.
    log : {"", "x", "y", "xy"}
        Which axes are logarithmic.
    y_ends : (float, float), optional
        Where the y axis begins and ends, so that pictures of one series have one scale.
    xlabel, ylabel, title : str
        Labels.

    Raises
    ------
    ValueError
        If x and y differ in length, a series is empty, a logarithm has nothing to show, or there are too many names.

    Examples
    --------
    >>> print(draw_series({"Gaussian": ([10, 100], [11, 101])}, log="xy", xlabel="d", ylabel="noise").alt)
    Noise against d, both axes logarithmic. Gaussian: from 11 at 10 to 101 at 100, 2 points.
    """
    predicted = predicted or {}
    points = {name: _arrays(name, pair, log) for name, pair in measured.items()}
    lines = {name: _arrays(name, pair, log) for name, pair in predicted.items()}
    count = len({*points, *lines})
    if not 1 <= count <= len(CYCLE):
        raise ValueError(f"draw_series shows one to {len(CYCLE)} names, got {count}")
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log names the logarithmic axes, '', 'x', 'y' or 'xy'; got {log!r}")
    fig = plot_series(points, lines, joined=joined, log=log, xlabel=xlabel, ylabel=ylabel, title=title)
    fig.gca().set(ylim=y_ends or fig.gca().get_ylim())
    return picture_of(fig, _say(points, lines, log, xlabel, ylabel, title))


def _arrays(name: str, pair: tuple[Any, Any], log: str) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.asarray(part, dtype=float).reshape(-1) for part in pair)
    if x.shape != y.shape or not x.size:
        raise ValueError(f"{name!r} needs as many x as y, at least one; got {x.size} and {y.size}")
    for axis, values in (("x", x), ("y", y)):
        if axis in log and not (values > 0).any():
            raise ValueError(f"{name!r} has nothing above zero to show on the logarithmic {axis} axis")
    return x, y


def plot_series(
    points: Mapping[str, Any], lines: Mapping[str, Any], *, joined: bool, log: str, xlabel: str, ylabel: str, title: str
) -> Any:
    """The figure; a name that is empty gets no legend."""
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots()
        for number, name in enumerate(dict.fromkeys([*points, *lines])):
            colour, dash = CYCLE[number], DASHES[number]
            if name in lines:
                label = f"{name}, predicted" if name in points else name
                ax.plot(*lines[name], color=colour, linestyle=dash, linewidth=1.6, label=label)
            if name in points:
                x, y = points[name]
                label = f"{name}, measured" if name in lines else name
                style = dash if joined else "none"
                every = max(len(x) // 10, 1) if joined else 1
                ax.plot(x, y, color=colour, marker=MARKERS[number], linestyle=style, markevery=every, label=label)
        scales = {f"{axis}scale": "log" if axis in log else "linear" for axis in "xy"}
        ax.set(xlabel=xlabel, ylabel=ylabel, **scales)
        plain_logs(ax)
        key(ax, title)
    return fig


_AXES = {"": "", "x": ", the x axis logarithmic", "y": ", the y axis logarithmic", "xy": ", both axes logarithmic"}


def _say(points: Mapping[str, Any], lines: Mapping[str, Any], log: str, xlabel: str, ylabel: str, title: str) -> str:
    text = f"{lead(title)}{capital(ylabel)} against {xlabel}{_AXES[log]}."
    for kind, group in (("", points), (" predicted", lines)):
        for name, (x, y) in group.items():
            ends = [f"{format_number(y[k])} at {format_number(x[k])}" for k in (0, -1)]
            text += f" {name}{kind}: from {ends[0]} to {ends[1]}, {len(x)} points."
    return text


def draw_loss(
    losses: Sequence[float] | Mapping[str, Sequence[float]],
    *,
    log: bool = False,
    first: int = 0,
    xlabel: str = "step",
    ylabel: str = "loss L",
    title: str = "",
) -> Picture:
    """Draw how a loss falls, for one run or several named ones.

    Parameters
    ----------
    losses : sequence of float, or mapping of str to sequence of float
        The loss after each step.
    first : int
        The number of the first one: 0 if it was measured before any step, 1 for losses of whole epochs.
    log : bool
        A logarithmic axis for the loss.
    xlabel, ylabel, title : str
        Labels.

    Raises
    ------
    ValueError
        If a run is empty, or there are more runs than line styles.

    Examples
    --------
    >>> print(draw_loss([1.0, 0.5, 0.25]).alt)
    Loss L by step. It goes from 1 to 0.25 over 2 steps.
    """
    runs = dict(losses) if isinstance(losses, Mapping) else {"": losses}
    _check_runs(runs)
    points = {name: (np.arange(first, first + len(run)), np.asarray(run, dtype=float)) for name, run in runs.items()}
    fig = plot_series(points, {}, joined=True, log="y" if log else "", xlabel=xlabel, ylabel=ylabel, title=title)
    fig.gca().locator_params(axis="x", integer=True)
    return picture_of(fig, lead(title) + _say_runs(runs, first, xlabel, ylabel, log))


def _check_runs(runs: Mapping[str, Sequence[float]]) -> None:
    empty = [name for name, run in runs.items() if not len(run)]
    if empty or not runs:
        raise ValueError(f"the run {empty[0] if empty else ''!r} holds no losses; pass at least one number")
    if len(runs) > len(CYCLE):
        raise ValueError(f"{len(runs)} runs in one plot cannot be told apart; draw at most {len(CYCLE)}")


def _say_runs(runs: Mapping[str, Sequence[float]], first: int, xlabel: str, ylabel: str, log: bool) -> str:
    text = f"{capital(ylabel)} by {xlabel}{', on a logarithmic axis' if log else ''}."
    for name, run in runs.items():
        steps = plural(first + len(run) - 1, xlabel)
        ends = f"from {format_number(run[0])} to {format_number(run[-1])} over {steps}"
        text += f" {name or 'It'} goes {ends}."
    return text


def draw_layer_norms(
    norms: Mapping[str, Sequence[float]] | Sequence[float],
    *,
    layers: Sequence[str] | None = None,
    y_ends: tuple[float, float] | None = None,
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
    y_ends : (float, float), optional
        Where the axis begins and ends, so that pictures of one series have one scale; both above zero.
    xlabel, ylabel, title : str
        Labels.

    Raises
    ------
    ValueError
        If runs differ in length, a norm is negative or not finite, or there are too many runs.

    Examples
    --------
    >>> print(draw_layer_norms([0.001, 0.1]).alt)
    Norm of the gradient by layer, logarithmic axis. Layer 1: 0.001, layer 2: 0.1.
    """
    runs = {k: [float(v) for v in run] for k, run in (norms if isinstance(norms, Mapping) else {"": norms}).items()}
    names = (
        [str(name) for name in layers]
        if layers is not None
        else [str(k + 1) for k in range(len(next(iter(runs.values()), [])))]
    )
    _check_norms(runs, names)
    text = f"{lead(title)}{capital(ylabel)} by {xlabel}, logarithmic axis."
    for run, values in runs.items():
        said = ", ".join(f"{xlabel} {name}: {format_number(value)}" for name, value in zip(names, values, strict=True))
        text += f" {run}: {said}." if run else f" {said[0].upper()}{said[1:]}."
    return picture_of(_plot_norms(runs, names, y_ends, xlabel, ylabel, title), text)


def _check_norms(runs: Mapping[str, Sequence[float]], names: Sequence[str]) -> None:
    if not runs or not names:
        raise ValueError("draw_layer_norms needs at least one norm")
    if len(runs) > len(CYCLE):
        raise ValueError(f"{len(runs)} runs in one plot cannot be told apart; draw at most {len(CYCLE)}")
    for run, values in runs.items():
        if len(values) != len(names):
            raise ValueError(f"the run {run!r} has {len(values)} norms for {len(names)} layers")
        if any(not 0 <= value < float("inf") for value in values):
            raise ValueError(f"the run {run!r} holds a norm that is negative or not finite: {values}")


def _plot_norms(
    runs: Mapping[str, Sequence[float]], names: Sequence[str], y_ends: tuple[float, float] | None, xlabel: str,
    ylabel: str, title: str,
) -> Any:  # fmt: skip
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
        ax.set(yscale="log", ylim=y_ends or (10.0**low, 10.0 ** max(math.ceil(max(logs)), low + 1)))
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
        key(ax, title)
        plain_logs(ax)
    return fig
