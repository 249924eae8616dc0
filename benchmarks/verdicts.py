"""How a verdict on a published claim is reached: four words, one rule for a difference, and where a claim was tried.

``docs/verdicts.md`` says the same to readers. Each script that makes a table of claims takes its words from here.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

HOLDS, PART, NOT_HERE, NOT_COMPARABLE = "holds", "holds in part", "does not hold here", "not comparable"
VERDICTS = (HOLDS, PART, NOT_HERE, NOT_COMPARABLE)
THEIR_SETTING = "The paper's setting was run."
ANY_SETTING = "True or false in every setting."
OTHER_SETTING = "Another setting than the paper's."
OUR_QUESTION = "Not a claim of the paper; we asked."
WHERE = (THEIR_SETTING, ANY_SETTING, OTHER_SETTING, OUR_QUESTION)
# Student's t at 95 %, one-sided, by degrees of freedom: with it a 90 % interval for a mean difference is formed.
T95 = {
    1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 7: 1.895, 8: 1.860, 9: 1.833, 10: 1.812,
    11: 1.796, 12: 1.782, 13: 1.771, 14: 1.761, 15: 1.753, 16: 1.746, 17: 1.740, 18: 1.734, 19: 1.729, 20: 1.725,
    21: 1.721, 22: 1.717, 23: 1.714, 24: 1.711, 25: 1.708, 26: 1.706, 27: 1.703, 28: 1.701, 29: 1.699,
}  # fmt: skip


def row(claim: str, published: str, ours: str, where: str, settings: str, verdict: str) -> dict[str, str]:
    """One line of a table of claims; its settings begin with whether the paper's setting was run.

    Raises
    ------
    ValueError
        If `where` or `verdict` is not one of the agreed sentences and words.
    """
    if where not in WHERE:
        raise ValueError(f"{claim!r}: {where!r} does not say where it was tried; say one of {WHERE}.")
    if verdict not in VERDICTS:
        raise ValueError(f"{claim!r}: {verdict!r} is no verdict; the four are {VERDICTS}.")
    if settings[1:2].isalnum():  # a word, and not a symbol such as d
        settings = settings[0].upper() + settings[1:]
    settings = f"{where} {settings}."
    return {"claim": claim, "published": published, "ours": ours, "settings": settings, "verdict": verdict}


def verdict(holds: bool, part: bool = False) -> str:
    """Turn a rule into words."""
    return HOLDS if holds else PART if part else NOT_HERE


def interval(differences: Sequence[float], among: int = 1) -> tuple[float, float]:
    """The 90 % interval of the mean of paired differences, by Student's t; for 2 to 30 of them.

    Where they belong to the worst of several comparisons, chosen after the runs, `among` says of how many. The interval
    is then so wide that 90 % holds for all of them together (Bonferroni).
    """
    mean, freedom = statistics.mean(differences), len(differences) - 1
    quantile = T95[freedom]
    if among > 1:
        from scipy import stats

        quantile = float(stats.t.ppf(1 - 0.05 / among, freedom))
    reach = quantile * statistics.stdev(differences) / len(differences) ** 0.5
    return mean - reach, mean + reach


def no_worse(losses: Sequence[float], margin: float, among: int = 1) -> str:
    """Is something no worse than its rival by more than `margin`? `losses` are paired differences, larger is worse.

    It holds if the whole interval lies below the margin, and does not if the whole interval lies above it. Few or
    noisy runs make the interval wide; then neither is shown, and it holds in part at most. `among` is that of
    :func:`interval`.
    """
    low, high = interval(losses, among)
    return HOLDS if high < margin else NOT_HERE if low > margin else PART


def over_tables(verdicts: Sequence[str]) -> str:
    """One word for several tables: it holds if it holds on each, and does not if it holds on none and fails on most."""
    if all(found == HOLDS for found in verdicts):
        return HOLDS
    return NOT_HERE if HOLDS not in verdicts and verdicts.count(NOT_HERE) > len(verdicts) / 2 else PART
