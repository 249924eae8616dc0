"""A choice as a ladder of questions: each is answered by yes, which ends it, or by no, which leads to the next."""

from collections.abc import Sequence

from coursepkg.visualize.paper import EDGE, HIGHLIGHT, INK, MUTED, PAPER, SHADE, Picture, page, plural, svg, wrap

_SIZE, _ROW, _PAD = 13.0, 17.0, 10.0
_ASK, _WORD, _ANSWER, _GAP = 262.0, 50.0, 200.0, 24.0


def draw_choice(
    questions: Sequence[tuple[str, str]], otherwise: str, *, taken: int | None = None, title: str = ""
) -> Picture:
    """Draw questions from top to bottom, and beside each what a yes leads to.

    Parameters
    ----------
    questions : sequence of (str, str)
        A question, and what to do if the answer is yes.
    otherwise : str
        What to do if all answers are no.
    taken : int, optional
        Which question is the first to be answered by yes; the number of questions if none is. The way there is marked.
    title : str
        A line above.

    Raises
    ------
    ValueError
        If there are no questions, or no such place.

    Examples
    --------
    >>> print(draw_choice([("Is it short?", "read it")], "ask a friend", taken=1).alt)
    1 question, one after the other. Is it short? Yes: read it. Else: ask a friend. Marked: ask a friend.
    """
    if not questions:
        raise ValueError("a choice needs at least one question")
    if taken is not None and not 0 <= taken <= len(questions):
        raise ValueError(f"with {len(questions)} questions the way ends at 0 to {len(questions)}, got {taken}")
    parts: list[str] = []
    y = 14.0
    for number, (question, answer) in enumerate(questions):
        asked, said = _lines(question, _ASK), _lines(answer, _ANSWER)
        height = _ROW * max(len(asked), len(said)) + 2 * _PAD
        parts += _rung(y, height, asked, said, taken, number)
        y += height + _GAP
    lines = _lines(otherwise, _ASK)
    height = _ROW * len(lines) + 2 * _PAD
    parts += _box(14, y, _ASK, height, lines, marked=taken == len(questions), ending=True)
    read = " ".join(f"{question} Yes: {answer}." for question, answer in questions)
    alt = f"{plural(len(questions), 'question')}, one after the other. {read} Else: {otherwise}."
    if taken is not None:
        alt += f" Marked: {[*(answer for _, answer in questions), otherwise][taken]}."
    return page(_ASK + _WORD + _ANSWER + 28, y + height + 14, parts, alt, title=title)


def _lines(words: str, width: float) -> list[str]:
    """Lines that fit into a box, in bold as well."""
    return wrap(words, _SIZE * svg.BOLD, width - 2 * _PAD)


def _rung(y: float, height: float, asked: list[str], said: list[str], taken: int | None, number: int) -> list[str]:
    """A question, the arrow to its answer, and the one to the next question."""
    passed, ends = taken is not None and number < taken, taken == number
    middle, right = y + height / 2, 14 + _ASK
    style = {"stroke": INK if ends else EDGE, "width": 3.2 if ends else 1.4}
    parts = [svg.line(right, middle, right + _WORD - 6, middle, **style)]
    parts.append(svg.arrow_head(right + _WORD, middle, size=9, fill=INK if ends else EDGE))
    parts.append(svg.text(right + _WORD / 2 - 4, middle - 6, "yes", size=13, anchor="middle", fill=MUTED, role="word"))
    down = {"stroke": INK if passed else EDGE, "width": 3.2 if passed else 1.4}
    x = 14 + _ASK / 2
    parts.append(svg.line(x, y + height, x, y + height + _GAP, **down))
    parts.append(svg.text(x + 10, y + height + 16, "no", size=13, fill=MUTED, role="word"))
    parts += _box(14, y, _ASK, height, asked, marked=passed or ends, ending=False)
    return parts + _box(right + _WORD, y, _ANSWER, height, said, marked=ends, ending=True)


def _box(x: float, y: float, width: float, height: float, lines: list[str], *, marked: bool, ending: bool) -> list[str]:
    fill = HIGHLIGHT if marked and ending else SHADE if ending else PAPER
    stroke, thick = (INK, 3.2) if marked else (EDGE, 1.4)
    role = "answer" if ending else "question"
    parts = [svg.rectangle(x, y, width, height, radius=8, fill=fill, stroke=stroke, line_width=thick, role=role)]
    first = y + height / 2 - _ROW * (len(lines) - 1) / 2 + 4.5
    weight = "bold" if ending and marked else "normal"
    for row, line in enumerate(lines):
        ink = svg.text(x + _PAD, first + _ROW * row, line, size=_SIZE, weight=weight, fill=INK, halo=False, role=role)
        parts.append(ink)
    return parts
