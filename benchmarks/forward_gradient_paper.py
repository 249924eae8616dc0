"""The estimator of the forward gradient's paper, one Gaussian direction a step, at the best rate of a grid.

    COURSEPKG_DATA=... python benchmarks/forward_gradient_paper.py             # runs what is missing
    COURSEPKG_DATA=... python benchmarks/forward_gradient_paper.py --shares    # where the time of a step goes

Logistic regression, hidden layers of 1024 and 1024, and the paper's convolutional network with an eighth of its
channels on images of half the width, on MNIST: plain gradient descent, batch 64. A grid of learning rates is walked *at
the whole length* (the logistic regression's at a fifth of it) until the best one has a worse one on either side, by the
training loss of one seed. Then come two more seeds, at both lengths. If a seed diverges, the next smaller rate is taken
for all. About 20 minutes on one core. Each run is stored when it ends in
``benchmarks/results/forward_gradient_paper.json``; a second call goes on with those that are missing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from forward_gradient_learning import FILLS, Pair, dense, large, train
from threadpoolctl import threadpool_limits

from coursepkg import nn
from coursepkg.estimators import sample_directions

RESULT = Path(__file__).parent / "results" / "forward_gradient_paper.json"
SEEDS = (0, 1, 2)
STEPS = {
    "logistic": {"backprop": 5000, "Gaussian": 50_000},
    "1024-1024": {"backprop": 2500, "Gaussian": 1000},
    "CNN": {"backprop": 300, "Gaussian": 1500},
}
CHOICE = STEPS | {"logistic": {"backprop": 1000, "Gaussian": 10_000}}
"""How long the rates of the grid are tried: to the end, but for the logistic regression, which is convex."""
FIRST = {  # where the walk along the grid starts
    ("logistic", "backprop"): 1.0, ("logistic", "Gaussian"): 3e-3,
    ("1024-1024", "backprop"): 0.3, ("1024-1024", "Gaussian"): 1e-3,
    ("CNN", "backprop"): 0.3, ("CNN", "Gaussian"): 1e-3,
}  # fmt: skip
GRID = [round(base * 10.0**power, 10) for power in range(-6, 2) for base in (1, 3)]
DIVERGED = 2.5  # a loss above that of a blind guess, ln 10 = 2.303


def convolutional(seed: int, channels: int = 8) -> nn.Sequential:
    """The paper's network with `channels` in place of 64, and a hidden layer that is narrower by the same factor."""
    rng, kind, steps, before = np.random.default_rng(seed), {"dtype": np.float32}, [], 1
    for number in range(4):
        steps += [nn.Conv2d(before, channels, 3, padding=1, rng=rng, **kind), nn.ReLU()]
        steps += [nn.MaxPool2d(2)] if number % 2 else []
        before = channels
    head = [nn.Flatten(), nn.Linear(channels * 3 * 3, 16 * channels, rng=rng, **kind), nn.ReLU()]
    return nn.Sequential(*steps, *head, nn.Linear(16 * channels, 10, rng=rng, **kind))


MODELS: dict[str, Callable[[int], nn.Sequential]] = {
    "logistic": partial(dense, [784, 10]),
    "1024-1024": partial(dense, [784, 1024, 1024, 10]),
    "CNN": convolutional,
}


def data_for(model: str) -> tuple[Pair, Pair]:
    """8,000 and 2,000 images: as rows, or as pictures of 12 by 12, a margin of 2 left out and 2 by 2 averaged."""
    data: tuple[Pair, Pair] = large()[1]
    return (halved(data[0]), halved(data[1])) if model == "CNN" else data


def halved(part: Pair) -> Pair:
    """Rows of 784 as pictures of 12 by 12."""
    x, y = part
    inner = x.reshape(-1, 1, 28, 28)[:, :, 2:26, 2:26]
    return inner.reshape(-1, 1, 12, 2, 12, 2).mean(axis=(3, 5)), y


