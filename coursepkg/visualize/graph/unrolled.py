"""A recurrence unrolled in time as a figure that moves: states forward, gradients back, and the bucket of the shared
weight that fills on the way.

The one idea: every step is the same small box with the same weight. A gate is drawn as what it does: a valve on the
road along which the state travels, and the gradient after it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from coursepkg.visualize.alive.story import Question, Story, around
from coursepkg.visualize.paper import EDGE, GRADIENT, MINUS, SHADE, VALUE, Picture, format_number, page, plural, svg
from coursepkg.visualize.paper.text import text_width

_PITCH, _CELL, _LEFT, _ROAD, _TALLEST = 122.0, 54.0, 78.0, 86.0, 30.0
_CAPTION = (
    "[States](value) go forward along the road, [gradients](gradient) come back below it; a bar says how large each "
    "is. Each use of the weight drops its contribution into the bucket."
)
_GATES = " The valve at each step is open as far as its gate is."


class _Run(NamedTuple):
    states: Sequence[float]
    gradients: Sequence[float]
    contributions: Sequence[float]
    gates: Sequence[float] = ()


def tell_unrolled(
    runs: Mapping[Any, Sequence[Any]],
    *,
    dial: str = "",
    weight: str = "w",
    state: str = "h",
    first: int = 0,
    title: str = "",
) -> Story:
    """Run forward through time, then backward, one step at a time.

    Parameters
    ----------
    runs : mapping to (states, gradients, contributions) or (states, gradients, contributions, gates)
        One run of a net with one unit for each place of the dial, all over the same T steps, at most 7: T + 1 states
        and the gradient of the loss at each; what each use of the shared weight contributes to its gradient; how far
        the gate on the road is open at each step, 0 to 1.
    dial : str
        What the keys of `runs` are; without a dial there is one run.
    weight, state : str
        Names of the shared weight and of the states.
    first : int
        The place of the dial at the beginning.
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If there is no run, the lengths do not fit, or a run is too long.
    """
    told = [_Run(*run) for run in runs.values()]
    if not told or len({(len(run.states), len(run.gates)) for run in told}) > 1 or (len(told) > 1 and not dial):
        raise ValueError("tell_unrolled needs runs of one length, and a name for the dial if there is more than one")
    steps = len(told[0].contributions)
    for run in told:
        if not len(run.states) == len(run.gradients) == len(run.contributions) + 1 == steps + 1:
            raise ValueError(f"{steps} uses of a weight need {steps + 1} states and gradients in each run")
    if not 1 <= steps <= 7:
        raise ValueError(f"1 to 7 steps can be drawn so that they can be read, got {steps}")
    if len(told[0].gates) not in (0, steps):
        raise ValueError(f"each of {steps} steps has one gate, or none has; got {len(told[0].gates)} gates")
    largest = max(abs(gradient) for run in told for gradient in run.gradients) or 1.0
    labels = [key if isinstance(key, str) else format_number(key, 4) for key in runs]
    stops = [_LEFT + t * _PITCH - 1 for t in range(steps)] + [_LEFT + steps * _PITCH + 24]
    starts = [14.0] + [_LEFT + t * _PITCH + _CELL for t in range(steps)]
    data: dict[str, Any] = {
        "size": [_LEFT + steps * _PITCH + 104, 268], "road": _ROAD, "cell": _CELL, "steps": steps,
        "ends": [list(pair) for pair in zip(starts, stops, strict=True)], "state": state, "weight": weight,
        "dial": {"name": dial, "labels": labels, "first": first} if dial else None,
        "runs": [_numbers(run, largest, weight) for run in told], "say": [_say(run, weight, state) for run in told],
    }  # fmt: skip
    phases = [(0, "", ""), (1, "forward", "value"), (steps + 1, "backward", "gradient")]
    asks = {} if dial else _asks(told[0], weight, state)
    words = _CAPTION + (_GATES if told[0].gates else "")
    still = _still(data, told[first], data["runs"][first], title)
    return Story("unrolled", 2 * steps + 2, title, words, data, still, phases=phases, asks=asks)


def _still(data: Mapping[str, Any], run: _Run, told: Mapping[str, Any], title: str) -> Picture:
    """The road after both passes, with all numbers on it, and what is in the bucket."""
    weight, parts = data["weight"], []
    for t, ends in enumerate(data["ends"]):
        parts += svg.arrow(*((x, _ROAD) for x in ends), stroke=EDGE, width=1.8, size=8)
        middle = sum(ends) / 2
        parts.append(svg.text(middle, _ROAD - 9, told["states"][t], fill=VALUE, anchor="middle"))
        parts.append(svg.text(middle, _ROAD + 20, told["gradients"][t], fill=GRADIENT, anchor="middle"))
    for t, drop in enumerate(told["drops"]):
        x = _LEFT + t * _PITCH
        parts.append(svg.rectangle(x, _ROAD - 24, _CELL, 48, radius=8, fill=SHADE))
        parts.append(svg.text(x + _CELL / 2, _ROAD + 5, f"× {weight}", anchor="middle", halo=False))
        parts.append(svg.text(x + _CELL / 2, _ROAD + 62, drop, fill=GRADIENT, anchor="middle"))
    parts.append(svg.text(_LEFT, _ROAD + 100, told["totals"][-1], fill=GRADIENT, weight="bold", halo=False))
    steps, number = plural(data["steps"], "step"), format_number
    named = ", ".join(f"{number(gradient)} at h{t}" for t, gradient in enumerate(run.gradients))
    drops = ", ".join(number(each) for each in reversed(run.contributions))
    alt = f"A recurrent net unrolled over {steps}, states {', '.join(told['states'])}. The backward pass has gone "
    alt += f"back {steps}, with gradients {named}. In the bucket of {weight}: {drops}, together "
    return page(data["size"][0], _ROAD + 120, parts, f"{alt}{number(sum(reversed(run.contributions)))}.", title=title)


def _numbers(run: _Run, largest: float, weight: str) -> dict[str, Any]:
    """What is written and how large it is drawn, in pixels."""
    sums = [0.0]
    for contribution in reversed(run.contributions):
        sums.append(sums[-1] + contribution)
    whole = sum(map(abs, run.contributions)) or 1.0
    totals = [f"bucket of {weight}: empty"] + [f"bucket of {weight}: {format_number(total)}" for total in sums[1:]]
    return {
        "states": [_on_the_road(value) for value in run.states],
        "gradients": [_on_the_road(value) for value in run.gradients],
        "bars": [round(_TALLEST * abs(value) / largest, 1) for value in run.gradients],
        "drops": [format_number(value) for value in run.contributions],
        "shares": [[round(abs(value) / whole, 4), int(value < 0)] for value in run.contributions],
        "gates": [[round(gate, 3), format_number(gate)] for gate in run.gates], "totals": totals,
    }  # fmt: skip


def _on_the_road(value: float) -> str:
    """A number with as many digits, three at most, as there is room for between two boxes, in bold."""
    texts = [format_number(value, digits) for digits in (3, 2, 1)]
    return next((text for text in texts if text_width(text, 13) * svg.BOLD <= _PITCH - _CELL - 2), texts[-1])


def _say(run: _Run, weight: str, state: str) -> list[str]:
    steps, number = len(run.contributions), format_number
    said = [f"The state begins at {state}0 = {number(run.states[0])}. The bucket of {weight} is empty."]
    for t in range(1, steps + 1):
        gate = f", through a gate that is open to {number(run.gates[t - 1])}" if run.gates else ""
        said.append(f"Forward, step {t}: {state}{t} = {number(run.states[t])}{gate}.")
    said.append(f"Backward: the loss changes {number(run.gradients[-1])} times as fast as {state}{steps}.")
    total = 0.0
    for t in range(steps, 0, -1):
        total += run.contributions[t - 1]
        gate = f" The gate lets {number(run.gates[t - 1])} of it through." if run.gates else ""
        drop = f"Its use of {weight} drops {number(run.contributions[t - 1])} into the bucket, now {number(total)}."
        said.append(f"Back through step {t}.{gate} {drop} {number(run.gradients[t - 1])} arrives at {state}{t - 1}.")
    return said


def _asks(run: _Run, weight: str, state: str) -> dict[int, Question]:
    """What the bucket will hold after the next contribution."""
    steps, total, asks = len(run.contributions), 0.0, {}
    for back in range(1, steps + 1):
        drop = run.contributions[steps - back]
        total += drop
        wrong = [(drop, "That is the contribution alone. What was in the bucket stays.")] if back > 1 else []
        wrong.append((total / back, "That is the mean. Nudging the weight nudges every use: contributions add."))
        replies = [(*around(number), words) for number, words in wrong if abs(number - total) > 6e-3 * abs(total)]
        use = f"The use of {weight} at step {steps - back + 1} contributes {format_number(drop)}."
        text = f"{use} What is then in the bucket?"
        otherwise = f"Not yet. Add the contribution to what is in the bucket; a {MINUS} takes away."
        asks[steps + 1 + back] = Question(text, around(total), replies, otherwise)
    return asks
