"""11.10 Bits for a heater."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong


def heater_bits(n, bits, limit):
    error = 2 * math.pi / 2**bits * math.sqrt(n / 12)
    enough = math.ceil(math.log2(2 * math.pi * math.sqrt(n / 12) / limit))
    return {"error": error, "bits": enough}


def bits_loop(n, bits, limit):
    def error(b):
        step = 2 * np.pi / 2**b
        return np.sqrt(n**2 * step**2 / 12) / np.sqrt(n)

    enough = 1
    while error(enough) > limit:
        enough += 1
    return {"error": error(bits), "bits": enough}


def bits_scaled(n, bits, limit):
    """Each bit halves the error."""
    error = math.pi * math.sqrt(n / 3) * 0.5**bits
    return {"error": error, "bits": bits + math.ceil(math.log2(error / limit))}


def bits_table(n, bits, limit):
    errors = 2 * np.pi * 0.5 ** np.arange(60) * np.sqrt(n / 12)
    return {"error": errors[bits], "bits": np.argmax(errors < limit)}


def bits_variance(n, bits, limit):
    variance = sum((2 * math.pi / 2**bits) ** 2 / 12 for _ in range(n * n))
    smallest = next(b for b in range(99) if n * (2 * math.pi / 2**b) ** 2 / 12 <= limit**2)
    return {"error": (variance / n) ** 0.5, "bits": smallest}


def bits_single(n, bits, limit):
    found = heater_bits(n, bits, limit)
    return {"error": np.float32(found["error"]), "bits": float(found["bits"])}


def bits_with(factor, round_to=math.ceil, half=2.0):
    """The error as ``2 pi / half**bits`` times a factor made from n."""

    def answer(n, bits, limit):
        whole = 2 * math.pi * factor(n)
        enough = round_to(math.log(whole / limit) / math.log(half))
        return {"error": whole / half**bits, "bits": enough}

    return answer


def bits_one_level_less(n, bits, limit):
    whole = 2 * math.pi * math.sqrt(n / 12)
    return {"error": whole / (2**bits - 1), "bits": math.ceil(math.log2(whole / limit + 1))}


def hidden_bits(rng):
    sizes = [int(n) for n in rng.choice([5, 6, 10, 20, 30, 50, 96, 100, 130], 5, replace=False)]
    limits = rng.uniform(0.003, 0.08, 5)
    for place, side in ((0, 0.985), (1, 1.015)):  # just missed by one number of bits, and just kept
        limits[place] = side * 2 * math.pi * math.sqrt(sizes[place] / 12) / 2 ** int(rng.integers(7, 11))
    return [case(n, int(rng.integers(4, 11)), float(f"{x:.4g}")) for n, x in zip(sizes, limits, strict=True)]


BANK = [
    wrong("errors-add-in-line", bits_with(lambda n: n**2 / math.sqrt(12 * n)), "notebook 11, section 9: a law of noise",
          "The errors of all heaters add up at full size, as if all went the same way.",
          "Independent errors add as squares."),
    wrong("step-taken-for-its-scatter", bits_with(lambda n: math.sqrt(n)), "notebook 11, section 9: a law of noise",
          "The whole step was taken for the typical error.",
          "Rounding is off by anything from minus half a step to plus half a step, evenly."),
    wrong("half-a-step-each-time", bits_with(lambda n: math.sqrt(n) / 2), "notebook 11, section 9: a law of noise",
          "Every heater is taken to be off by half a step, the worst it can be.",
          "The typical error is smaller than the largest one."),
    wrong("range-is-half-a-turn", bits_with(lambda n: math.sqrt(n / 12) / 2), "the task: what the levels cover",
          "The levels share half a turn; they should share a whole one.",
          "phi needs the full circle."),
    wrong("not-divided-by-the-root-of-n", bits_with(lambda n: n / math.sqrt(12)), "the task: E",
          "That is the distance of the matrices before it is divided by the root of n.",
          "E is measured per column: a unitary matrix itself has length root of n."),
    wrong("one-heater-per-interferometer", bits_with(lambda n: math.sqrt((n - 1) / 24)),
          "notebook 11, section 4: counting",
          "You counted n(n - 1)/2 heaters: one for each interferometer.",
          "Each interferometer has two, and there are n more at the outputs."),
    wrong("output-heaters-forgotten", bits_with(lambda n: math.sqrt((n - 1) / 12)), "notebook 11, section 4: counting",
          "You counted n(n - 1) heaters; those at the outputs are missing.",
          "n output phases complete the mesh: n² in all, as many as a unitary matrix has."),
    wrong("bits-rounded-down", bits_with(lambda n: math.sqrt(n / 12), math.floor),
          "the task: the smallest number that keeps the limit",
          "The error is right; the number of bits is one too small, and the limit is not kept.",
          "Half a bit cannot be bought: round up."),
    wrong("levels-minus-one", bits_one_level_less, "the task: what the levels cover",
          "You divided the circle by one level less than there are.",
          "On a circle the last level is followed by the first: b bits give 2^b steps."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.10",
    title="Bits for a heater",
    function="heater_bits",
    minutes=10,
    difficulty=2,
    points=2,
    see="notebook 11, section 9",
    reference=heater_bits,
    visible=[case(64, 8, 0.01), case(64, 6, 0.014), case(100, 10, 0.004), case(7, 5, 0.05)],
    hidden=hidden_bits,
    accepted=[bits_loop, bits_scaled, bits_table, bits_variance, bits_single],
    bank=BANK,
    hints=(
        "First the error of one heater: even between minus and plus half a step. What is its standard deviation?",
        "step / sqrt(12), with step = 2 pi / 2^bits. Each heater moves the matrix by a length of 1 per radian, and "
        "there are n² of them: squares add.",
        "E = (2 pi / 2^b) sqrt(n / 12). Every further bit halves it; solve for b and round up.",
    ),
)
