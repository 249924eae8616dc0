"""What forward gradients learn, and how long it takes: the long runs behind notebook 09.

    python benchmarks/forward_gradient_learning.py PART...

Parts, a minute or two each: ``surfaces`` (Beale and Rosenbrock, 20 seeds), ``illusion`` (one small learning rate for
all), ``digits`` (each method at its best learning rate, by size of the model), ``logistic`` and ``mlp`` (MNIST where
``COURSEPKG_DATA`` points to it, otherwise the digits of scikit-learn), ``cnn``, ``local`` (a loss for each layer).
Each part replaces its own section of ``benchmarks/results/forward_gradient_learning.json``, with settings and date. The
clock is CPU time of one thread, and runs only while a step is taken; losses are measured outside it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import time
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from coursepkg import datasets, nn, optimizers
from coursepkg.autodiff.tensor import no_grad
from coursepkg.estimators import (
    LocalNetwork,
    fill_by_activities,
    fill_by_local_losses,
    fill_by_rank_one,
    fill_gradients,
)
from coursepkg.training import accuracy

RESULT = Path(__file__).parent / "results" / "forward_gradient_learning.json"
Pair = tuple[np.ndarray, np.ndarray]
DECAY = 1e-4  # learning rate eta_0 exp(-k i), as in the published re-implementations


# --- two parameters


def beale(t: Any) -> Any:
    """Minimum 0 at (3, 0.5)."""
    x, y = t[0], t[1]
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def rosenbrock(t: Any) -> Any:
    """Minimum 0 at (1, 1)."""
    return (1.0 - t[0]) ** 2 + 100.0 * (t[1] - t[0] ** 2) ** 2


def descend(f: Callable[..., Any], start: tuple[float, float], lr: float, steps: int, gradient: Any) -> float:
    """Value after gradient descent; infinity where it diverged."""
    theta = np.array(start)
    for _ in range(steps):
        theta = theta - lr * gradient(theta)
        if not np.all(np.abs(theta) < 1e6):
            return float("inf")
    return float(f(theta))


def partials(f: Callable[..., Any]) -> Callable[[np.ndarray], np.ndarray]:
    """The gradient by algebra, as one quick function; runs of 20,000 steps need no engine."""
    import sympy as sp

    x, y = sp.symbols("x y")
    return sp.lambdify([(x, y)], [sp.diff(f((x, y)), x), sp.diff(f((x, y)), y)], "math")


def surfaces() -> dict[str, Any]:
    """Beale and Rosenbrock from several starts, 20 seeds for each kind of direction."""
    cases = [
        ("Beale", beale, (1.0, 1.0), 0.01, 1000), ("Beale", beale, (-1.0, 1.5), 0.01, 1000),
        ("Beale", beale, (-1.0, 1.5), 0.005, 1000), ("Rosenbrock", rosenbrock, (-1.0, 0.0), 5e-4, 20_000),
    ]  # fmt: skip
    rows = []
    for name, f, start, lr, steps in cases:
        exact = partials(f)
        reference = descend(f, start, lr, steps, lambda t, exact=exact: np.array(exact(t)))
        row: dict[str, Any] = {"function": name, "start": start, "lr": lr, "steps": steps, "backprop": reference}
        for kind in ("gaussian", "rademacher"):
            ends = []
            for seed in range(20):
                rng = np.random.default_rng(seed)

                def estimate(t: np.ndarray, exact: Any = exact, rng: Any = rng, kind: str = kind) -> np.ndarray:
                    v = rng.standard_normal(2) if kind == "gaussian" else rng.choice([-1.0, 1.0], 2)
                    return (np.array(exact(t)) @ v) * v

                ends.append(descend(f, start, lr, steps, estimate))
            finite = [end for end in ends if end < 1e3]
            row[kind] = {"median": float(np.median(ends)), "diverged": len(ends) - len(finite), "of": len(ends)}
        rows.append(row)
        print(row, flush=True)
    return {"settings": "plain gradient descent, constant learning rate, 20 seeds", "rows": rows}


# --- data and models


def digits() -> tuple[Pair, Pair]:
    """1,437 and 360 images of 8 by 8."""
    data = datasets.digits()
    order = np.random.default_rng(0).permutation(len(data.X))
    x, y = (data.X[order] / 16.0).astype(np.float32), data.y[order]
    return (x[:1437], y[:1437]), (x[1437:], y[1437:])


def large() -> tuple[str, tuple[Pair, Pair]]:
    """8,000 and 2,000 of the official test images of MNIST if they are there, digits otherwise."""
    try:
        images, classes = datasets.mnist("test")
    except datasets.DataNotFound:
        return "digits", digits()
    x = images.reshape(len(images), -1).astype(np.float32) / np.float32(255)
    return "MNIST", ((x[:8000], classes[:8000]), (x[8000:], classes[8000:]))


def dense(widths: list[int], seed: int) -> nn.Sequential:
    """Linear layers with ReLU in between, in single precision."""
    rng, steps = np.random.default_rng(seed), []
    for n, m in pairwise(widths):
        steps += [nn.Linear(n, m, rng=rng, dtype=np.float32), nn.ReLU()]
    return nn.Sequential(*steps[:-1])


def convolutional(seed: int) -> nn.Sequential:
    """Two convolutions, pooling after each, one dense layer: 8 by 8 digits."""
    rng, kind = np.random.default_rng(seed), {"dtype": np.float32}
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1, rng=rng, **kind), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1, rng=rng, **kind), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64, 10, rng=rng, **kind),
    )  # fmt: skip


def with_readouts(widths: list[int], seed: int) -> LocalNetwork:
    """The same hidden layers, each with a loss of its own."""
    rng, kind = np.random.default_rng(seed), {"dtype": np.float32}
    blocks = [nn.Sequential(nn.Linear(n, m, rng=rng, **kind), nn.ReLU()) for n, m in pairwise(widths[:-1])]
    return LocalNetwork(blocks, widths[1:-1], widths[-1], rng=rng, **kind)


def backpropagation(model: Any, loss: Any, x: Any, y: Any, rng: Any) -> tuple[Any, Any]:
    """The same contract as the estimators."""
    out = model(x)
    value = loss(out, y)
    value.backward()
    return value, out


FILLS: dict[str, Any] = {
    "backprop": backpropagation,
    "Gaussian": partial(fill_gradients, directions="gaussian"),
    "signs": fill_gradients,
    "Gaussian, K = 16": partial(fill_gradients, directions="gaussian", count=16),
    "rank one": fill_by_rank_one,
    "rank four": partial(fill_by_rank_one, rank=4),
    "activities": fill_by_activities,
    "local losses": fill_by_local_losses,
}


# --- one run


def minibatches(data: Pair, size: int, rng: np.random.Generator) -> Iterator[Pair]:
    """Batches without end, in a new order each epoch."""
    while True:
        order = rng.permutation(len(data[0]))
        for start in range(0, len(order) - size + 1, size):
            rows = order[start : start + size]
            yield data[0][rows], data[1][rows]


def train(
    model: nn.Sequential, method: str, lr: float, steps: int, data: tuple[Pair, Pair], *, seed: int = 0,
    points: int = 20, batch: int = 64, most: int = 2000, looks: Collection[int] = (),
) -> dict[str, Any]:  # fmt: skip
    """Train with plain gradient descent and note loss, accuracy and CPU time along the way, or after `looks` steps."""
    (x, y), test = data
    rng = np.random.default_rng(100 + seed)
    optimizer = optimizers.GD(model.parameters(), lr=lambda i: lr * float(np.exp(-DECAY * i)))
    feed, seconds, curve = minibatches((x, y), batch, np.random.default_rng(200 + seed)), 0.0, []
    for step in range(steps + 1):
        if step in looks if looks else step % max(steps // points, 1) == 0:
            loss, hits = score(model, (x[:most], y[:most]))
            curve.append([step, round(seconds, 4), round(loss, 5)])
            if not np.isfinite(loss) or loss > 100:
                break
        inputs, targets = next(feed)
        clock = time.process_time()
        optimizer.zero_grad()
        with np.errstate(all="ignore"):
            FILLS[method](model, nn.cross_entropy, inputs, targets, rng=rng)
            optimizer.step()
        seconds += time.process_time() - clock
    loss, hits = score(model, (x[:most], y[:most]))
    test_loss, test_hits = score(model, test)
    size = sum(p.size for p in model.parameters())
    found = {"method": method, "parameters": size, "lr": lr, "seed": seed, "steps": steps, "loss": round(loss, 5)}
    found |= {"accuracy": round(hits, 4), "test_accuracy": round(test_hits, 4), "test_loss": round(test_loss, 5)}
    found |= {"seconds": round(seconds, 3), "curve": curve}
    print({k: v for k, v in found.items() if k != "curve"}, flush=True)
    return found


def score(model: nn.Sequential, data: Pair) -> tuple[float, float]:
    """Loss and accuracy without a record."""
    with no_grad(), np.errstate(all="ignore"):
        outs = [np.asarray(model(data[0][k : k + 1000]).numpy()) for k in range(0, len(data[0]), 1000)]
        out = np.concatenate(outs)
        loss = float(nn.cross_entropy(out, data[1]))
    return (loss if np.isfinite(loss) else float("inf")), accuracy(out, data[1])


def best_of(
    make: Callable[[int], nn.Sequential], method: str, rates: list[float], steps: int, data: Any
) -> dict[str, Any]:
    """Train at every learning rate and keep the run with the lowest training loss; the others are named."""
    runs = [train(make(0), method, lr, steps, data) for lr in rates]
    winner = min(runs, key=lambda run: run["loss"] if np.isfinite(run["loss"]) else np.inf)
    return winner | {"tried": {str(run["lr"]): run["loss"] for run in runs}}


# --- the parts


def illusion() -> dict[str, Any]:
    """One learning rate, small enough for the noisiest method, against each at its best."""
    data, make = digits(), partial(dense, [64, 64, 10])
    same = [train(make(0), name, 0.005, 3000, data, points=30) for name in FILLS]
    best = [train(make(0), "backprop", 0.5, 3000, data, points=30)]
    best += [best_of(make, "Gaussian", [0.002, 0.005, 0.01, 0.02], 3000, data)]
    best += [best_of(make, "activities", [0.01, 0.02, 0.05, 0.1], 3000, data)]
    return {"settings": "digits, 64-64-10 with ReLU, batch 64, 3,000 steps of SGD", "same": same, "best": best}


def by_size() -> dict[str, Any]:
    """Each method at the best of a grid of learning rates, for three sizes of model."""
    data, runs = digits(), []
    shapes = {"logistic": [64, 10], "64-64-10": [64, 64, 10], "64-128-128-10": [64, 128, 128, 10]}
    grids = {
        "backprop": [0.2, 0.5, 1.0],
        "Gaussian": [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
        "Gaussian, K = 16": [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
        "activities": [0.005, 0.01, 0.02, 0.05, 0.1, 0.2],
    }
    for shape, widths in shapes.items():
        for method, rates in grids.items():
            runs.append({"model": shape} | best_of(partial(dense, widths), method, rates, 1500, data))
    return {"settings": "digits, batch 64, 1,500 steps of SGD, learning rate from a grid", "runs": runs}


def logistic() -> dict[str, Any]:
    """A single layer: the smallest of the three models."""
    name, data = large()
    make = partial(dense, [data[0][0].shape[1], 10])
    same = [train(make(0), method, 1e-3, 4000, data) for method in ("backprop", "Gaussian", "signs")]
    best = [best_of(make, "backprop", [0.1, 0.3, 1.0], 4000, data)]
    best += [best_of(make, method, [0.001, 0.003, 0.01, 0.03], 4000, data) for method in ("Gaussian", "signs")]
    best += [best_of(make, "activities", [0.01, 0.03, 0.1, 0.3], 4000, data)]
    return {"settings": f"{name}, one layer, batch 64, 4,000 steps of SGD", "data": name, "same": same, "best": best}


def mlp() -> dict[str, Any]:
    """The network of the paper: hidden layers of 1024 and 1024."""
    name, data = large()
    make = partial(dense, [data[0][0].shape[1], 1024, 1024, 10])
    steps = 1200
    same = [train(make(0), method, 2e-4, steps, data, points=12) for method in ("backprop", "Gaussian", "rank one")]
    best = [best_of(make, "backprop", [0.1, 0.3], steps, data)]
    best += [best_of(make, "rank four", [2e-4, 5e-4, 1e-3, 2e-3], steps, data)]
    best += [best_of(make, "activities", [2e-3, 3e-3, 5e-3], steps, data)]
    return {
        "settings": f"{name}, hidden layers of 1024 and 1024, batch 64, {steps} steps of SGD",
        "data": name,
        "same": same,
        "best": best,
    }


def cnn() -> dict[str, Any]:
    """A convolutional network small enough for many steps."""
    data, runs = digits(), []
    images = tuple((x.reshape(-1, 1, 8, 8), y) for x, y in data)
    for method, rates in (
        ("backprop", [0.1, 0.3]), ("Gaussian", [0.003, 0.005]), ("Gaussian, K = 16", [0.01, 0.03, 0.06]),
        ("activities", [0.03, 0.1, 0.3]),
    ):  # fmt: skip
        runs.append(best_of(convolutional, method, rates, 1000, images))
    return {
        "settings": "digits, two convolutions (8 and 16 channels) and a dense layer, batch 64, 1,000 steps",
        "best": runs,
    }


def he_start(model: Any) -> Any:
    """Weights that keep the size of signals through any number of ReLU layers (He et al., 2015)."""
    rng = np.random.default_rng(7)
    for parameter in model.parameters():
        weight = parameter.ndim == 2
        parameter.data = nn.init.he_uniform(parameter.shape, rng=rng) if weight else np.zeros(parameter.shape)
    return model


def local() -> dict[str, Any]:
    """Deeper networks: one loss at the end, or one for each layer."""
    data, runs = digits(), []
    for depth in (1, 2, 4):
        widths = [64] + [128] * depth + [10]
        for method, rates, build in (
            ("backprop", [0.1, 0.3], dense),
            ("activities", [0.003, 0.005, 0.01, 0.02, 0.05], dense),
            ("local losses", [0.003, 0.005, 0.01, 0.02, 0.05], with_readouts),
        ):

            def make(seed: int, build: Any = build, widths: list[int] = widths) -> Any:
                return he_start(build(widths, seed))

            runs.append({"hidden layers": depth} | best_of(make, method, rates, 1500, data))
    settings = "digits, hidden layers of 128, He's initialization, batch 64, 1,500 steps, rate from a grid"
    return {"settings": settings, "runs": runs}


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "surfaces": surfaces, "illusion": illusion, "digits": by_size, "logistic": logistic, "mlp": mlp, "cnn": cnn,
    "local": local,
}  # fmt: skip


def main() -> int:
    """Run the parts that were asked for, and store them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", choices=list(PARTS))
    for part in parser.parse_args().parts:
        clock = time.process_time()
        with threadpool_limits(limits=1):
            found = PARTS[part]()
        stored = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
        versions = f"Python {platform.python_version()}, numpy {np.__version__}"
        about = {"what": f"python benchmarks/forward_gradient_learning.py {part}", "versions": versions}
        about |= {"date": datetime.date.today().isoformat(), "cpu_seconds": round(time.process_time() - clock, 1)}
        RESULT.write_text(json.dumps(stored | {part: about | found}, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
