"""The words of a check: two to four lines, kind, plain and specific; never the expected value.

Each function returns lines of text. Code words stand between backticks; ``html`` turns lines into markup that reads
without colour (each verdict begins with words that say what it is) and is announced by screen readers.
"""

from __future__ import annotations

import html as _html
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from coursepkg.grading.judging.arrays import np
from coursepkg.grading.judging.calling import CHECK_SECONDS, Outcome
from coursepkg.grading.judging.patterns import FULL_TURN, Pattern, meaning
from coursepkg.grading.judging.showing import agreeing_digits, all_places, call_line, count_word, place, yours
from coursepkg.grading.judging.values import Difference, is_number, kind_of, leaves

PRINTED_LINES = 3
LINE = 235  # characters
NEAR_DIGITS = 3  # a number that is right to so many digits is a near miss
_COLOURS = {"passed": "#0a5c2b", "wrong": "#a31515", "error": "#a31515"}

PATTERNS: dict[str, tuple[str, str]] = {
    "full-turn": (
        "Every angle is right up to a full turn.",
        "Into which interval does the task want them?",
    ),
    "zero": ("Every number is zero.", "Is the result ever filled in, or is it multiplied by something that is zero?"),
    "twice": (
        "Every number is twice what it should be.",
        "Look for a contribution that is counted two times, or a factor 2 too many.",
    ),
    "half": ("Every number is half of what it should be.", "Look for a factor 2 that got lost, or a 1/2 too many."),
    "negative": ("Every number has the wrong sign.", "Look for a minus that is missing, or one too many."),
    "rounded": ("Every number is {}.", "More is asked for: keep all digits to the end."),
    "n-times": (
        "Every number is too large by {}.",
        "Is something summed that should be averaged, or added once per entry?",
    ),
    "one-nth": (
        "Every number is too small by {}.",
        "Is something averaged that should be summed?",
    ),
    "transposed": ("The numbers are right, but the matrix is transposed.", "Write the shapes beside each product."),
    "other-order": ("The right numbers are there, in another order.", "Which number belongs in which place?"),
    "exchanged-parts": ("The right results are there, in each other's places.", "Which of the results is which?"),
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
    "flattened": (
        "The right numbers are there, one after the other: the array is flattened.",
        "Keep its axes apart: which entries make up one row?",
    ),
    "regrouped": (
        "The right numbers are there, but split up into other axes.",
        "Which axes are run together here, or which one is cut into two?",
    ),
    "not-summed": ("One axis is left over: its numbers are not summed yet.", "Which axis must disappear?"),
    "not-averaged": ("One axis is left over: its numbers are not averaged yet.", "Which axis must disappear?"),
    "summed-too-far": ("One axis too many has been summed away.", "Which entries must stay apart?"),
    "changes-input": (
        "The numbers are right, but your function changes what it was given.",
        "The caller still needs its inputs: work on a copy, or write `x = x + ...` in place of `x += ...`.",
    ),
    "accumulates": (
        "The same call made twice gives two different answers.",
        "Something is kept between calls (an outer name, a default `[]`, a `.grad` not reset), drawn at random, or "
        "follows from where things lie in memory (`set`, `id`).",
    ),
    "one-object-for-all-calls": (
        "The numbers are right, but a later call changes what an earlier one returned.",
        "All calls return the same object, made once (an outer name, a default value). Make a new one in each call.",
    ),
    "remembers": (
        "Some calls give the answer that an earlier call, with other numbers, should give.",
        "Something is kept between calls: a cache that looks at shapes alone, or a name outside the function.",
    ),
}

_PYTHON = ".".join(map(str, sys.version_info[:2]))
_ALONE = "Where answers are graded there are no"
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
    ("SyntaxError", "non-printable", "Something that cannot be seen came along with this code: type the line anew."),
    ("SyntaxError", "", f"Python {_PYTHON} cannot read this."),
    ("IndentationError", "", f"Python {_PYTHON} cannot read this: does each line begin where it should?"),
    ("RuntimeError", "start new thread", f"{_ALONE} threads: compute in the function itself."),
    ("PermissionError", "not permitted", f"{_ALONE} other processes, network or event loops: compute in the function."),
    ("ModuleNotFoundError", "", "Plain Python and numpy are enough, and files of your own are not there: use a cell."),
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


def time_limit(compiled: Mapping[str, Any], item: Mapping[str, Any], message: str = "") -> list[str]:
    """A loop without end, most likely; ``message`` is what else is known."""
    lines = [
        f"{compiled['id']} stopped · no answer within {CHECK_SECONDS:g} seconds.",
        message or "A loop may never end: does its condition change, does it reach its `break`?",
    ]
    return lines + call_line(compiled, item)


