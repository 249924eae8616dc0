"""The concept inventory of notebook 00: ten questions on derivatives and the chain rule, marked on the spot.

Each wrong option is a known misconception, so a wrong answer is worth more than "wrong": it says what was
probably thought, and where to read. The idea of such inventories: Hestenes, Wells and Swackhamer, "Force Concept
Inventory", The Physics Teacher 30 (1992); for calculus: Epstein, "The Calculus Concept Inventory" (2013).
"""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursepkg.grading.learning import notebook, record
from coursepkg.grading.learning.inventory_questions import QUESTIONS, Question


@dataclass(frozen=True)
class Mark:
    """What the inventory says of one answer.

    Parameters
    ----------
    question
        The question that was answered.
    choice
        The letter given, in lower case; empty if the question was left open.
    """

    question: Question
    choice: str

    @property
    def correct(self) -> bool:
        return self.choice == self.question.answer

    @property
    def text(self) -> str:
        """One or two sentences: what the answer shows, and where to read on if it was wrong."""
        if not self.choice:
            return "not answered"
        if self.correct:
            return f"right: {self.question.because}"
        return f"not yet: {self.question.options[self.choice].thought} {self.question.reading}"


class Marks(list[Mark]):
    """The marks of all questions; prints itself, and says what to read before chapter 01."""

    @property
    def score(self) -> int:
        return sum(mark.correct for mark in self)

    @property
    def advice(self) -> str:
        answered = sum(bool(mark.choice) for mark in self)
        if answered == 0:
            return "Nothing is marked yet. Guessing is fine: a wrong guess tells you what to look out for."
        missed = list(dict.fromkeys(mark.question.concept for mark in self if mark.choice and not mark.correct))
        if not missed:
            return "You have what chapters 01 and 02 build on. Go ahead."
        return f"Look out for these in chapters 01 and 02: {', '.join(missed)}."

    def __str__(self) -> str:
        lines = [f"{mark.question.number:>2}  {mark.text}" for mark in self if mark.choice]
        return "\n".join([*lines, "", f"{self.score} of {len(self)}. {self.advice}"]).lstrip()

    __repr__ = __str__


class Questions(tuple[Question, ...]):
    """The questions, shown as a list that reads well on screen, on paper and aloud."""

    def _repr_html_(self) -> str:
        items = []
        for question in self:
            options = "".join(
                f"<div style='margin-left:1.5em'><b>{letter}</b> {html.escape(option.text)}</div>"
                for letter, option in question.options.items()
            )
            items.append(f"<p><b>{question.number}.</b> {html.escape(question.text)}</p>{options}")
        return "".join(items)

    def __repr__(self) -> str:
        blocks = []
        for question in self:
            options = [f"   {letter}  {option.text}" for letter, option in question.options.items()]
            blocks.append("\n".join([f"{question.number}. {question.text}", *options]))
        return "\n\n".join(blocks)


def questions() -> Questions:
    """Return all questions; the last line of a cell shows them."""
    return Questions(QUESTIONS)


def mark(answers: Mapping[int, str]) -> Marks:
    """Mark a set of answers.

    Parameters
    ----------
    answers
        Question number to the letter chosen, ``{1: "a", 2: "c"}``. Missing numbers and empty letters count as
        not answered; capital letters are fine.

    Returns
    -------
    Marks
        One mark per question, in order; printing it gives the verdicts and a reading suggestion.

    Raises
    ------
    ValueError
        If a number is not a question, or a letter is not one of its options.
    """
    by_number = {question.number: question for question in QUESTIONS}
    for number, letter in answers.items():
        if number not in by_number:
            raise ValueError(f"there is no question {number!r}; the questions are 1 to {len(QUESTIONS)}")
        if letter and str(letter).strip().lower() not in by_number[number].options:
            letters = ", ".join(by_number[number].options)
            raise ValueError(f"question {number} has the options {letters}; you gave {letter!r}")
    return Marks(Mark(question, str(answers.get(question.number) or "").strip().lower()) for question in QUESTIONS)


