"""What ``benchmarks/memory_efficient.py`` and ``memory_efficient_claims.py`` found, for chapter 08."""

from statistics import mean
from typing import Any

from coursepkg.stored import load, told

Curve = tuple[list[float], list[float]]
SKETCHES = ("fold", "rows", "gaussian")


def digits_losses() -> dict[str, Curve]:
    """Loss on the training digits against the share of rows kept, over three seeds; "exact" is a level line."""
    losses = {key: mean(run["loss"] for run in runs) for key, runs in _groups(_digits()).items()}
    rates = sorted({rate for kind, rate in losses if kind == "rows"})
    curves = {kind: (rates, [losses[kind, rate] for rate in rates]) for kind in SKETCHES}
    return curves | {"exact": ([rates[0], rates[-1]], 2 * [losses["exact", 1.0]])}


def digits_scores() -> dict[str, Curve]:
    """Shares of unseen digits that are read rightly, against the share of rows kept; as for :func:`digits_losses`."""
    scores = {key: mean(run["accuracy"] for run in runs) for key, runs in _groups(_digits()).items()}
    rates = sorted({rate for kind, rate in scores if kind == "rows"})
    return {kind: (rates, [scores[kind, rate] for rate in rates]) for kind in SKETCHES}


def docstrings() -> list[dict[str, Any]]:
    """Rows of a table: a transformer on docstrings, exact and sketched, means over three seeds and their range."""
    return [
        {
            "sketch": kind, "rows kept": f"{rate:.0%}", "training loss": f"{mean(r['loss'] for r in runs):.3f}",
            "unseen texts": f"{mean(r['accuracy'] for r in runs):.1%}",
            "from, to": "{:.1%}, {:.1%}".format(*(end(r["accuracy"] for r in runs) for end in (min, max))),
            "held": f"{mean(r['held'] for r in runs) / 2**20:.2f} MiB",
        }
        for (kind, rate), runs in _groups(load("memory_efficient")["text"]["runs"]).items()
    ]  # fmt: skip


def docstring_baselines() -> dict[str, float]:
    """Shares of unseen docstrings that are placed rightly without a network."""
    text = load("memory_efficient")["text"]
    return {"counting words": text["bag_of_words"], "always the largest class": text["majority"]}


def speed(rates: tuple[float, ...] = (0.125, 0.25, 0.5)) -> dict[str, Curve]:
    """CPU time of a sketched weight gradient over that of the exact one, drawing included, against the rows kept."""
    ratios = load("memory_efficient")["speed"]["weight_gradient"][0]["ratios"]
    kinds = ("fold", "rows", "dct", "rademacher", "gaussian")
    return {kind: (list(rates), [ratios[f"{kind} {rate}"] for rate in rates]) for kind in kinds}


def claims() -> list[dict[str, str]]:
    """Rows of a table: what was claimed, the verdict, the published number, ours, and where it was tried."""
    return told(load("memory_efficient_claims")["rows"])


def _digits() -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = load("memory_efficient")["digits"]["digits"]["runs"]
    return runs


def _groups(runs: list[dict[str, Any]]) -> dict[tuple[str, float], list[dict[str, Any]]]:
    """Runs that differ in the seed only."""
    groups: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault((run["sketch"], run["rate"]), []).append(run)
    return groups
