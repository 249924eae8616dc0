"""11.10 Bits for a heater."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


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
    variance = np.full((n, n), (2 * math.pi / 2**bits) ** 2 / 12).sum()
    smallest = next(b for b in range(99) if n * (2 * math.pi / 2**b) ** 2 / 12 <= limit**2)
    return {"error": (variance / n) ** 0.5, "bits": smallest}


def bits_single(n, bits, limit):
    found = heater_bits(n, bits, limit)
    return {"error": np.float32(found["error"]), "bits": float(found["bits"])}


def bits_with(factor, round_to=math.ceil, half=2.0):
    """The error as ``2 pi / half**bits`` times a factor made from n."""

    def answer(n, bits, limit):
        whole = 2 * math.pi * factor(n)
        enough = max(1, round_to(math.log(whole / limit) / math.log(half)))
        return {"error": whole / half**bits, "bits": enough}

    return answer


def bits_one_level_less(n, bits, limit):
    whole = 2 * math.pi * math.sqrt(n / 12)
    return {"error": whole / (2**bits - 1), "bits": math.ceil(math.log2(whole / limit + 1))}


def bits_halved(n, bits, limit):
    """A step that is halved until it does."""
    step, enough = 2 * math.pi, 0
    while not step / math.sqrt(12) * math.sqrt(n) < limit:
        step, enough = step / 2, enough + 1
    return {"bits": enough, "error": math.pi * 2.0 ** (1 - bits) * math.sqrt(n / 12)}


def bits_searched(n, bits, limit):
    errors = np.ldexp(2 * np.pi * np.sqrt(n / 12), -np.arange(64))
    return {"error": errors[bits], "bits": len(errors) - np.searchsorted(errors[::-1], limit)}


def bits_of_one_error(n, bits, limit):
    enough = heater_bits(n, bits, limit)["bits"]
    return heater_bits(n, enough, limit)


def bits_case(rng, n, bits, enough, share=None):
    """``enough`` bits are needed; ``share`` of 1 would be the error that they leave, of 2 that of one bit less."""
    share = rng.uniform(1.1, 1.9) if share is None else share
    return case(n, bits, float(f"{share * 2 * math.pi * math.sqrt(n / 12) / 2**enough:.8g}"))


def bits_cases(rng):
    """One port and many; the bits given too few, enough and more; limits just missed, just kept; one bit, two, 50."""
    n = [int(size) for size in rng.permutation([3, 5, 6, 10, 20, 30, 50, 96, 130, 200])]
    return [
        bits_case(rng, n[0], 8, int(rng.integers(9, 12)), 1.00003),
        bits_case(rng, n[1], 10, int(rng.integers(6, 9)), 1.99994),
        bits_case(rng, n[2], 6, 6),
        bits_case(rng, n[3], 1, int(rng.integers(5, 9))),
        bits_case(rng, n[4], 5, 2),
        bits_case(rng, 1, 4, 7, 1.3),
        bits_case(rng, n[5], 12, 16, 1.7),
        bits_case(rng, n[6], 18, int(rng.integers(34, 45))),
        bits_case(rng, n[7], 14, 50),
        bits_case(rng, 2_500 + n[8], 33, int(rng.integers(9, 12))),
    ]


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
          "The error is half of what it should be.",
          "Do the levels share the whole circle, and is the step the whole distance from one to the next?"),
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
    wrong("bits-rounded-to-the-nearest", bits_with(lambda n: math.sqrt(n / 12), round),
          "the task: the smallest number that keeps the limit",
          "The error is right; the number of bits is sometimes one too small, and the limit is not kept.",
          "Rounding to the nearest rounds down half of the time."),
    wrong("one-heater-alone", bits_with(lambda n: 1 / math.sqrt(12)), "the task: a mesh has n² heaters",
          "The number of ports plays no part; for one port it is right.",
          "That is the error of a single heater. All of them move the same matrix."),
    wrong("error-of-the-bits-found", bits_of_one_error, "the task: with `bits` bits",
          "The number of bits is right; the error is the one that this number leaves.",
          "Two questions: the error with the bits that are given, and the bits for a limit."),
    wrong("natural-logarithm", lambda n, bits, limit: (
              heater_bits(n, bits, limit)
              | {"bits": math.ceil(math.log(2 * math.pi * math.sqrt(n / 12) / limit))}
          ), "the task: the smallest number that keeps the limit",
          "The error is right; there are too few bits, about two thirds.",
          "Each further bit halves the error. How many halvings are needed?"),
    wrong("bits-taken-for-levels", lambda n, bits, limit: {
              "error": 2 * math.pi / bits * math.sqrt(n / 12),
              "bits": math.ceil(2 * math.pi * math.sqrt(n / 12) / limit),
          }, "the task: what the levels cover",
          "The circle was divided into as many steps as there are bits.",
          "Each bit doubles the number of levels."),
    wrong("bits-to-be-added", lambda n, bits, limit: (
              heater_bits(n, bits, limit) | {"bits": heater_bits(n, bits, limit)["bits"] - bits}
          ), "the task: the smallest number that keeps the limit",
          "The error is right; the number is how many bits more than the given ones are needed.",
          "Asked for is the number of bits in all."),
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
    domain={
        "n": Number(whole=True, at_least=1),
        "bits": Number(whole=True, at_least=1),
        "limit": Number(more_than=0),
    },
    meets={
        "the given bits are too few": lambda n, bits, limit: heater_bits(n, bits, limit)["bits"] > bits,
        "the given bits are just enough": lambda n, bits, limit: heater_bits(n, bits, limit)["bits"] == bits,
        "the given bits are more than enough": lambda n, bits, limit: heater_bits(n, bits, limit)["bits"] < bits,
        "50 bits are needed": lambda n, bits, limit: heater_bits(n, bits, limit)["bits"] == 50,
        "there are many ports, and more than 31 bits": lambda n, bits: n > 2_500 and bits > 31,
        "two bits are enough": lambda n, bits, limit: heater_bits(n, bits, limit)["bits"] == 2,
    },
    always={"1 bit is too few, 50 are enough": lambda n, bits, limit: 2 <= heater_bits(n, bits, limit)["bits"] <= 50},
    visible=[case(64, 8, 0.01), *bits_cases(np.random.default_rng(10))],
    hidden=bits_cases,
    result={"bits": {"kind": "diagnostic"}},
    accepted=[
        bits_loop,
        bits_scaled,
        bits_table,
        bits_variance,
        bits_single,
        bits_halved,
        bits_searched,
    ],
    bank=BANK,
    hints=(
        "First the error of one heater: even between minus and plus half a step. What is its standard deviation?",
        "step / sqrt(12), with step = 2 pi / 2^bits. Each heater moves the matrix by a length of 1 per radian, and "
        "there are n² of them: squares add.",
        "E = (2 pi / 2^b) sqrt(n / 12). Every further bit halves it; solve for b and round up.",
    ),
)