def error(compiled: Mapping[str, Any], outcome: Outcome, item: Mapping[str, Any]) -> list[str]:
    """An exception inside the learner's code."""
    head = f"{compiled['id']} error · "
    if outcome.kind == "not-attempted":
        where = f" (line {outcome.line})" if outcome.line else ""
        return [
            f"{head}one part is not written yet{where}: it still raises `NotImplementedError`.",
            *call_line(compiled, item),
        ]
    if compiled["hidden"]:
        what = "something has another form than is needed," if outcome.error == "Misfit" else outcome.error
        return [f"{head}{what} on an input that is not shown.", _advice(outcome)]
    if outcome.error == "Misfit":
        return [f"{head}{outcome.message}", *call_line(compiled, item)]
    lines = [f"{head}{outcome.error}" + (f": {outcome.message}" if outcome.message else "")]
    if outcome.line:
        lines.append(f"Line {outcome.line} of your code" + (f": `{outcome.source}`" if outcome.source else "."))
    return [*lines, *call_line(compiled, item), _advice(outcome)]


def misconception(
    compiled: Mapping[str, Any], entry: Mapping[str, Any], outcome: Outcome | None = None, more: str = ""
) -> list[str]:
    """A recognised wrong idea, and what else is to be said."""
    lines = [_looks(compiled, entry, outcome), entry["why"], f"Look again at: {entry['look_at']}"]
    return [*lines, more] if more else lines


def asked(
    compiled: Mapping[str, Any],
    entries: Sequence[Mapping[str, Any]],
    item: Mapping[str, Any],
    outcome: Outcome | None = None,
) -> list[str]:
    """Wrong ideas that would explain everything, though so might others: two at most, as questions."""
    if len(entries) == 1:
        [entry] = entries
        question = [f"Could this be why? {entry['why']}", f"Look again at: {entry['look_at']}"]
        return [_looks(compiled, entry, outcome), *question, *call_line(compiled, item)]
    first, second = entries[:2]
    return [
        f"{compiled['id']} not yet · More than one thing could explain this.",
        _fitting("Could it be this?", first),
        _fitting("Or this?", second),
        *call_line(compiled, item),
    ]


def _looks(compiled: Mapping[str, Any], entry: Mapping[str, Any], outcome: Outcome | None) -> str:
    looks = entry["looks_like"]
    if outcome is not None and outcome.error not in ("", "Misfit") and not compiled["hidden"]:
        where = f" in line {outcome.line}" if outcome.line else ""
        looks = f"{looks} ({outcome.error}{where})"
    return f"{compiled['id']} not yet · {looks}"


def together(compiled: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], sure: bool = True) -> list[str]:
    """Two wrong ideas that are both there, or may be."""
    first, second = entries
    places = " and ".join(dict.fromkeys(entry["look_at"] for entry in entries))
    head = "At least two things are not right yet." if sure else "More than one thing may be behind this."
    lines = [
        f"{compiled['id']} not yet · {head}",
        _fitting("One:" if sure else "Could one of them be this?", first),
        _fitting("Another:" if sure else "And another one this?", second),
        f"Look again at: {places}",
    ]
    return [line if len(line) <= LINE else f"Look again at: {first['look_at']}" for line in lines]


def _fitting(word: str, entry: Mapping[str, Any]) -> str:
    whole = f"{word} {entry['looks_like']} {entry['why']}"
    return whole if len(whole) <= LINE else f"{word} {entry['looks_like']}"


def pattern(
    compiled: Mapping[str, Any], found: Sequence[Pattern], first: Difference | None = None, whole: Any = None
) -> list[str]:
    """Recognised generic patterns, two at most; where shapes differ, they are named."""
    words = []
    for one in found[:2]:
        looks, advice = PATTERNS[one.name]
        looks = looks.format(one.detail)
        if one.name == "ignores-input" and one.paths:
            looks, advice = "This part is the same in every call, and should not be.", "Which inputs does it depend on?"
        if one.name == "full-turn" and not _full_turns(compiled, one):
            looks = looks.replace("full turn", "whole period")
        told = looks
        if one.paths:
            told = f"In {all_places(compiled, one.paths, whole)}: {looks[0].lower()}{looks[1:]}"
        words.append((told, advice))
    if len(words) > 1:
        each = [_sentence(f"{told} {advice}") for told, advice in words]
        head = f"{compiled['id']} not yet · At least two things are not right yet."
        return [head, *each, f"Read again: {compiled['see']}"]
    [(told, advice)] = words
    shapes = [_sentence(_difference_words(compiled, first, whole, "number"))] if first and first.kind == "shape" else []
    return [f"{compiled['id']} not yet · {_sentence(told)}", *shapes, advice, f"Read again: {compiled['see']}"]


