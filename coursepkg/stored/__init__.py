"""Results of long runs, as the scripts under ``benchmarks/`` stored them.

A chapter shows them beside the short run that it makes itself. ``load`` reads one file as it is. The modules of this
package bring the results of one chapter into the rows and curves that its tables and charts take.
"""

import json
from pathlib import Path
from typing import Any

_RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


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
    there = sorted(each.stem for each in _RESULTS.glob("*.json"))
    if name not in there:
        raise ValueError(f"There is no stored result {name!r}. These are there: {', '.join(there) or 'none'}.")
    result: dict[str, Any] = json.loads((_RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return result
