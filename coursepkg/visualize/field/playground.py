"""A playground for an engine that a learner wrote: a small network that learns on it, and what the engine does wrong.

The one idea: nothing here differentiates. The engine computes the loss and its gradients, and the network takes its
steps with them; each gradient is then compared with what nudging a number does to the engine's own results.
"""

import asyncio
import base64
import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from coursepkg.autodiff.witnesses import numeric
from coursepkg.datasets import moons
from coursepkg.visualize.field.story import COLUMNS, ROWS, grid, undecided
from coursepkg.visualize.paper import svg
from coursepkg.visualize.paper.picture import Picture
from coursepkg.visualize.paper.style import CYCLE, INK, MUTED, PAPER
from coursepkg.visualize.paper.text import format_number, join_words, plural

_POINTS = 40
_X, _Y = (-1.7, 2.7), (-1.3, 1.8)
_WIDTH, _HEIGHT = 560.0, 392.0  # as the figures of networks that learn
_PLOT, _TALL = 200.0, 96.0
_COLD, _MID, _WARM = (127, 178, 229), (247, 247, 245), (242, 166, 94)  # as there, too
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
NOISES = (0.0, 0.1, 0.2, 0.4)

# What is tried: in words, how it is computed, and where. In each a number has to be counted that is easy to forget.
Trial = tuple[str, Callable[..., Any], tuple[float, ...], str]
_TRIALS: tuple[Trial, ...] = (
    ("a + b", lambda a, b: a + b, (1.3, -0.7), "A sum hands on what arrives, to both sides."),
    ("a * b", lambda a, b: a * b, (1.3, -0.7), "The local derivative of a product is the other factor."),
    ("a.tanh()", lambda a: a.tanh(), (0.6,), "Look at the slope of tanh: it is made from its output."),
    ("a.relu()", lambda a: a.relu(), (0.6,), "Above zero relu hands on what arrives."),
    ("a.relu()", lambda a: a.relu(), (-0.6,), "Below zero relu hands on nothing."),
    ("a + a", lambda a: a + a, (1.3,), "The same value comes in twice. Do reports add up, or does the last one count?"),
    ("a * a", lambda a: a * a, (1.3,), "The same value comes in twice. Do reports add up, or does the last one count?"),
    (
        "c = a * b, (c + a) * c",
        lambda a, b: (lambda c: (c + a) * c)(a * b),
        (1.3, -0.7),
        "c is used twice. Does it wait for both reports before it hands on, and hand on once?",
    ),
)  # fmt: skip


def find_faults(engine: Any) -> list[str]:
    """What an engine does wrong, in plain words.

    Parameters
    ----------
    engine : class
        ``engine(number)`` has ``data``, ``grad``, ``+``, ``*``, ``backward()``, and ``tanh()`` or ``relu()``.

    Returns
    -------
    list of str
        One sentence or two for each expression that comes out wrong; empty if all are right.

    Examples
    --------
    >>> from coursepkg.autodiff.scalar import Scalar
    >>> find_faults(Scalar)
    []
    """
    if not any(hasattr(engine, name) for name in ("tanh", "relu")):
        return ["The engine has neither tanh nor relu, so a network of it could only be a straight line."]
    found: list[str] = []
    for trial in _TRIALS:
        words = trial[0]
        if (words.startswith("a.") and not hasattr(engine, words[2:6])) or any(words in fault for fault in found):
            continue
        if fault := _fault(engine, *trial):
            found.append(fault)
    return found


