"""The words of a check: two to four lines, kind, plain and specific; never the expected value.

Each function returns lines of text. Code words stand between backticks; ``html`` turns lines into markup that reads
without colour (each verdict begins with words that say what it is) and is announced by screen readers.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from coursepkg.grading.calling import CHECK_SECONDS, Outcome
from coursepkg.grading.drivers import DRIVERS
from coursepkg.grading.patterns import Pattern
from coursepkg.grading.values import Difference, decode, kind_of

PRINTED_LINES = 3
_COLOURS = {"passed": "#0a5c2b", "wrong": "#a31515", "error": "#a31515"}

PATTERNS: dict[str, tuple[str, str]] = {
    "zero": ("Every number is zero.", "Is the result ever filled in, or is it multiplied by something that is zero?"),
    "twice": (
        "Every number is twice what it should be.",
        "Look for a contribution that is counted two times, or a factor 2 too many.",
    ),
    "half": ("Every number is half of what it should be.", "Look for a factor 2 that got lost, or a 1/2 too many."),
    "negative": ("Every number has the wrong sign.", "Look for a minus that is missing, or one too many."),
    "n-times": (
        "Every number is too large by the size of the input.",
        "Is something summed that should be averaged, or added once per entry?",
    ),
    "one-nth": (
        "Every number is too small by the size of the input.",
        "Is something averaged that should be summed?",
    ),
    "transposed": ("The numbers are right, but the matrix is transposed.", "Write the shapes beside each product."),
    "other-order": ("The right numbers are there, in another order.", "Which number belongs to which input?"),
    "wrong-axis": (
        "The total is right, but the sum runs over the wrong axis.",
        "Which axis counts the examples, and which must remain?",
    ),
    "ignores-input": (
        "The answer is the same whatever the inputs are.",
        "Does every argument take part? A fixed number in place of an argument does this.",
    ),
    "constant-factor": (
        "Every number is off by one and the same factor.",
        "Look for a constant that is missing, or one too many.",
    ),
    "extra-axis": ("The numbers are right, but the shape is not.", "Look for an axis of length 1 too many or too few."),
    "not-summed": ("One axis is left over: its numbers are not summed yet.", "Which axis must disappear?"),
    "not-averaged": ("One axis is left over: its numbers are not averaged yet.", "Which axis must disappear?"),
    "summed-too-far": ("One axis too many has been summed away.", "Which entries must stay apart?"),
    "changes-input": (
        "The numbers are right, but your function changes what it was given.",
        "The caller still needs its inputs: work on a copy, or write `x = x + ...` in place of `x += ...`.",
    ),
    "accumulates": (
        "The same call made twice gives two different answers.",
        "Something is kept between calls (an outer name, a default `[]`, a `.grad` not reset), or drawn at random.",
    ),
}

ADVICE: tuple[tuple[str, str, str], ...] = (
    ("TypeError", "unsupported operand", "Between these two kinds the operation is not defined: is a method missing?"),
    ("TypeError", "not callable", "Something that is no function is called: brackets too many, or a name used twice?"),
    ("TypeError", " argument", "A function was called with too many or too few arguments."),
    ("TypeError", "NoneType", "Something is `None`: did a function end without `return`?"),
    ("AttributeError", "NoneType", "Something is `None`: did a function end without `return`?"),
    ("ValueError", "matmul", "The inner lengths of a matrix product must agree: print the two shapes."),
    ("ValueError", "broadcast", "Two shapes do not fit together: print them just before this line."),
    ("ValueError", "shapes", "Two shapes do not fit together: print them just before this line."),
    ("ValueError", "truth value", "An array is used where one True or False is needed: try `np.where`."),
    ("ValueError", "math domain", "A logarithm or root got a number outside its domain."),
    ("NameError", "", "A name is used before it exists: check its spelling, or run the cell that defines it."),
    ("UnboundLocalError", "", "A name is used before it gets its first value inside the function."),
    ("ModuleNotFoundError", "", "This module is not needed here: plain Python and numpy are enough."),
    ("ImportError", "", "This import is not needed here: plain Python and numpy are enough."),
    ("IndexError", "", "An index runs past the end: compare it with the length."),
    ("KeyError", "", "This key is not in the dictionary: print its keys."),
    ("ZeroDivisionError", "", "Something is divided by zero: which inputs make the denominator vanish?"),
    ("OverflowError", "", "A number became too large: is an exponent growing without bound?"),
    ("AttributeError", "", "This object has no such attribute: check the spelling, and what kind of object it is."),
    ("RecursionError", "", "The function calls itself without end: which case stops it?"),
    ("MemoryError", "", "The function asked for more memory than there is: does something grow without end?"),
    ("SystemExit", "", "The function ends the program: take `exit()` out and return a value."),
    ("KeyboardInterrupt", "", "The check was interrupted: run the cell again."),
    ("AssertionError", "", "One of your own `assert` lines does not hold for this input."),
    ("TypeError", "", "A value has another kind than the line expects: print `type(...)` just before it."),
    ("ValueError", "", "A value is outside what the line can take: print it just before."),
)


# --- verdicts --------------------------------------------------------------------------------------------------------


def passed(compiled: Mapping[str, Any]) -> list[str]:
    """All cases right."""
    return [f"{compiled['id']} passed · {compiled['title']} ({len(compiled['cases'])} calls, all right)"]


def not_attempted(compiled: Mapping[str, Any], message: str) -> list[str]:
    """The stub is still there, or the answer uses another exercise's stub."""
    head = f"{compiled['id']} not attempted · {compiled['title']}"
    other = re.match(r"(\d\d\.\d+): write your answer here", message)
    if other and other[1] != compiled["id"]:
        return [head, f"Your answer uses the one to {other[1]}, which is not written yet: begin there."]
    return [head, f'Replace the `raise NotImplementedError` line by your own. A nudge: `hint("{compiled["id"]}")`']


