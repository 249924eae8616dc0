"""Recurrent networks: how fast the hand-written sweeps are, and what the cells learn. Two benchmarks in one file.

    python benchmarks/recurrent.py                       # speed, a Markdown table
    python benchmarks/recurrent.py --learn               # the learning runs, a few minutes

Speed: loss and all gradients of a tanh RNN (T=100, batch 32, hidden 128, 32 inputs) and of an LSTM (T=50), softmax
cross-entropy on the last state. Every variant's gradients are compared with those written by hand before anything is
timed. The clock is CPU time of one thread; all variants take turns in one process, in a new random order each round,
and a ratio is the median of the ratios within the rounds. PyTorch and HIPS autograd are rows where installed.

Learning: the adding problem, digits read row by row, and the Zen of Python by heart. The result is written to
``benchmarks/results/recurrent.json`` with its settings; notebook 07 shows it beside a shorter run of its own.
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
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from coursepkg import datasets, nn, optimizers
from coursepkg.autodiff.tensor import Tensor
from coursepkg.sequences import (
    ADDING_BASELINE,
    Alphabet,
    SequenceTrainer,
    adding_problem,
    continue_text,
    zen_of_python,
)
from coursepkg.training import accuracy

RESULT = Path(__file__).parent / "results" / "recurrent.json"
Step = Callable[[], list[np.ndarray]]

# Largest ratio (ours / theirs) that the course promises, by (task, our variant, opponent, dtype).
BARS = {
    ("RNN", "operation by operation", "numpy by hand"): {"float64": 1.20, "float32": 1.25},
    ("RNN", "fused", "numpy by hand"): {"float64": 1.05, "float32": 1.05},
    ("RNN", "operation by operation", "torch, cell loop"): {"float64": 0.82, "float32": 0.82},
    ("RNN", "fused", "torch, cell loop"): {"float64": 0.72, "float32": 0.72},
    ("RNN", "operation by operation", "autograd"): {"float64": 1 / 1.6, "float32": 1 / 2.1},
    ("RNN", "fused", "autograd"): {"float64": 1 / 1.8, "float32": 1 / 2.5},
    ("LSTM", "operation by operation", "numpy by hand"): {"float64": 1.25, "float32": 1.30},
    ("LSTM", "fused", "numpy by hand"): {"float64": 1.12, "float32": 1.12},
    ("LSTM", "fused", "torch, cell loop"): {"float64": 0.92, "float32": 0.82},
    ("LSTM", "fused", "autograd"): {"float64": 0.5, "float32": 0.5},
}


class Problem(NamedTuple):
    """Inputs, classes and weights; gate order i, f, g, o; weights as PyTorch stores them."""

    x: np.ndarray
    y: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    bias: np.ndarray
    head: np.ndarray
    offset: np.ndarray


def problem(gates: int, steps: int, dtype: str, n: int = 32, inputs: int = 32, hidden: int = 128) -> Problem:
    """Draw a problem of the given size."""
    rng = np.random.default_rng(0)

    def draw(*shape: int, scale: float) -> np.ndarray:
        return (rng.normal(size=shape) * scale).astype(dtype)

    return Problem(
        draw(steps, n, inputs, scale=1.0),
        rng.integers(0, 10, n),
        draw(gates * hidden, inputs, scale=inputs**-0.5),
        draw(gates * hidden, hidden, scale=0.9 * hidden**-0.5),
        draw(gates * hidden, scale=0.1),
        draw(10, hidden, scale=hidden**-0.5),
        draw(10, scale=0.1),
    )


# --- by hand: what a careful person writes without an engine


def softmax_loss(z: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
    """Mean cross-entropy and its gradient at the scores."""
    rows = np.arange(len(y))
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    s = e.sum(axis=1, keepdims=True)
    loss = (np.log(s[:, 0]) - z[rows, y]).mean()
    e /= s
    e[rows, y] -= 1
    e /= len(y)
    return loss, e


def rnn_by_hand(p: Problem) -> Step:
    """A tanh RNN and its backward pass in NumPy."""
    wx, wh, head = (np.ascontiguousarray(w.T) for w in (p.weight_ih, p.weight_hh, p.head))
    start = np.zeros((p.x.shape[1], len(wh)), p.x.dtype)

    def step() -> list[np.ndarray]:
        h, states = start, [start]
        for x in p.x:
            h = np.tanh(x @ wx + h @ wh + p.bias)
            states.append(h)
        loss, dz = softmax_loss(h @ head + p.offset, p.y)
        g_head, g_offset, dh = h.T @ dz, dz.sum(0), dz @ head.T
        g_wx, g_wh, g_bias = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(p.bias)
        for t in reversed(range(len(p.x))):
            da = dh * (1 - states[t + 1] ** 2)
            g_wx += p.x[t].T @ da
            g_wh += states[t].T @ da
            g_bias += da.sum(0)
            dh = da @ wh.T
        return [np.asarray(loss), g_wx.T, g_wh.T, g_bias, g_head.T, g_offset]

    return step


def lstm_by_hand(p: Problem) -> Step:
    """An LSTM with fused gates and its backward pass in NumPy. The gates are computed in the order i, f, o, g."""
    width = p.weight_hh.shape[1]
    order = np.r_[0 : 2 * width, 3 * width : 4 * width, 2 * width : 3 * width]
    back = np.argsort(order)
    wx, wh = (np.ascontiguousarray(w[order].T) for w in (p.weight_ih, p.weight_hh))
    bias, head = p.bias[order], np.ascontiguousarray(p.head.T)
    start = np.zeros((p.x.shape[1], width), p.x.dtype)

    def step() -> list[np.ndarray]:
        h = c = start
        saved = []
        for x in p.x:
            a = x @ wx + h @ wh + bias
            s = 1 / (1 + np.exp(-a[:, : 3 * width]))
            i, f, o, g = s[:, :width], s[:, width : 2 * width], s[:, 2 * width :], np.tanh(a[:, 3 * width :])
            new = f * c + i * g
            tanh_c = np.tanh(new)
            saved.append((h, c, s, i, f, o, g, tanh_c))
            h, c = o * tanh_c, new
        loss, dz = softmax_loss(h @ head + p.offset, p.y)
        g_head, g_offset, dh = h.T @ dz, dz.sum(0), dz @ head.T
        dc = np.zeros_like(dh)
        g_wx, g_wh, g_bias = np.zeros_like(wx), np.zeros_like(wh), np.zeros_like(bias)
        da = np.empty((len(dh), 4 * width), dh.dtype)
        for t in reversed(range(len(p.x))):
            h, c, s, i, f, o, g, tanh_c = saved[t]
            dc = dc + dh * o * (1 - tanh_c * tanh_c)
            da[:, :width], da[:, width : 2 * width], da[:, 2 * width : 3 * width] = dc * g, dc * c, dh * tanh_c
            da[:, : 3 * width] *= s * (1 - s)
            da[:, 3 * width :] = dc * i * (1 - g * g)
            g_wx += p.x[t].T @ da
            g_wh += h.T @ da
            g_bias += da.sum(0)
            dh, dc = da @ wh.T, dc * f
        return [np.asarray(loss), g_wx.T[back], g_wh.T[back], g_bias[back], g_head.T, g_offset]

    return step


# --- ours, and the peers


def ours(kind: str, p: Problem, fused: bool) -> Step:
    """The course's layer with a linear head."""
    hidden, rng = p.weight_hh.shape[1], np.random.default_rng(0)
    layer = getattr(nn, kind)(p.x.shape[2], hidden, fused=fused, rng=rng, dtype=p.x.dtype)
    head = nn.Linear(hidden, 10, rng=rng, dtype=p.x.dtype)
    values = zip(layer.parameters(), (p.weight_ih, p.weight_hh, p.bias, np.zeros_like(p.bias)), strict=True)
    for parameter, value in [*values, (head.weight, p.head), (head.bias, p.offset)]:
        parameter.data = value
    kept: list[Tensor] = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, head.weight, head.bias]
    everything = layer.parameters() + head.parameters()

    def step() -> list[np.ndarray]:
        for parameter in everything:
            parameter.grad = None
        state = layer.last_state(p.x)
        loss = nn.cross_entropy(head((state[0] if kind == "LSTM" else state)[0]), p.y)
        loss.backward()
        return [loss.numpy(), *(parameter.grad for parameter in kept)]

    return step


