"""11.11 Where light pays."""

from __future__ import annotations

import math

import numpy as np

from coursepkg.grading.specification.domain import Anything, Number
from coursepkg.grading.specification.exercise import Exercise, case, wrong


def break_even(batch, factor, energy):
    per_field = 36 * energy["op"] + 6 * energy["mod"] + 6 * energy["dac"] + 8 * energy["adc"]
    per_field = per_field + 8 * energy["tia"] + 6 * energy["light"]
    per_heater = 4 * energy["tia"] + 20 * energy["switch"]
    n = math.ceil(factor * batch * per_field / (12 * batch * energy["op"] - factor * per_heater))
    return n, 12 * batch * n * energy["op"] / (batch * per_field + n * per_heater)


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
    n = np.arange(1, 40001)
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


def even_attojoule(batch, factor, energy):
    """In attojoules, by comparing both sides without a division."""
    e = {name: value * 1000 for name, value in energy.items()}
    field = 36 * e["op"] + 6 * e["mod"] + 6 * e["dac"] + 8 * e["adc"] + 8 * e["tia"] + 6 * e["light"]
    for n in range(1, 40001):
        optical = batch * n * field + n * n * (4 * e["tia"] + 20 * e["switch"])
        if 12 * batch * n * n * e["op"] >= factor * optical:
            return [float(n), 12 * batch * n * n * e["op"] / optical]
    return None


def even_by_doubling(batch, factor, energy):
    """Upward in steps that double, then back in steps that halve."""

    def pays(n):
        optical = {"op": 36, "mod": 6, "dac": 6, "adc": 8, "tia": 8, "light": 6}
        once = 4 * energy["tia"] + 20 * energy["switch"]
        light = batch * n * sum(energy[key] * count for key, count in optical.items()) + n**2 * once
        ratio = 12 * batch * n**2 * energy["op"] / light
        return ratio >= factor, ratio

    step = 1
    while not pays(step)[0]:
        step *= 2
    n = step
    while step > 1:
        step //= 2
        if n - step > 0 and pays(n - step)[0]:
            n -= step
    return {0: n, 1: pays(n)[1]}.values()


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


def even_by_position(batch, factor, energy):
    return break_even(batch, factor, dict(zip(PUBLISHED, energy.values(), strict=True)))


def at_its_size(change):
    """The right size, and a number made from it in place of the advantage."""

    def answer(batch, factor, energy):
        n, advantage = break_even(batch, factor, energy)
        return [n, change(batch, factor, energy, n, advantage)]

    return answer


def one_port_earlier(batch, factor, energy, n, advantage):
    optical = 12 * batch * n**2 * energy["op"] / advantage
    per_heater = 4 * energy["tia"] + 20 * energy["switch"]
    per_port = (optical - n**2 * per_heater) / n
    return 12 * batch * (n - 1) ** 2 * energy["op"] / ((n - 1) * per_port + (n - 1) ** 2 * per_heater)


def energy_counts(energy):
    """What light costs for each field, and for each heater."""
    counts = {"op": 36, "mod": 6, "dac": 6, "adc": 8, "tia": 8, "light": 6}
    return sum(count * energy[name] for name, count in counts.items()), 4 * energy["tia"] + 20 * energy["switch"]


def varied(rng, base, **changes):
    """Energies around published ones, in any order."""
    names = [str(name) for name in rng.permutation(list(base))]
    return {name: round(float(base[name] * rng.uniform(0.8, 1.25)), 1) for name in names} | changes


def nearly_reached(rng, share):
    """The advantage at some size is ``share`` of the factor, hardly less or hardly more."""
    batch, n, energy = int(rng.integers(15, 40)), int(rng.integers(60, 200)), varied(rng, PUBLISHED)
    per_field, per_heater = energy_counts(energy)
    return case(batch, round(12 * batch * n * energy["op"] / (batch * per_field + n * per_heater) / share, 9), energy)


def has_it_exactly(batch, factor, energy):
    """Whether at some size the advantage is the factor, as far as rounding lets one see."""
    per_field, per_heater = energy_counts(energy)
    left = 12 * batch * energy["op"] - factor * per_heater
    n = factor * batch * per_field / left if left else 0.0
    return abs(n - round(n)) < 1e-9 * abs(n)


def far_out(rng):
    """Digital operations so cheap that only a very large mesh pays."""
    batch, n, energy = int(rng.integers(40000, 60000)), int(rng.integers(32000, 39000)), varied(rng, PUBLISHED, op=0.5)
    per_field, per_heater = energy_counts(energy)
    return case(batch, round(12 * batch * n * 0.5 / (batch * per_field + n * per_heater), 3), energy)


