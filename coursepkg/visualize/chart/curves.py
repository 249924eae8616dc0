"""The plots of the first chapters, one call each: a tangent and loss curves.

The one idea: the caller brings the numbers (the slope, the losses); the plot adds axes, labels that do not depend on
colour, and words.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.chart.series import plot_series
from coursepkg.visualize.paper.figure import key, picture_of
from coursepkg.visualize.paper.picture import Picture, lead
from coursepkg.visualize.paper.style import CYCLE, GRADIENT, INK, VALUE, use_style
from coursepkg.visualize.paper.text import format_number, plural


def draw_tangent(
    f: Callable[[float], Any],
    at: float,
    slope: float,
    *,
    nudge: float | None = None,
    low: float | None = None,
    high: float | None = None,
    name: str = "f(x)",
    title: str = "",
) -> Picture:
    """Draw a function of one number and its tangent at a point, and the slope that a nudge sees there.

    Parameters
    ----------
    f : callable
        Takes a float, returns a number.
    at : float
        Where the tangent touches.
    slope : float
        The derivative there, as computed by the caller.
    nudge : float, optional
        The line through the point and the one this far to its right is drawn as well.
    low, high : float, optional
        The range of x; by default three units on each side of `at`.
    name, title : str
        How the function is called, and a line over the plot.

    Raises
    ------
    ValueError
        If `at` lies outside the range, or the nudge is zero.

    Examples
    --------
    >>> print(draw_tangent(lambda x: x * x, at=1.0, slope=2.0).alt)
    f(x) for x from −2 to 4. At x = 1 its value is 1 and the tangent has slope 2.
    """
    if nudge == 0:
        raise ValueError("a nudge of zero has no slope; choose a small number such as 0.1")
    low, high = at - 3.0 if low is None else low, at + 3.0 if high is None else high
    if not low <= at <= high or low == high:
        raise ValueError(f"the tangent touches at x = {at}, outside the range {low} to {high}")
    import matplotlib.pyplot as plt

    x = np.linspace(low, high, 241)
    y = np.array([float(f(float(value))) for value in x])
    touch = float(f(float(at)))
    with use_style():
        fig, ax = plt.subplots()
        ax.plot(x, y, color=VALUE, linestyle="-", label=name)
        ax.plot(
            x, touch + slope * (x - at), color=GRADIENT, linestyle="--", label=f"tangent, slope {format_number(slope)}"
        )
        if nudge is not None:
            there = float(f(float(at + nudge)))
            seen = format_number((there - touch) / nudge)
            label = f"nudge {format_number(nudge)}, slope {seen}"
            ax.plot([at, at + nudge], [touch, there], color=INK, marker="o", linewidth=2.6, label=label)
        ax.plot([at], [touch], color=INK, marker="o", linestyle="none")
        ax.set_ylim(*_room(y))
        ax.set(xlabel="x", ylabel=name)
        key(ax, title)
    alt = f"{lead(title)}{name} for x from {format_number(low)} to {format_number(high)}. "
    alt += f"At x = {format_number(at)} its "
    alt += f"value is {format_number(touch)} and the tangent has slope {format_number(slope)}"
    return picture_of(fig, alt + (f"; a nudge of {format_number(nudge)} sees slope {seen}." if nudge else "."))


def _room(y: np.ndarray) -> tuple[float, float]:
    finite = y[np.isfinite(y)]
    low, high = float(finite.min()), float(finite.max())
    margin = 0.15 * (high - low) or 1.0
    return low - margin, high + margin


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
    loss L by step. It goes from 1 to 0.25 over 2 steps.
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
    text = f"{ylabel} by {xlabel}{', on a logarithmic axis' if log else ''}."
    for name, run in runs.items():
        steps = plural(first + len(run) - 1, xlabel)
        ends = f"from {format_number(run[0])} to {format_number(run[-1])} over {steps}"
        text += f" {name or 'It'} goes {ends}."
    return text