def infrastructure(message: str) -> list[str]:
    """The grader's own trouble."""
    return ["This check could not run; it says nothing about your answer.", _sentence(message)]


def wrong_kind(compiled: Mapping[str, Any], message: str) -> list[str]:
    """The answer cannot be used at all."""
    name = compiled["function"]
    return [
        f"{compiled['id']} cannot be checked · {message}",
        f'Define `{name}` as the task says, then write `check("{compiled["id"]}", {name})`, without brackets after it.',
    ]


def time_limit(compiled: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    """A loop without end, most likely."""
    lines = [
        f"{compiled['id']} stopped · no answer within {CHECK_SECONDS:g} seconds.",
        "A loop may never end: does its condition change, does it reach its `break`?",
    ]
    return lines + _call_line(compiled, item)


def error(compiled: Mapping[str, Any], outcome: Outcome, item: Mapping[str, Any]) -> list[str]:
    """An exception inside the learner's code."""
    head = f"{compiled['id']} error · "
    if outcome.kind == "not-attempted":
        where = f" (line {outcome.line})" if outcome.line else ""
        return [
            f"{head}one part is not written yet{where}: it still raises `NotImplementedError`.",
            *_call_line(compiled, item),
        ]
    if compiled["hidden"]:
        return [f"{head}{outcome.error} on an input that is not shown.", _advice(outcome)]
    if outcome.error == "Misfit":
        return [f"{head}{outcome.message}", *_call_line(compiled, item)]
    lines = [f"{head}{outcome.error}" + (f": {outcome.message}" if outcome.message else "")]
    if outcome.line:
        lines.append(f"Line {outcome.line} of your code" + (f": `{outcome.source}`" if outcome.source else "."))
    return [*lines, *_call_line(compiled, item), _advice(outcome)]


def misconception(compiled: Mapping[str, Any], entry: Mapping[str, Any], outcome: Outcome | None = None) -> list[str]:
    """A recognised wrong idea."""
    looks = entry["looks_like"]
    if outcome is not None and outcome.error and not compiled["hidden"]:
        where = f" in line {outcome.line}" if outcome.line else ""
        looks = f"{looks} ({outcome.error}{where})"
    return [f"{compiled['id']} not yet · {looks}", entry["why"], f"Look again at: {entry['look_at']}"]


def pattern(compiled: Mapping[str, Any], found: Pattern, first: Difference | None = None) -> list[str]:
    """A recognised generic pattern; where shapes differ, they are named."""
    looks, advice = PATTERNS[found.name]
    part = f"In {_part(found.part)}: {looks[0].lower()}{looks[1:]}" if found.part is not None else looks
    shapes = [_sentence(_difference_words(first, compiled["hidden"]))] if first and first.kind == "shape" else []
    return [f"{compiled['id']} not yet · {part}", *shapes, advice, f"Read again: {compiled['see']}"]


def difference(
    compiled: Mapping[str, Any], first: Difference, item: Mapping[str, Any], count: tuple[int, int], changed: bool
) -> list[str]:
    """The first difference, without the expected value."""
    lines = [f"{compiled['id']} not yet · {_difference_words(first, compiled['hidden'])}"]
    if count[0]:
        lines.append(f"{count[0]} of {count[1]} calls are right; this is the first that is not.")
    lines += _call_line(compiled, item)
    if changed:
        lines.append("Your function also changes its arguments: work on a copy.")
    elif (advice := _difference_advice(first)) is not None:
        lines.append(advice)
    return lines[:4]


def _difference_words(first: Difference, hidden: bool) -> str:
    where = place(first.path, first.index)
    if first.kind == "kind":
        numbers = isinstance(first.got, np.ndarray) and np.asarray(first.expected).dtype.kind == "b"
        got, wanted = "numbers" if numbers else kind_of(first.got), _wanted(first.expected)
        return f"{where or 'the answer'} should be {wanted}; it is {got}."
    if first.kind == "shape":
        wanted, got = (value.shape or "() (one number)" for value in (first.expected, first.got))
        return f"{where or 'the answer'} should have shape {wanted}; it has {got}."
    if first.kind == "length":
        return f"{where or 'the answer'} should have {len(first.expected)} entries; it has {len(first.got)}."
    if first.kind == "keys":
        return f"{where or 'the answer'} should have the keys {', '.join(map(repr, first.expected))}."
    told = hidden or (isinstance(first.got, float) and not np.isfinite(first.got))
    shown = "" if told else f" (yours: {_short(first.got)})"
    return f"{where or 'the number'} is {_direction(first)}{shown}."


def _direction(first: Difference) -> str:
    got, wanted = first.got, first.expected
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (got, wanted)):
        return "not right"
    if np.isnan(got):
        return "NaN, not a number"
    if np.isinf(got):
        return "infinite"
    if got and wanted and (got > 0) != (wanted > 0):
        return "of the wrong sign"
    return "too large" if got > wanted else "too small"