def by_torch(kind: str, p: Problem, loop: bool) -> Step:
    """PyTorch: its own recurrent layer, or its operations in a loop over time."""
    import torch

    torch.set_num_threads(1)
    x, y = torch.tensor(p.x), torch.tensor(p.y)
    arrays = (p.weight_ih, p.weight_hh, p.bias, p.head, p.offset)
    weights = [torch.tensor(a, requires_grad=True) for a in arrays]
    hidden = p.weight_hh.shape[1]
    layer = getattr(torch.nn, kind)(p.x.shape[2], hidden).to(x.dtype)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(weights[0])
        layer.weight_hh_l0.copy_(weights[1])
        layer.bias_ih_l0.copy_(weights[2])
        layer.bias_hh_l0.zero_()
    if not loop:
        weights[:3] = [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0]

    def last_state() -> Any:
        if not loop:
            _, state = layer(x)
            return (state[0] if kind == "LSTM" else state)[0]
        wx, wh, bias = weights[0].T, weights[1].T, weights[2]
        h = c = torch.zeros(x.shape[1], hidden, dtype=x.dtype)
        for xt in x:
            a = xt @ wx + h @ wh + bias
            if kind == "RNN":
                h = torch.tanh(a)
                continue
            i, f, g, o = a.split(hidden, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return h

    def step() -> list[np.ndarray]:
        loss = torch.nn.functional.cross_entropy(last_state() @ weights[3].T + weights[4], y)
        return [v.detach().numpy() for v in (loss, *torch.autograd.grad(loss, weights))]

    return step


def by_autograd(kind: str, p: Problem) -> Step:
    """HIPS autograd on the same loop."""
    import autograd.numpy as anp
    from autograd import value_and_grad

    hidden = p.weight_hh.shape[1]

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + anp.exp(-z))

    def loss(weights: list[Any]) -> Any:
        wx, wh, bias, head, offset = weights
        h = c = np.zeros((p.x.shape[1], hidden), p.x.dtype)
        for x in p.x:
            a = anp.dot(x, wx.T) + anp.dot(h, wh.T) + bias
            if kind == "RNN":
                h = anp.tanh(a)
                continue
            i, f, g, o = (a[:, k * hidden : (k + 1) * hidden] for k in range(4))
            c = sigmoid(f) * c + sigmoid(i) * anp.tanh(g)
            h = sigmoid(o) * anp.tanh(c)
        z = anp.dot(h, head.T) + offset
        z = z - anp.max(z, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[np.arange(len(p.y)), p.y])

    both = value_and_grad(loss)

    def step() -> list[np.ndarray]:
        value, gradients = both([p.weight_ih, p.weight_hh, p.bias, p.head, p.offset])
        return [np.asarray(value), *gradients]

    return step