def _full_turns(compiled: Mapping[str, Any], found: Pattern) -> bool:
    result: Mapping[str, Any] = compiled.get("result") or {}
    paths = found.paths or ((),)
    periods = [meaning(result, path, ()).get("period", FULL_TURN) for path in paths]
    return all(abs(period - FULL_TURN) < 1e-3 for period in periods)


def difference(
    compiled: Mapping[str, Any],
    first: Difference,
    item: Mapping[str, Any],
    count: tuple[int, int],
    whole: Any = None,
    kind: str = "number",
) -> list[str]:
    """The first difference, without the expected value.

    Parameters
    ----------
    compiled, item : mapping
        The compiled check, and the case.
    first : Difference
        The first difference in that case.
    count : tuple of int
        How many cases are right, of how many.
    whole : object
        The whole right answer of the case, for the names of its parts.
    kind : str
        What the differing part is: "number", "angle", "positions" or "diagnostic".
    """
    lines = [f"{compiled['id']} not yet · {_difference_words(compiled, first, whole, kind)}"]
    if count[0]:
        lines.append(f"{count[0]} of {count[1]} calls are right; this is the first that is not.")
    lines += call_line(compiled, item)
    if (advice := _difference_advice(first)) is not None:
        lines.append(advice)
    return lines[:4]


def changed(compiled: Mapping[str, Any], lines: Sequence[str]) -> list[str]:
    """An answer that changes its arguments, and is wrong besides, as ``lines`` say."""
    head = f"{compiled['id']} not yet · "
    also = [_sentence(lines[0].removeprefix(head))]
    also += [line for line in lines[1:] if not line.startswith("Read again: ") and "calls are right;" not in line]
    return [f"{head}Your function changes what it was given.", PATTERNS["changes-input"][1], *also][:4]


def positions(
    compiled: Mapping[str, Any],
    wanted: Sequence[int],
    got: Sequence[int],
    where: str,
    item: Mapping[str, Any],
    count: tuple[int, int],
) -> list[str]:
    """A wrong list of places: what is missing from it, and what does not belong there.

    Parameters
    ----------
    compiled, item : mapping
        The compiled check, and the case.
    wanted, got : sequence of int
        The right places, and the given ones.
    where : str
        Names the part of the answer ("" for the whole).
    count : tuple of int
        How many cases are right, of how many.
    """
    missing = [name for name in wanted if name not in got]
    strange = list(dict.fromkeys(name for name in got if name not in wanted))
    if not missing and not strange:
        words = "some of the places are there twice" if len(got) != len(wanted) else "the places are in another order"
        words = f"nothing is missing, but {words}"
    elif compiled["hidden"]:
        words = " and ".join(
            [*(["something is missing"] if missing else []), *(["something does not belong there"] if strange else [])]
        )
    else:
        told = [f"{_series(missing)} {'is' if len(missing) == 1 else 'are'} missing"] if missing else []
        if strange:
            verb = "is not one of them" if len(strange) == 1 else "are not among them"
            told.append(f"{_series(strange)} {verb}")
        words = "; ".join(told)
    lines = [f"{compiled['id']} not yet · {_sentence(f'In {where}: {words}' if where else words)}"]
    if count[0]:
        lines.append(f"{count[0]} of {count[1]} calls are right; this is the first that is not.")
    return [*lines, *call_line(compiled, item)]


