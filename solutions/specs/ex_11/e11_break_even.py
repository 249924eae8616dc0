"""11.11 Where light pays."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.spec import Exercise, case, wrong


def break_even(batch, factor, energy):
    per_field = 36 * energy["op"] + 6 * energy["mod"] + 6 * energy["dac"] + 8 * energy["adc"]
    per_field = per_field + 8 * energy["tia"] + 6 * energy["light"]
    per_heater = 4 * energy["tia"] + 20 * energy["switch"]
    n = math.ceil(factor * batch * per_field / (12 * batch * energy["op"] - factor * per_heater))
    return [n, 12 * batch * n * energy["op"] / (batch * per_field + n * per_heater)]


def even_loop(batch, factor, energy):
    n = 0
    advantage = 0.0
    while advantage < factor:
        n += 1
        field = sum(
            count * energy[name]
            for name, count in {"op": 36, "mod": 6, "dac": 6, "adc": 8, "tia": 8, "light": 6}.items()
        )
        optical = batch * n * field + n**2 * (4 * energy["tia"] + 20 * energy["switch"])
        advantage = 12 * batch * n**2 * energy["op"] / optical
    return [n, advantage]


def even_table(batch, factor, energy):
    n = np.arange(1, 20000)
    e = energy
    optical = batch * n * (36 * e["op"] + 6 * (e["mod"] + e["dac"] + e["light"]) + 8 * (e["adc"] + e["tia"]))
    optical = optical + n.astype(float) ** 2 * (4 * e["tia"] + 20 * e["switch"])
    advantage = 12.0 * batch * n**2 * e["op"] / optical
    first = int(np.argmax(advantage >= factor))
    return np.array([n[first], advantage[first]])


def even_bisection(batch, factor, energy):
    def advantage(n):
        field = np.dot([36, 6, 6, 8, 8, 6], [energy[k] for k in ("op", "mod", "dac", "adc", "tia", "light")])
        heater = np.dot([4, 20], [energy["tia"], energy["switch"]])
        return 12 * batch * n * energy["op"] / (batch * field + n * heater)

    low, high = 0, 1 << 20
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if advantage(middle) >= factor else (middle, high)
    return high, advantage(high)


def even_joule(batch, factor, energy):
    """In joules, one sample at a time."""
    e = {name: value * 1e-15 for name, value in energy.items()}
    field = 36 * e["op"] + 6 * e["mod"] + 6 * e["dac"] + 8 * e["adc"] + 8 * e["tia"] + 6 * e["light"]
    for n in range(1, 20000):
        per_sample = n * field + n * n * (4 * e["tia"] + 20 * e["switch"]) / batch
        if 12 * n * n * e["op"] >= factor * per_sample:
            return [float(n), 12 * n * n * e["op"] / per_sample]
    return None


def even_single(batch, factor, energy):
    return np.float32(break_even(batch, factor, energy))


def even_with(digital=12, fields=(36, 6, 6, 8, 8, 6), heater=(4, 20), *, spread=True, round_to=math.ceil):
    """The energy balance with other counts."""

    def answer(batch, factor, energy):
        names = ("op", "mod", "dac", "adc", "tia", "light")
        field = sum(count * energy[name] for count, name in zip(fields, names, strict=True))
        per_heater = heater[0] * energy["tia"] + heater[1] * energy["switch"]
        if not spread:
            per_heater *= batch
        n = round_to(factor * batch * field / (digital * batch * energy["op"] - factor * per_heater))
        return [n, digital * batch * n * energy["op"] / (batch * field + n * per_heater)]

    return answer


PUBLISHED = {"op": 100.0, "mod": 1.0, "dac": 5000.0, "adc": 1380.0, "tia": 700.0, "light": 1000.0, "switch": 1.0}

SEGMENTED = PUBLISHED | {"mod": 16.0, "dac": 0.0}


def hidden_even(rng):
    found = []
    for base in (PUBLISHED, SEGMENTED, PUBLISHED, SEGMENTED):
        changed = {name: round(float(value * rng.uniform(0.8, 1.25)), 1) for name, value in base.items()}
        found.append(case(int(rng.integers(12, 200)), round(float(rng.uniform(1.0, 2.2)), 2), changed))
    return found


BANK = [
    wrong("heaters-forgotten", even_with(heater=(0, 0)), "the task: the second term of the optical side",
          "The part that goes with the number of heaters is missing.",
          "Every heater has a tap, and each tap is read once per batch, whatever the batch."),
    wrong("heaters-paid-for-every-sample", even_with(heater=(0.4, 2), spread=False),
          "notebook 11, section 11: what is shared by a batch",
          "The heaters are paid for with every sample.",
          "In the analog scheme the taps add up the batch by themselves: one reading per batch."),
    wrong("digital-inference-only", even_with(digital=6), "the task: the digital side",
          "The digital side was paid for the forward pass alone.",
          "A gradient costs two more products of the same size; the table counts 12 operations, not 6."),
    wrong("optical-inference-only", even_with(fields=(12, 2, 2, 4, 4, 2), heater=(0, 0)),
          "notebook 11, section 11: the table",
          "The optical side was paid for the forward pass alone.",
          "A gradient takes three passes of light."),
    wrong("converters-in-forgotten", even_with(fields=(36, 6, 0, 8, 8, 6)), "the task: the optical side",
          "The converters at the input are missing.",
          "They are the largest term unless the shifters are segmented."),
    wrong("digital-work-forgotten", even_with(fields=(0, 6, 6, 8, 8, 6)), "the task: the optical side",
          "The digital operations of the optical side are missing.",
          "Nonlinearities and conversions are still computed by electronics."),
    wrong("light-is-free", even_with(fields=(36, 6, 6, 8, 8, 0)), "the task: the optical side",
          "The light itself was not paid for.",
          "The laser has to be bright enough for the detectors."),
    wrong("rounded-down", even_with(round_to=math.floor), "the task: at least",
          "The mesh is one port too small, so the advantage just misses the factor.",
          "Asked for is the smallest size that reaches it."),
]  # fmt: skip

EXERCISE = Exercise(
    id="11.11",
    title="Where light pays",
    function="break_even",
    minutes=15,
    difficulty=2,
    points=3,
    see="notebook 11, section 11",
    reference=break_even,
    visible=[
        case(16, 2.0, PUBLISHED),
        case(16, 2.0, SEGMENTED),
        case(64, 1.0, PUBLISHED | {"switch": 3.0}),
        case(100, 2.5, SEGMENTED | {"switch": 20.0}),
    ],
    hidden=hidden_even,
    accepted=[even_loop, even_table, even_bisection, even_joule, even_single],
    bank=BANK,
    hints=(
        "Both sides have a common factor n. Divide by it, and look at how the advantage grows with n.",
        "advantage(n) = 12 M n op / (M per_field + n per_heater). Try sizes one after the other, or solve for n.",
        "per_field = 36 op + 6 mod + 6 dac + 8 adc + 8 tia + 6 light, per_heater = 4 tia + 20 switch; the first n with "
        "advantage(n) >= factor.",
    ),
)
