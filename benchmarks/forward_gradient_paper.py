"""The estimator of the forward gradient's paper, one Gaussian direction a step, until the curves move.

    COURSEPKG_DATA=... python benchmarks/forward_gradient_paper.py

Logistic regression and hidden layers of 1024 and 1024 on MNIST, plain gradient descent, batch 64. A grid of learning
rates is walked at a fifth of the steps until the best one has a worse one on either side; then three seeds at the best.
About half an hour on one core. Each run is stored when it ends in ``benchmarks/results/forward_gradient_paper.json``,
and a second call goes on with those that are missing.
"""

from __future__ import annotations

import datetime
import json
import platform
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from forward_gradient_learning import dense, large, train
from threadpoolctl import threadpool_limits

RESULT = Path(__file__).parent / "results" / "forward_gradient_paper.json"
SEEDS = (0, 1, 2)
MODELS = {"logistic": [784, 10], "1024-1024": [784, 1024, 1024, 10]}
STEPS = {"logistic": {"backprop": 5000, "Gaussian": 50_000}, "1024-1024": {"backprop": 2500, "Gaussian": 10_000}}
FIRST = {"backprop": 0.3, "Gaussian": 1e-4}  # where the walk along the grid starts
GRID = [round(base * 10.0**power, 10) for power in range(-6, 2) for base in (1, 3)]


def run(kept: dict[str, Any], model: str, method: str, lr: float, steps: int, seed: int) -> dict[str, Any]:
    """One training, from the store if it is there."""
    key = f"{model}, {method}, rate {lr:g}, {steps} steps, seed {seed}"
    if key not in kept:
        data = large()[1]
        found = train(dense(MODELS[model], seed), method, lr, steps, data, seed=seed, points=100)
        kept[key] = {"model": model} | found
        store(kept)
    stored: dict[str, Any] = kept[key]
    return stored


def best_rate(kept: dict[str, Any], model: str, method: str) -> float:
    """Walk the grid at a fifth of the steps to a rate with a worse one on either side."""
    loss = partial(run, kept, model, method, steps=STEPS[model][method] // 5, seed=0)
    place = GRID.index(FIRST[method])
    while True:
        around = {k: loss(lr=GRID[k])["loss"] for k in (place - 1, place, place + 1)}
        best = min(around, key=lambda k: around[k])
        if best == place:
            return GRID[place]
        place = best


def store(kept: dict[str, Any]) -> None:
    """Write all runs that are done."""
    about = {
        "what": "python benchmarks/forward_gradient_paper.py",
        "date": datetime.date.today().isoformat(),
        "versions": f"Python {platform.python_version()}, numpy {np.__version__}",
        "settings": "MNIST (8,000 images), batch 64, SGD with rate η exp(-0.0001 i), one Gaussian direction a step",
    }
    RESULT.write_text(json.dumps(about | {"steps": STEPS, "runs": kept}, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run what is missing."""
    if large()[0] != "MNIST":
        print("MNIST is not on this computer: set COURSEPKG_DATA to the folder that holds it")
        return 1
    kept = json.loads(RESULT.read_text(encoding="utf-8"))["runs"] if RESULT.exists() else {}
    with threadpool_limits(limits=1):
        for model, steps in STEPS.items():
            for method in steps:
                lr = best_rate(kept, model, method)
                for seed in SEEDS:
                    run(kept, model, method, lr, steps[method], seed)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
