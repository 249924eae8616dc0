"""The forward gradient side by side: what it costs in time and memory, ours and the peers' in one run.

    python benchmarks/forward_gradient.py                 # the MLP and logistic regression; a Markdown table
    python benchmarks/forward_gradient.py cnn             # the convolutional network of the paper
    python benchmarks/forward_gradient.py sweeps          # by depth, by number of directions, and memory

R_f and R_b are defined as in Baydin et al. (2022): the run time of a forward gradient, drawing its direction included,
and of backpropagation, each divided by that of the plain loss. The clock is CPU time of one thread; all variants take
turns in one process, in a new random order each round, in which the fastest of a few calls counts; a ratio is the
median of the ratios within the rounds.
Before anything is timed, every variant's slope is compared with gradient times direction. PyTorch and JAX are rows
where installed. Results go to ``benchmarks/results/forward_gradient.json`` with settings and date;
``benchmarks/forward_gradient_claims.py`` puts the paper's claims beside them.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import os
import platform
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np
from threadpoolctl import threadpool_limits

from coursepkg import gradients, nn, optimizers
from coursepkg.estimators import fill_by_activities, fill_gradients, sample_directions
from coursepkg.estimators.rank_one import rank_one

RESULT = Path(__file__).parent / "results" / "forward_gradient.json"
Step = Callable[[], Any]
BATCH = 64
PLAIN, BACK = "plain loss", "backpropagation"
JVP, GAUSSIAN, SIGNS = "jvp, direction given", "forward gradient, Gaussian", "forward gradient, signs"
RANK_ONE, STEP = "forward gradient, rank one, in factors", "SGD step, rank one"

# Largest ratio to our own plain loss that the course promises on the MLP 784-1024-1024-10 at batch 64.
BARS = {BACK: 2.7, RANK_ONE: 1.7, STEP: 2.1}


# --- the models


def dense(widths: list[int]) -> nn.Sequential:
    """Linear layers with ReLU in between, in single precision."""
    rng, steps = np.random.default_rng(0), []
    for n, m in pairwise(widths):
        steps += [nn.Linear(n, m, rng=rng, dtype=np.float32), nn.ReLU()]
    return nn.Sequential(*steps[:-1])


def convolutional() -> nn.Sequential:
    """Four convolutions of 64 channels, pooling after the second and the fourth, dense layers of 1024 and 10."""
    rng, steps, channels = np.random.default_rng(0), [], 1
    for number in range(4):
        steps += [nn.Conv2d(channels, 64, 3, padding=1, rng=rng, dtype=np.float32), nn.ReLU()]
        steps += [nn.MaxPool2d(2)] if number % 2 else []
        channels = 64
    head = [nn.Flatten(), nn.Linear(64 * 7 * 7, 1024, rng=rng, dtype=np.float32), nn.ReLU()]
    return nn.Sequential(*steps, *head, nn.Linear(1024, 10, rng=rng, dtype=np.float32))


def batch_for(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs and classes; what they hold does not matter for the time."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(BATCH, *shape)).astype(np.float32), rng.integers(0, 10, BATCH)


def point_of(model: nn.Sequential) -> dict[str, np.ndarray]:
    """Parameters as arrays of their own."""
    return {name: np.array(p.data) for name, p in model.named_parameters()}


# --- ours


def ours(model: nn.Sequential, x: np.ndarray, y: np.ndarray, v: dict[str, np.ndarray]) -> dict[str, Step]:
    """Every variant of the course, as functions without arguments that return a slope where there is one."""
    x.flags.writeable = y.flags.writeable = False  # the batch is there before the call: the tape needs no copy of it
    rng, point = np.random.default_rng(2), point_of(model)
    fill = partial(fill_gradients, model, nn.cross_entropy, x, y, rng=rng)
    size, sgd = sum(p.size for p in point.values()), optimizers.GD(model.parameters(), lr=1e-9)

    def loss(values: dict[str, Any]) -> Any:
        return nn.cross_entropy(nn.functional_call(model, values, x), y)

    def back() -> None:
        model.zero_grad()
        nn.cross_entropy(model(x), y).backward()

    def step_back() -> None:
        back()
        sgd.step()

    made: dict[str, Step] = {
        PLAIN: lambda: loss(point),
        BACK: back,
        JVP: lambda: gradients.jvp(loss, point, v)[1],
        GAUSSIAN: partial(fill, directions="gaussian"),
        SIGNS: fill,
        "drawing a Gaussian direction": partial(sample_directions, "gaussian", size, rng=rng, dtype=np.float32),
        "drawing signs": partial(sample_directions, "rademacher", size, rng=rng, dtype=np.float32),
        "perturbed activities": partial(fill_by_activities, model, nn.cross_entropy, x, y, rng=rng),
        "SGD step, backpropagation": step_back,
    }
    if all(isinstance(step, (nn.Linear, nn.ReLU)) for step in model):
        factored = partial(rank_one, model, nn.cross_entropy, x, y, rng=rng)
        made |= {RANK_ONE: factored, "forward gradient, rank one, written out": lambda: factored().fill()}
        made |= {STEP: lambda: factored().descend(1e-9)}
    return made


# --- the peers


def by_torch(model: nn.Sequential, x: np.ndarray, y: np.ndarray, v: dict[str, np.ndarray]) -> dict[str, Step]:
    """PyTorch: autograd, torch.func and its forward mode."""
    import torch
    from torch.nn import functional as F

    torch.set_num_threads(1)
    inputs, classes = torch.tensor(x), torch.tensor(y)
    point = {name: torch.tensor(p) for name, p in point_of(model).items()}
    leaves = {name: p.clone().requires_grad_(True) for name, p in point.items()}
    along = {name: torch.tensor(p) for name, p in v.items()}
    plan = steps_by_name(model)

    def loss(values: dict[str, Any]) -> Any:
        h = inputs
        for kind, name in plan:
            if kind == "Linear":
                h = F.linear(h, values[f"{name}.weight"], values[f"{name}.bias"])
            elif kind == "Conv2d":
                h = F.conv2d(h, values[f"{name}.weight"], values[f"{name}.bias"], padding=1)
            else:
                h = {"ReLU": F.relu, "MaxPool2d": lambda a: F.max_pool2d(a, 2), "Flatten": lambda a: a.flatten(1)}[
                    kind
                ](h)
        return F.cross_entropy(h, classes)

    def plain() -> Any:
        with torch.no_grad():
            return loss(point)

    def forward_gradient() -> Any:
        drawn = {name: torch.randn_like(p) for name, p in point.items()}
        slope = torch.func.jvp(loss, (point,), (drawn,))[1]
        return {name: slope * p for name, p in drawn.items()}

    return {
        f"torch: {PLAIN}": plain,
        f"torch: {BACK}": lambda: torch.autograd.grad(loss(leaves), list(leaves.values())),
        f"torch: {JVP}": lambda: torch.func.jvp(loss, (point,), (along,))[1],
        f"torch: {GAUSSIAN}": forward_gradient,
    }


def by_jax(model: nn.Sequential, x: np.ndarray, y: np.ndarray, v: dict[str, np.ndarray]) -> dict[str, Step]:
    """JAX, compiled."""
    import jax
    from jax import numpy as jnp

    inputs, classes = jnp.asarray(x), jnp.asarray(y)
    point, along = ({name: jnp.asarray(p) for name, p in tree.items()} for tree in (point_of(model), v))
    plan = steps_by_name(model)

    def pool(a: Any) -> Any:
        return a.reshape(*a.shape[:2], a.shape[2] // 2, 2, a.shape[3] // 2, 2).max(axis=(3, 5))

    def loss(values: dict[str, Any]) -> Any:
        h = inputs
        for kind, name in plan:
            if kind == "Linear":
                h = h @ values[f"{name}.weight"].T + values[f"{name}.bias"]
            elif kind == "Conv2d":
                h = jax.lax.conv_general_dilated(h, values[f"{name}.weight"], (1, 1), "SAME")
                h = h + values[f"{name}.bias"][:, None, None]
            else:
                h = {"ReLU": jax.nn.relu, "MaxPool2d": pool, "Flatten": lambda a: a.reshape(len(a), -1)}[kind](h)
        return -jnp.mean(jax.nn.log_softmax(h)[jnp.arange(BATCH), classes])

    def forward_gradient(values: dict[str, Any], key: Any) -> Any:
        keys = jax.random.split(key, len(values))
        drawn = {name: jax.random.normal(k, p.shape) for k, (name, p) in zip(keys, values.items(), strict=True)}
        slope = jax.jvp(loss, (values,), (drawn,))[1]
        return {name: slope * p for name, p in drawn.items()}

    plain, back, jvp = jax.jit(loss), jax.jit(jax.grad(loss)), jax.jit(lambda p, t: jax.jvp(loss, (p,), (t,))[1])
    estimate, keys = jax.jit(forward_gradient), iter(jax.random.split(jax.random.key(0), 100_000))
    wait = jax.block_until_ready
    return {
        f"jax: {PLAIN}": lambda: wait(plain(point)),
        f"jax: {BACK}": lambda: wait(back(point)),
        f"jax: {JVP}": lambda: wait(jvp(point, along)),
        f"jax: {GAUSSIAN}": lambda: wait(estimate(point, next(keys))),
    }


def steps_by_name(model: nn.Sequential) -> list[tuple[str, str]]:
    """What the model does, as kinds and names of steps."""
    return [(type(step).__name__, str(number)) for number, step in enumerate(model)]


# --- measuring


def variants(model: nn.Sequential, shape: tuple[int, ...]) -> dict[str, Step]:
    """Ours and the peers', after their slopes along one direction were found to agree."""
    x, y = batch_for(shape)
    v = {n: np.random.default_rng(3).normal(size=p.shape).astype(np.float32) for n, p in point_of(model).items()}
    made = ours(model, x, y, v)
    for name, peer in (("torch", by_torch), ("jax", by_jax)):
        if find_spec(name):
            made |= peer(model, x, y, v)
    made[BACK]()
    right = sum(float(np.sum(np.float64(p.grad) * v[name])) for name, p in model.named_parameters())
    for name, step in made.items():
        if name.endswith(JVP) and not abs(float(step()) - right) <= 2e-3 * abs(right):
            raise SystemExit(f"{name} says {float(step())}, gradient times direction is {right}; nothing is timed")
    return made


