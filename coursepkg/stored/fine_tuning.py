"""What ``benchmarks/fine_tuning.py`` found, for chapter 08."""

from statistics import mean
from typing import Any

from coursepkg.stored import load, told

TASKS = {"short": "2,048 questions", "trec": "questions", "cola": "grammar", "movie": "film reviews"}


PLANNED = 60


def count() -> int:
    """How many runs there are, of the 60 that are planned."""
    return len(load("fine_tuning").get("runs", []))


def scores() -> list[dict[str, Any]]:
    """Rows of a table: a task, the layers, how many runs, and their scores from least to most."""
    return [
        {
            "task": TASKS[plan], "layers": kind if kind == "exact" else f"{kind} at {rate:.0%}", "runs": len(runs),
            "score": f"{mean(r['score'] for r in runs):.3f}",
            "from, to": f"{min(r['score'] for r in runs):.3f}, {max(r['score'] for r in runs):.3f}",
        }
        for (plan, kind, rate), runs in sorted(_groups().items(), key=lambda g: (list(TASKS).index(g[0][0]), -g[0][2]))
    ]  # fmt: skip


def baselines() -> dict[str, dict[str, float]]:
    """Scores without fine-tuning, by task: the largest class, counted words, a linear model on the frozen encoder."""
    found = load("fine_tuning").get("baselines", {})
    return {TASKS[plan]: scores for plan, scores in found.items()}


def memory(texts: int = 32) -> list[dict[str, Any]]:
    """Rows of a table: MiB of one step between forward and backward and at the peak, measured and predicted."""
    rows = [row for row in load("fine_tuning")["memory"]["rows"] if row["texts"] == texts]
    return [
        {
            "layers": "exact" if row["sketch"] == "exact" else f"{row['sketch']} at {row['rate']:.0%}",
            **{
                f"{part}, {how}": f"{row[how][part] / 2**20:.1f}"
                for part in ("held", "peak")
                for how in ("measured", "predicted")
            },
        }
        for row in rows
    ]


def memory_curves(texts: int = 32) -> dict[str, tuple[list[float], list[float]]]:
    """MiB against the share of rows kept, measured and predicted; the exact layers stand at 1."""
    rows = [row for row in load("fine_tuning")["memory"]["rows"] if row["texts"] == texts]
    rates = [row["rate"] for row in rows]
    return {
        f"{part}, {how}": (rates, [row[how][part] / 2**20 for row in rows])
        for part in ("held", "peak")
        for how in ("measured", "predicted")
    }


def published() -> list[dict[str, Any]]:
    """Rows of a table: the authors' own scores on CoLA with RoBERTa, the best of all evaluations of a run."""
    return [
        {
            "layers": "exact" if row["rate"] == 1 else f"{row['sketch']} at {row['rate']:.0%}",
            "score": f"{row['score']:.2f}",
            "minutes": f"{row['seconds'] / 60:.1f}",
        }
        for row in load("fine_tuning")["published"]
    ]


def claims() -> list[dict[str, str]]:
    """Rows of a table: what was claimed, the verdict, the published number, ours, and where it was tried."""
    return told(load("fine_tuning")["claims"])


def times() -> dict[str, float]:
    """CPU time of a step over that of an exact one, for each rate of the fold."""
    found = {float(name.split()[1]): row for name, row in load("fine_tuning")["time"]["variants"].items()}
    names = {rate: "exact" if rate == 1 else f"fold at {rate:.0%}" for rate in found}
    return {names[rate]: round(found[rate]["median"], 2) for rate in sorted(found, reverse=True)}


def _groups() -> dict[tuple[str, str, float], list[dict[str, Any]]]:
    """Runs that differ in the seed only."""
    groups: dict[tuple[str, str, float], list[dict[str, Any]]] = {}
    for run in load("fine_tuning").get("runs", []):
        groups.setdefault((run["plan"], run["sketch"], run["rate"]), []).append(run)
    return groups