def variants(kind: str, dtype: str) -> dict[str, Step]:
    """Every way to take one step of a task, compared before it is timed."""
    p = problem(*((1, 100) if kind == "RNN" else (4, 50)), dtype)
    made: dict[str, Step] = {
        "numpy by hand": (rnn_by_hand if kind == "RNN" else lstm_by_hand)(p),
        "fused": ours(kind, p, fused=True),
        "operation by operation": ours(kind, p, fused=False),
    }
    if find_spec("torch"):
        made |= {"torch, cell loop": by_torch(kind, p, loop=True), f"torch nn.{kind}": by_torch(kind, p, loop=False)}
    if find_spec("autograd"):
        made["autograd"] = by_autograd(kind, p)
    right = made["numpy by hand"]()
    tolerance = 1e-9 if dtype == "float64" else 5e-4
    for name, step in made.items():
        for a, b in zip(step(), right, strict=True):
            if not np.max(np.abs(a - b)) <= tolerance * max(1e-30, float(np.max(np.abs(b)))):
                raise SystemExit(f"{kind} {dtype}: {name} disagrees about a gradient, so nothing is timed")
    made["fused again (noise)"] = made["fused"]
    return made


def measure(steps: dict[str, Step], repeats: int, rounds: int, rng: random.Random) -> dict[str, list[float]]:
    """CPU seconds per step, one number per round, for each variant."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name in rng.sample(list(steps), len(steps)):
            gc.collect()
            start = time.process_time()
            for _ in range(repeats):
                steps[name]()
            times[name].append((time.process_time() - start) / repeats)
    return times


def ratio(times: dict[str, list[float]], name: str, opponent: str) -> float:
    """Median over the rounds of the ratio within a round."""
    return statistics.median(a / b for a, b in zip(times[name], times[opponent], strict=True))


def speed(rounds: int, repeats: int, rng: random.Random) -> bool:
    """Print the tables; return whether every promised ratio holds."""
    kept = True
    for kind in ("RNN", "LSTM"):
        for dtype in ("float64", "float32"):
            times = measure(variants(kind, dtype), repeats, rounds, rng)
            print(
                f"\n### {kind}, {dtype}\n\n| | ms | fused / this | op by op / this | promised |\n|---|---|---|---|---|"
            )
            for name, runs in times.items():
                fused, single = ratio(times, "fused", name), ratio(times, "operation by operation", name)
                promises = []
                for variant, found in (("fused", fused), ("operation by operation", single)):
                    bar = BARS.get((kind, variant, name), {}).get(dtype)
                    if bar is not None:
                        kept &= found <= bar
                        promises.append(f"{variant} <= {bar:.2f}: {'yes' if found <= bar else 'NO'}")
                numbers = f"{1e3 * statistics.median(runs):.2f} | {fused:.2f} | {single:.2f}"
                print(f"| {name} | {numbers} | {'; '.join(promises)} |")
    return kept


# --- what they learn

SETTINGS = {
    "adding": "hidden 32, batch 64, Adam 0.005, norm clipped at 1, tested on 1,000 new sequences every 50 steps",
    "digits": "8 rows of 8 pixels, GRU hidden 48, 40 epochs, batch 32, Adam cosine from 0.005, 1,437 train, 360 test",
    "zen": "one step per reading of the whole text, Adam 0.01 (GRU), 0.005 (RNN), norm clipped at 1, hidden 64",
}


def adding(kind: str, steps: int, seed: int, limit: int) -> dict[str, Any]:
    """Train until the test error is below 0.01, or for ``limit`` steps."""
    rng, clock = np.random.default_rng(seed), time.process_time()
    options = {"forget_bias": 1.0} if kind == "LSTM" else {}
    model = nn.ManyToOne(getattr(nn, kind)(2, 32, batch_first=True, rng=rng, **options), nn.Linear(32, 1, rng=rng))
    trainer = SequenceTrainer(model, nn.mse_loss, optimizers.Adam(model.parameters(), lr=0.005), max_grad_norm=1.0)
    test = adding_problem(1000, steps, rng=np.random.default_rng(1_000_000 + seed))
    errors: list[float] = []
    while 50 * len(errors) < limit and not (errors and errors[-1] < 0.01):
        trainer.fit(adding_problem(64 * 50, steps, rng=rng), epochs=1, batch_size=64, rng=rng)
        errors.append(round(trainer.evaluate(test).loss, 5))
    seconds = round(time.process_time() - clock, 1)
    return {"kind": kind, "T": steps, "seed": seed, "steps": 50 * len(errors), "errors": errors, "cpu_seconds": seconds}


def digits_by_rows(kind: str, seed: int) -> dict[str, Any]:
    """Train once and score once on rows that were not trained on."""
    rng, clock = np.random.default_rng(seed), time.process_time()
    data = datasets.digits()
    x = data.X.reshape(len(data.X), 8, 8)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order] / x.max(), data.y[order]
    model = nn.ManyToOne(getattr(nn, kind)(8, 48, batch_first=True, rng=rng), nn.Linear(48, 10, rng=rng))
    schedule = optimizers.cosine(5e-3, steps=40 * -(-1437 // 32))
    trainer = SequenceTrainer(
        model, nn.cross_entropy, optimizers.Adam(model.parameters(), lr=schedule), metric=accuracy, max_grad_norm=1.0
    )
    trainer.fit((x[:1437], y[:1437]), epochs=40, batch_size=32, rng=rng)
    score = trainer.evaluate((x[1437:], y[1437:])).metric
    return {"kind": kind, "seed": seed, "accuracy": score, "cpu_seconds": round(time.process_time() - clock, 1)}


def zen_by_heart(kind: str, lr: float, seed: int, limit: int = 600) -> dict[str, Any]:
    """Read the Zen of Python again and again until it is recited from its first letter."""
    rng, clock = np.random.default_rng(seed), time.process_time()
    zen = zen_of_python()
    letters = Alphabet(zen)
    recurrence, head = getattr(nn, kind)(len(letters), 64, rng=rng), nn.Linear(64, len(letters), rng=rng)
    optimizer = optimizers.Adam(recurrence.parameters() + head.parameters(), lr=lr)
    x, y = letters.one_hot(zen[:-1]), letters.encode(zen[1:])
    for step in range(1, limit + 1):
        optimizer.zero_grad()
        loss = nn.cross_entropy(head(recurrence(x)[0])[:, 0], y)
        loss.backward()
        optimizers.clip_grad_norm_(optimizer.parameters, 1.0)
        optimizer.step()
        if step % 25 == 0 and continue_text(recurrence, head, letters, zen[0], len(zen) - 1) == zen:
            break
    recited = continue_text(recurrence, head, letters, zen[0], len(zen) - 1) == zen
    seconds = round(time.process_time() - clock, 1)
    return {"kind": kind, "seed": seed, "steps": step, "recited": recited, "cpu_seconds": seconds}


def learn() -> bool:
    """Run everything, print and store it; return whether every promise holds."""
    runs: dict[str, list[dict[str, Any]]] = {"adding": [], "digits": [], "zen": []}

    def note(what: str, run: dict[str, Any]) -> None:
        runs[what].append(run)
        print(what, {k: v for k, v in run.items() if k != "errors"}, flush=True)

    for seed in range(5):
        note("adding", adding("GRU", 50, seed, 1000))
        note("adding", adding("GRU", 100, seed, 1000))
        note("adding", adding("RNN", 100, seed, 2000))
    for seed in range(3):
        note("adding", adding("LSTM", 100, seed, 2000))
        note("adding", adding("RNN", 50, seed, 4000))
        note("digits", digits_by_rows("GRU", seed))
        note("digits", digits_by_rows("RNN", seed))
        note("zen", zen_by_heart("GRU", 0.01, seed))
        note("zen", zen_by_heart("RNN", 0.005, seed))
    report = {
        "what": "python benchmarks/recurrent.py --learn",
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "settings": SETTINGS,
        "baseline": ADDING_BASELINE,
        **runs,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    learned = [r["errors"][-1] < 0.01 for r in runs["adding"] if r["kind"] == "GRU"]
    read = [r["accuracy"] >= 0.97 and r["cpu_seconds"] <= 5 for r in runs["digits"] if r["kind"] == "GRU"]
    recited = [r["recited"] and r["cpu_seconds"] <= 30 for r in runs["zen"]]
    print(f"GRU learned to add {sum(learned)} of {len(learned)}; digits {sum(read)} of {len(read)}; Zen {sum(recited)}")
    return all(learned + read + recited)


def main() -> int:
    """Run the benchmark that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learn", action="store_true", help="the learning runs instead of speed")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of the speed table (default 15)")
    parser.add_argument("--repeats", type=int, default=5, help="steps per variant and round (default 5)")
    arguments = parser.parse_args()
    with threadpool_limits(limits=1):
        if arguments.learn:
            return 0 if learn() else 1
        peers = [f"{name} {version(name)}" for name in ("torch", "autograd") if find_spec(name)]
        core = os.environ.get("OPENBLAS_CORETYPE", "native")
        print(f"Python {platform.python_version()}, numpy {np.__version__} (kernels: {core})", *peers, sep=", ")
        return 0 if speed(arguments.rounds, arguments.repeats, random.Random(0)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