def _difference_advice(first: Difference) -> str | None:
    if first.kind == "kind" and first.got is None:
        return "A function without `return` gives `None`."
    if first.kind == "kind" and isinstance(first.got, str):
        return "Return the number itself, not its text."
    if first.kind == "shape" and first.got.ndim == 2 and first.expected.ndim == 1:
        return "Shapes (n, 1) and (n,) combined give (n, n): look for such a pair."
    if first.kind == "value" and isinstance(first.got, float) and np.isnan(first.got):
        return "NaN comes from 0/0, inf - inf, or the root or logarithm of a negative number."
    return None


def _wanted(expected: Any) -> str:
    if isinstance(expected, np.ndarray) and expected.dtype.kind == "b":
        return "True or False for each entry"
    if isinstance(expected, list | tuple):
        return f"a list or tuple of {len(expected)} entries"
    return kind_of(expected)


def place(path: Sequence[Any], index: Sequence[int]) -> str:
    """Name a place inside an answer: "`gradients`, entry 2"."""
    words = [f"`{name}`" if isinstance(name, str) else f"part {name}" for name in path]
    if index:
        words.append(f"entry {index[0] if len(index) == 1 else tuple(index)}")
    return ", ".join(words)


def _part(part: Any) -> str:
    names = part if isinstance(part, tuple) else (part,)
    return " and ".join(place((name,), ()) for name in names)


def _call_line(compiled: Mapping[str, Any], item: Mapping[str, Any]) -> list[str]:
    if compiled["hidden"]:
        return []
    args = [decode(arg) for arg in item["args"]]
    kwargs = {name: decode(value) for name, value in item["kwargs"].items()}
    show = DRIVERS[compiled["driver"]].show
    if show is not None:
        return [f"For {show(*args, **kwargs)}"]
    words = [_short(arg) for arg in args] + [f"{name}={_short(value)}" for name, value in kwargs.items()]
    text = f"{compiled['function']}({', '.join(words)})"
    return [f"For `{text}`"] if len(text) <= 110 else [f"For `{text[:106]}...`"]


def _short(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, complex):
        return f"{value:.4g}"
    if isinstance(value, np.ndarray) and (value.ndim > 1 or value.size > 6):
        return f"array of shape {value.shape}"
    if isinstance(value, np.ndarray):
        return f"array({_short(value.tolist())})" if value.ndim else _short(value.item())
    if isinstance(value, list | tuple):
        if len(value) > 6:
            return f"{kind_of(value)[2:]} of length {len(value)}"
        inner = ", ".join(_short(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_short(item)}" for key, item in value.items()) + "}"
    return repr(value)[:60]


def _advice(outcome: Outcome) -> str:
    for name, word, advice in ADVICE:
        if outcome.error == name and word in outcome.message:
            return advice
    return "Call your function by hand with this input, and print what it holds just before."


def _sentence(text: str) -> str:
    text = text.strip() or "No reason was given."
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def side_effects(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """The first lines that the answer printed, and its first warning."""
    first = next((outcome for outcome in outcomes if outcome.printed.strip()), None)
    lines = first.printed.strip().splitlines() if first else []
    shown = [f"  printed: {line[:100]}" for line in lines[:PRINTED_LINES]]
    if len(lines) > PRINTED_LINES:
        shown.append("  printed: ... (and more)")
    warned = next((outcome.warned for outcome in outcomes if outcome.warned), "")
    return (*shown, *([f"  warned: {warned}"] if warned else []))


# --- markup ----------------------------------------------------------------------------------------------------------


def markup(line: str) -> str:
    """One line as HTML: escaped, with backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _html.escape(line))


def html(status: str, lines: Sequence[str], printed: Sequence[str] = ()) -> str:
    """A verdict or a hint as HTML; the words carry the meaning, colour only repeats it."""
    colour = _COLOURS.get(status, "#5a5a5a")
    head, dot, rest = lines[0].partition(" · ")
    body = "<br>".join([f"<strong>{markup(head)}</strong>{dot}{markup(rest)}", *map(markup, lines[1:])])
    extra = f"<pre style='margin:0.3em 0 0'>{_html.escape(chr(10).join(printed))}</pre>" if printed else ""
    return f"<div role='status' style='border-left:4px solid {colour};padding:0.2em 0.8em'>{body}{extra}</div>"
