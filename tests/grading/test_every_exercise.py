"""What holds for every exercise: right answers pass however they are written, wrong ones fail and are named."""

import inspect
import json
import re

import nbformat
import numpy as np
import pytest
from exercise_proof import checks_of, course_exercises, domain_changes, generic_verdicts, prove, small_changes
from grading_chapters import (
    OWN,
    PROJECT,
    SEEDS,
    build_in,
    compiled,
    drawn,
    exercises,
    judged,
    specifications,
    whole,
)
from mutation_report import REPORT, explained, ideas, row

from coursepkg.grading.judging.feedback import PATTERNS
from coursepkg.grading.judging.values import decode, difference
from coursepkg.grading.running.own_notebook import judge_notebook
from coursepkg.grading.specification.build import BEGIN, source_of
from coursepkg.grading.specification.compiling import compile_check, hidden_check
from coursepkg.grading.specification.own_answers import inputs_of, run_own
from tools.notebooks import execute

IDS = list(exercises())
CHAPTERS = sorted({exercise_id.split(".")[0] for exercise_id in IDS})
every_exercise = pytest.mark.parametrize("exercise_id", IDS)
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS)
every_input = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: "visible" if seed is None else f"hidden{seed}")


def test_every_specification_loads():
    assert {chapter: error for chapter, error in specifications().items() if not isinstance(error, list)} == {}


# --- what is compiled ------------------------------------------------------------------------------------------------


@every_exercise
def test_a_compiled_check_is_json_and_holds_no_code(exercise_id):
    text = json.dumps(compiled(exercise_id), allow_nan=False)
    assert json.loads(text) == compiled(exercise_id)
    for word in ("lambda", "def ", "<function", "0x"):
        assert word not in text
    assert compiled(exercise_id) == compile_check(exercises()[exercise_id])


@every_exercise
def test_a_learners_own_check_is_the_whole_one_worked_out_later(exercise_id):
    for seed in SEEDS[1:]:
        check = hidden_check(exercises()[exercise_id], np.random.default_rng(seed))
        assert whole(check) == compiled(exercise_id, seed)


# --- right answers ---------------------------------------------------------------------------------------------------


@every_input
@every_exercise
def test_reference_and_every_accepted_answer_pass(exercise_id, seed):
    exercise = exercises()[exercise_id]
    assert len({id(answer) for answer in (exercise.reference, *exercise.accepted)}) >= 6
    for answer in (exercise.reference, *exercise.accepted):
        verdict = judged(exercise_id, answer, seed)
        assert verdict.passed, f"{answer.__name__}: {verdict}"


@every_exercise
def test_right_answers_agree_on_many_hidden_draws(exercise_id):
    """No draw may fall on a kink or a rounding edge where right answers disagree."""
    exercise = exercises()[exercise_id]
    for seed in range(100, 120):
        check = drawn(exercise_id, seed)
        inputs, expected = inputs_of(check["cases"]), [decode(item["expected"]) for item in check["cases"]]
        for answer in exercise.accepted:
            outcomes = run_own(answer, exercise.driver, inputs)
            for wanted, outcome in zip(expected, outcomes, strict=True):
                apart = difference(wanted, outcome.value, exercise.rtol, exercise.atol, extra_axes=exercise.extra_axes)
                assert (outcome.kind, apart) == ("value", None), f"{answer.__name__}, seed {seed}: {outcome}"


# --- wrong answers ---------------------------------------------------------------------------------------------------


@every_input
@every_exercise
def test_every_misconception_is_named(exercise_id, seed):
    exercise = exercises()[exercise_id]
    named = {entry.id: judged(exercise_id, entry.answer, seed) for entry in exercise.bank}
    assert {name: verdict.finding for name, verdict in named.items()} == {name: name for name in named}
    assert {verdict.status for verdict in named.values()} == {"wrong"}


@every_input
@every_exercise
def test_generic_wrong_answers_fail(exercise_id, seed):
    for name, verdict in generic_verdicts(exercise_id, seed).items():
        assert verdict.status == "wrong", f"{name} is accepted"


@every_exercise
def test_small_changes_of_the_reference_fail(exercise_id):
    exercise = exercises()[exercise_id]
    made, survivors = small_changes(exercise_id)
    explained = set(exercise.equivalent_mutants) - set(domain_changes(exercise_id)[0])
    assert survivors - explained == set(), "these changes pass; mend the inputs, or say why they change nothing"
    assert explained - survivors == set(), "these are explained but do not pass (any more)"
    assert len(made) - len(survivors) >= 10, f"only {len(made)} changes could be tried"


@every_exercise
def test_wrong_answers_of_the_domain_fail(exercise_id):
    made, survivors = domain_changes(exercise_id)
    explained = set(exercises()[exercise_id].equivalent_mutants) & set(made)
    assert survivors - explained == set(), "these pass; mend the inputs, or say why nothing can be seen"
    assert explained - survivors == set(), "these are explained but do not pass (any more)"


@pytest.mark.parametrize("exercise_id", course_exercises())
def test_the_mutation_report_tells_what_is_found_here(exercise_id):
    """Run `make mutation-report` when this fails; the totals are held to the lines by test_mutation_report.py."""
    proof = prove(exercise_id)
    page = REPORT.read_text(encoding="utf-8").splitlines()
    assert [line for line in (row(proof), ideas(proof), *explained(proof)) if line not in page] == []


