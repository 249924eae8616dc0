"""The right answers of the concept inventory are right, and every wrong one says what was probably thought."""

import pytest
import sympy

from coursepkg.grading.learning import inventory, record
from coursepkg.grading.learning.inventory_questions import QUESTIONS

NUMBERS = [question.number for question in QUESTIONS]
x, y, a, b = sympy.symbols("x y a b", real=True)
g = sympy.Function("g")

# What each question asks, computed by sympy: question number -> the numbers in the option it must be.
BY_SYMPY = {
    1: [10 + 2 * sympy.Rational(1, 10)],
    2: [sympy.diff(x**3, x).subs(x, 5)],
    4: [sympy.Rational(1, 2) * 4],
    5: [sympy.diff(x * g(x), x).subs(sympy.Derivative(g(x), x), 5).subs(g(x), 3).subs(x, 2)],
    6: [sympy.diff(2 * x + 5 * x, x)],
    7: [sympy.diff(x**2 * y, y).subs({x: 3, y: 2})],
    9: [sympy.diff(sympy.Min(a, b), each).subs({a: 2, b: 7}) for each in (a, b)],
}


def test_there_are_ten_questions_numbered_in_order():
    assert [question.number for question in QUESTIONS] == list(range(1, 11))


@pytest.mark.parametrize("question", QUESTIONS, ids=NUMBERS)
def test_only_the_right_option_has_no_misconception_behind_it(question):
    assert list(question.options) == ["a", "b", "c", "d"]
    assert [letter for letter, option in question.options.items() if not option.thought] == [question.answer]
    assert len({option.text for option in question.options.values()}) == 4
    assert question.reading.startswith("Chapter 0")


@pytest.mark.parametrize("number", sorted(BY_SYMPY))
def test_right_answer_agrees_with_sympy(number):
    question = QUESTIONS[number - 1]
    numbers = [float(text) for text in question.options[question.answer].text.split(" and ")]
    assert numbers == pytest.approx([float(value) for value in BY_SYMPY[number]], rel=1e-12)


def test_no_other_derivative_of_the_cube_is_the_right_answer():
    """Somebody who differentiates twice, or divides by the power, must not be right by chance."""
    right = float(QUESTIONS[1].options["c"].text)
    others = [sympy.diff(x**3, x, 2), sympy.integrate(x**3, x), x**3, x**3 / x, x**3 / 3]
    assert right not in [float(other.subs(x, 5)) for other in others]


def test_chain_rule_question_agrees_with_sympy():
    question = QUESTIONS[2]
    forms = {
        "a": sympy.cos(x**2),
        "b": sympy.cos(2 * x),
        "c": 2 * x * sympy.cos(x**2),
        "d": 2 * sympy.sin(x) * sympy.cos(x),
    }
    derivative = sympy.diff(sympy.sin(x**2), x)
    assert [letter for letter, form in forms.items() if sympy.simplify(form - derivative) == 0] == [question.answer]


def test_right_answers_are_spread_over_the_letters():
    letters = [question.answer for question in QUESTIONS]
    assert all(2 <= letters.count(letter) <= 3 for letter in "abcd")


def test_all_right():
    marks = inventory.mark({question.number: question.answer.upper() for question in QUESTIONS})
    assert marks.score == 10
    assert "Go ahead" in marks.advice


@pytest.mark.parametrize("question", QUESTIONS, ids=NUMBERS)
def test_each_wrong_answer_is_explained_and_names_what_to_read(question):
    for letter in set(question.options) - {question.answer}:
        marks = inventory.mark({question.number: letter})
        text = marks[question.number - 1].text
        assert marks.score == 0
        assert question.options[letter].thought in text
        assert question.reading in text
        assert question.concept in marks.advice


def test_an_empty_sheet_is_not_a_failed_one():
    marks = inventory.mark({})
    assert marks.score == 0
    assert (
        str(marks) == "0 of 10. Nothing is marked yet. Guessing is fine: a wrong guess tells you what to look out for."
    )


@pytest.mark.parametrize(
    ("answers", "words"), [({11: "a"}, "there is no question 11"), ({3: "x"}, "options a, b, c, d")]
)
def test_a_slip_of_the_pen_is_answered_in_words(answers, words):
    with pytest.raises(ValueError, match=words):
        inventory.mark(answers)


def test_form_marks_each_choice_at_once():
    form = inventory.ask()
    *rows, total = form.children
    first = rows[0].children[1]
    first.value = "c"
    assert "adds the derivative itself" in rows[0].children[2].value
    first.value = "b"
    assert "right" in rows[0].children[2].value
    assert "1 of 10 answered, 1 right" in total.value


def test_a_right_answer_and_a_wrong_one_look_different():
    form = inventory.ask()
    question, choice, verdict = QUESTIONS[0], *form.children[0].children[1:]
    choice.value = question.answer
    assert "✓</b> right" in verdict.value
    choice.value = next(letter for letter in question.options if letter != question.answer)
    assert "✗</b> not yet" in verdict.value


def test_the_letters_are_there_again_when_the_form_is_opened_another_day(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(tmp_path / "progress.json"))
    right, wrong = QUESTIONS[1], QUESTIONS[4]
    first = inventory.ask()
    first.children[1].children[1].value = right.answer
    first.children[4].children[1].value = letter = next(each for each in wrong.options if each != wrong.answer)
    again = inventory.ask()
    assert [row.children[1].value for row in again.children[:5]] == [None, right.answer, None, None, letter]
    assert "✓</b> right" in again.children[1].children[2].value
    assert "✗</b> not yet" in again.children[4].children[2].value
    assert "2 of 10 answered, 1 right" in again.children[-1].value


def test_a_letter_that_is_no_option_is_not_shown(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(path))
    record.update(path, lambda kept: kept.questions.update({3: "z", 77: "a", 8: "d"}))
    form = inventory.ask()
    assert [row.children[1].value for row in form.children[:-1]] == [None] * 7 + ["d"] + [None] * 2


def test_a_damaged_record_and_one_that_cannot_be_written_are_named_in_the_form(tmp_path, monkeypatch):
    path = tmp_path / "<b>.json"
    monkeypatch.setenv("COURSEPKG_PROGRESS", str(path))
    path.write_text("{", encoding="utf-8")
    form = inventory.ask()
    assert "0 of 10 answered. Your record was damaged. It is set aside as `&lt;b&gt;.json.damaged`" in (
        form.children[-1].value
    )
    path.mkdir()
    monkeypatch.setattr(inventory.notebook, "own_record", lambda: path)
    form = inventory.ask()
    form.children[0].children[1].value = "b"
    assert "1 of 10 answered, 1 right" in form.children[-1].value
    assert "Your progress cannot be read" in form.children[-1].value
    with pytest.raises(ValueError, match=r"no letters are kept here yet: .* Your progress cannot be read"):
        inventory.hand_in("le07an", tmp_path)


def test_without_a_record_the_form_is_empty_each_time(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSEPKG_PROGRESS", "off")
    monkeypatch.chdir(tmp_path)
    inventory.ask().children[0].children[1].value = "b"
    assert inventory.ask().children[0].children[1].value is None
    assert not list(tmp_path.iterdir())


def test_questions_read_well_as_text_and_escape_html():
    shown = inventory.questions()
    assert repr(shown).startswith("1. f(3) = 10")
    assert shown._repr_html_().count("<b>a</b>") == 10
