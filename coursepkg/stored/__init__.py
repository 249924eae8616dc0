"""Results of long runs, as the scripts under ``benchmarks/`` stored them.

A chapter shows them beside the short run that it makes itself. ``load`` reads one file as it is. The modules of this
package bring the results of one chapter into the rows and curves that its tables and charts take.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from coursepkg import _course


def load(name: str) -> dict[str, Any]:
    """Read a stored result.

    Parameters
    ----------
    name
        The name of a file in ``benchmarks/results``, without ``.json``: ``"mnist"``, for example.

    Returns
    -------
    dict
        Results with the settings and the date of the run.

    Raises
    ------
    ValueError
        If there is no such result; it lists those that there are.
    """
    folder = _course.folder() / "benchmarks" / "results"
    there = sorted(each.stem for each in folder.glob("*.json"))
    if name not in there:
        raise ValueError(f"There is no stored result {name!r}. These are there: {', '.join(there) or 'none'}.")
    result: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return result


def told(claims: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Claims that a script judged, as rows of a table: the claim, the verdict, the numbers, and where it was tried.

    The verdict comes second, so that a narrow page shows it before its reader scrolls.
    """
    names = {"claim": "claim", "verdict": "verdict", "published": "published", "ours": "here", "settings": "settings"}
    return [{name: claim[key] for key, name in names.items()} for claim in claims]
