"""A figure that moves: a finished list of states, told by one small ES module wherever the page may be.

The one idea: Python computes everything that is ever shown and writes it down as plain JSON. The page only decides when
to show which state. So the same bytes work in a live notebook, in a saved one, in an export and on a static site, and
whoever has no scripts sees an ordinary picture with its words.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from coursepkg.tables import FOLDED
from coursepkg.visualize.paper import Picture

TAG = "coursepkg-figure"
PACKED = "application/x-story"  # JSON, deflated, base64
CORE = "alive.js"
RHYTHMS = ("dwell", "flow")
# What a coloured word in a caption may mean; alive.js has the colours.
ROLES = ("value", "gradient", "data", "param", "hot", "cold", "warm")
_HERE = Path(__file__).parent
_COLOURED = re.compile(r"\[([^\]]*)\]\((\w+)\)")
_EXPORT = re.compile(r"^export \{([^}]*)\};$", re.MULTILINE)
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./alive\.js";$', re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """What a learner is asked before a state is shown.

    Parameters
    ----------
    text : str
        The question.
    right : (float, float)
        An answer from the first to the second number is right.
    replies : sequence of (float, float, str)
        What to say to an answer in a range: what it looks like.
    otherwise : str
        What to say to any other answer.
    choices : sequence of (str, bool, str)
        In place of a number: what can be chosen, whether it is right, and what to say if it is not.
    """

    text: str
    right: tuple[float, float] = (0.0, 0.0)
    replies: Sequence[tuple[float, float, str]] = ()
    otherwise: str = "Not yet."
    choices: Sequence[tuple[str, bool, str]] = ()

    def told(self) -> dict[str, Any]:
        """The question as JSON has it."""
        asked: dict[str, Any] = {"text": self.text}
        if self.choices:
            return asked | {"choices": [list(choice) for choice in self.choices]}
        replies = [[*_short(low, high), words] for low, high, words in self.replies]
        return asked | {"right": _short(*self.right), "replies": replies, "otherwise": self.otherwise}


def _short(*numbers: float) -> list[float]:
    """Seven digits are enough to tell answers apart."""
    return [float(f"{each:.7g}") for each in numbers]


def around(number: float) -> tuple[float, float]:
    """The answers that are as good as `number`: equal to about the three digits that are drawn."""
    reach = 6e-3 * abs(number) + 1e-9
    return number - reach, number + reach


@dataclass(frozen=True)
class Story:
    """Everything that a figure will ever show.

    Parameters
    ----------
    kind : str
        Which renderer tells it: the name of a file beside ``alive.js``.
    frames : int
        Number of states. The place t runs from 0 to ``frames - 1``; t = 2.4 is four tenths of the way from state 2 on.
    title : str
        A line over the figure; may be empty.
    caption : str
        What is seen, and what to touch. ``[values](value)`` is a word in the colour of values: the key of the figure.
    data : mapping
        What the renderer draws: text, numbers, lists, and arrays as :func:`pack` writes them.
    fallback : Picture
        What is shown where scripts do not run, on paper too.
    rhythm : "dwell" or "flow"
        "dwell" goes to the next state and leaves time to read; "flow" goes on at one speed.
    pace : float
        States a second for "flow"; for "dwell" how fast it is compared with a calm reader.
    say : sequence of str
        One sentence for each state, read aloud by screen readers. Empty if the renderer has its own.
    phases : sequence of (int, str, str)
        First state, name, and role (see ``ROLES``, or empty) of each phase, as the track shows them.
    asks : mapping of int to Question
        What is asked before a state, once a learner has pressed "Predict".

    Raises
    ------
    TypeError
        If `fallback` is no Picture.
    ValueError
        If there is no such renderer, a number of sentences does not fit, or a word has an unknown colour.
    """

    kind: str
    frames: int
    title: str
    caption: str
    data: Mapping[str, Any]
    fallback: Picture
    rhythm: str = "dwell"
    pace: float = 1.0
    say: Sequence[str] = ()
    phases: Sequence[tuple[int, str, str]] = ()
    asks: Mapping[int, Question] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in kinds():
            raise ValueError(f"there is no renderer {self.kind!r}; choose one of {', '.join(kinds())}")
        if self.rhythm not in RHYTHMS:
            raise ValueError(f"rhythm is 'dwell' or 'flow', got {self.rhythm!r}")
        if self.frames < 1 or self.pace <= 0:
            raise ValueError(f"needs at least one frame and a pace above 0, got {self.frames} and {self.pace}")
        if self.say and len(self.say) != self.frames:
            raise ValueError(f"say needs a sentence for each of {self.frames} frames, got {len(self.say)}")
        if not isinstance(self.fallback, Picture):
            raise TypeError(f"fallback is a Picture (what stands there without scripts), got {type(self.fallback)}")
        _colour(self.caption)

    def __repr__(self) -> str:
        return f"Living figure: {self.fallback.alt}"

    def as_json(self) -> str:
        """The story as the page reads it."""
        told = {name: getattr(self, name) for name in ("kind", "frames", "rhythm", "pace", "title")}
        told |= {"caption": _colour(self.caption), "alt": self.fallback.alt, "say": list(self.say)}
        told |= {"phases": [list(phase) for phase in self.phases]}
        told |= {"asks": {str(k): ask.told() for k, ask in self.asks.items()}, "data": self.data}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    def html(self, *, module: str | None = None) -> str:
        """The figure as HTML.

        Parameters
        ----------
        module : str, optional
            The address of the folder with the files of :func:`modules`, for a site that keeps them once. By default the
            module and the one renderer it needs travel inside.

        Returns
        -------
        str
            A custom element with the fallback image in it, and a module script. Nothing is asked for from elsewhere.
        """
        version = f' data-version="{module_version()}"' if module is None else ""
        # Packed, a story is a fraction of its size, and no text in it can end the element that holds it.
        packed = base64.b64encode(zlib.compress(self.as_json().encode("utf-8"), 9)).decode("ascii")
        told = f'<script type="{PACKED}" data-kind="{self.kind}"{version}>{packed}</script>'
        figure = f"<{TAG}>{self.fallback.box()}{told}</{TAG}>"
        if module is not None:
            address = escape(f"{module.rstrip('/')}/{self.kind}.js")
            return f'{figure}<script type="module" src="{address}"></script>'
        return f'{figure}<script type="module">{module_source(self.kind)}</script>'

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": FOLDED + self.html(), "text/plain": repr(self)}


def read_stories(html: str) -> list[dict[str, Any]]:
    """The stories in an output, as the page reads them: to compare what is stored with what is made now."""
    packed = re.findall(rf'<script type="{PACKED}"[^>]*>([^<]*)</script>', html)
    return [json.loads(zlib.decompress(base64.b64decode(each))) for each in packed]


def _colour(caption: str) -> str:
    """A caption as HTML: everything escaped, and the coloured words marked."""

    def word(found: re.Match[str]) -> str:
        if found[2] not in ROLES:
            raise ValueError(f"a word in a caption is coloured as one of {', '.join(ROLES)}, got {found[2]!r}")
        return f'<b class="{found[2]}">{found[1]}</b>'

    return _COLOURED.sub(word, escape(caption, quote=False))


def pack(numbers: Any, dtype: str) -> str:
    """An array as base64 of little-endian bytes, which the page reads as one typed array.

    Examples
    --------
    >>> pack([1, 256], "i2")
    'AQAAAQ=='
    """
    import numpy as np

    return base64.b64encode(np.ascontiguousarray(numbers, dtype=np.dtype(dtype).newbyteorder("<")).tobytes()).decode()


# --- the module -------------------------------------------------------------------------------------------------


@cache
def modules() -> dict[str, str]:
    """The ES modules by file name, for a site that keeps them once (see ``Story.html(module=...)``)."""
    return {path.name: path.read_text("utf-8") for path in sorted(_HERE.glob("*.js"))}


@cache
def kinds() -> tuple[str, ...]:
    """The renderers that there are."""
    return tuple(name.removesuffix(".js") for name in modules() if name != CORE)


@cache
def module_version() -> str:
    """Tells apart what was stored at different times: the first eight digits of a hash over all modules."""
    return hashlib.sha256("".join(modules().values()).encode()).hexdigest()[:8]


@cache
def module_source(kind: str) -> str:
    """Core and renderer as one text. What was read before on the same page is skipped."""
    core, names = _take(_EXPORT, modules()[CORE])
    renderer, used = _take(_IMPORT, modules()[f"{kind}.js"])
    return (
        f"const F=(globalThis.coursepkgFigures??={{waiting:new Set()}}),V='{module_version()}';\n"
        f"if(F.version!==V){{F.version=V;F.renderers={{}};(()=>{{\n{_squeeze(core)}\nF.tools={{{names}}}}})()}}\n"
        f"if(!F.renderers.{kind})(({{{used}}})=>{{\n{_squeeze(renderer)}\n}})(F.tools)"
    )


def _take(pattern: re.Pattern[str], source: str) -> tuple[str, str]:
    """A module without the line that `pattern` finds, and the names in that line."""
    found = pattern.search(source)
    if found is None:
        raise ValueError(f"a module needs one line like {pattern.pattern}")
    names = ",".join(name.strip() for name in found[1].split(",") if name.strip())
    return source[: found.start()] + source[found.end() :], names


def _squeeze(source: str) -> str:
    """Without comments and indentation: what is stored with each figure should be small, not pretty."""
    lines = (line.strip() for line in source.splitlines())
    kept = (re.sub(r"\s// .*$", "", line) for line in lines if not line.startswith("//"))
    return "\n".join(line for line in kept if line)
