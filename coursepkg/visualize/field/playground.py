"""A playground for an engine that a learner wrote: a network that learns on it, with dials and buttons.

The one idea: the network and the checks are :mod:`coursepkg.engine_trial`; here they are drawn, and driven.
"""

import asyncio
import base64
import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from coursepkg.engine_trial import Network, find_faults
from coursepkg.visualize.field.story import COLUMNS, ROWS, grid, undecided
from coursepkg.visualize.paper import CYCLE, INK, MUTED, PAPER, Picture, format_number, plural, svg

_X, _Y = (-1.7, 2.7), (-1.3, 1.8)
_WIDTH, _HEIGHT = 560.0, 392.0  # as the figures of networks that learn
_PLOT, _TALL = 200.0, 96.0
_COLD, _MID, _WARM = (127, 178, 229), (247, 247, 245), (242, 166, 94)  # as there, too
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
NOISES = (0.0, 0.1, 0.2, 0.4)


def picture_of_network(network: Network) -> Picture:
    """The plane as the network sees it, the points, and the loss so far."""
    field = network.scores(grid(_X, _Y))
    parts = [_ground(field)]
    parts += [svg.path(svg.polygon(line.tolist(), closed=False), stroke=INK, width=2.4) for line in undecided(field)]
    right = network.sides()
    for (a, b), label, good in zip(network.points.tolist(), network.classes.tolist(), right.tolist(), strict=True):
        x, y = _WIDTH * (a - _X[0]) / (_X[1] - _X[0]), _HEIGHT * (_Y[1] - b) / (_Y[1] - _Y[0])
        style = {"stroke": PAPER if good else INK}
        parts.append(
            svg.rectangle(x - 4.3, y - 4.3, 8.6, 8.6, radius=1.5, fill="#a84a00", line_width=_ring(good), **style)
            if label else svg.circle(x, y, 4.7, fill="#0b4f94", width=_ring(good), **style)
        )  # fmt: skip
    parts = [f'<svg width="{_WIDTH:g}" height="{_HEIGHT:g}" overflow="hidden">', *parts, "</svg>"]
    parts += _curve(network.losses, f"{right.sum()} of {len(right)}")
    loss = f"the loss is {format_number(network.losses[-1])}" if network.losses else "nothing has been learned"
    alt = f"After {plural(len(network.losses), 'step')} {loss}, and {right.sum()} of {len(right)} points of two moons "
    alt += "are on their side of the line where the network is undecided."
    return Picture(svg.document(_WIDTH + _PLOT + 44, _HEIGHT, parts), alt)


