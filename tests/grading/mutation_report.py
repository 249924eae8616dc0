"""Write ``docs/mutation-report.md``: for every exercise, the wrong answers that were tried and how many got through.

    python tests/grading/mutation_report.py

A check is only as good as the wrong answers it has been shown to turn away. The page counts them, lists the small
changes that change nothing and says why, and stands beside what the tests of well-known courses let through.
"""

import sys
from dataclasses import dataclass

from exercise_proof import course_exercises, prove
from grading_chapters import PROJECT, SEEDS, exercises

REPORT = PROJECT / "docs" / "mutation-report.md"
CHAPTERS = {
    "01": "The kitchen",
    "02": "Scalar backpropagation",
    "03": "Gradient descent",
    "04": "Vector backpropagation",
    "05": "Tensor backpropagation",
    "06": "Training networks",
    "07": "Recurrent networks",
    "08": "Memory-efficient backpropagation",
    "09": "The forward gradient",
    "10": "The backpropagation neural tree",
    "11": "Photonic backpropagation",
    "12": "One gradient, many routes",
}
HEAD = (
    "| exercise | untouched | right answers that pass | wrong ideas named "
    "| wrong numbers that fail | small changes that fail | wrong at the domain's edges that fail | change nothing |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


@dataclass(frozen=True)
class Gap:
    """Something that the tests of another course let through, and the test that keeps it out here."""

    where: str
    passes: str
    why: str
    here: str


GAPS = (
    Gap(
        "udlbook/udlbook, `Notebooks/Chap07/7_2_Backpropagation.ipynb`",
        "the notebook as handed out, with nothing filled in: 12 comparisons of 12 print success",
        "the unfinished network is constant, so its finite differences are zero, and so is the unfinished gradient",
        "test_zero_equals_zero_is_no_success",
    ),
    Gap(
        "callummcdougall/ARENA_2.0, `chapter0_fundamentals/exercises/part5_backprop/tests.py`, `test_exp_back`",
        "six wrong rules for exp: 0, −g, g, g/2, g·x, g + 1",
        "an expected value stands where the tolerance belongs, so any small number will do",
        "test_every_wrong_gradient_of_exp_fails",
    ),
    Gap(
        "the same file, `test_topological_sort_cyclic`",
        "the empty stub",
        "a bare `except` takes the stub's own error for the one that was asked for",
        "test_an_empty_stub_is_never_taken_for_the_right_error",
    ),
    Gap(
        "minitorch/minitorch, `tests/test_scalar.py` and `tests/test_autodiff.py`",
        "six wrong rules through all 50 tests: exp' zero, negated or squared; log' zero, negated or a hundredfold",
        "exp is tried only near −200 and log only near 100,000, where both derivatives are below the tolerance of 0.01",
        "test_derivatives_of_exp_and_log_at_visible_points",
    ),
    Gap(
        "dlsyscourse/hw1, `tests/hw1/test_autograd_hw.py`, the 13 tests of question 2",
        "all twelve rules at once without the incoming gradient",
        "the incoming gradient is an array of ones in every test",
        "test_a_rule_that_ignores_the_incoming_gradient_fails",
    ),
    Gap(
        "the same file, questions 2 and 4",
        "the derivative of a power as 0, as n, or with the wrong sign",
        "the exponent is drawn by `randint(1)`, which is always 0",
        "test_an_exponent_that_is_always_zero_is_refused",
    ),
    Gap(
        "karpathy/micrograd, `test/test_engine.py`",
        "two of thirteen wrong engines: a wrong reflected subtraction; ReLU cut at 1",
        "two expressions, each at one fixed point; they never meet these operations where it shows",
        "test_wrong_engines_fail_and_are_named",
    ),
    Gap(
        "harvard-edge/cs249r_book, `tinytorch/INSTRUCTOR.md`, the sample marked excellent",
        "an engine that overwrites gradients and recurses without an order: 3 for d(x·x)/dx at 3, which is 6",
        "it was judged by reading",
        "test_wrong_engines_fail_and_are_named",
    ),
    Gap(
        "fastai/course22p2, `nbs/03_backprop.ipynb` (read, not run)",
        "a loss computed from a global left over from an earlier cell",
        "only gradients are compared, never the value",
        "test_a_value_from_a_stale_global_fails",
    ),
)


def row(proof):
    """One exercise as a line of the table."""
    counts = [
        f"{done} of {tried}" for done, tried in (proof.right, proof.named, proof.generic, proof.changes, proof.domain)
    ]
    title = proof.title.replace("|", r"\|")
    cells = [f"{proof.id} {title}", proof.untouched.replace("-", " "), *counts, str(len(proof.equivalent))]
    return f"| {' | '.join(cells)} |"


def totals(proofs):
    """The sums over all exercises, one line each."""
    sums = {
        name: [sum(getattr(proof, name)[k] for proof in proofs) for k in (0, 1)]
        for name in ("right", "named", "generic", "changes", "domain")
    }
    untouched = sum(proof.untouched == "not-attempted" for proof in proofs)
    equivalent = sum(len(proof.equivalent) for proof in proofs)
    return [
        f'- {untouched} of {len(proofs)} untouched exercises say "not attempted", and none raises.',
        f"- {sums['right'][0]} of {sums['right'][1]} right answers pass, references included.",
        f"- {sums['named'][0]} of {sums['named'][1]} wrong ideas fail under their own name.",
        f"- {sums['generic'][0]} of {sums['generic'][1]} wrong numbers fail (zero, negated, doubled, transposed, ...).",
        f"- {sums['domain'][0]} of {sums['domain'][1]} wrong answers of the domains fail "
        "(at a boundary, squeezed, cached, ...).",
        f"- {sums['changes'][0]} of {sums['changes'][1]} small changes of the references fail; "
        f"{equivalent} more change nothing that could be seen, for the reasons given below.",
    ]


def report(proofs):
    """The whole page.

    Parameters
    ----------
    proofs : sequence of exercise_proof.Proof
        In the order of their ids.

    Returns
    -------
    str
        Markdown; the same proofs give the same text.
    """
    lines = [
        "# What our checks let through",
        "",
        "Generated by `make mutation-report`; do not edit. A check that has never turned a wrong answer away proves",
        "nothing, so every check of the course is itself checked: right answers written in other ways must pass, wrong",
        f"ones must fail, on the visible inputs and on {len(SEEDS) - 1} draws of hidden ones. The tests in",
        "`tests/grading/test_every_exercise.py` run all of this and fail if one count is short.",
        "",
        "## In total",
        "",
        *totals(proofs),
        "",
        "- *Untouched*: the verdict on the notebook as it is handed out.",
        "- *Right answers*: the reference, and at least five answers that are right though written differently.",
        "- *Wrong ideas*: misconceptions written as code; each must fail **and** be recognised by name.",
        "- *Wrong numbers*: the right numbers made wrong in a general way (zero, negated, doubled, halved, plus one,",
        "  not a number, transposed), or something that is no number at all.",
        "- *Small changes*: slips made one at a time in the reference's syntax tree. Operators are swapped, a term or",
        "  factor is dropped, a constant or sign changed, an axis or a transpose exchanged, a comparison moved, an",
        "  argument ignored, a statement left out.",
        "- *Wrong at the domain's edges*: the reference with one thing done wrong that the task allows to occur.",
        "  It raises, gives no number or the neighbour's value at a boundary (one row, a zero, a tie, an end of a",
        "  range); it squeezes, caches by shape, keeps state, rounds, sorts an argument, takes its absolute value",
        "  or exchanges two of a kind.",
        "",
        *_chapters(proofs),
        "## What the tests of other courses let through",
        "",
        "Wrong answers given on purpose to the tests that well-known courses ship, and what happened. Each has a test",
        "of the same situation here, in `tests/grading/test_known_gaps.py`: there the wrong answer fails, or the",
        "inputs that let it pass are refused when the exercise is built.",
        "",
        "| where | what passes there | why | here |",
        "| --- | --- | --- | --- |",
        *(f"| {gap.where} | {gap.passes} | {gap.why} | `{gap.here}` |" for gap in GAPS),
        "",
        "The stored copies that were read are not always the newest. The best counter-example is HIPS/autograd,",
        "`autograd/test_util.py`: random directions in, random gradients back, both modes, second order, in 91 lines.",
    ]
    return "\n".join(lines) + "\n"


def ideas(proof):
    """The names of an exercise's wrong ideas, as a line."""
    return f"- {proof.id}: {', '.join(proof.ideas)}"


def explained(proof):
    """The small changes that change nothing, one line each, with the reason."""
    return [f"- {proof.id}: {label}: {why}" for label, why in proof.equivalent.items()]


def _chapters(proofs):
    lines = []
    for chapter in sorted({proof.id.split(".")[0] for proof in proofs}):
        chosen = [proof for proof in proofs if proof.id.startswith(f"{chapter}.")]
        lines += [f"## {chapter} · {CHAPTERS[chapter]}", "", HEAD, *map(row, chosen), ""]
        lines += ["Wrong ideas that are recognised:", "", *map(ideas, chosen), ""]
        if reasons := [line for proof in chosen for line in explained(proof)]:
            lines += ["Small changes that change nothing:", "", *reasons, ""]
    return lines


def main():
    """Write the page; exit with 1 if anything got through."""
    proofs = []
    for exercise_id in course_exercises():
        print(f"{exercise_id} {exercises()[exercise_id].title}", flush=True)
        proofs.append(prove(exercise_id))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(report(proofs), encoding="utf-8", newline="\n")
    short = [p.id for p in proofs if any(a != b for a, b in (p.right, p.named, p.generic, p.changes, p.domain))]
    print("\n".join(totals(proofs)))
    print(f"wrote {REPORT.relative_to(PROJECT)}" + (f"; something gets through in {', '.join(short)}" if short else ""))
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
