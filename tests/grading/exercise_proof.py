"""What is tried on every exercise, and what came of it: right answers, wrong ones, small changes of the reference.

The tests ask that nothing is let through; the mutation report counts the same tries.
"""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from domain_mutants import domain_mutants, mutated
from grading_chapters import OWN, PROJECT, SEEDS, compiled, exercises, judged, passes_anywhere, replayed, survives
from reference_mutants import mutants

from coursepkg.grading.judging.calling import PROCESSOR, LocalCall
from coursepkg.grading.judging.values import decode, is_number, leaves, map_numbers
from coursepkg.grading.running.own_notebook import judge_notebook, load_checks

# --- generic wrong answers -------------------------------------------------------------------------------------------

GENERIC = {
    "zero": np.zeros_like,
    "negated": lambda x: -x,
    "doubled": lambda x: 2 * x,
    "halved": lambda x: x / 2,
    "plus one": lambda x: x + 1,
    "not a number": lambda x: x * np.nan,
}
CHOICES = {"always true": lambda x: True, "always false": lambda x: False, "flipped": lambda x: not x}
OTHER = (None, "a string", [], {}, (), object(), print)


def generic_answers(exercise_id, seed):
    """Ways to make each expected value wrong, by name: its numbers, or its yes and no where it has none."""
    values = [decode(item["expected"]) for item in compiled(exercise_id, seed)["cases"]]
    found = [leaf for value in values for leaf in leaves(value)]
    if any(is_number(leaf) and np.asarray(leaf).dtype.kind != "b" for leaf in found):
        changes = {name: lambda value, f=f: map_numbers(f, value) for name, f in GENERIC.items()}
        if any(np.ndim(leaf) == 2 for leaf in found if is_number(leaf)):
            changes["transposed"] = lambda value: map_numbers(np.transpose, value)
    else:
        changes = {name: lambda value, f=f: map_choices(f, value) for name, f in CHOICES.items()}
    return changes | {f"always {other!r}": lambda value, other=other: other for other in OTHER}


@cache
def generic_verdicts(exercise_id, seed):
    """The verdict on each generic wrong answer, by name."""
    changes = generic_answers(exercise_id, seed)
    return {name: replayed(exercise_id, change, seed) for name, change in changes.items()}


def map_choices(function, value):
    """Apply a function to every bool of a value."""
    if isinstance(value, dict):
        return {key: map_choices(function, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_choices(function, item) for item in value]
    if isinstance(value, np.ndarray):
        return np.vectorize(function, otypes=[bool])(value)
    return function(value) if isinstance(value, bool) else "another string"


# --- small changes of the reference ----------------------------------------------------------------------------------


@cache
def small_changes(exercise_id):
    """The labels of all small changes of the reference, and of those that pass the check."""
    made = mutants(exercises()[exercise_id].reference)
    return [mutant.label for mutant in made], {m.label for m in made if survives(exercise_id, m.answer)}


# --- wrong answers of the domain -------------------------------------------------------------------------------------


@cache
def domain_changes(exercise_id):
    """The labels of all wrong answers of the exercise's domain, and of those that pass the check."""
    exercise = exercises()[exercise_id]
    made = domain_mutants(exercise)

    @cache
    def reference(case):
        return LocalCall(exercise.reference, exercise.driver, seconds=1, time_by=PROCESSOR)(json.loads(case))

    def calls(mutant):
        return lambda check: mutated(mutant, exercise, lambda case: reference(json.dumps(case)))

    return [m.label for m in made], {m.label for m in made if passes_anywhere(exercise_id, calls(m))}


# --- the count -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proof:
    """What came of everything that was tried on one exercise.

    Attributes
    ----------
    untouched : str
        The verdict on the notebook as the learner gets it.
    right, named, generic, changes, domain : tuple of (int, int)
        How many did as they should, of how many: right answers that passed, wrong ideas that failed under their own
        name, generic wrong answers that failed, small changes of the reference that failed, wrong answers of the domain
        that failed. Each on all inputs.
    ideas : tuple of str
        Names of the wrong ideas.
    equivalent : dict
        Changes that change nothing, and why; they are not counted in ``changes`` and ``domain``.
    """

    id: str
    title: str
    untouched: str
    right: tuple[int, int]
    named: tuple[int, int]
    generic: tuple[int, int]
    changes: tuple[int, int]
    domain: tuple[int, int]
    ideas: tuple[str, ...]
    equivalent: dict[str, str]


def prove(exercise_id):
    """Try everything on one exercise of the course, with visible and with hidden inputs."""
    exercise = exercises()[exercise_id]
    answers = (exercise.reference, *exercise.accepted)
    right = [all(judged(exercise_id, answer, seed).passed for seed in SEEDS) for answer in answers]
    verdicts = {entry.id: [judged(exercise_id, entry.answer, seed) for seed in SEEDS] for entry in exercise.bank}
    named = [all((v.status, v.finding) == ("wrong", name) for v in found) for name, found in verdicts.items()]
    generic = [found for seed in SEEDS for found in generic_verdicts(exercise_id, seed).items()]
    changed = {name for name, _ in generic}
    passing = {name for name, verdict in generic if verdict.status != "wrong"}
    made, survivors = small_changes(exercise_id)
    of_domain, left = domain_changes(exercise_id)
    equivalent = {label: why for label, why in exercise.equivalent_mutants.items() if label in survivors | left}
    return Proof(
        id=exercise_id,
        title=exercise.title,
        untouched=_untouched(exercise_id.split(".")[0])[exercise_id],
        right=(sum(right), len(right)),
        named=(sum(named), len(named)),
        generic=(len(changed - passing), len(changed)),
        changes=(len(made) - len(survivors), len(made) - len(survivors & set(equivalent))),
        domain=(len(of_domain) - len(left), len(of_domain) - len(left & set(equivalent))),
        ideas=tuple(verdicts),
        equivalent=equivalent,
    )


@cache
def checks_of(root):
    """All checks of a learner's tree; those of the course are 5 MB of JSON, read once for all chapters."""
    return load_checks(root / "exercises" / ".checks")


@cache
def _untouched(chapter):
    """The status of every exercise in the learner's notebook as it is handed out."""
    [path] = (PROJECT / "exercises").glob(f"{chapter}_*.ipynb")
    results = judge_notebook(path, checks_of(PROJECT))
    return {check["id"]: verdict.status for check, verdict in results}


def course_exercises():
    """Ids of the exercises that the course hands out; the chapter that tests the grader itself is not among them."""
    own = {path.stem.removeprefix("ex_") for path in (OWN / "solutions" / "specs").glob("ex_*.py")}
    ids = (name for name in exercises() if name.split(".")[0] not in own)
    return sorted(ids, key=lambda name: tuple(map(int, name.split("."))))
