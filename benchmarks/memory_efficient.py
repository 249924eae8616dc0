"""The memory-efficient linear layer: what it costs, what it saves, and what it does to training. Five benchmarks.

    python benchmarks/memory_efficient.py speed     # time of the weight gradient and of a layer, beside PyTorch
    python benchmarks/memory_efficient.py memory    # measured saving against predicted, over shapes and rates
    python benchmarks/memory_efficient.py digits    # rate against loss, accuracy, time, memory; MNIST where it is
    python benchmarks/memory_efficient.py text      # the same for a small transformer on docstrings
    python benchmarks/memory_efficient.py peak      # peak memory of that transformer, and of others

Each takes three minutes at most and writes its part of ``benchmarks/results/memory_efficient.json``, with settings and
date; ``memory_efficient_claims.py`` makes the table of claims from it, and notebook 08 shows both. Times are CPU time
of one thread; variants take turns in one process in a new random order each round, and a ratio is the median of the
ratios within the rounds.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import platform
import random
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from coursepkg import datasets, docstrings, nn, optimizers
from coursepkg.estimators import LeanReLU, RandomizedLinear, randomize, step_memory
from coursepkg.estimators.ledger import predict_step
from coursepkg.estimators.sketches import SKETCHES, Sketch, sketch_size
from coursepkg.training import Trainer, accuracy

RESULT = Path(__file__).parent / "results" / "memory_efficient.json"
Step = Callable[[], Any]

# Largest ratio of the fold to the exact weight gradient that the course promises, at B = 2048, 768 x 768.
BARS = {0.5: 0.70, 0.25: 0.45}
SHAPES = [(2048, 768, 768), (2048, 768, 3072), (512, 1024, 1024)]


# --- speed


def weight_gradients(rows: int, n: int, m: int, rates: list[float]) -> dict[str, Step]:
    """The exact product and every sketched one; drawing S twice, projecting X and Y, and the product are all in it."""
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(rows, k)).astype(np.float32) for k in (n, m))
    made: dict[str, Step] = {"exact": lambda: y.T @ x}

    def sketched(kind: str, size: int) -> Step:
        def step() -> Any:
            return Sketch(kind, rows, size, 1).project(y).T @ Sketch(kind, rows, size, 1).project(x)

        return step

    for rate in rates:
        for kind in SKETCHES:
            made[f"{kind} {rate}"] = sketched(kind, sketch_size(rate, rows))
    return made


def whole_layers(rows: int, n: int, m: int, rates: list[float]) -> dict[str, Step]:
    """Forward and backward of one layer: ours exact and sketched, and PyTorch's Linear."""
    rng = np.random.default_rng(0)
    x, g = (rng.normal(size=(rows, k)).astype(np.float32) for k in (n, m))

    def ours(layer: nn.Linear) -> Step:
        inputs = nn.Parameter(x)

        def step() -> Any:
            inputs.grad = None
            layer.zero_grad()
            layer(inputs).backward(g)
            return layer.weight.grad

        return step

    made = {"nn.Linear": ours(nn.Linear(n, m, rng=rng, dtype=np.float32))}
    for rate in rates:
        for kind in ("fold", "gaussian", "dct"):
            made[f"{kind} {rate}"] = ours(RandomizedLinear(n, m, rate=rate, sketch=kind, rng=rng, dtype=np.float32))
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)
        layer, inputs, gradient = torch.nn.Linear(n, m), torch.tensor(x, requires_grad=True), torch.tensor(g)

        def by_torch() -> Any:
            inputs.grad = layer.weight.grad = layer.bias.grad = None
            layer(inputs).backward(gradient)
            return layer.weight.grad

        made["torch Linear"] = by_torch
    return made