def _fault(engine: Any, words: str, formula: Callable[..., Any], at: tuple[float, ...], hint: str) -> str:
    names, point = "ab"[: len(at)], np.array(at)
    where = join_words([f"{name} = {format_number(x)}" for name, x in zip(names, at, strict=True)])
    try:
        leaves = [engine(x) for x in at]
        result = formula(*leaves)
        result.backward()
        told = [float(leaf.grad) for leaf in leaves]
        seen = np.atleast_1d(numeric(lambda p: float(formula(*(engine(float(x)) for x in p)).data))(point))
    except Exception as error:  # noqa: BLE001 - whatever a learner's class does, it is told
        return f"{words} stopped with {type(error).__name__}: {error}"
    for name, said, nudged in zip(names, told, seen.tolist(), strict=True):
        if not math.isclose(said, nudged, rel_tol=1e-5, abs_tol=1e-6):
            return (
                f"{words} at {where}: the engine says that the gradient of {name} is {format_number(said)}, but a "
                f"small nudge of {name} moves the result {format_number(round(nudged, 6))} times as far. {hint}"
            )
    return ""


class Network:
    """Two inputs, hidden units, one output, on numbers of a learner's engine.

    Parameters
    ----------
    engine : class
        As for :func:`find_faults`.
    width : int
        Hidden units.
    noise : float
        Of the moons.
    seed : int
        Of points and weights.
    """

    def __init__(self, engine: Any, width: int = 6, noise: float = 0.1, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.engine, self.width, self.bend = engine, width, "tanh" if hasattr(engine, "tanh") else "relu"
        self.points, self.classes = moons(_POINTS, noise=noise, rng=rng)
        start = np.concatenate([rng.normal(size=(width, 2)), np.zeros((width, 1))], axis=1)
        self.hidden = [[engine(float(x)) for x in row] for row in start]
        self.output = [engine(float(x)) for x in [*rng.normal(size=width) * 0.5, 0.0]]
        self.losses: list[float] = []

    @property
    def weights(self) -> dict[str, Any]:
        """All numbers that are learned, by name."""
        names = ("from x", "from y", "bias")
        found = {f"unit {n + 1}, {name}": w for n, row in enumerate(self.hidden)
                 for name, w in zip(names, row, strict=True)}  # fmt: skip
        return (
            found
            | {f"vote of unit {n + 1}": w for n, w in enumerate(self.output[:-1])}
            | {"bias of the vote": self.output[-1]}
        )

    def loss(self) -> Any:
        """The mean squared distance of the answers from -1 and 1, as a number of the engine."""
        total = None
        for (x, y), label in zip(self.points.tolist(), self.classes.tolist(), strict=True):
            off = self._answer(x, y) + self.engine(1.0 - 2.0 * label)
            total = off * off if total is None else total + off * off
        return total * self.engine(1.0 / len(self.points))

    def _answer(self, x: float, y: float) -> Any:
        across, upward = self.engine(x), self.engine(y)
        answer = self.output[-1]
        for (wx, wy, bias), vote in zip(self.hidden, self.output[:-1], strict=True):
            answer = answer + getattr(wx * across + wy * upward + bias, self.bend)() * vote
        return answer

    def step(self, rate: float) -> None:
        """One step of gradient descent with the gradients of the engine."""
        loss = self._swept()
        weights = self.weights.values()
        moved = [float(w.data) - rate * float(w.grad) for w in weights]
        if not np.isfinite(moved).all():
            raise ArithmeticError("a weight is no longer finite; choose a smaller rate and begin again")
        for w, x in zip(weights, moved, strict=True):
            w.data = x
        self.losses.append(float(loss.data))

    def _swept(self) -> Any:
        for w in self.weights.values():
            w.grad = 0.0
        loss = self.loss()
        loss.backward()
        return loss

    def off(self) -> str:
        """Which gradient of the whole loss differs most from a nudge, in words; empty if all agree."""
        self._swept()
        told = {name: float(w.grad) for name, w in self.weights.items()}
        weights = list(self.weights.values())
        here = np.array([float(w.data) for w in weights])

        def loss(p: Any) -> float:
            for w, x in zip(weights, np.asarray(p, dtype=float), strict=True):
                w.data = float(x)
            return float(self.loss().data)

        try:
            seen = np.asarray(numeric(loss)(here))
        finally:
            for w, x in zip(weights, here.tolist(), strict=True):
                w.data = x
        apart = np.abs(np.array(list(told.values())) - seen)
        worst = int(np.argmax(np.nan_to_num(apart, nan=np.inf)))
        if apart[worst] <= 1e-5 * max(float(np.abs(seen).max()), 1.0):
            return ""
        name, said = list(told.items())[worst]
        return (
            f"{name.capitalize()}: the engine says {format_number(said)}, a nudge of the weight says "
            f"{format_number(round(float(seen[worst]), 6))}."
        )

    def scores(self, places: np.ndarray) -> np.ndarray:
        """What the network answers at many places, by NumPy: the engine would take seconds."""
        w = np.array([[float(x.data) for x in row] for row in self.hidden])
        v = np.array([float(x.data) for x in self.output])
        inner = places @ w[:, :2].T + w[:, 2]
        return (np.tanh(inner) if self.bend == "tanh" else np.maximum(inner, 0.0)) @ v[:-1] + v[-1]

    def picture(self) -> Picture:
        """The plane as the network sees it, the points, and the loss so far."""
        field = self.scores(grid(_X, _Y))
        parts = [_ground(field)]
        for line in undecided(field):
            way = "M" + "L".join(f"{svg.number(x)} {svg.number(y)}" for x, y in line.tolist())
            parts.append(svg.path(way, stroke=INK, width=2.4))
        right = (self.scores(self.points) > 0) == (self.classes == 1)
        for (a, b), label, good in zip(self.points.tolist(), self.classes.tolist(), right.tolist(), strict=True):
            x, y = _WIDTH * (a - _X[0]) / (_X[1] - _X[0]), _HEIGHT * (_Y[1] - b) / (_Y[1] - _Y[0])
            style = {"stroke": PAPER if good else INK}
            parts.append(
                svg.rectangle(x - 4.3, y - 4.3, 8.6, 8.6, radius=1.5, fill="#a84a00", line_width=_ring(good), **style)
                if label else svg.circle(x, y, 4.7, fill="#0b4f94", width=_ring(good), **style)
            )  # fmt: skip
        parts = [f'<svg width="{_WIDTH:g}" height="{_HEIGHT:g}" overflow="hidden">', *parts, "</svg>"]
        parts += self._curve(int(right.sum()))
        loss = f"the loss is {format_number(self.losses[-1])}" if self.losses else "nothing has been learned"
        alt = f"After {plural(len(self.losses), 'step')} {loss}, and {right.sum()} of {len(right)} points of two moons "
        alt += "are on their side of the line where the network is undecided."
        return Picture(svg.document(_WIDTH + _PLOT + 44, _HEIGHT, parts), alt)

    def _curve(self, right: int) -> list[str]:
        left, top = _WIDTH + 24, 92.0
        words = [(f"{len(self.losses):,}", "steps"), (format_number(self.losses[-1]) if self.losses else "–", "loss")]
        words.append((f"{right} of {len(self.points)}", "right"))
        parts = []
        for n, (value, name) in enumerate(words):
            parts.append(svg.text(left + 70 * n, 22, value, size=16, weight="bold", halo=False))
            parts.append(svg.text(left + 70 * n, 40, name, size=12, fill=MUTED, halo=False))
        parts.append(svg.path(f"M{svg.number(left)} {top}v{_TALL}h{_PLOT}", stroke=MUTED, width=1.0))
        if len(self.losses) > 1:
            drawn = self.losses[:: max(len(self.losses) // 200, 1)]
            x = left + np.arange(len(drawn)) / (len(drawn) - 1) * _PLOT
            y = top + _TALL * (1 - np.clip(np.array(drawn) / max(drawn[0], 1e-12), 0, 1))
            way = "L".join(f"{svg.number(a)} {svg.number(b)}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
            parts.append(svg.path(f"M{way}", stroke=CYCLE[1], width=2.4))
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
        self.output.value = self.network.picture().html()
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
