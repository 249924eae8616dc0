"""What the forward gradient's paper and its followers claim, and what was found here: a table, recomputed.

    python benchmarks/forward_gradient_claims.py

Reads the stored results of ``forward_gradient.py``, ``forward_gradient_learning.py`` and ``forward_gradient_paper.py``,
computes the rest on the spot (seconds), decides each verdict by a rule that stands beside it, and writes the table to
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
from verdicts import ANY_SETTING, NOT_HERE, OTHER_SETTING, PART, row, verdict

from coursepkg import gradients
from coursepkg.estimators import expectations, sample_directions

FOLDER = Path(__file__).parent / "results"
RESULT = FOLDER / "forward_gradient_claims.json"
BACK, GAUSSIAN = "backpropagation", "forward gradient, Gaussian"
JVP, DRAWING = "jvp, direction given", "drawing a Gaussian direction"
RANK_ONE = "forward gradient, rank one, in factors"
MODELS = {
    "logistic": "its logistic regression",
    "1024-1024": "its MLP",
    "CNN": "its CNN with an eighth of the channels, on images of half the width",
}


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
        ANY_SETTING,
        "smooth function of 6 numbers",
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
        ANY_SETTING,
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
        ANY_SETTING,
        "d = 200, K = 100",
        verdict(cosines["orthonormal"] > cosines["gaussian"] > 10 / d),
    )


# --- from the stored runs


def ratios(speed: Any, learning: Any) -> dict[str, str]:
    """The two run-time ratios in general; the directional derivative apart from drawing its direction."""
    mlp, cnn = speed["dense"]["rows"]["MLP"], speed["cnn"]["rows"]["CNN"]
    words = []
    for engine in ("", "torch: ", "jax: "):
        if f"{engine}{JVP}" in mlp:
            forward, back = ([rows[engine + what]["ratio"] for rows in (mlp, cnn)] for what in (JVP, BACK))
            pair = f"R_f {forward[0]:.1f} and {forward[1]:.1f}, R_b {back[0]:.1f} and {back[1]:.1f}"
            words.append(f"{engine or 'course: '}{pair}")
    forward, back = ([rows[what]["ratio"] for rows in (mlp, cnn)] for what in (JVP, BACK))
    inside = [1 <= r <= 3 for r in forward] + [5 <= r <= 10 for r in back]
    drawing = mlp[DRAWING]["ratio"]
    return row(
        "a jvp costs 1 to 3 plain passes, backpropagation 5 to 10",
        "R_f 1 to 3, R_b 5 to 10, on a GPU *",
        f"MLP and CNN: {'; '.join(words)}; drawing a Gaussian direction for the MLP costs {drawing:.1f} more",
        OTHER_SETTING,
        speed["dense"]["settings"],
        verdict(all(inside), any(inside)),
    )


def mlp_ratio(speed: Any, learning: Any) -> dict[str, str]:
    """The MLP in particular, with every engine beside ours; the verdict is on the paper's own directions."""
    rows = speed["dense"]["rows"]["MLP"]
    words = []
    for engine in ("", "torch: ", "jax: "):
        if f"{engine}{BACK}" in rows:
            jvp, back, whole = (rows[engine + what]["ratio"] for what in (JVP, BACK, GAUSSIAN))
            words.append(f"{engine or 'course: '}jvp {jvp:.2f}, with drawing {whole:.2f}, R_b {back:.2f}")
    cheap = rows[RANK_ONE]["ratio"]
    return row(
        "on the MLP a forward gradient takes about half the time of backpropagation",
        "R_f 2.46, R_b 4.17 *",
        "; ".join(words) + f"; along rank-one directions, which are not the paper's: R_f {cheap:.2f}",
        OTHER_SETTING,
        "MLP 784-1024-1024-10 as in the paper, on a processor; " + speed["dense"]["settings"],
        verdict(rows[GAUSSIAN]["ratio"] < 0.7 * rows[BACK]["ratio"], rows[JVP]["ratio"] < 0.7 * rows[BACK]["ratio"]),
    )


def depth(speed: Any, learning: Any) -> dict[str, str]:
    """Whether the advantage shrinks with depth: the time of a forward gradient over that of backpropagation grows."""
    rows = speed["sweeps"]["rows"]["depth"]
    dense = [r[GAUSSIAN] / r[BACK] for r in rows]
    jvp, cheap = ([r[what] / r[BACK] for r in rows] for what in (JVP, RANK_ONE))
    least = min(*dense, *jvp, *cheap)
    return row(
        "the advantage in run time shrinks with depth",
        "a statement *",
        "R_f / R_b at 1, 4, 16, 32 layers: "
        + "; ".join(f"{', '.join(f'{r:.2f}' for r in each)} {name}" for name, each in
                    (("Gaussian", dense), ("jvp alone", jvp), ("rank one", cheap)))
        + ("; below 1, an advantage, at no depth" if least >= 1 else ""),
        OTHER_SETTING,
        "layers of 256, " + speed["sweeps"]["settings"],
        PART if cheap[-1] > cheap[0] or dense[-1] > dense[0] else NOT_HERE,
    )  # fmt: skip


