"""How a fold makes few rows of many, as a figure that moves: shuffle, signs, buckets.

The one idea: a row of the summary is a sum of a few rows with random signs. Rows that are dealt into one bucket can no
longer be told apart; where each went is known to whoever has the seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.visualize.alive.story import Story
from coursepkg.visualize.row_fold import buckets_of, draw_row_fold
from coursepkg.visualize.text import plural

_ROW, _STEP, _BOX, _TOP = 26.0, 34.0, 54.0, 34.0
_HOME, _PLACE, _BUCKET = 12.0, 150.0, 300.0
_CAPTION = (
    "Rows of X on the left. They are shuffled, get random signs (a minus is [dashed](hot)) and are dealt into "
    "[buckets](param), each of which is added up. Play, and change the seed and the number of buckets."
)


def tell_fold(
    draws: Mapping[Any, tuple[Sequence[int], Sequence[int]]],
    sizes: Sequence[int],
    *,
    first: int = 0,
    title: str = "",
    caption: str = "",
) -> Story:
    """Show how rows are shuffled, signed and added up in buckets.

    Parameters
    ----------
    draws : mapping of a name to (order, signs)
        For each seed the rows of X in their new order, and +1 or -1 for each place of it. All have the same number of
        rows, at most 16.
    sizes : sequence of int
        How many buckets there may be.
    first : int
        The place in `sizes` to begin with.
    title, caption : str
        See :class:`coursepkg.visualize.alive.story.Story`.

    Returns
    -------
    Story

    Raises
    ------
    ValueError
        If an order is no permutation, signs do not fit, or there are more buckets than rows.
    """
    counts = {len(order) for order, _ in draws.values()}
    if len(counts) != 1 or not sizes or not 0 <= first < len(sizes):
        raise ValueError(f"needs draws of one number of rows, sizes, and first within them; got rows {sorted(counts)}")
    (rows,) = counts
    name = next(iter(draws))
    still = draw_row_fold(*draws[name], sizes[first])  # checks the first; the others as they are told
    told = [[_told(order, signs, size) for size in sizes] for order, signs in draws.values()]
    most = max(max(slot for *_, slot in each["moves"]) for row in told for each in row) + 1
    data = {
        "size": [_BUCKET + most * (_BOX + 4) + 24, _TOP + rows * _STEP + 6], "box": [_BOX, _ROW],
        "home": [[_HOME, _TOP + n * _STEP] for n in range(rows)],
        "place": [[_PLACE, _TOP + n * _STEP] for n in range(rows)],
        "heads": [[_HOME, "X"], [_PLACE, "shuffled, with signs"], [_BUCKET, "buckets: SᵀX"]],
        "dials": [["seed", [str(each) for each in draws], 0], ["buckets", [str(size) for size in sizes], first]],
        "told": told,
    }  # fmt: skip
    return Story(
        "sketch", rows + 4, title, caption or _CAPTION, data, still, pace=1.6,
        phases=[(0, "", ""), (1, "shuffle", "data"), (3, "fold", "param")],
    )  # fmt: skip


def _told(order: Sequence[int], signs: Sequence[int], size: int) -> dict[str, Any]:
    """Of each row its place, its sign, its bucket and the slot in it; where the buckets are; a sentence per state."""
    buckets = buckets_of(order, signs, size)
    place = {row: number for number, row in enumerate(order)}
    found = {row: (k, slot) for k, bucket in enumerate(buckets) for slot, (row, _) in enumerate(bucket)}
    moves = [[place[row], signs[place[row]], *found[row]] for row in range(len(order))]
    step = len(order) * _STEP / size
    names = [f"{'+' if sign > 0 else '−'}x{row + 1}" for row, sign in zip(order, signs, strict=True)]
    say = ["The rows of X as they are.", f"Shuffled: {', '.join(f'x{row + 1}' for row in order)}."]
    say.append(f"A coin gives each a sign: {', '.join(names)}.")
    for number, row in enumerate(order):
        k, slot = found[row]
        held = " ".join(names[number - slot : number + 1])
        say.append(f"{names[number]} goes into bucket {k + 1}, which holds {held} now.")
    shared = sum(len(bucket) for bucket in buckets if len(bucket) > 1)
    say.append(
        f"{plural(len(order), 'row')} have become {size}. "
        + (f"{shared} of them share a bucket and disturb each other." if shared else "No two share a bucket: exact.")
    )
    middles = [[_BUCKET, round(_TOP + k * step + (step - _STEP) / 2, 1)] for k in range(size)]
    most = max(map(len, buckets))
    return {"moves": moves, "buckets": middles, "wide": most * (_BOX + 4) + 8, "say": say}