def _curve(losses: Sequence[float], right: str) -> list[str]:
    left, top, parts = _WIDTH + 24, 92.0, []
    last = format_number(losses[-1]) if losses else "–"
    for n, (value, name) in enumerate(((f"{len(losses):,}", "steps"), (last, "loss"), (right, "right"))):
        parts.append(svg.text(left + 70 * n, 22, value, size=16, weight="bold", halo=False))
        parts.append(svg.text(left + 70 * n, 40, name, size=12, fill=MUTED, halo=False))
    parts.append(svg.path(f"M{svg.number(left)} {top}v{_TALL}h{_PLOT}", stroke=MUTED, width=1.0))
    if len(losses) > 1:
        drawn = losses[:: max(len(losses) // 200, 1)]
        x = left + np.arange(len(drawn)) / (len(drawn) - 1) * _PLOT
        y = top + _TALL * (1 - np.clip(np.array(drawn) / max(drawn[0], 1e-12), 0, 1))
        way = svg.polygon(zip(x.tolist(), y.tolist(), strict=True), closed=False)
        parts.append(svg.path(way, stroke=CYCLE[1], width=2.4))
    return parts


def _ring(good: bool) -> float:
    return 1.2 if good else 2.8


def _ground(field: np.ndarray) -> str:
    """The answers as a small image that the page stretches and smooths."""
    from matplotlib.image import imsave

    share = np.clip(np.tanh(field), -1, 1).reshape(ROWS, COLUMNS, 1)
    side = np.where(share < 0, np.array(_COLD), np.array(_WARM))
    pixels = (np.array(_MID) + np.abs(share) * (side - np.array(_MID))) / 255
    file = io.BytesIO()
    imsave(file, pixels, format="png")
    data = base64.b64encode(file.getvalue()).decode("ascii")
    size = f'width="{_WIDTH:g}" height="{_HEIGHT:g}" preserveAspectRatio="none"'
    return f'<image {size} href="data:image/png;base64,{data}"/>'


class Playground:
    """The network with its controls; ``box`` is what a notebook shows."""

    running: "Playground | None" = None  # one at a time: a figure that nobody sees should not keep the kernel busy

    def __init__(self, engine: Any, *, seed: int = 0) -> None:
        import ipywidgets as widgets

        self.engine, self.seed = engine, seed
        self._task: asyncio.Task[None] | None = None  # kept, so that nobody tidies it up while it runs
        style = {"style": {"description_width": "initial"}}
        self.width = widgets.IntSlider(value=6, min=1, max=10, description="hidden units", **style)
        self.rate = widgets.SelectionSlider(value=0.3, options=RATES, description="rate", **style)
        self.noise = widgets.SelectionSlider(value=0.1, options=NOISES, description="noise", **style)
        self.start = widgets.ToggleButton(description="Start")
        self.one, self.again, self.check = (widgets.Button(description=x) for x in ("Step", "Begin again", "Check"))
        self.which = widgets.Dropdown(description="weight", **style)
        self.value = widgets.FloatText(description="=", step=0.1, **style)
        self.output, self.words = widgets.HTML(), widgets.HTML()
        for dial in (self.width, self.noise):
            dial.observe(lambda _: self.restart(), names="value")
        self.start.observe(lambda change: self._switch(change["new"]), names="value")
        self.one.on_click(lambda _: self.step())
        self.again.on_click(lambda _: self.restart())
        self.check.on_click(lambda _: self.say(self.checked()))
        self.which.observe(lambda _: self._read(), names="value")
        self.value.observe(lambda change: self._edit(change["new"]), names="value")
        buttons = widgets.HBox([self.start, self.one, self.again, self.check])
        dials = widgets.HBox([self.width, self.rate, self.noise], layout={"flex_flow": "row wrap"})
        edit = widgets.HBox([self.which, self.value], layout={"flex_flow": "row wrap"})
        self.box = widgets.VBox([buttons, dials, edit, self.output, self.words])
        self.restart()
        self.say(self.checked())

    def restart(self) -> None:
        """New weights and new points."""
        self.network = Network(self.engine, self.width.value, self.noise.value, self.seed)
        self.which.options = list(self.network.weights)
        self.which.index = 0  # otherwise nothing is chosen
        self.show()

    def show(self) -> None:
        """Draw the network as it is now, and the weight that is being looked at."""
        self.output.value = picture_of_network(self.network).html()
        self._read()

    def say(self, words: list[str]) -> None:
        """Write sentences below the picture."""
        from html import escape

        self.words.value = "".join(f'<p role="status" style="margin:.3em 0">{escape(each)}</p>' for each in words)

    def checked(self) -> list[str]:
        """What the engine does wrong, or that nothing was found."""
        faults = find_faults(self.engine)
        if not faults:
            try:
                whole = self.network.off()
            except Exception as error:  # noqa: BLE001 - a learner's class may raise anything
                whole = f"The network stopped with {type(error).__name__}: {error}"
            faults = [whole] if whole else []
        count = len(self.network.weights)
        return faults or [f"Checked: the engine's gradients of the loss agree with nudges in all {count} weights."]

    def step(self) -> bool:
        """One step and a new picture; False, with the reason, if the engine could not."""
        try:
            self.network.step(float(self.rate.value))
        except Exception as error:  # noqa: BLE001 - a learner's class may raise anything
            self.start.value = False
            self.say([f"The step stopped with {type(error).__name__}: {error}"])
            return False
        self.show()
        return True

    async def run(self) -> None:
        """Steps until somebody presses Stop; the pauses let the kernel hear that."""
        while Playground.running is self and self.step():
            await asyncio.sleep(0.03)

    def _switch(self, on: bool) -> None:
        self.start.description = "Stop" if on else "Start"
        if not on:
            Playground.running = None if Playground.running is self else Playground.running
            return
        if Playground.running is not None:
            Playground.running.start.value = False
        Playground.running = self
        self._task = asyncio.ensure_future(self.run())

    def _read(self) -> None:
        weight = self.network.weights.get(self.which.value)
        self._shown = None if weight is None else round(float(weight.data), 4)
        if weight is not None:
            self.value.value = self._shown

    def _edit(self, typed: float) -> None:
        """A weight that was typed; a number that was only shown changes nothing."""
        if typed != self._shown and math.isfinite(typed):
            self.network.weights[self.which.value].data = float(typed)
            self.show()


def playground(engine: Any, *, seed: int = 0) -> Any:
    """Let a network learn on an engine that you wrote, and see what the engine does wrong.

    Parameters
    ----------
    engine : class
        ``engine(number)`` makes a number with ``data`` and ``grad``, which knows ``+``, ``*``, ``tanh()`` or
        ``relu()``, and ``backward()``, as in exercise 02.7.
    seed : int
        Of the points and of the weights at the start.

    Returns
    -------
    ipywidgets.VBox
        Start, stop, step; dials for width, rate and noise; a weight that can be edited; and a check of all gradients
        against differences.
    """
    return Playground(engine, seed=seed).box