def paper_runs(length: str = "steps") -> dict[str, tuple[list[Any], list[Any]]]:
    """Backpropagation and the paper's own estimator for each model, three seeds each and in their order.

    With the length ``"tried"`` it is that of the grid; its curves are looked at often enough for the time to a loss.
    """
    kept = paper()
    found = {}
    for model, rates in kept["rates"].items():
        if set(rates) == set(kept["steps"][model]):
            back, forward = (
                [r for r in kept["runs"].values() if (r["model"], r["method"], r["lr"], r["steps"]) == wanted]
                for wanted in (
                    (model, method, rates[method], kept[length][model][method]) for method in ("backprop", "Gaussian")
                )
            )
            # Runs are stored as they end; they are paired by their seed.
            found[model] = (sorted(back, key=seed_of), sorted(forward, key=seed_of))
    return found


def seed_of(run: Any) -> int:
    """The seed of a stored run."""
    return int(run["seed"])


def paper() -> Any:
    """What ``forward_gradient_paper.py`` stored."""
    return json.loads((FOLDER / "forward_gradient_paper.json").read_text(encoding="utf-8"))


def seconds_to(run: Any, loss: float) -> float | None:
    """CPU seconds until the training loss is first at most `loss`."""
    return next((seconds for _, seconds, found in run["curve"] if found <= loss), None)


def training_time(speed: Any, learning: Any) -> dict[str, str]:
    """The headline: training up to twice as fast, by the time to several losses; drawing apart."""
    words, ratios, shares, runs = [], [], paper()["drawing share"], paper_runs("tried")
    for model, (back, forward) in runs.items():
        reached, missed = [], []
        for target in (2.0, 1.5, 1.0, 0.5):
            pairs = [(seconds_to(f, target), seconds_to(b, target)) for f, b in zip(forward, back, strict=True)]
            found = sorted(f / b for f, b in pairs if f is not None and b)
            if len(found) == len(pairs):
                ratios.append(found[0] * (1 - shares[model]))
                reached.append(f"to {target} {found[0]:.0f} to {found[-1]:.0f}")
            else:
                missed.append(f"{target} in {forward[0]['steps']:,} steps")
        words.append(f"{model} {', '.join([*reached, *(f'never {loss}' for loss in missed)])}")
    drawn = ", ".join(f"{model} {share:.0%}" for model, share in shares.items())
    return row(
        "training up to twice as fast as backpropagation, in some cases",
        "up to 2 times, on the MLP",
        f"time to a training loss, as a multiple of backpropagation's, 3 seeds: {'; '.join(words)}. Drawing directions "
        f"is a part of a step: {drawn}",
        OTHER_SETTING,
        f"the paper's estimator on 8,000 images of MNIST, one thread: {' and '.join(MODELS[model] for model in runs)}; "
        "each method at the best rate of a grid with a worse rate on either side",
        verdict(min(ratios) < 1),
    )


def same_rate(speed: Any, learning: Any) -> dict[str, str]:
    """Comparable loss per iteration, each at its best rate."""
    words, close = [], []
    for model, (back, forward) in paper_runs().items():
        steps = min(back[0]["steps"], forward[0]["steps"])
        ends, theirs = (
            [next(loss for step, _, loss in r["curve"] if step >= steps) for r in runs] for runs in (forward, back)
        )
        close.append(max(ends) < 1.1 * max(theirs))
        words.append(
            f"{model}, after {steps:,} steps: {min(ends):.2f} to {max(ends):.2f}, backpropagation {spread(theirs)}"
        )
    same = {r["method"]: r["loss"] for r in learning["mlp"]["same"]}
    return row(
        "the loss falls as fast per iteration as with backpropagation",
        "a figure, both methods at one rate",
        f"{'; '.join(words)}; the MLP at one small rate of 0.0002 has learned by neither ({same['Gaussian']:.3f}, "
        f"{same['backprop']:.3f}, from 2.30)",
        OTHER_SETTING,
        "8,000 images of MNIST, batch 64, each method at its best rate, 3 seeds",
        verdict(all(close), any(close)),
    )


def spread(values: list[float]) -> str:
    """Smallest and largest, to two digits after the point or to two digits that count."""
    ends = [f"{value:.2f}" if value >= 0.1 else f"{value:.2g}" for value in (min(values), max(values))]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


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
        OTHER_SETTING,
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
        OTHER_SETTING,
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
        OTHER_SETTING,
        learning["digits"]["settings"]
        + ", one seed"
        + _at_the_edge(learning, models)
        + "; without local losses, which "
        "the claim includes",
        verdict(all(better) and not behind, all(better)),
    )


def _at_the_edge(learning: Any, models: tuple[str, ...]) -> str:
    """Where the best rate of a method is the largest of its grid, so that it may be better still."""
    found = [
        f"{run['method']}, {run['model']}"
        for run in learning["digits"]["runs"]
        if run["model"] in models
        and run["method"] in ("backprop", "Gaussian", "activities")
        and run["lr"] == max(map(float, run["tried"]))
    ]
    return f" (the grid's largest rate was best for {'; '.join(found)})" if found else ""


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