def ask(again: bool = False) -> Any:
    """Return a form with one group of buttons per question; each choice is answered at once.

    The letters are kept in the learner's record, where there is one. So the form shows them again when its cell is run
    on another day.

    Parameters
    ----------
    again
        True for the second time, after the course. Its letters are kept beside the first ones, and the form is empty.

    Returns
    -------
    ipywidgets.VBox
        The form; its last line keeps the score.
    """
    import ipywidgets as widgets

    path = notebook.own_record()
    kept = _record(path)
    answers = _letters(kept, again)
    total = widgets.HTML(_total(answers, kept.notice))

    def row(question: Question) -> widgets.Widget:
        verdict = widgets.HTML(_verdict(question, answers))
        choice = widgets.RadioButtons(
            options=[(f"{letter} · {option.text}", letter) for letter, option in question.options.items()],
            value=answers.get(question.number),
            layout=widgets.Layout(width="auto"),
        )

        def answered(change: dict[str, Any]) -> None:
            answers[question.number] = change["new"]
            notice = _keep(path, question.number, change["new"], again)
            verdict.value, total.value = _verdict(question, answers), _total(answers, notice)

        choice.observe(answered, names="value")
        heading = widgets.HTML(f"<p><b>{question.number}.</b> {html.escape(question.text)}</p>")
        return widgets.VBox([heading, choice, verdict])

    return widgets.VBox([*(row(question) for question in QUESTIONS), total])


def hand_in(code: str, folder: Path | str = ".") -> Path:
    """Write your letters of both times into a small table, to be handed in without your name.

    Parameters
    ----------
    code
        What you make up and will know again: 3 to 24 letters and digits. It is all that stands beside your letters.
    folder
        Where the table is written.

    Returns
    -------
    Path
        The table, ``ten-questions-CODE.csv``. Open it, and see that nothing else is in it.

    Raises
    ------
    ValueError
        If the code is none, or if no letters are kept here.
    """
    from coursepkg.grading.learning import inventory_class

    code = inventory_class.checked_code(code)
    kept = _record(notebook.own_record())
    times = {inventory_class.BEFORE: _letters(kept), inventory_class.AFTER: _letters(kept, again=True)}
    sheets = [inventory_class.Sheet(code, time, letters) for time, letters in times.items() if letters]
    if not sheets:
        line = "no letters are kept here yet: answer the questions of inventory.ask() first, in this folder"
        raise ValueError(f"{line}. {kept.notice}" if kept.notice else line)
    target = Path(folder) / f"ten-questions-{code}.csv"
    target.write_text(inventory_class.table(sheets), encoding="utf-8")
    print(
        f"{target.name}: {' and '.join(sheet.time for sheet in sheets)}. Your code is {code}; your name is not in it."
    )
    return target


def _record(path: Path | None) -> record.Record:
    return record.Record() if path is None else record.read(path)


def _letters(kept: record.Record, again: bool = False) -> dict[int, str]:
    """The letters in the record that are options; others may stand there, because the file is the learner's to edit."""
    found = kept.questions_again if again else kept.questions
    return {item.number: found[item.number] for item in QUESTIONS if found.get(item.number) in item.options}


def _keep(path: Path | None, number: int, letter: str, again: bool) -> str:
    """Keep a letter; returns a line about the file, if there is one."""

    def change(now: record.Record) -> None:
        (now.questions_again if again else now.questions)[number] = letter

    return "" if path is None else record.update(path, change).notice


def _verdict(question: Question, answers: Mapping[int, str]) -> str:
    if question.number not in answers:
        return ""
    chosen = mark(answers)[question.number - 1]
    sign, colour = ("✓", "#1a7f37") if chosen.correct else ("✗", "#c1420b")
    words = f"<b style='color:{colour}'>{sign}</b> {html.escape(chosen.text)}"
    return f"<p role='status' style='margin:0 0 0 1.5em'>{words}</p>"


def _total(answers: Mapping[int, str], notice: str = "") -> str:
    marks, line = mark(answers), f" {html.escape(notice)}" if notice else ""
    if not answers:
        return f"<p role='status'>0 of {len(marks)} answered.{line}</p>"
    summary = f"{len(answers)} of {len(marks)} answered, {marks.score} right. {html.escape(marks.advice)}"
    return f"<p role='status'><b>{summary}</b>{line}</p>"
