"""What the forward gradient's paper and its followers claim, and what was found here: a table, recomputed.

    python benchmarks/forward_gradient_claims.py

Reads the stored results of ``forward_gradient.py`` and ``forward_gradient_learning.py``, computes the rest on the spot
(seconds), decides each verdict by a rule that stands beside it, and writes the table to
``benchmarks/results/forward_gradient_claims.json`` for notebook 09. The full texts of the papers were not at hand:
numbers marked * are quoted from secondary notes, all others from abstracts.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from coursepkg import gradients
from coursepkg.estimators import expectations, sample_directions

FOLDER = Path(__file__).parent / "results"
RESULT = FOLDER / "forward_gradient_claims.json"
HOLDS, PART, NOT = "holds", "holds in part", "does not hold"
BACK, GAUSSIAN = "backpropagation", "forward gradient, Gaussian"
RANK_ONE = "forward gradient, rank one, in factors"


def row(claim: str, published: str, ours: str, settings: str, verdict: str) -> dict[str, str]:
    """One line of the table."""
    return {"claim": claim, "published": published, "ours": ours, "settings": settings, "verdict": verdict}


def verdict(holds: bool, part: bool = False) -> str:
    """Turn a rule into words."""
    return HOLDS if holds else PART if part else NOT


# --- computed here


def unbiased(speed: Any, learning: Any) -> dict[str, str]:
    """The theorem, by enumeration and by drawing."""
    x, weights = np.array([0.3, -1.1, 0.7, 1.9, -0.4, 0.9]), np.arange(1.0, 7.0)

    def f(t: Any) -> Any:
        return np.sum(np.sin(t) * weights)

    exact = gradients.reverse(f)(x)
    v = np.array(list(product((-1.0, 1.0), repeat=6)))
    mean = np.mean(gradients.jvps(f, x, v)[1][:, None] * v, axis=0)
    error = float(np.max(np.abs(mean - exact)) / np.max(np.abs(exact)))
    v = np.random.default_rng(0).normal(size=(200_000, 6))
    along = gradients.jvps(f, x, v)[1] ** 2 / np.sum(exact**2)
    z = float((along.mean() - 1) / along.std() * np.sqrt(len(along)))
    return row(
        "the forward gradient is an unbiased estimate of the gradient",
        "a theorem",
        f"mean over all 64 sign vectors off by {error:.0e}; regression of 200,000 Gaussian ones has z = {z:.1f}",
        "a smooth function of 6 numbers",
        verdict(error < 1e-12 and abs(z) < 4.5),
    )


def noise(speed: Any, learning: Any) -> dict[str, str]:
    """High variance in high dimension, measured as the slope of a line."""
    sizes, found = (10, 100, 1000, 10_000), []
    for d in sizes:
        rng = np.random.default_rng(d)
        g = rng.normal(size=d)
        v = sample_directions("gaussian", d, count=1000, rng=rng, dtype=np.float32)
        found.append(np.mean((v @ g) ** 2 * np.sum(v**2, axis=1)) / np.sum(g**2) - 1)
    slope = float(np.polyfit(np.log(sizes), np.log(found), 1)[0])
    return row(
        "the variance is high when the number of parameters is large (Ren et al.)",
        "a statement",
        f"noise over signal grows as d to the power {slope:.2f}; the formula is d + 1 for Gaussian directions",
        "d from 10 to 10,000, 1,000 draws each",
        verdict(0.9 < slope < 1.1),
    )


def orthogonal(speed: Any, learning: Any) -> dict[str, str]:
    """More directions, and directions at right angles."""
    d, cosines = 200, {}
    for kind in ("gaussian", "orthonormal"):
        rng = np.random.default_rng(0)
        squares = []
        for _ in range(300):
            g = rng.normal(size=d)
            v = sample_directions(kind, d, count=100, rng=rng)
            estimate = (v @ g) @ v
            squares.append((estimate @ g) ** 2 / (estimate @ estimate) / (g @ g))
        cosines[kind] = float(np.mean(squares))
    predicted = expectations.expected_squared_cosine(d, 100, "orthonormal")
    return row(
        "more tangents, and orthogonal ones, approximate the gradient better (Flügel et al.)",
        "a statement",
        f"squared cosine {cosines['gaussian']:.2f} for independent directions, {cosines['orthonormal']:.2f} for "
        f"orthonormal ones (predicted {predicted:.2f}), 0.005 for a single one",
        "d = 200, K = 100",
        verdict(cosines["orthonormal"] > cosines["gaussian"] > 10 / d),
    )


# --- from the stored runs


def ratios(speed: Any, learning: Any) -> dict[str, str]:
    """The two run-time ratios in general."""
    mlp, cnn = speed["dense"]["rows"]["MLP"], speed["cnn"]["rows"]["CNN"]
    back, forward = (mlp[BACK]["ratio"], cnn[BACK]["ratio"]), (mlp[GAUSSIAN]["ratio"], cnn[GAUSSIAN]["ratio"])
    words = f"R_f {forward[0]:.1f} (MLP), {forward[1]:.1f} (CNN); R_b {back[0]:.1f}, {back[1]:.1f}"
    for engine in ("torch", "jax"):
        if f"{engine}: {BACK}" in cnn:
            pair = f"R_f {cnn[f'{engine}: {GAUSSIAN}']['ratio']:.1f}, R_b {cnn[f'{engine}: {BACK}']['ratio']:.1f}"
            words += f"; {engine}, CNN: {pair}"
    inside = [1 <= r <= 3 for r in forward] + [5 <= r <= 10 for r in back]
    return row(
        "a forward gradient costs 1 to 3 plain passes, backpropagation 5 to 10",
        "R_f 1 to 3, R_b 5 to 10 *",
        words,
        speed["dense"]["settings"],
        verdict(all(inside), any(inside)),
    )


def mlp_ratio(speed: Any, learning: Any) -> dict[str, str]:
    """The MLP in particular, with every engine beside ours."""
    rows = speed["dense"]["rows"]["MLP"]
    words = []
    for engine in ("", "torch: ", "jax: "):
        if f"{engine}{BACK}" in rows:
            pair = f"R_f {rows[engine + GAUSSIAN]['ratio']:.2f}, R_b {rows[engine + BACK]['ratio']:.2f}"
            words.append(f"{engine or 'course: '}{pair}")
    cheap = rows[RANK_ONE]["ratio"]
    return row(
        "on the MLP a forward gradient takes about half the time of backpropagation",
        "R_f 2.46, R_b 4.17 *",
        "; ".join(words) + f"; the course along rank-one directions: R_f {cheap:.2f}",
        "MLP 784-1024-1024-10, " + speed["dense"]["settings"],
        verdict(rows[GAUSSIAN]["ratio"] < 0.7 * rows[BACK]["ratio"], cheap < 0.7 * rows[BACK]["ratio"]),
    )


def depth(speed: Any, learning: Any) -> dict[str, str]:
    """Whether the advantage shrinks with depth."""
    rows = speed["sweeps"]["rows"]["depth"]
    dense = [r[GAUSSIAN] / r[BACK] for r in rows]
    cheap = [r[RANK_ONE] / r[BACK] for r in rows]
    return row(
        "the advantage in run time shrinks with depth",
        "a statement *",
        "R_f / R_b at 1, 4, 16, 32 layers: "
        + ", ".join(f"{r:.2f}" for r in dense) + " Gaussian; " + ", ".join(f"{r:.2f}" for r in cheap) + " rank one",
        "layers of 256, " + speed["sweeps"]["settings"],
        PART if cheap[-1] > cheap[0] or dense[-1] > dense[0] else NOT,
    )  # fmt: skip


def training_time(speed: Any, learning: Any) -> dict[str, str]:
    """The headline: training up to twice as fast."""
    runs = {r["method"]: r for r in learning["mlp"]["best"]}
    forward = runs["rank four"]
    reached = next(point for point in runs["backprop"]["curve"] if point[2] <= forward["loss"])
    return row(
        "training up to twice as fast as backpropagation, in some cases",
        "up to 2 times, on the MLP",
        f"what the forward gradient reaches in {forward['seconds']:.0f} s of CPU (loss {forward['loss']:.2f}), "
        f"backpropagation has by step {reached[0]} of {forward['steps']}, after {reached[1]:.1f} s",
        learning["mlp"]["settings"] + ", each at the best learning rate of a grid",
        verdict(forward["seconds"] < reached[1]),
    )


def same_rate(speed: Any, learning: Any) -> dict[str, str]:
    """Comparable loss per iteration at one learning rate."""
    same = {r["method"]: r["loss"] for r in learning["mlp"]["same"]}
    best = {r["method"]: r["loss"] for r in learning["mlp"]["best"]}
    gap = abs(same["Gaussian"] - same["backprop"]) / same["backprop"]
    return row(
        "the loss falls as fast per iteration as with backpropagation",
        "a figure",
        f"at one small rate: {same['Gaussian']:.3f} and {same['backprop']:.3f}; each at its best: "
        f"{best['rank four']:.3f} and {best['backprop']:.3f}",
        learning["mlp"]["settings"],
        verdict(gap < 0.1 and best["rank four"] < 1.1 * best["backprop"], gap < 0.1),
    )


def surfaces(speed: Any, learning: Any) -> dict[str, str]:
    """Beale and Rosenbrock."""
    rows = learning["surfaces"]["rows"]
    good, steep = rows[0], rows[1]
    valley = rows[3]
    close = all(0.5 < r[k]["median"] / r["backprop"] < 2 for r in (good, valley) for k in ("gaussian", "rademacher"))
    return row(
        "on Beale's and Rosenbrock's functions it behaves as gradient descent does",
        "a figure",
        f"from easy starts the medians end {'within' if close else 'not within'} a factor of 2 of it; from (−1, 1.5) "
        f"{steep['gaussian']['diverged']} of {steep['gaussian']['of']} runs diverge where gradient descent does not",
        "20 seeds, rates as in notebook 09",
        verdict(close and not steep["gaussian"]["diverged"], close),
    )


def memory(speed: Any, learning: Any) -> dict[str, str]:
    """Memory on the paper's network, and with depth."""
    found, rows = speed["sweeps"]["rows"]["memory of the MLP"], speed["sweeps"]["rows"]["memory"]
    mib = {name: found[name] / 2**20 for name in (BACK, GAUSSIAN, RANK_ONE)}
    deep = [(r[RANK_ONE] - rows[0][RANK_ONE]) / r["activation"] for r in rows]
    return row(
        "memory is about that of backpropagation",
        "about equal *",
        f"MLP: {mib[BACK]:.0f} MiB backpropagation, {mib[GAUSSIAN]:.0f} Gaussian, {mib[RANK_ONE]:.1f} rank one; "
        f"from 2 to 32 layers rank one grows by {deep[-1]:.1f} activations, backpropagation by "
        f"{(rows[-1][BACK] - rows[0][BACK]) / rows[0]['activation']:.0f}",
        "peak of one call by tracemalloc; batch 64, and batch 1024 with layers of 128",
        verdict(0.5 < mib[GAUSSIAN] / mib[BACK] < 2),
    )