def measure(steps: dict[str, Step], rounds: int, repeats: int) -> dict[str, list[float]]:
    """CPU seconds per call, one number per round, for each variant: the fastest of its calls, for others disturb."""
    rng, times = random.Random(0), {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name in rng.sample(list(steps), len(steps)):
            gc.collect()
            times[name].append(min(seconds(steps[name]) for _ in range(repeats)))
    return times


def seconds(step: Step) -> float:
    """CPU time of one call."""
    start = time.process_time()
    step()
    return time.process_time() - start


def table(title: str, steps: dict[str, Step], rounds: int, repeats: int, bars: dict[str, float] | None = None) -> Any:
    """Time, print and return the rows of one model; each engine's ratio is to its own plain loss."""
    times = measure(steps, rounds, repeats)
    print(f"\n### {title}\n\n| | ms | over own plain loss | over our plain loss | promised |\n|---|---|---|---|---|")
    rows = {}
    for name, runs in times.items():
        engine = name.split(": ")[0] + ": " if ": " in name else ""
        found = {"ms": 1e3 * statistics.median(runs)}
        for key, base in (("ratio", f"{engine}{PLAIN}"), ("ratio_to_ours", PLAIN)):
            found[key] = statistics.median(a / b for a, b in zip(runs, times[base], strict=True))
        rows[name] = {key: round(number, 4) for key, number in found.items()}
        bar = (bars or {}).get(name)
        promise = "" if bar is None else f"<= {bar}: {'yes' if found['ratio'] <= bar else 'NO'}"
        print(f"| {name} | {found['ms']:.2f} | {found['ratio']:.2f} | {found['ratio_to_ours']:.2f} | {promise} |")
    return rows


def peak(step: Step) -> int:
    """Bytes allocated at the worst moment of one call."""
    step()
    tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def sweeps(rounds: int) -> dict[str, Any]:
    """By depth, by number of directions, and the memory of each method."""
    chosen, found = (PLAIN, BACK, JVP, GAUSSIAN, RANK_ONE), {"depth": [], "count": [], "memory": []}
    for depth in (1, 4, 16, 32):
        steps = variants(dense([256] * depth + [10]), (256,))
        rows = table(f"{depth} layers of 256", {name: steps[name] for name in chosen}, rounds, 10)
        found["depth"].append({"layers": depth} | {name: row["ratio"] for name, row in rows.items()})
    model, (x, y) = dense([784, 1024, 1024, 10]), batch_for((784,))
    many: dict[str, Step] = {PLAIN: variants(model, (784,))[PLAIN]}
    for count in (1, 2, 4, 8, 16):
        many[f"K = {count}"] = partial(
            rank_one, model, nn.cross_entropy, x, y, count=count, rng=np.random.default_rng(0)
        )
    rows = table("rank one, K directions in one pass", many, rounds, 3)
    found["count"] = [{"K": c, "ratio": rows[f"K = {c}"]["ratio"]} for c in (1, 2, 4, 8, 16)]
    rng = np.random.default_rng(4)
    for depth in (2, 8, 32):
        model = dense([128] * (depth + 1))
        x, y = rng.normal(size=(1024, 128)).astype(np.float32), rng.integers(0, 128, 1024)
        steps = ours(model, x, y, point_of(model))
        row = {name: peak(steps[name]) for name in chosen if name != JVP}
        found["memory"].append({"layers": depth, "activation": 1024 * 128 * 4} | row)
        print(depth, {name: f"{size / 2**20:.2f} MiB" for name, size in row.items()})
    model = dense([784, 1024, 1024, 10])
    steps = ours(model, *batch_for((784,)), point_of(model))
    found["memory of the MLP"] = {name: peak(steps[name]) for name in chosen if name != JVP}
    print(found["memory of the MLP"])
    return found


def store(part: str, found: Any) -> None:
    """Replace one part of the stored result."""
    stored = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}
    peers = [f"{name} {version(name)}" for name in ("torch", "jax") if find_spec(name)]
    about = {
        "what": f"python benchmarks/forward_gradient.py {part}",
        "date": datetime.date.today().isoformat(),
        "versions": ", ".join([f"Python {platform.python_version()}", f"numpy {np.__version__}", *peers]),
        "settings": f"single precision, batch {BATCH}, CPU time of one thread, median over rounds of paired ratios",
    }
    RESULT.write_text(json.dumps(stored | {part: about | {"rows": found}}, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run one part, print and store it; fail if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="dense", choices=["dense", "cnn", "sweeps"])
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each table (default 15)")
    chosen = parser.parse_args()
    with threadpool_limits(limits=1):
        if chosen.part == "sweeps":
            store("sweeps", sweeps(chosen.rounds))
            return 0
        if chosen.part == "cnn":
            rows = table("CNN, 28 by 28", variants(convolutional(), (1, 28, 28)), min(chosen.rounds, 5), 1)
            store("cnn", {"CNN": rows})
            return 0
        mlp = table("MLP 784-1024-1024-10", variants(dense([784, 1024, 1024, 10]), (784,)), chosen.rounds, 5, BARS)
        logistic = table("logistic regression 784-10", variants(dense([784, 10]), (784,)), chosen.rounds, 50)
    store("dense", {"MLP": mlp, "logistic regression": logistic})
    return 0 if all(mlp[name]["ratio"] <= bar for name, bar in BARS.items()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
