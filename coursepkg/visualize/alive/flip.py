"""Any drawing with a few states as a figure that moves, without a kernel.

The one idea: pictures of one drawing have most of their elements in common. So they are taken apart into their tags and
what is between them, each piece is kept once, and a picture is spelled from the pieces.
"""

import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from coursepkg.visualize.alive.story import Question, Story
from coursepkg.visualize.paper import as_picture, format_number, svg
from coursepkg.visualize.paper.picture import Picture, adapt

MOST_STATES = 40
_GREEK = {"rho": "ρ", "eta": "η", "beta": "β", "theta": "θ", "phi": "φ", "sigma": "σ", "alpha": "α"}


def flip_through(
    draw: Callable[..., Any],
    *,
    title: str = "",
    caption: str = "",
    first: int | Mapping[str, int] = 0,
    rhythm: str = "dwell",
    pace: float = 1.0,
    phases: Sequence[tuple[int, str, str]] = (),
    asks: Mapping[int, Question] | None = None,
    **values: Iterable[Any],
) -> Story:
    """Draw a picture for each value, and let the page turn from one to the next.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` returns a Picture, or a Matplotlib figure and its alt text as a pair.
    title, caption, rhythm, pace, phases, asks
        See :class:`coursepkg.visualize.alive.story.Story`.
    first : int or mapping of str to int
        The place in the first list that is shown at the beginning, or such a place for each name.
    **values : iterable
        What each argument of `draw` goes through. The player runs through the first one; each other one
        gets a dial.

    Raises
    ------
    TypeError
        If `draw` returns something else.
    ValueError
        If there is nothing to go through, or more than 40 states.

    Examples
    --------
    >>> from coursepkg.visualize.diagram.route import route_map
    >>> flip_through(route_map, current=range(12)).frames
    12
    """
    lists = {name: list(several) for name, several in values.items()}
    count = math.prod(len(several) for several in lists.values())
    if not lists or not count:
        raise ValueError("flip_through needs values to go through, e.g. flip_through(draw, depth=[1, 2, 4, 8])")
    if count > MOST_STATES:
        sizes = " × ".join(str(len(several)) for several in lists.values())
        raise ValueError(
            f"{sizes} = {count} pictures are too many to keep with the page, at most {MOST_STATES}. "
            "Leave out some values."
        )
    named = [dict(zip(lists, chosen, strict=True)) for chosen in itertools.product(*lists.values())]
    pictures = [as_picture(draw(**arguments), draw) for arguments in named]
    name, *others = lists
    places = _places(lists, first if isinstance(first, Mapping) else {name: first})
    dials = [{"name": _words(o), "labels": [_label(v) for v in lists[o]], "first": places[o]} for o in others]
    labels = [f"{_words(name)} = {_label(value)}" for value in lists[name]]
    data = {**_spell(pictures), "dials": dials, "labels": labels, "first": places[name]}
    data["least"] = max(svg.least_width(picture.svg) for picture in pictures)
    start = 0
    for each, several in lists.items():
        start = start * len(several) + places[each]
    frames, still = len(lists[name]), pictures[start]
    return Story("flip", frames, title, caption, data, still, rhythm, pace, phases=phases, asks=asks or {})


def _places(lists: Mapping[str, Sequence[Any]], first: Mapping[str, int]) -> dict[str, int]:
    """Where each list begins."""
    for name, place in first.items():
        if name not in lists:
            raise ValueError(f"first names {name!r}, but the pictures go through {', '.join(lists)}")
        if not 0 <= place < len(lists[name]):
            raise ValueError(f"first is a place in {name}, 0 to {len(lists[name]) - 1}, got {place}")
    return {name: first.get(name, 0) for name in lists}


def _words(name: str) -> str:
    """A name as it is written: "heater_loss" in words, "rho" as the letter."""
    return _GREEK.get(name, name.replace("_", " "))


def _label(value: Any) -> str:
    if isinstance(value, int | float):
        return format_number(value, 4)
    return str(value)


# --- pictures as spelled words ----------------------------------------------------------------------------------


def _spell(pictures: Sequence[Picture]) -> dict[str, Any]:
    """All pictures, and the pieces they are made of."""
    pieces: dict[str, int] = {}
    spelled: list[dict[str, Any]] = []
    for picture in pictures:
        places = [pieces.setdefault(piece, len(pieces)) for piece in take_apart(adapt(picture.svg))]
        spelled.append({"alt": picture.alt, "width": svg.most_width(picture.svg), "spelled": _runs(places)})
    return {"pictures": spelled, "pieces": list(pieces)}


def take_apart(document: str) -> list[str]:
    """A document cut into tags and what is between them; put together they are the document again."""
    return re.findall(r"<[^>]*>?|[^<]+", document)


def _runs(places: Sequence[int]) -> list[list[int]]:
    """Places as runs: where each begins, and how many follow one another."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][0] + runs[-1][1]:
            runs[-1][1] += 1
        else:
            runs.append([place, 1])
    return runs
