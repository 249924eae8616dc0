"""Forward gradients as figures that move: the shadow on a direction that turns, and a fan of them with its mean.

The one idea: ∇f · v is the length of the gradient's shadow on v, times the length of v. Multiplied by v it is an arrow
that is almost never the gradient, never points against it, and is the gradient on average.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.visualize.alive.story import Question, Story
from coursepkg.visualize.paper import CYCLE, EDGE, GRADIENT, INK, SHADE, Plane, format_number, page, plural

_SIDE = 420.0
_MOST = 200
_PARAMETERS, _SLOPES = ("θ₁", "θ₂"), ("∂f/∂θ₁", "∂f/∂θ₂")
_SHADOW = (
    "The [gradient](gradient) throws a [shadow](warm) on the line through the [direction v](data). Multiplied by v, it "
    "is the [forward gradient](hot), which leaves a trace. Drag v round, or play."
)
_FAN = (
    "One thin arrow after another is a forward gradient. The thick arrow is the [gradient](gradient), the slim one "
    "[the mean](hot) of all so far; the shaded half is uphill. Play, and watch the mean settle."
)


def tell_shadow(
    gradient: Any,
    directions: Any,
    slopes: Any,
    estimates: Any,
    *,
    turns: Sequence[str],
    first: int = 0,
    title: str = "",
) -> Story:
    """Show what a gradient gives on a direction that turns, and the forward gradient that follows.

    Parameters
    ----------
    gradient : (float, float)
        ∇f, the same in all states.
    directions, estimates : array, shape (n, 2)
        v and slope times v.
    slopes : array, shape (n,)
        ∇f · v, as forward passes found it.
    turns : sequence of str
        What each direction is called.
    first : int
        The state that is shown at the beginning.
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If shapes do not fit, or a direction is zero.
    """
    true, v, g, s = (np.asarray(each, dtype=float) for each in (gradient, directions, estimates, slopes))
    count = len(turns)
    for name, array, shape in (("gradient", true, (2,)), ("directions", v, (count, 2)), ("estimates", g, (count, 2)),
                               ("slopes", s, (count,))):  # fmt: skip
        if array.shape != shape:
            raise ValueError(f"{name} needs shape {shape}, got {array.shape}")
    squared = (v**2).sum(axis=1)
    if not squared.all():
        raise ValueError("a direction is zero, so nothing throws a shadow on it; give it some length")
    if not 0 <= first < count:
        raise ValueError(f"first is a state from 0 to {count - 1}, got {first}")
    feet = (s / squared)[:, None] * v
    plane = _plane(1.12 * np.abs(np.concatenate([[true], v, g])).max())
    data = {
        "side": _SIDE, "names": list(_PARAMETERS), "first": first, "gradient": _pixels(plane, [true])[0],
        "tips": _pixels(plane, v), "feet": _pixels(plane, feet), "estimates": _pixels(plane, g), "turns": list(turns),
        "facts": [f"∇f · v = {format_number(round(float(slope), 9))}" for slope in s],
    }  # fmt: skip
    say = [
        f"{turn}: the slope along v is {format_number(round(float(slope), 9))}, so the forward gradient is that many "
        f"times v: {_pair(estimate)}."
        for turn, slope, estimate in zip(turns, s, g, strict=True)
    ]
    parts = [*plane.axes(_PARAMETERS), *plane.arrow(tuple(g[first]), stroke=CYCLE[1], width=6.0, head=16.0)]
    parts += plane.arrow(tuple(true), stroke=GRADIENT) + plane.arrow(tuple(v[first]), stroke=INK, dash="3 3")
    alt = f"The gradient {_pair(true)}, the direction v = {_pair(v[first])}, and the forward gradient. {say[first]}"
    still = page(_SIDE, _SIDE, parts, alt, title=title)
    return Story(
        "directions", count, title, _SHADOW, data, still, rhythm="flow", pace=10.0, say=say, asks=_ask(v, first)
    )


def _ask(v: np.ndarray, first: int) -> dict[int, Question]:
    """Before v points the other way round: what will the forward gradient do?"""
    opposite = int(np.argmin(v @ v[first]))
    if opposite <= first or not np.allclose(v[opposite], -v[first]):
        return {}
    hint = "Both change their sign: v, and the slope along it."
    choices = [("the other way", False, hint), ("as at the beginning", True, ""), ("nowhere: it is zero", False, hint)]
    return {opposite: Question("Now v points the other way. Where does the forward gradient point?", choices=choices)}


def tell_fan(gradient: Any, runs: Mapping[Any, Any], *, first: int = 0, title: str = "") -> Story:
    """Show forward gradients, one after another, and what their mean does.

    Parameters
    ----------
    gradient : (float, float)
        The true one.
    runs : mapping of a seed to array, shape (n, 2)
        Forward gradients in the order in which they were drawn, at most 200. More than one run gives a dial.
    first : int
        The state that is shown at the beginning.
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If there are no estimates, too many, or runs of different length.
    """
    true = np.asarray(gradient, dtype=float)
    arrows = {str(name): np.asarray(run, dtype=float) for name, run in runs.items()}
    shapes = {run.shape for run in arrows.values()}
    count, *rest = next(iter(shapes), (0,))
    if len(shapes) != 1 or rest != [2] or not 1 <= count <= _MOST or not 0 <= first < count:
        raise ValueError(f"a fan needs runs of one shape (n, 2), with n from 1 to {_MOST}; got {sorted(shapes)}")
    means = {name: np.cumsum(run, axis=0) / np.arange(1, count + 1)[:, None] for name, run in arrows.items()}
    every = np.concatenate(list(arrows.values()))
    length = float(np.linalg.norm(true))
    plane = _plane(1.1 * max(length, float(np.quantile(np.linalg.norm(every, axis=1), 0.75))))
    off = {name: np.linalg.norm(mean - true, axis=1) / (length or 1.0) for name, mean in means.items()}
    data = {
        "side": _SIDE, "names": list(_SLOPES), "first": first, "gradient": _pixels(plane, [true])[0],
        "half": plane.half(tuple(true), fill="", role="half"), "dial": "seed", "labels": list(arrows),
        "runs": [_pixels(plane, run) for run in arrows.values()],
        "means": [_pixels(plane, mean) for mean in means.values()],
        "facts": [[f"mean off by {100 * x:.0f} %" for x in each] for each in off.values()],
        "said": [_fan_words(*each) for each in zip(arrows.values(), means.values(), off.values(), strict=True)],
    }  # fmt: skip
    name = next(iter(arrows))
    parts = [plane.half(tuple(true), fill=SHADE)]
    for arrow in arrows[name]:
        parts += plane.arrow(tuple(arrow), stroke=EDGE, width=1.0, head=6.0)
    parts += plane.arrow(tuple(true), stroke=GRADIENT, width=6.0, head=17.0)
    parts += [*plane.arrow(tuple(means[name][-1]), stroke=CYCLE[1], width=2.6), *plane.axes(_SLOPES)]
    inside = int((arrows[name] @ true >= 0).sum())
    alt = f"The gradient {_pair(true)} and {plural(count, 'forward gradient')} as thin arrows, {inside} of them in its "
    alt += f"half of the plane. Their mean is {_pair(means[name][-1])}."
    note = "Thick: the gradient. Slim: the mean. Thin: forward gradients; without a head, one that goes on."
    still = page(_SIDE, _SIDE, parts, alt, title=title, note=note)
    return Story("directions", count, title, _FAN, data, still, rhythm="flow", pace=12.0)


def _fan_words(run: np.ndarray, mean: np.ndarray, off: np.ndarray) -> list[str]:
    return [
        f"After {plural(k + 1, 'forward gradient')} the mean is {_pair(mean[k])}, off by {100 * off[k]:.0f} % of the "
        "gradient's length."
        for k in range(len(run))
    ]


def _plane(reach: float) -> Plane:
    return Plane(float(reach), side=_SIDE, left=0.0, top=0.0)


def _pixels(plane: Plane, points: Any) -> list[list[float]]:
    """Where points lie; unlike those of a still picture they may lie beyond the edge, which cuts what is drawn."""
    middle = _SIDE / 2
    return [[round(middle + float(x) * plane.scale, 1), round(middle - float(y) * plane.scale, 1)] for x, y in points]


def _pair(point: Any) -> str:
    return f"({', '.join(format_number(round(float(x), 9)) for x in point)})"