def run(stored: dict[str, Any], model: str, method: str, lr: float, seed: int, steps: int) -> dict[str, Any]:
    """One training, from the store if it is there."""
    key = f"{model}, {method}, rate {lr:g}, {steps} steps, seed {seed}"
    if key not in stored["runs"]:
        most = 1000 if model == "CNN" else 2000  # examples that the curve is measured on
        found = train(MODELS[model](seed), method, lr, steps, data_for(model), seed=seed, looks=looks(steps), most=most)
        found |= {"loss": min(found["loss"], 100.0), "test_loss": min(found["test_loss"], 100.0)}
        found["curve"] = [[step, seconds, min(loss, 100.0)] for step, seconds, loss in found["curve"]]
        stored["runs"][key] = {"model": model} | found
        store(stored)
    kept: dict[str, Any] = stored["runs"][key]
    return kept


def looks(steps: int) -> set[int]:
    """When the loss is looked at: ever more seldom, so that the time to a loss is known to 5 % early and late."""
    return {0, steps} | {round(1.05**k) for k in range(500) if 1.05**k < steps}


def best_rate(loss: Callable[[float], float], first: float) -> float:
    """Walk the grid to a rate with a worse one on either side."""
    place = GRID.index(first)
    while True:
        around = {k: loss(GRID[k]) for k in (place - 1, place, place + 1)}
        best = min(around, key=lambda k: around[k])
        if best == place:
            return GRID[place]
        place = best


def choose_and_repeat(stored: dict[str, Any], model: str, method: str) -> float:
    """Find the rate and run all seeds at it; the rate is the next smaller one as long as a seed diverges."""
    tried, whole = CHOICE[model][method], STEPS[model][method]
    lr = best_rate(lambda rate: float(run(stored, model, method, rate, 0, tried)["loss"]), FIRST[model, method])
    both = sorted({tried, whole})
    while any(run(stored, model, method, lr, seed, steps)["loss"] > DIVERGED for seed in SEEDS for steps in both):
        lr = GRID[GRID.index(lr) - 1]
    return lr


def drawing_share(model: str, rounds: int = 60) -> float:
    """Share of the time of a Gaussian step, update included, that goes into drawing its direction."""
    made, rng = MODELS[model](0), np.random.default_rng(0)
    (x, y), _ = data_for(model)
    x, y = x[:64], y[:64]
    parameters = list(made.parameters())
    size, times = sum(p.size for p in parameters), []
    for _ in range(rounds):
        start = time.process_time()
        sample_directions("gaussian", size, rng=rng, dtype=np.float32)
        middle = time.process_time()
        FILLS["Gaussian"](made, nn.cross_entropy, x, y, rng=rng)
        for p in parameters:
            p.data = p.data - np.float32(1e-9) * p.grad
        times.append((middle - start, time.process_time() - middle))
    return float(np.median([drawing / whole for drawing, whole in times]))


def store(stored: dict[str, Any]) -> None:
    """Write all runs that are done."""
    about = {
        "what": "python benchmarks/forward_gradient_paper.py",
        "date": datetime.date.today().isoformat(),
        "versions": f"Python {platform.python_version()}, numpy {np.__version__}",
        "settings": "MNIST (8,000 images), batch 64, SGD with rate η exp(-0.0001 i), one Gaussian direction a step",
        "models": "CNN: four convolutions of 3 by 3 with 8 channels (the paper has 64), dense layers of 128 and 10, on "
        "images of 12 by 12",
    }
    RESULT.write_text(json.dumps(about | {"steps": STEPS, "tried": CHOICE} | stored, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shares", action="store_true", help="measure the share of drawing; no training")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    arguments = parser.parse_args()
    if large()[0] != "MNIST":
        print("MNIST is not on this computer: set COURSEPKG_DATA to the folder that holds it")
        return 1
    kept = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    stored = {key: kept.get(key, {}) for key in ("rates", "drawing share", "runs")}
    with threadpool_limits(limits=1):
        if arguments.shares:
            stored["drawing share"] = {model: round(drawing_share(model), 4) for model in MODELS}
            print(stored["drawing share"])
        else:
            for model in arguments.models:
                for method in STEPS[model]:
                    lr = choose_and_repeat(stored, model, method)
                    stored["rates"].setdefault(model, {})[method] = lr
                    store(stored)
        store(stored)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
