"""How fast is the scalar engine? Side by side with micrograd, in one run, as ratios.

    python benchmarks/scalar.py                    # a Markdown table
    python benchmarks/scalar.py --json result.json

Needs micrograd (``pip install micrograd``), nothing else. Three workloads: micrograd's demo (the network 2-16-16-1 on
100 points of two moons, hinge loss and L2 penalty) with its relu and with tanh, and a chain of 10,000 operations. The
clock is CPU time. All engines take turns in one process, in a new random order each round; a ratio is the median of the
ratios within the rounds. Every gradient is compared before anything is timed. The garbage collector is on, as it is for
anyone who runs such code; micrograd with the collector paused is a row of its own, because that is where most of its
time goes. "In a row" is a training loop, which has to live with the garbage of its earlier steps; "single" starts from
a heap that was just collected, and flatters whoever leaves garbage behind.
"""

import argparse
import gc
import itertools
import json
import math
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from coursepkg.autodiff.scalar import Scalar

BARS = {("moons", "micrograd"): 10.0, ("chain", "micrograd"): 6.0, ("all", "micrograd, collector paused"): 1.8}
LAYERS = (2, 16, 16, 1)
CHAIN = 5_000  # of x * a + b: two operations each


def two_moons(count: int, rng: random.Random) -> list[tuple[list[float], float]]:
    """Points on two interleaved half circles, labelled -1 and +1."""
    points = []
    for k in range(count // 2):
        angle = math.pi * k / (count // 2 - 1)
        for label, x, y in (
            (-1.0, math.cos(angle), math.sin(angle)),
            (1.0, 1 - math.cos(angle), 0.5 - math.sin(angle)),
        ):
            points.append(([x + rng.gauss(0, 0.1), y + rng.gauss(0, 0.1)], label))
    return points


def moons_step(number: Callable[[float], Any], activation: Callable[[Any], Any]) -> Callable[[], list[float]]:
    """One step of micrograd's demo, for any class of numbers: returns the loss and all gradients."""
    rng = random.Random(1)
    points = two_moons(100, rng)
    network = [
        [([number(rng.uniform(-1, 1)) for _ in range(width)], number(0.0)) for _ in range(height)]
        for width, height in itertools.pairwise(LAYERS)
    ]
    parameters = [p for layer in network for weights, bias in layer for p in (*weights, bias)]

    def score(values: list[float]) -> Any:
        hidden = [number(value) for value in values]
        for depth, layer in enumerate(network):
            hidden = [sum((w * h for w, h in zip(weights, hidden, strict=True)), bias) for weights, bias in layer]
            if depth < len(network) - 1:
                hidden = [activation(value) for value in hidden]
        return hidden[0]

    def step() -> list[float]:
        for p in parameters:
            p.grad = 0.0
        hinge = [(1 + -label * score(values)).relu() for values, label in points]
        loss = sum(hinge) * (1.0 / len(hinge)) + 1e-4 * sum(p * p for p in parameters)
        loss.backward()
        return [loss.data, *(p.grad for p in parameters)]

    return step


def chain_step(number: Callable[[float], Any]) -> Callable[[], list[float]]:
    """A chain of operations, one after another: returns its end and the gradient of its start."""

    def step() -> list[float]:
        start = end = number(0.5)
        for _ in range(CHAIN):
            end = end * 1.0001 + 0.1
        end.backward()
        return [end.data, start.grad]

    return step


def paused(step: Callable[[], list[float]]) -> Callable[[], list[float]]:
    """The same step without garbage collection; what it leaves behind is collected outside the clock."""

    def without_collector() -> list[float]:
        gc.disable()
        try:
            return step()
        finally:
            gc.enable()

    return without_collector


def micrograd_tanh(value: Any) -> Any:
    """micrograd 0.1.0 has relu only: tanh in its own style."""
    out = type(value)(math.tanh(value.data), (value,), "tanh")

    def _backward() -> None:
        value.grad += (1 - out.data**2) * out.grad

    out._backward = _backward
    return out


def workloads(value: type) -> dict[str, dict[str, Callable[[], list[float]]]]:
    """The steps to time: workload -> engine -> step."""
    made: dict[str, dict[str, Callable[[], list[float]]]] = {
        "moons, relu": {"coursepkg": moons_step(Scalar, Scalar.relu), "micrograd": moons_step(value, value.relu)},
        "moons, tanh": {"coursepkg": moons_step(Scalar, Scalar.tanh), "micrograd": moons_step(value, micrograd_tanh)},
        "chain": {"coursepkg": chain_step(Scalar), "micrograd": chain_step(value)},
    }
    for name, engines in made.items():
        ours, theirs = engines["coursepkg"](), engines["micrograd"]()
        if not all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(ours, theirs, strict=True)):
            raise SystemExit(f"{name}: the two engines disagree about a gradient, so nothing is timed")
        engines["micrograd, collector paused"] = paused(engines["micrograd"])
        engines["coursepkg again (noise)"] = engines["coursepkg"]
    return made


def measure(engines: dict[str, Callable], steps: int, rounds: int, rng: random.Random) -> dict[str, list[float]]:
    """CPU seconds per step, one number per round, for each engine."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name in rng.sample(list(engines), len(engines)):
            gc.collect()
            start = time.process_time()
            for _ in range(steps):
                engines[name]()
            times[name].append((time.process_time() - start) / steps)
    return times


def bar_for(workload: str, engine: str) -> float | None:
    """The ratio that this row should reach, if any: the numbers that notebook 02 speaks of."""
    for (prefix, name), bar in BARS.items():
        if name == engine and (prefix == "all" or workload.startswith(prefix)):
            return bar
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=5, help="consecutive steps of the moons network under one clock")
    parser.add_argument("--json", type=Path, help="write the numbers to this file, too")
    options = parser.parse_args()
    try:
        from micrograd.engine import Value
    except ImportError:
        print("micrograd is not installed, so there is nothing to compare with: pip install micrograd", file=sys.stderr)
        return 2
    sys.setrecursionlimit(
        200_000
    )  # micrograd walks the graph by recursion; at the default limit 996 operations are too many
    rng, rows = random.Random(0), []
    for workload, engines in workloads(Value).items():
        many = options.steps if workload.startswith("moons") else 10 * options.steps
        for steps in (many, 1):
            times = measure(engines, steps, options.rounds, rng)
            for engine, seconds in times.items():
                ratios = [theirs / ours for theirs, ours in zip(seconds, times["coursepkg"], strict=True)]
                rows.append(
                    {
                        "workload": workload,
                        "steps": steps,
                        "engine": engine,
                        "milliseconds": statistics.median(seconds) * 1e3,
                        "ratio": statistics.median(ratios),
                        "bar": bar_for(workload, engine),
                    }
                )
    settings = {
        "date": time.strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "micrograd": version("micrograd"),
        "rounds": options.rounds,
        "clock": "CPU time",
        "load": ", ".join(f"{each:.1f}" for each in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown",
        "cores": os.cpu_count(),
    }
    print(as_markdown(rows, settings))
    if options.json:
        options.json.write_text(json.dumps({"settings": settings, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return 0


def as_markdown(rows: list[dict[str, Any]], settings: dict[str, Any]) -> str:
    """The table, and under what circumstances it was measured."""
    lines = ["| workload | engine | ms per step | times coursepkg | goal |", "|---|---|---:|---:|---:|"]
    for row in rows:
        steps = f"{row['steps']} steps in a row" if row["steps"] > 1 else "a single step"
        goal = f">= {row['bar']:g}: {'yes' if row['ratio'] >= row['bar'] else 'NO'}" if row["bar"] else ""
        numbers = f"{row['milliseconds']:.2f} | {row['ratio']:.2f}"
        lines.append(f"| {row['workload']}, {steps} | {row['engine']} | {numbers} | {goal} |")
    return "\n".join([*lines, "", "; ".join(f"{key} {value}" for key, value in settings.items())])


if __name__ == "__main__":
    raise SystemExit(main())
