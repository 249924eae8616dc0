"""Points of two classes, and the line where a predictor is undecided.

The one idea: the caller brings the prediction; it is asked on a grid, and the line is where its answers change sides.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg.visualize.paper import CYCLE, INK, MUTED, Picture, key, lead, picture_of, plural, use_style

_GRID = 60


def draw_decision_boundary(
    predict: Callable[[np.ndarray], Any],
    points: Any,
    labels: Any,
    *,
    level: float = 0.0,
    margin: float = 0.5,
    names: tuple[str, str] = ("class 0", "class 1"),
    title: str = "",
) -> Picture:
    """Draw points of two classes and the line where a predictor is undecided.

    Parameters
    ----------
    predict : callable
        Takes an array of shape (n, 2), returns n scores; a score above `level` means the second class.
    points : array, shape (n, 2)
        The data.
    labels : array, shape (n,)
        The classes; the larger of the two values is the second class.
    level : float
        The undecided score: 0 for tanh, 0.5 for a probability.
    margin : float
        How far the plot reaches beyond the points.
    names : (str, str)
        What the classes are called.
    title : str
        A line over the plot.

    Raises
    ------
    ValueError
        If shapes do not fit, or there are not two classes.
    """
    data, classes = np.asarray(points, dtype=float), np.asarray(labels).reshape(-1)
    if data.ndim != 2 or data.shape[1] != 2 or len(classes) != len(data):
        raise ValueError(f"needs points of shape (n, 2) and n labels, got {data.shape} and {classes.shape}")
    if len(np.unique(classes)) != 2:
        raise ValueError(f"needs labels of two classes, got {np.unique(classes).tolist()}")
    x, y = (np.linspace(data[:, k].min() - margin, data[:, k].max() + margin, _GRID) for k in (0, 1))
    second = classes == classes.max()
    scores = _ask(predict, np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)).reshape(_GRID, _GRID)
    right = int(((_ask(predict, data) > level) == second).sum())
    fig = plot_boundary(x, y, scores - level, data, second, names, title)
    counts = f"{int((~second).sum())} of {names[0]} (circles) and {int(second.sum())} of {names[1]} (squares)"
    alt = f"{lead(title)}{plural(len(data), 'point')}, {counts}, and the boundary between them. "
    return picture_of(fig, alt + f"{right} of {len(data)} are on their side.")


def _ask(predict: Callable[[np.ndarray], Any], inputs: np.ndarray) -> np.ndarray:
    scores = np.array([float(score) for score in np.asarray(predict(inputs)).reshape(-1)])
    if len(scores) != len(inputs):
        raise ValueError(f"predict was given {len(inputs)} points of shape (n, 2) and returned {len(scores)} scores")
    return scores


def plot_boundary(
    x: np.ndarray, y: np.ndarray, scores: np.ndarray, data: np.ndarray, second: np.ndarray,
    names: tuple[str, str], title: str,
) -> Any:  # fmt: skip
    import matplotlib.pyplot as plt

    with use_style():
        fig, ax = plt.subplots(figsize=(5.6, 4.6))
        if scores.min() < 0 < scores.max():
            ax.contourf(x, y, scores, levels=[scores.min(), 0, scores.max()], colors=["#e3ebf3", "#fbeedd"])
            ax.contour(x, y, scores, levels=[0], colors=[INK], linewidths=2)
        shared: Any = {"linestyle": "none", "markeredgecolor": INK, "markersize": 6.5}
        ax.plot(*data[~second].T, marker="o", markerfacecolor=CYCLE[0], label=names[0], **shared)
        ax.plot(*data[second].T, marker="s", markerfacecolor=CYCLE[1], label=names[1], **shared)
        ax.set(xlabel="x₁", ylabel="x₂")
        ax.grid(False)
        ax.tick_params(colors=MUTED)
        key(ax, title)
    return fig