def _series(names: Sequence[int]) -> str:
    shown = [str(name) for name in names[:6]]
    if len(names) > len(shown):
        return f"{', '.join(shown)} and {len(names) - len(shown)} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _difference_words(compiled: Mapping[str, Any], first: Difference, whole: Any, kind: str) -> str:
    where, hidden = place(compiled, first.path, first.index, whole), compiled["hidden"]
    if first.kind == "kind":
        numbers = is_number(first.got) and is_number(first.expected) and np.asarray(first.expected).dtype.kind == "b"
        got, wanted = "numbers" if numbers else _given(first.got), _wanted(first.expected)
        if isinstance(first.got, np.ndarray) and first.got.ndim and isinstance(first.expected, list | tuple):
            got, wanted = f"one array of shape {first.got.shape}", _several(first.expected, not first.path)
        return f"{where or 'the answer'} should be {wanted}; it is {got}."
    if first.kind == "shape":
        wanted, got = (value.shape or "() (one number)" for value in (first.expected, first.got))
        return f"{where or 'the answer'} should have shape {wanted}; it has {got}."
    if first.kind == "length":
        return f"{where or 'the answer'} should have {_entries(first.expected)}; it has {len(first.got)}."
    if first.kind == "keys":
        return f"{where or 'the answer'} should have the keys {', '.join(map(repr, first.expected))}."
    told = hidden or (isinstance(first.got, float) and not np.isfinite(first.got))
    number = yours(first.got, first.expected)
    shown = "" if told else f" (yours: {number})"
    digits = agreeing_digits(first.got, first.expected)
    if digits >= NEAR_DIGITS:
        gap = abs(first.got - first.expected) / abs(first.expected)
        right = f"{where or 'the number'} is right to {count_word(digits)} digits{shown}; more is asked for"
        return f"{right}. It is off by {_power(gap)} of its size."
    return f"{where or 'the number'} is {_direction(first, kind)}{shown}."


def _power(gap: float) -> str:
    return re.sub(r"e-0*", "e-", f"{gap:.0e}")


def _direction(first: Difference, kind: str) -> str:
    got, wanted = first.got, first.expected
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in (got, wanted)):
        return "not right"
    if np.isnan(got):
        return "NaN, not a number"
    if np.isinf(got):
        return "infinite"
    if kind == "angle":
        return "not right, not even up to a full turn"
    if kind == "number" and wanted and -2 <= got / wanted <= -0.5:  # else its sign is the least of it
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
    if (isinstance(expected, np.ndarray) and expected.shape == (0,)) or (isinstance(expected, list) and not expected):
        return "an empty list or array"
    if isinstance(expected, list | tuple):
        return f"a list or tuple of {_entries(expected)}"
    if isinstance(expected, np.ndarray) and expected.ndim == 1:
        return f"a list or an array of {len(expected)} number{'s' if len(expected) != 1 else ''}"
    return kind_of(expected)


def _entries(value: Sequence[Any]) -> str:
    return f"{len(value)} entr{'ies' if len(value) != 1 else 'y'}"


def _several(expected: Sequence[Any], outermost: bool) -> str:
    """What is asked for where one array was given: "a tuple of two results", "a list of one array"."""
    if isinstance(expected, tuple):
        thing = "result" if outermost else "part"
    else:
        thing = "array" if all(isinstance(item, np.ndarray) for item in expected) else "part"
    return f"{kind_of(expected)} of {count_word(len(expected))} {thing}{'s' if len(expected) != 1 else ''}"


def _given(value: Any) -> str:
    """What kind of thing was given; of a list that cannot be read as numbers, what it holds."""
    if not isinstance(value, list | tuple):
        return kind_of(value)
    if not value:
        return f"an empty {kind_of(value)[2:]}"
    odd = next((leaf for leaf in leaves(value) if not is_number(leaf)), 0)
    if not is_number(odd):
        return f"{kind_of(value)} that holds {kind_of(odd)}"
    kinds = {"number" if np.ndim(item) == 0 else kind_of(item).split()[1] for item in value if is_number(item)}
    kinds |= {kind_of(item).split()[1] for item in value if not is_number(item)}
    if len(kinds) == 1:
        return f"{kind_of(value)} of {kinds.pop()}s"
    return f"{kind_of(value)} that holds {' and '.join(f'{kind}s' for kind in sorted(kinds))}"


def _advice(outcome: Outcome) -> str:
    for name, word, advice in ADVICE:
        if outcome.error == name and word in outcome.message:
            return advice
    return "Call your function by hand with this input, and print what it holds just before."


def _sentence(text: str) -> str:
    text = text.strip() or "No reason was given."
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def credit(
    compiled: Mapping[str, Any],
    earned: float,
    right: Sequence[tuple[Any, ...]],
    wrong: Sequence[tuple[Any, ...]],
    whole: Any,
) -> str:
    """Which parts of an answer have earned their points, and which have not yet."""
    is_right, is_wrong = ("is" if len(paths) == 1 else "are" for paths in (right, wrong))
    good, bad = all_places(compiled, right, whole), all_places(compiled, wrong, whole)
    return f"{earned:g} of {compiled['points']} points: {good} {is_right} right, {bad} {is_wrong} not yet."


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