# --- the words -------------------------------------------------------------------------------------------------------


def _numbers(text):
    """Numbers in a text that are telling: three digits at least."""
    found = re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", text)
    return {float(number) for number in found if sum(map(str.isdigit, number)) >= 3}


def _expected_numbers(check):
    values = [leaf for item in check["cases"] for leaf in _floats(item["expected"])]
    return {value for value in set(values) - _given(check) if not float(value).is_integer()}


def _given(check):
    return {number for item in check["cases"] for number in _floats([item["args"], item["kwargs"]])}


def _floats(data):
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        return [number for item in data for number in _floats(item)]
    return [float(data)] if isinstance(data, int | float) and not isinstance(data, bool) else []


@every_exercise
def test_feedback_is_short_and_gives_nothing_away(exercise_id):
    exercise = exercises()[exercise_id]
    check = compiled(exercise_id)
    verdicts = [judged(exercise_id, entry.answer) for entry in exercise.bank]
    verdicts += generic_verdicts(exercise_id, None).values()
    verdicts.append(judged(exercise_id, exercise.reference))
    secret = _expected_numbers(check)
    inputs = {float(f"{number:.6g}") for number in _given(check)}  # a call is shown with its arguments
    for verdict in verdicts:
        assert 1 <= len(verdict.lines) <= 4
        assert all(0 < len(line) <= 240 for line in verdict.lines), verdict
        if "yours:" not in verdict.text:  # a learner's own number may happen to be right for another case
            told = _numbers(verdict.text) - inputs
            assert not {s for s in secret for n in told if abs(s - n) <= 5e-4 * abs(s)}, verdict
        assert "Traceback" not in verdict.text
        assert "coursepkg" not in verdict.text


@every_exercise
def test_an_exercise_is_whole(exercise_id):
    exercise = exercises()[exercise_id]
    assert re.fullmatch(r"\d\d\.[1-9]\d?", exercise_id)
    assert len(set(exercise.hints)) == 3
    assert len(exercise.bank) >= 5
    assert len(exercise.accepted) >= 5
    assert not {entry.id for entry in exercise.bank} & set(PATTERNS), "a misconception has a pattern's name"
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.id) for entry in exercise.bank)
    assert all(reason.strip() for reason in exercise.equivalent_mutants.values())


@pytest.mark.parametrize("exercise_id", course_exercises())
def test_an_exercise_states_its_domain_and_knows_its_misconceptions(exercise_id):
    exercise = exercises()[exercise_id]
    check = compiled(exercise_id)
    assert exercise.domain
    assert all(len(case.args) <= len(exercise.domain) for case in exercise.visible)
    if exercise.driver == "call":
        assert list(exercise.domain) == list(inspect.signature(exercise.reference).parameters)
    assert len(exercise.bank) >= 7
    assert len(check["cases"]) <= 30, "more cases than a learner would wait for"


# --- the notebooks ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")  # chapters need not follow each other on one worker
def own_course(tmp_path_factory):
    return build_in(tmp_path_factory.mktemp("course"))


def _notebook(root, tree, chapter):
    return next(path for path in sorted((root / tree).glob(f"{chapter}_*.ipynb")))


def _root(chapter, own_course):
    return own_course if (OWN / "solutions" / "specs" / f"ex_{chapter}.py").is_file() else PROJECT


@every_chapter
def test_solution_notebook_passes(chapter, own_course):
    root = _root(chapter, own_course)
    results = judge_notebook(_notebook(root, "solutions", chapter), checks_of(root))
    assert {check["id"]: verdict.status for check, verdict in results} == {
        exercise_id: "passed" for exercise_id in IDS if exercise_id.startswith(chapter)
    }


@every_chapter
def test_untouched_notebook_runs_and_says_not_attempted(chapter, own_course):
    root = _root(chapter, own_course)
    path = _notebook(root, "exercises", chapter)
    notebook = execute(nbformat.read(path, as_version=4), path.parent).notebook
    shown = {}
    for cell in notebook.cells:
        for exercise_id in re.findall(r'\bcheck\("(\d\d\.\d+)"', cell.source):
            assert [output.output_type for output in cell.outputs] == ["display_data"], cell.source
            shown[exercise_id] = cell.outputs[0].data["text/plain"].splitlines()[0]
    assert list(shown) == [exercise_id for exercise_id in IDS if exercise_id.startswith(chapter)]
    for exercise_id, line in shown.items():
        assert line.startswith(f"{exercise_id} not attempted")


@every_chapter
def test_both_notebooks_ask_for_the_same(chapter, own_course):
    root = _root(chapter, own_course)
    for tree in ("solutions", "exercises"):
        path = _notebook(root, tree, chapter)
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [source_of(cell) for cell in cells if cell["cell_type"] == "code"]
        for exercise_id in (exercise_id for exercise_id in IDS if exercise_id.startswith(chapter)):
            name = exercises()[exercise_id].function
            [cell] = [source for source in code if f'check("{exercise_id}", {name})' in source]
            assert re.search(rf"^(def|class) {name}\b", cell, re.MULTILINE)
            assert (BEGIN in cell) == (tree == "solutions")
