"""11.8 Reading a toggled tap."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Array, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong

from .shared import numbers


def read_tap(trace, samples, forward, adjoint):
    levels = np.asarray(trace).reshape(-1, 2, samples).mean(axis=(0, 2))
    return {"toggle": (levels[0] - levels[1]) / 4, "digital": (levels[0] - forward - adjoint) / 2}


def tap_loops(trace, samples, forward, adjoint):
    plus, minus = [], []
    for number, value in enumerate(trace):
        (minus if (number // samples) % 2 else plus).append(value)
    high, low = sum(plus) / len(plus), sum(minus) / len(minus)
    return {"toggle": 0.25 * (high - low), "digital": 0.5 * (high - forward - adjoint)}


def tap_lock_in(trace, samples, forward, adjoint):
    """Multiply by the square wave and average, as a lock-in amplifier does."""
    trace = np.asarray(trace)
    wave = np.where(np.arange(len(trace)) // samples % 2 == 0, 1.0, -1.0)
    amplitude = np.mean(trace * wave)
    return {"toggle": amplitude / 2, "digital": (trace.mean() + amplitude - forward - adjoint) / 2}


def tap_fit(trace, samples, forward, adjoint):
    wave = 1.0 - 2.0 * ((np.arange(len(trace)) // samples) % 2)
    design = np.stack([np.ones(len(trace)), wave], axis=1)
    base, swing = np.linalg.lstsq(design, np.asarray(trace), rcond=None)[0]
    return {"toggle": swing / 2, "digital": (base + swing - (forward + adjoint)) / 2}


def tap_slices(trace, samples, forward, adjoint):
    trace, period = list(trace), 2 * samples
    starts = range(0, len(trace), period)
    high = np.mean([np.mean(trace[s : s + samples]) for s in starts])
    low = np.mean([np.mean(trace[s + samples : s + period]) for s in starts])
    return {"toggle": float(high - low) / 4, "digital": float(high - forward - adjoint) / 2}


def tap_single(trace, samples, forward, adjoint):
    return {name: np.float32(v) for name, v in read_tap(trace, samples, forward, adjoint).items()}


def tap_with(toggle=None, digital=None):
    """Readings made from the two sets of samples, with one thing done differently."""

    def answer(trace, samples, forward, adjoint):
        halves = np.asarray(trace).reshape(-1, 2, samples)
        found = read_tap(trace, samples, forward, adjoint)
        if toggle:
            found["toggle"] = toggle(halves[:, 0], halves[:, 1])
        if digital:
            found["digital"] = digital(halves, forward, adjoint)
        return found

    return answer


def tap_cumulative(trace, samples, forward, adjoint):
    """Sums of half periods as differences of a running sum."""
    running = np.concatenate([[0.0], np.cumsum(trace)])
    halves = np.diff(running[::samples]) / samples
    high, low = halves[0::2].mean(), halves[1::2].mean()
    return {"digital": (high - (forward + adjoint)) / 2, "toggle": (high - low) / 4}


def tap_every_other_sample(trace, samples, forward, adjoint):
    trace = np.asarray(trace)
    return read_tap(trace, samples, forward, adjoint) | {"toggle": (trace[::2].mean() - trace[1::2].mean()) / 4}


def tap_halves_of_the_trace(trace, samples, forward, adjoint):
    first, second = np.split(np.asarray(trace), 2)
    return read_tap(trace, samples, forward, adjoint) | {"toggle": (first.mean() - second.mean()) / 4}


def tap_case(rng, periods, samples, **recorded):
    forward, adjoint = numbers(rng, 2, 0.3, 1.2)
    gradient = float(rng.choice([-1, 1]) * rng.uniform(0.25, 0.6)) * math.sqrt(forward * adjoint)
    forward, adjoint = recorded.get("forward", forward), recorded.get("adjoint", adjoint)
    extra = float(rng.uniform(0.1, 0.3))  # what loss adds to both halves
    levels = [forward + adjoint + extra + sign * 2 * gradient for sign in (1, -1)]
    trace = np.repeat(np.tile(levels, periods), samples)
    trace = np.round(np.abs(trace + 0.05 * rng.normal(size=len(trace))), 4)
    return case(trace, samples, forward, adjoint)


def faint_tap_case(rng):
    """Hardly any light, so that noise takes samples below 0; twice as far down in the half that is fainter."""
    trace = np.round(np.repeat(np.tile(rng.permutation([0.09, 0.04]), 3), 2) + 0.01 * rng.normal(size=12), 4)
    trace[[4, 6]] = -np.round(rng.uniform([0.01, 0.03], [0.02, 0.04]), 4)
    return case(trace, 2, *numbers(rng, 2, 0.02, 0.06))


def tap_cases(rng):
    """One period, one sample, both at once, faint light, none in one of the first passes or in both."""
    return [
        tap_case(rng, 3, 4),
        tap_case(rng, 2, 5),
        tap_case(rng, 4, 2, adjoint=0.0),
        tap_case(rng, 1, 3),
        tap_case(rng, 5, 1),
        tap_case(rng, 1, 1, forward=0.0),
        tap_case(rng, 2, 5, forward=0.0, adjoint=0.0),
        faint_tap_case(rng),
        tap_case(rng, 2, 12),
        tap_case(rng, 20, 2),
    ]


BANK = [
    wrong("half-the-swing", tap_with(toggle=lambda plus, minus: (plus.mean() - minus.mean()) / 2),
          "notebook 11, section 6: the toggle",
          "The toggled reading is twice what it should be.",
          "The product stands twice in each square, with opposite signs: the swing holds it four times."),
    wrong("minus-before-plus", tap_with(toggle=lambda plus, minus: (minus.mean() - plus.mean()) / 4),
          "the task: how the trace begins",
          "The toggled reading has the wrong sign.",
          "The trace begins with the beam x - i conj(x_adj), the one of the third pass."),
    wrong("only-the-first-period", tap_with(toggle=lambda plus, minus: (plus[0].mean() - minus[0].mean()) / 4),
          "notebook 11, section 6: the toggle",
          "The toggled reading uses the first period alone.",
          "Every period measures the same thing again. Averaging them is why one toggles more than once."),
    wrong("one-sample-of-each-half", tap_with(toggle=lambda plus, minus: (plus[:, 0].mean() - minus[:, 0].mean()) / 4),
          "the task: samples of a half period",
          "The toggled reading uses one sample of each half period.",
          "The current stands still for the whole half period; all its samples carry the signal."),
    wrong("peak-to-peak", tap_with(
              toggle=lambda plus, minus: (max(plus.max(), minus.max()) - min(plus.min(), minus.min())) / 4
          ), "notebook 11, section 6: the toggle",
          "You measured from the highest sample to the lowest: too large, and never negative.",
          "Extremes collect the noise, and a height has no sign."),
    wrong("mean-of-both-halves", tap_with(toggle=lambda plus, minus: (plus.mean() + minus.mean()) / 4),
          "notebook 11, section 6: the toggle",
          "You averaged the two halves, which is exactly what the toggle is meant to remove.",
          "The background is in both halves alike; the gradient is in their difference."),
    wrong("digital-from-the-whole-trace",
          tap_with(digital=lambda halves, forward, adjoint: (halves.mean() - forward - adjoint) / 2),
          "notebook 11, section 6: the third pass",
          "The digital reading was taken from the whole trace, where the interference averages out.",
          "The third pass is one beam only: the first half of each period."),
    wrong("digital-without-half",
          tap_with(digital=lambda halves, forward, adjoint: halves[:, 0].mean() - forward - adjoint),
          "notebook 11, section 6: the square of a sum",
          "The digital reading is twice what it should be.",
          "|u + v|² holds the product twice."),
    wrong("digital-keeps-one-background",
          tap_with(digital=lambda halves, forward, adjoint: (halves[:, 0].mean() - forward) / 2),
          "notebook 11, section 6: the square of a sum",
          "In the digital reading the power of the adjoint light is still there.",
          "Each of the two beams brings a background of its own."),
    wrong("swing-without-its-sign", tap_with(toggle=lambda plus, minus: abs(plus.mean() - minus.mean()) / 4),
          "notebook 11, section 6: the toggle",
          "The toggled reading is never negative.",
          "Whether the trace begins high or low is the sign of the gradient."),
    wrong("only-the-last-period", tap_with(toggle=lambda plus, minus: (plus[-1].mean() - minus[-1].mean()) / 4),
          "notebook 11, section 6: the toggle",
          "The toggled reading uses the last period alone.",
          "Every period measures the same thing again. Their mean has less noise."),
    wrong("every-other-sample", tap_every_other_sample, "the task: samples of a half period",
          "The toggled reading takes samples in turn, as if the beam switched at each of them.",
          "The beam stays for `samples` samples before it switches."),
    wrong("halves-of-the-whole-trace", tap_halves_of_the_trace, "the task: how the trace goes on",
          "The toggled reading compares the first half of the trace with its second half.",
          "The beam switches once in every period, and the trace holds several."),
    wrong("digital-from-the-other-half",
          tap_with(digital=lambda halves, forward, adjoint: (halves[:, 1].mean() - forward - adjoint) / 2),
          "the task: how the trace begins",
          "The digital reading was taken from the second half of each period.",
          "The third pass of 11.4 launches x - i conj(x_adj), and that comes first."),
    wrong("digital-from-the-first-period",
          tap_with(digital=lambda halves, forward, adjoint: (halves[0, 0].mean() - forward - adjoint) / 2),
          "the task: noise",
          "The digital reading uses the first half period alone.",
          "Every period shows the same beam again, with other noise. Their mean has less of it."),
    wrong("sums-for-means", tap_with(
              toggle=lambda plus, minus: (plus.sum() - minus.sum()) / 4,
              digital=lambda halves, forward, adjoint: (halves[:, 0].sum() - forward - adjoint) / 2,
          ), "notebook 11, section 6: the toggle",
          "Both readings grow with the length of the trace; for two samples they are right.",
          "You added samples up. A power is their mean."),
    wrong("median-for-mean", tap_with(
              toggle=lambda plus, minus: (np.median(plus) - np.median(minus)) / 4,
              digital=lambda halves, forward, adjoint: (np.median(halves[:, 0]) - forward - adjoint) / 2,
          ), "the task: means",
          "Both readings are a little off; with one or two samples in each half they are right.",
          "You took the sample in the middle. The mean uses the others, too."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.8",
    title="Reading a toggled tap",
    function="read_tap",
    minutes=12,
    difficulty=2,
    points=3,
    see="notebook 11, section 6",
    reference=read_tap,
    domain={
        "trace": Array("samples_in_all>=2", zero=False),
        "samples": Number(whole=True, at_least=1),
        "forward": Number(at_least=0),
        "adjoint": Number(at_least=0),
    },
    meets={
        "there is one period": lambda trace, samples: len(trace) == 2 * samples > 2,
        "a half period is one sample, of several": lambda trace, samples: samples == 1 and len(trace) > 2,
        "a half period has a dozen samples": lambda samples: samples >= 12,
        "there are twenty periods": lambda trace, samples: len(trace) >= 40 * samples,
        "the gradient is negative": lambda trace, samples: trace[:samples].mean() < trace[samples : 2 * samples].mean(),
        "the gradient is positive": lambda trace, samples: trace[:samples].mean() > trace[samples : 2 * samples].mean(),
        "noise takes samples below 0": lambda trace: (trace < 0).any(),
        "no light was recorded before": lambda forward, adjoint: forward == adjoint == 0,
    },
    always={
        "the trace has a whole number of periods": lambda trace, samples: len(trace) % (2 * samples) == 0 < len(trace)
    },
    visible=tap_cases(np.random.default_rng(8)),
    hidden=tap_cases,
    accepted=[tap_loops, tap_lock_in, tap_fit, tap_slices, tap_single, tap_cumulative],
    bank=BANK,
    hints=(
        "Sort the samples into two heaps: those of the first half of each period, and those of the second.",
        "Call the two means plus and minus. The toggled reading needs nothing else; the digital one needs plus and the "
        "two powers that were recorded before.",
        "toggle = (plus - minus) / 4, digital = (plus - forward - adjoint) / 2. np.reshape(trace, (-1, 2, samples)) "
        "sorts in one go.",
    ),
    equivalent_mutants={
        "exchanges forward and adjoint": "only their sum is subtracted",
        "`1` → `2`": "NumPy takes any negative length for the one that it has to find out",
        "`1` → `-1` #2": "there are two levels, so the one at index 1 is the last one",
    },
)
