"""Exercises made up on the spot, for tests of the judge."""

from coursepkg.grading import Exercise, Misconception
from coursepkg.grading.judging.calling import LocalCall
from coursepkg.grading.judging.judge import judge
from coursepkg.grading.specification.compiling import compile_check


def bank(*answers):
    """Misconceptions from functions; a few that no test here runs into make up the number."""
    fillers = [lambda *args, k=k, **options: 1000.0 * (k + 1) for k in range(5 - len(answers))]
    named = [*answers, *fillers]
    return [
        Misconception(getattr(a, "named", f"filler-{i}"), a, f"It looks like case {i}.", "The reason.", "the page")
        for i, a in enumerate(named)
    ]


def exercise(reference, visible, *wrong, **options):
    return Exercise(
        id="07.1", title="A title", function="answer", minutes=3, difficulty=1, points=1, see="the page before",
        reference=reference, visible=visible, hidden=lambda rng: visible, accepted=[reference] * 5, bank=bank(*wrong),
        hints=("first", "second", "third"), **options,
    )  # fmt: skip


def verdict(reference, visible, answer, *wrong, fields=None, **options):
    """The verdict on an answer to an exercise made up on the spot; ``fields`` go into its compiled check."""
    check = compile_check(exercise(reference, visible, *wrong, **options)) | (fields or {})
    return judge(check, LocalCall(answer, check["driver"], seconds=2))


def named(name):
    def mark(function):
        function.named = name
        return function

    return mark
