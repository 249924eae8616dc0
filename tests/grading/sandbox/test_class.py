"""A class of right, wrong, partly right and hostile notebooks: each gets what it deserves, and wrong ideas their names.

``benchmarks/grading.py`` grades four hundred of them beside nbgrader and otter-grader; here it is every tenth.
"""

import json
import subprocess
import sys
from collections import Counter

import generated_class
import machine
import numpy as np
import pytest
from generated_class import QUICK, SLOW, answers, generate, hostile_cell, notebook_name
from hostile_notebooks import SUBMISSIONS
from test_hostile_submissions import left_behind

from coursepkg.grading.running.results import read_results
from coursepkg.grading.specification.build import source_of

CHAPTER = "03"


def test_a_class_gets_what_it_deserves(tmp_path):
    machine.require(machine.best_tier())
    learners = generate(CHAPTER, 40, np.random.default_rng(1))
    assert Counter(learner.kind for learner in learners) == {"right": 16, "partial": 14, "wrong": 6, "hostile": 4}
    for learner in learners:
        path = tmp_path / "all" / learner.student / notebook_name(CHAPTER)
        path.parent.mkdir(parents=True)
        path.write_bytes(learner.data)
    (tmp_path / "secret").write_text("a secret of the tests, and of nobody else")
    words = ["grade", "batch", str(tmp_path / "all"), "--secret", str(tmp_path / "secret"), "--jobs", "2"]
    command = [sys.executable, "-m", "coursepkg", *words, "--out", str(tmp_path / "out")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=generated_class.PROJECT)
    assert ran.returncode == 0, ran.stderr
    assert "40/40" in ran.stderr or not ran.stderr  # the progress bar, where there is a terminal
    found = {(result.student, result.exercise): result for result in read_results(tmp_path / "out")}
    assert len(found) == 40 * len(answers(CHAPTER))
    for learner in learners:
        for exercise, right in learner.right.items():
            result = found[learner.student, exercise]
            [item] = result.items
            assert result.points == (item.max if right else 0), (learner.student, exercise, learner.ideas, item)
            idea = learner.ideas.get(exercise, "")
            if idea == "untouched":
                assert item.verdict == "not-attempted"
            elif not idea.startswith("hostile"):
                assert item.misconception == idea
    assert not left_behind()


# --- the class itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", ["01", "02", "03", "04", "05", "06", "07"])
def test_answers_are_taken_out_of_every_specification(chapter):
    for name, right, wrong in answers(chapter).values():
        assert len(right) >= 3
        assert len(wrong) >= 5
        assert len({answer.idea for answer in wrong}) == len(wrong)
        for answer in (*right, *wrong):
            compile(answer.source, name, "exec")
            assert answer.source.rstrip().endswith(f"{name} = answer()")


def test_the_same_seed_makes_the_same_class():
    first, again = (generate(CHAPTER, 6, np.random.default_rng(3)) for _ in range(2))
    assert first == again
    assert first != generate(CHAPTER, 6, np.random.default_rng(4))


def test_a_notebook_holds_the_chosen_answers_and_its_checks():
    [learner] = generate(CHAPTER, 1, np.random.default_rng(0), shares={"wrong": 1.0})
    sources = [source_of(cell) for cell in json.loads(learner.data)["cells"] if cell["cell_type"] == "code"]
    assert sum('check("03.' in source for source in sources) == len(answers(CHAPTER))
    assert not any("BEGIN SOLUTION" in source for source in sources)
    assert set(learner.ideas) == set(answers(CHAPTER))


def test_attacks_come_from_the_hostile_suite():
    assert set(QUICK) | set(SLOW) <= set(SUBMISSIONS)
    assert len(QUICK) >= 30
    for attack in (*QUICK, *SLOW):
        assert SUBMISSIONS[attack].first == 0
        compile(hostile_cell("another", attack), attack, "exec")
