"""12.3 How often is a layer run?"""

from __future__ import annotations

from itertools import repeat

import numpy as np

from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def layer_runs(layers, parameters, outputs):
    return {
        "differences": 2 * layers * parameters,
        "forward": layers * parameters,
        "reverse": layers * (1 + outputs),
    }


def runs_by_passes(layers, parameters, outputs):
    passes = {"reverse": 1 + outputs, "forward": parameters, "differences": 2 * parameters}
    return {name: count * layers for name, count in passes.items()}


def runs_by_counting(layers, parameters, outputs):
    forward = sum(repeat(layers, parameters))
    reverse = layers
    for _ in range(outputs):
        reverse += layers
    return {"differences": forward + forward, "forward": forward, "reverse": reverse}


def runs_as_floats(layers, parameters, outputs):
    return {
        "forward": float(layers) * parameters,
        "differences": 2.0 * layers * parameters,
        "reverse": float(layers + layers * outputs),
    }


def runs_by_differences_first(layers, parameters, outputs):
    differences = (parameters + parameters) * layers
    return {"differences": differences, "forward": differences // 2, "reverse": layers * outputs + layers}


def runs_in_a_loop(layers, parameters, outputs):
    total = {"differences": 0, "forward": 0, "reverse": 0}
    for _ in range(layers):
        total = {
            "differences": total["differences"] + 2 * parameters,
            "forward": total["forward"] + parameters,
            "reverse": total["reverse"] + outputs + 1,
        }
    return total


def runs_but(**rules):
    """The right counts with some of them replaced."""
    return lambda layers, parameters, outputs: (
        layer_runs(layers, parameters, outputs)
        | {name: rule(layers, parameters, outputs) for name, rule in rules.items()}
    )


def run_cases(rng):
    drawn = []
    for _ in range(4):
        layers, parameters, outputs = (int(rng.integers(*ends)) for ends in ((2, 9), (20, 400), (3, 17)))
        drawn.append(case(layers, parameters, outputs))
    return [*drawn, *run_edges(rng)]


def run_edges(rng):
    """More outputs than parameters; one of each; one layer; counts beyond 32 bits."""
    return [
        case(int(rng.integers(2, 6)), int(rng.integers(3, 8)), int(rng.integers(50, 90))),
        case(1, 1, 1),
        case(1, int(rng.integers(20, 60)), int(rng.integers(3, 9))),
        case(int(rng.integers(3, 7)), 1, int(rng.integers(3, 9))),
        case(int(rng.integers(3, 9)), int(rng.integers(20, 60)), 1),
        case(*(int(rng.integers(low, 2 * low)) for low in (3_000, 1_000_000, 900_000))),
    ]


BANK = [
    wrong("passes-for-layers", lambda n, p, k: {"differences": 2 * p, "forward": p, "reverse": 1 + k},
          "the task: how often a layer is run",
          "You counted passes through the network.",
          "Each pass runs every layer once."),
    wrong("reverse-without-the-way-there", runs_but(reverse=lambda n, p, k: n * k),
          "notebook 12, section 2, 'Forward and back'",
          "For reverse mode the way there was not counted.",
          "Before anything can go back, the values have to be there."),
    wrong("there-and-back-each-time", runs_but(reverse=lambda n, p, k: 2 * n * k),
          "the task: the tape is kept",
          "For reverse mode you went there again for each output.",
          "What was kept on the way there serves all the passes back."),
    wrong("one-way-back-for-all", runs_but(reverse=lambda n, p, k: 2 * n),
          "notebook 04, section 2: rows of the Jacobian",
          "For reverse mode one pass back was counted, however many outputs there are.",
          "One pass back gives one row: the gradient of one output."),
    wrong("one-sided-differences", runs_but(differences=lambda n, p, k: n * (p + 1)),
          "the task: central differences",
          "For the differences you ran the point itself once, and each nudge once.",
          "Central differences look at both sides of each parameter, and never at the point."),
    wrong("one-nudge-each", runs_but(differences=lambda n, p, k: n * p),
          "the task: central differences",
          "For the differences one run was counted for each parameter.",
          "A difference is taken between two values, one on each side."),
    wrong("differences-for-each-output", runs_but(differences=lambda n, p, k: 2 * n * p * k),
          "notebook 04, section 2: columns of the Jacobian",
          "For the differences you ran everything anew for each output.",
          "One run gives all outputs at once, so one nudge fills a whole column."),
    wrong("tangents-for-each-output", runs_but(forward=lambda n, p, k: n * p * k),
          "notebook 04, section 3, 'Two products'",
          "For forward mode you ran everything anew for each output.",
          "A tangent comes out at all outputs together."),
    wrong("tangents-by-outputs", runs_but(forward=lambda n, p, k: n * k, reverse=lambda n, p, k: n * (1 + p)),
          "notebook 12, section 2, 'Forward and back'",
          "Outputs and parameters have changed places between forward and reverse mode.",
          "Which of the two asks from the inputs, and which from the outputs?"),
    wrong("differences-and-forward-exchanged",
          runs_but(differences=lambda n, p, k: n * p, forward=lambda n, p, k: 2 * n * p),
          "the task: the list of the three",
          "The counts of differences and of forward mode have changed places.",
          "Two nudges answer for a parameter, and one tangent does."),
    wrong("values-before-tangents", runs_but(forward=lambda n, p, k: n * (1 + p)),
          "notebook 12, section 2, 'Forward and back'",
          "For forward mode a pass without a tangent was counted on top.",
          "Each pass carries value and tangent side by side."),
    wrong("twice-for-value-and-tangent", runs_but(forward=lambda n, p, k: 2 * n * p),
          "the task: a run counts once",
          "For forward mode each pass was counted twice.",
          "A layer that carries a value and a tangent through itself runs once, though it works harder."),
]  # fmt: skip

EXERCISE = Exercise(
    id="12.3",
    title="How often is a layer run?",
    function="layer_runs",
    minutes=6,
    difficulty=1,
    points=3,
    see="notebook 12, section 2, 'Forward and back'",
    reference=layer_runs,
    domain={name: Number(whole=True, at_least=1) for name in ("layers", "parameters", "outputs")},
    meets={
        "more outputs than parameters": lambda parameters, outputs: outputs > parameters,
        "counts have more than 32 bits": lambda layers, parameters, outputs: (
            layers * min(parameters, outputs) > 2**31 and 2 * layers * parameters > 2**32
        ),
    },
    visible=[
        case(2, 27, 3),
        case(5, 120, 8),
        case(3, 50, 4),
        *run_edges(np.random.default_rng(123)),
    ],
    hidden=run_cases,
    accepted=[runs_by_passes, runs_by_counting, runs_as_floats, runs_by_differences_first, runs_in_a_loop],
    bank=BANK,
    rtol=1e-12,
    credit={"differences": 1, "forward": 1, "reverse": 1},
    hints=(
        "Count passes through the network first. A nudge or a tangent answers for one parameter and all outputs; a "
        "pass back answers for one output and all parameters.",
        "Central differences: both sides of each parameter. Forward mode: one pass each. Reverse mode: once there, and "
        "then back, once for each output.",
        "Multiply each number of passes by the number of layers.",
    ),
)