def measure(steps: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """CPU seconds per step, one number per round, for each variant."""
    rng, times = random.Random(0), {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name in rng.sample(list(steps), len(steps)):
            gc.collect()
            start = time.process_time()
            steps[name]()
            times[name].append(time.process_time() - start)
    return times


def ratio(times: dict[str, list[float]], name: str, opponent: str) -> float:
    """Median over the rounds of the ratio within a round."""
    return round(statistics.median(a / b for a, b in zip(times[name], times[opponent], strict=True)), 3)


def speed(rounds: int) -> tuple[dict[str, Any], bool]:
    """Print and return the tables, and whether the promised ratios hold."""
    kept, tables = True, []
    rates = [0.5, 0.25, 0.125]
    for shape in SHAPES:
        times = measure(weight_gradients(*shape, rates), rounds)
        table = {name: ratio(times, name, "exact") for name in times}
        tables.append({"shape": shape, "exact_ms": round(1e3 * statistics.median(times["exact"]), 2), "ratios": table})
        print(f"\nweight gradient, B N M = {shape}, exact {tables[-1]['exact_ms']} ms; CPU time over exact")
        for kind in SKETCHES:
            print(f"  {kind:22}", "  ".join(f"{rate}: {table[f'{kind} {rate}']:.2f}" for rate in rates))
        if shape == SHAPES[0]:
            for rate, bar in BARS.items():
                kept &= table[f"fold {rate}"] <= bar
                print(f"  promised: fold at {rate} <= {bar}: {'yes' if table[f'fold {rate}'] <= bar else 'NO'}")
    layers = []
    for shape in SHAPES[:1]:
        times = measure(whole_layers(*shape, [0.5, 0.125]), rounds)
        against = "torch Linear" if "torch Linear" in times else "nn.Linear"
        table = {name: ratio(times, name, against) for name in times}
        layers.append({"shape": shape, "against": against, "ratios": table})
        print(f"\nforward and backward of a layer, B N M = {shape}; CPU time over {against}")
        for name, value in table.items():
            print(f"  {name:16} {value:.2f}")
    return {"weight_gradient": tables, "layer": layers, "rounds": rounds}, kept


# --- memory

GRID = [((64, 512, 512, 512, 10), 4096), ((784, 1024, 1024, 10), 4096), ((128,) * 17 + (10,), 2048),
        ((256, 256, 256, 256, 256, 10), 1024), ((784, 1024, 1024, 10), 256)]  # fmt: skip


def stack(widths: tuple[int, ...], activation: Any, seed: int = 0) -> nn.Sequential:
    """Linear layers with an activation between them, in single precision."""
    rng, steps = np.random.default_rng(seed), []
    for n, m in pairwise(widths):
        steps += [nn.Linear(n, m, rng=rng, dtype=np.float32), activation()]
    return nn.Sequential(*steps[:-1])


def frozen(array: np.ndarray) -> np.ndarray:
    """Return a copy that nobody can write into: the batch is there before the step, and the tape needs no copy."""
    array = array.copy()
    array.flags.writeable = False
    return array


def memory() -> tuple[dict[str, Any], bool]:
    """Print and return measured and predicted memory of a step, and whether they agree within a tenth."""
    rows_of_table, kept = [], True
    for widths, rows in GRID:
        rng = np.random.default_rng(0)
        model = stack(widths, LeanReLU)
        x = frozen(rng.normal(size=(rows, widths[0])).astype(np.float32))
        y = frozen(rng.integers(0, widths[-1], rows))
        run = lambda: nn.cross_entropy(model(x), y)  # noqa: B023, E731 (used within the round)
        exact, expected = step_memory(model, run), predict_step(widths, rows)
        for rate in (0.5, 0.2, 0.1):
            randomize(model, rate=rate, rng=rng)
            found, promised = step_memory(model, run), predict_step(widths, rows, rate=rate)
            saved = {"held": exact.held - found.held, "peak": exact.peak - found.peak}
            predicted = {"held": expected.held - promised.held, "peak": expected.peak - promised.peak}
            fine = all(abs(saved[k] - predicted[k]) <= max(0.1 * abs(predicted[k]), 50_000) for k in saved)
            kept &= fine
            rows_of_table.append(
                {"widths": widths, "rows": rows, "rate": rate, "exact": exact._asdict(), "saved": saved,
                 "predicted": predicted}
            )  # fmt: skip
            shares = {
                k: f"{saved[k] / getattr(exact, k):+.1%}, predicted {predicted[k] / getattr(expected, k):+.1%}"
                for k in saved
            }
            print(f"{rows} x {widths[:4]}..., rate {rate}: saved held {shares['held']}; peak {shares['peak']}; {fine}")
    return {"grid": rows_of_table, "sketch": "fold"}, kept


# --- training


def summary(runs: list[dict[str, Any]]) -> None:
    """Print the mean over seeds, one line per variant."""
    for key in dict.fromkeys((r["sketch"], r["rate"]) for r in runs):
        group = [r for r in runs if (r["sketch"], r["rate"]) == key]
        mean = {k: statistics.mean(r[k] for r in group) for k in ("loss", "accuracy", "cpu_seconds", "held", "peak")}
        print(
            f"{key[0]:10} {key[1]:5}: training loss {mean['loss']:.4f}, test {mean['accuracy']:.4f}, "
            f"{mean['cpu_seconds']:.1f} s, held {mean['held'] / 2**20:.2f} MiB, peak {mean['peak'] / 2**20:.2f} MiB"
        )


def trained(
    model: nn.Module, train: Any, test: Any, *, sketch: str, rate: float, seed: int, lr: float, epochs: int, batch: int
) -> dict[str, Any]:
    """Train once, score once; the memory is that of a step on one full batch."""
    rng = np.random.default_rng(100 + seed)
    if sketch != "exact":
        randomize(model, rate=rate, sketch=sketch, rng=np.random.default_rng(200 + seed))
    trainer = Trainer(model, nn.cross_entropy, optimizers.Adam(model.parameters(), lr=lr), metric=accuracy)
    start = time.process_time()
    trainer.fit(train, epochs=epochs, batch_size=batch, rng=rng)
    seconds = time.process_time() - start
    inputs, targets = (frozen(array[:batch]) for array in train)
    used = step_memory(model, lambda: nn.cross_entropy(model(inputs), targets))
    return {
        "sketch": sketch,
        "rate": rate,
        "seed": seed,
        "loss": round(trainer.evaluate(train).loss, 5),
        "accuracy": round(float(trainer.evaluate(test).metric or 0.0), 4),
        "cpu_seconds": round(seconds, 2),
        **used._asdict(),
    }


DIGITS = {"widths": [64, 256, 256, 10], "optimizer": "Adam 1e-3", "epochs": 50, "batch_size": 128, "dtype": "float32",
          "train": 1437, "test": 360, "activation": "LeanReLU; ReLU for exact"}  # fmt: skip
MNIST = {"widths": [784, 256, 256, 10], "optimizer": "Adam 1e-3", "epochs": 6, "batch_size": 256, "dtype": "float32",
         "train": 8000, "test": 2000, "activation": "LeanReLU; ReLU for exact"}  # fmt: skip


def digits() -> tuple[dict[str, Any], bool]:
    """Train on the 8 x 8 digits, and on MNIST where it is, at several rates."""
    data = datasets.digits()
    order = np.random.default_rng(0).permutation(len(data.X))
    x, y = (data.X[order] / 16).astype(np.float32), data.y[order]
    variants = [("exact", 1.0)]
    variants += [(kind, rate) for rate in (0.5, 0.25, 0.1, 0.05) for kind in ("fold", "rows", "gaussian")]
    report = {
        "digits": {"settings": DIGITS, "runs": many(variants, DIGITS, (x[:1437], y[:1437]), (x[1437:], y[1437:]), 3)}
    }
    if datasets.available("mnist/test"):
        images, labels = datasets.mnist("test")
        x = (images.reshape(len(images), -1) / 255).astype(np.float32)
        variants = [("exact", 1.0)] + [(kind, rate) for rate in (0.5, 0.1, 0.05) for kind in ("fold", "rows")]
        report["mnist"] = {
            "settings": MNIST,
            "runs": many(variants, MNIST, (x[:8000], labels[:8000]), (x[8000:], labels[8000:]), 2),
        }
    return report, True


def many(variants: list[tuple[str, float]], settings: dict[str, Any], train: Any, test: Any, seeds: int) -> list[Any]:
    """All variants from all seeds; the same starting weights and the same order of batches for each of them."""
    runs = []
    for seed in range(seeds):
        for sketch, rate in variants:
            model = stack(tuple(settings["widths"]), nn.ReLU if sketch == "exact" else LeanReLU, seed)
            options = {"sketch": sketch, "rate": rate, "seed": seed, "lr": 1e-3}
            runs.append(trained(model, train, test, epochs=settings["epochs"], batch=settings["batch_size"], **options))
    summary(runs)
    return runs


TEXT = {"words": 1000, "length": 32, "width": 64, "heads": 4, "hidden": 128, "blocks": 1, "optimizer": "Adam 2e-3",
        "epochs": 8, "batch_size": 32, "dtype": "float32"}  # fmt: skip


def classifier(classes: int, sketch: str, seed: int, **other: int) -> nn.TextClassifier:
    """The small transformer, with a ReLU that keeps bits where layers are sketched."""
    shape = {key: TEXT[key] for key in ("length", "width", "heads", "hidden", "blocks")} | other
    model = nn.TextClassifier(TEXT["words"], classes, **shape, rng=np.random.default_rng(seed), dtype=np.float32)
    if sketch != "exact":
        for k in range(shape["blocks"]):
            getattr(model, f"block{k}").activation = LeanReLU()
    return model


def text() -> tuple[dict[str, Any], bool]:
    """Train the transformer on docstrings at several rates; a bag of words beside it."""
    task = docstrings.docstring_task(rng=np.random.default_rng(0))
    variants = [
        ("exact", 1.0),
        *(("fold", r) for r in (0.5, 0.2, 0.1, 0.02)),
        *(("gaussian", r) for r in (0.5, 0.2, 0.1)),
    ]
    runs = []
    for seed in range(3):
        for sketch, rate in variants:
            model = classifier(len(task.packages), sketch, seed)
            options = {"sketch": sketch, "rate": rate, "seed": seed, "lr": 2e-3}
            runs.append(
                trained(model, task.train, task.test, epochs=TEXT["epochs"], batch=TEXT["batch_size"], **options)
            )
    summary(runs)
    majority = np.bincount(task.test[1]).max() / len(task.test[1])
    report = {
        "settings": TEXT | {"train": len(task.train[1]), "test": len(task.test[1]), "packages": task.packages},
        "majority": round(float(majority), 4),
        "bag_of_words": bag_of_words(task),
        "runs": runs,
    }
    print(f"always the largest class {majority:.3f}; logistic regression on word counts {report['bag_of_words']}")
    return report, True


def bag_of_words(task: docstrings.Texts) -> float:
    """Accuracy of logistic regression on word counts, which knows no order: what a transformer has to beat."""
    from sklearn.linear_model import LogisticRegression

    counts = [
        np.stack([np.bincount(row, minlength=len(task.words))[1:] for row in part[0]])
        for part in (task.train, task.test)
    ]
    return round(
        float(LogisticRegression(max_iter=2000).fit(counts[0], task.train[1]).score(counts[1], task.test[1])), 4
    )


def peak() -> tuple[dict[str, Any], bool]:
    """Peak memory of a transformer's step on 128 texts: at several rates, and for several shapes."""
    task = docstrings.docstring_task(rng=np.random.default_rng(0))
    labels = frozen(task.train[1][:128])

    def step(sketch: str, rate: float, **shape: int) -> dict[str, int]:
        model = classifier(len(task.packages), sketch, 0, **shape)
        if sketch != "exact":
            randomize(model, rate=rate, sketch=sketch, rng=np.random.default_rng(0))
        words = frozen(np.tile(task.train[0][:128], shape.get("length", TEXT["length"]) // TEXT["length"]))
        return step_memory(model, lambda: nn.cross_entropy(model(words), labels))._asdict()

    variants = [("exact", 1.0), ("fold", 0.5), ("fold", 0.2), ("fold", 0.1)]
    rates = [{"sketch": sketch, "rate": rate, **step(sketch, rate)} for sketch, rate in variants]
    shapes: dict[str, dict[str, int]] = {
        "a hidden layer twice the width": {},
        "one four times the width": {"hidden": 256},
        "that on 128 words": {"hidden": 256, "length": 128},
        "four blocks of the first": {"blocks": 4},
    }
    found = []
    for name, shape in shapes.items():
        exact, fold = (step(sketch, 0.2, **shape)["peak"] for sketch in ("exact", "fold"))
        found.append({"shape": name, **shape, "exact": exact, "fold": fold, "saved": 1 - fold / exact})
        print(f"{name}: peak {exact / 2**20:.2f} to {fold / 2**20:.2f} MiB, {found[-1]['saved']:.1%} less")
    return {"settings": {"texts": 128, "rate": 0.2, **TEXT}, "rates": rates, "shapes": found}, True


def store(part: str, found: dict[str, Any]) -> None:
    """Write one part of the result, and leave the others as they are."""
    whole = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    whole[part] = {
        "what": f"python benchmarks/memory_efficient.py {part}",
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": version("torch") if find_spec("torch") else None,
        **found,
    }
    RESULT.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run the part that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["speed", "memory", "digits", "text", "peak"])
    parser.add_argument("--rounds", type=int, default=15, help="rounds of the speed tables (default 15)")
    arguments = parser.parse_args()
    parts = {"speed": lambda: speed(arguments.rounds), "memory": memory, "digits": digits, "text": text, "peak": peak}
    run = parts[arguments.part]
    with threadpool_limits(limits=1):
        found, kept = run()
    store(arguments.part, found)
    return 0 if kept else 1


if __name__ == "__main__":
    raise SystemExit(main())