def even_cases(rng):
    """One example, factor 1, an advantage just reached or missed, energies of 0, all but one 0, 4 ports and many."""
    cheap = {"tia": round(float(rng.uniform(15, 30)), 1), "switch": round(float(rng.uniform(0.5, 2)), 1)}
    alone = dict.fromkeys(SEGMENTED, 0.0) | {"op": float(rng.integers(50, 150))}
    published, segmented = varied(rng, PUBLISHED), varied(rng, SEGMENTED)
    in_the_same_order = {name: segmented[name] for name in published}
    return [
        case(int(rng.integers(12, 40)), round(float(rng.uniform(1.3, 2.2)), 2), published),
        case(int(rng.integers(40, 200)), round(float(rng.uniform(2.3, 3.2)), 2), in_the_same_order),
        case(1, round(float(rng.uniform(1.1, 1.9)), 2), varied(rng, PUBLISHED, **cheap)),
        case(int(rng.integers(30, 90)), 1.0, varied(rng, PUBLISHED, switch=round(float(rng.uniform(10, 40)), 1))),
        nearly_reached(rng, 1 + 3e-6),
        nearly_reached(rng, 1 - 3e-6),
        case(int(rng.integers(2, 9)), 1.1, alone),
        case(int(rng.integers(5, 12)), 1.5, varied(rng, SEGMENTED, tia=0.0)),
        far_out(rng),
    ]


BANK = [
    wrong("heaters-forgotten", even_with(heater=(0, 0)), "the task: the second term of the optical side",
          "The part that goes with the number of heaters is missing.",
          "Every heater has a tap, and each tap is read once per batch, whatever the batch."),
    wrong("heaters-paid-for-every-sample", even_with(heater=(0.4, 2), spread=False),
          "notebook 11, section 11: what is shared by a batch",
          "The heaters are paid for with every sample.",
          "In the analog scheme the taps add up the batch by themselves: one reading per batch."),
    wrong("digital-inference-only", even_with(digital=6), "the task: the digital side",
          "Your advantage is half of what it should be at every size, so the mesh becomes too large.",
          "Was the digital side paid for a part of the step alone, or the optical side twice?"),
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
    wrong("advantage-upside-down", at_its_size(lambda batch, factor, energy, n, advantage: 1 / advantage),
          "the task: electronics over light",
          "The number of ports is right; the advantage is below 1.",
          "You divided the energy of light by that of electronics."),
    wrong("factor-for-the-advantage", at_its_size(lambda batch, factor, energy, n, advantage: factor),
          "the task: the advantage there",
          "The number of ports is right; in place of the advantage there stands the factor that was asked for.",
          "The number of ports is whole, so at that size the advantage is a little more than asked for."),
    wrong("advantage-one-port-earlier", at_its_size(one_port_earlier), "the task: the advantage there",
          "The number of ports is right; the advantage is that of a mesh with one port less.",
          "A loop that counts on after it has computed, or computes before it counts."),
    wrong("energies-by-position", even_by_position, "the docstring of the exercise",
          "Right as long as the energies come in the order of the docstring.",
          "A dictionary is read by its keys. In which order they come is not said."),
    wrong("switches-forgotten", even_with(heater=(4, 0)), "the task: the second term of the optical side",
          "The switches of the heaters are missing.",
          "Moving n² heaters costs something, too, once for each batch."),
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
    domain={
        "batch": Number(whole=True, at_least=1),
        "factor": Number(at_least=1),
        "energy": Anything("seven energies by name, op more than 0, the others 0 or more"),
    },
    meets={
        "the advantage is hardly more than the factor": lambda batch, factor, energy: (
            break_even(batch, factor, energy)[1] < (1 + 1e-5) * factor
        ),
        "only digital operations cost anything": lambda energy: sum(energy.values()) == energy["op"],
        "four ports are enough": lambda batch, factor, energy: break_even(batch, factor, energy)[0] == 4,
        "many ports are needed": lambda batch, factor, energy: 30000 < break_even(batch, factor, energy)[0] <= 40000,
        "reading a tap costs nothing": lambda energy: energy["tia"] == 0 < energy["switch"],
        "the energies come in another order": lambda energy: list(energy) != list(PUBLISHED),
    },
    always={
        "some size up to 40000 reaches the factor": lambda batch, factor, energy: (
            0 < break_even(batch, factor, energy)[0] <= 40000
        ),
        "no size has it exactly": lambda batch, factor, energy: not has_it_exactly(batch, factor, energy),
    },
    visible=[
        case(16, 2.0, PUBLISHED),
        *even_cases(np.random.default_rng(1111)),
    ],
    hidden=even_cases,
    result={"0": {"kind": "diagnostic"}},
    parts=("the number of ports", "the advantage"),
    accepted=[
        even_loop,
        even_table,
        even_bisection,
        even_attojoule,
        even_by_doubling,
        even_single,
    ],
    bank=BANK,
    hints=(
        "Both sides have a common factor n. Divide by it, and look at how the advantage grows with n.",
        "advantage(n) = 12 M n op / (M per_field + n per_heater). Try sizes one after the other, or solve for n.",
        "per_field = 36 op + 6 mod + 6 dac + 8 adc + 8 tia + 6 light, per_heater = 4 tia + 20 switch; the first n with "
        "advantage(n) >= factor.",
    ),
    equivalent_mutants={
        "squeezes": "both results are numbers",
    },
)
