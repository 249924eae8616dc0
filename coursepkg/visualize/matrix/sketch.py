"""How a fold makes few rows of many, as a figure that moves: shuffle, signs, buckets.

The one idea: a row of the summary is a sum of a few rows with random signs. Rows that are dealt into one bucket can no
longer be told apart; where each went is known to whoever has the seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.visualize.alive.story import Story
from coursepkg.visualize.paper import HIGHLIGHT, MUTED, PAPER, SHADE, Picture, page, plural, svg

_ROW, _STEP, _BOX, _TOP = 26.0, 34.0, 54.0, 34.0
_HOME, _PLACE, _BUCKET = 12.0, 150.0, 300.0
_MOST = 16
_CAPTION = (
    "Rows of X on the left. They are shuffled, get random signs (a minus is [dashed](hot)) and are dealt into "
    "[buckets](param), each of which is added up. Play, and change the seed and the number of buckets."
)


def tell_fold(
    draws: Mapping[Any, tuple[Sequence[int], Sequence[int]]], sizes: Sequence[int], *, first: int = 0, title: str = ""
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
    title : str
        A line over the figure.

    Raises
    ------
    ValueError
        If an order is no permutation, signs do not fit, or there are more buckets than rows.
    """
    counts = {len(order) for order, _ in draws.values()}
    if len(counts) != 1 or not sizes or not 0 <= first < len(sizes):
        raise ValueError(f"needs draws of one number of rows, sizes, and first within them; got rows {sorted(counts)}")
    (rows,) = counts
    told = [[_told(order, signs, size) for size in sizes] for order, signs in draws.values()]
    most = max(max(slot for *_, slot in each["moves"]) for row in told for each in row) + 1
    data = {
        "size": [_BUCKET + max(most * (_BOX + 4) + 24, 130), _TOP + rows * _STEP + 6], "box": [_BOX, _ROW],
        "home": [[_HOME, _TOP + n * _STEP] for n in range(rows)],
        "place": [[_PLACE, _TOP + n * _STEP] for n in range(rows)],
        "heads": [[_HOME, "X"], [_PLACE, "shuffled, with signs"], [_BUCKET, "buckets: SᵀX"]],
        "dials": [["seed", [str(each) for each in draws], 0], ["buckets", [str(size) for size in sizes], first]],
        "told": told,
    }  # fmt: skip
    return Story(
        "sketch", rows + 4, title, _CAPTION, data, _still(data, told[0][first], sizes[first]), pace=1.6,
        phases=[(0, "", ""), (1, "shuffle", "data"), (3, "fold", "param")],
    )  # fmt: skip


def _still(data: Mapping[str, Any], told: Mapping[str, Any], size: int) -> Picture:
    """All three columns at once: the rows, the rows shuffled and signed, and the buckets."""
    parts = [svg.text(x, 20, head, fill=MUTED, halo=False) for x, head in data["heads"]]
    held: list[list[tuple[int, str]]] = [[] for _ in range(size)]
    for row, (place, sign, bucket, slot) in enumerate(told["moves"]):
        x, y = told["buckets"][bucket]
        home, dealt = data["home"][row], data["place"][place]
        name = f"{'+' if sign > 0 else '−'}x{row + 1}"
        held[bucket].append((slot, name))
        parts += _box(home, f"x{row + 1}", SHADE) + _box(dealt, name, PAPER)
        parts += _box((x + slot * (_BOX + 4), y), name, HIGHLIGHT)
    first, *others = [" ".join(name for _, name in sorted(each)) for each in held]
    alt = f"The {len(data['home'])} rows of X are shuffled, signed and folded into {size} rows: "
    alt += f"row 1 of the summary is {first}" + "".join(f", row {k} is {each}" for k, each in enumerate(others, 2))
    width, height = data["size"]
    return page(width, height, parts, f"{alt}.")


def _box(corner: Sequence[float], name: str, fill: str) -> list[str]:
    (x, y), dash = corner, "4 3" if name.startswith("−") else ""
    box = svg.rectangle(x, y, _BOX, _ROW, fill=fill, line_width=1.2, dash=dash)
    return [box, svg.text(x + _BOX / 2, y + 17.5, name, anchor="middle", halo=False, role="row")]


def buckets_of(order: Sequence[int], signs: Sequence[int], size: int) -> list[list[tuple[int, int]]]:
    """What each bucket holds: rows and their signs, in the new order."""
    if sorted(order) != list(range(len(order))) or not 1 <= len(order) <= _MOST:
        raise ValueError(f"order must hold 0 to B - 1, each once, with B from 1 to {_MOST}; got {list(order)}")
    if len(signs) != len(order) or any(sign not in (-1, 1) for sign in signs):
        raise ValueError(f"signs must be {len(order)} numbers +1 or -1, got {list(signs)}")
    if not 1 <= size <= len(order):
        raise ValueError(f"size must lie between 1 and {len(order)}, got {size}")
    pairs, found, start = list(zip(order, signs, strict=True)), [], 0
    for k in range(size):
        count = len(order) // size + (k < len(order) % size)
        found.append(pairs[start : start + count])
        start += count
    return found


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
