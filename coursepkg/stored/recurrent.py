"""The runs on the adding problem that ``benchmarks/recurrent.py --learn`` stored, for chapter 07."""

from typing import Any

from coursepkg.stored import load

SOLVED = 0.01  # mean squared error on unseen sequences


def adding_outcomes() -> list[dict[str, Any]]:
    """One row for each kind of net and length of sequence, over all seeds that were run.

    Returns
    -------
    list of dict
        The net, the number of steps, how many runs were solved, after how many batches, and the errors of those that
        were not.
    """
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for run in load("recurrent")["adding"]:
        groups.setdefault((run["kind"], run["T"]), []).append(run)
    rows = []
    for (kind, steps), runs in groups.items():
        needed = [run["steps"] for run in runs if run["errors"][-1] < SOLVED]
        left = [run["errors"][-1] for run in runs if run["errors"][-1] >= SOLVED]
        rows.append({
            "net": kind, "steps": steps, "solved": f"{len(needed)} of {len(runs)}",
            "after batches": _range(needed, "{:,}"), "error where not": _range(left, "{:.3f}"),
        })  # fmt: skip
    return rows


def adding_curves(steps: int, seed: int) -> dict[str, list[float]]:
    """Errors on unseen sequences after every 50 batches, one curve for each kind of net.

    Parameters
    ----------
    steps : int
        Length of the sequences.
    seed : int
        Of the runs.

    Returns
    -------
    dict of str to list of float
    """
    return {r["kind"]: r["errors"] for r in load("recurrent")["adding"] if (r["T"], r["seed"]) == (steps, seed)}


def _range(values: list[Any], form: str) -> str:
    if not values:
        return ""
    ends = dict.fromkeys(form.format(end) for end in (min(values), max(values)))
    return " to ".join(ends)