def activities(speed: Any, learning: Any) -> dict[str, str]:
    """Activity perturbation."""
    runs = {(r["model"], r["method"]): r["loss"] for r in learning["digits"]["runs"]}
    models = ("logistic", "64-64-10", "64-128-128-10")
    words = "; ".join(f"{m}: {runs[m, 'Gaussian']:.2f} weights, {runs[m, 'activities']:.2f} activities" for m in models)
    better = [runs[m, "activities"] < runs[m, "Gaussian"] for m in models]
    behind = all(runs[m, "backprop"] < runs[m, "activities"] for m in models)
    return row(
        "perturbing activities in place of weights makes training much better (Ren et al.)",
        "matches backpropagation on MNIST and CIFAR-10, with local losses and a new architecture",
        f"training loss {words}; backpropagation {'is lower in all three' if behind else 'is not always lower'}",
        learning["digits"]["settings"] + "; without local losses",
        verdict(all(better) and not behind, all(better)),
    )


COMPUTED = (unbiased, noise, orthogonal)
STORED = (surfaces, same_rate, training_time, ratios, mlp_ratio, depth, memory, activities)
ROWS: list[Callable[[Any, Any], dict[str, str]]] = [*COMPUTED, *STORED]


def main() -> int:
    """Compute, print and store the table."""
    speed, learning = (
        json.loads((FOLDER / name).read_text(encoding="utf-8"))
        for name in ("forward_gradient.json", "forward_gradient_learning.json")
    )
    rows = [make(speed, learning) for make in ROWS]
    print("| claim | published | ours | settings | verdict |\n|---|---|---|---|---|")
    for found in rows:
        print("| " + " | ".join(found[key] for key in ("claim", "published", "ours", "settings", "verdict")) + " |")
    about = {"what": "python benchmarks/forward_gradient_claims.py", "date": datetime.date.today().isoformat()}
    note = "* quoted from secondary notes; the full text was not at hand"
    RESULT.write_text(json.dumps(about | {"note": note, "rows": rows}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
