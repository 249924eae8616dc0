"""The chapters that the grader is proved on: all of the course, and one written to test the grader itself."""

import hashlib
import json
import shutil
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from coursepkg.grading.judging.calling import PROCESSOR, LocalCall, Outcome
from coursepkg.grading.judging.judge import Check, judge
from coursepkg.grading.judging.values import decode, difference, encode, tree
from coursepkg.grading.specification import compiling
from coursepkg.grading.specification.build import build_tree, write_tree
from coursepkg.grading.specification.chapters import chapters_in, load_chapter

PROJECT = Path(__file__).parents[2]
OWN = Path(__file__).parent / "chapter"
SEEDS = (None, 1, 2, 3)  # None: the visible inputs; a number: hidden inputs drawn with that seed


@cache
def specifications():
    """All specification modules: chapter to its exercises, or to the error that loading it raised."""
    found = {}
    for name, path in (chapters_in(PROJECT / "solutions" / "specs") | chapters_in(OWN / "solutions" / "specs")).items():
        try:
            found[name] = load_chapter(path)
        except Exception as error:  # noqa: BLE001 - a broken chapter fails its own test and no other
            found[name] = error
    return found


@cache
def exercises():
    """All exercises, by id."""
    chapters = [chapter for chapter in specifications().values() if isinstance(chapter, list)]
    return {exercise.id: exercise for chapter in chapters for exercise in chapter}


@cache
def compiled(exercise_id, seed=None):
    """The compiled check of an exercise, with visible or hidden inputs; what it expects is read once."""
    rng = None if seed is None else np.random.default_rng(seed)
    with agreement_remembered():
        return Check(compiling.compile_check(exercises()[exercise_id], rng))


_agreed = {}


@contextmanager
def agreement_remembered():
    """Ask all right answers of an exercise about a case far out once, not each time that a check is made with it.

    That is most of the work of compiling, and what comes of it depends on the case alone.
    """
    ask = compiling.agreed

    def remembered(exercise, cases, made):
        text = json.dumps([made.stored, encode(made.outcome.value, packed=True)], sort_keys=True)
        key = id(exercise), hashlib.sha256(text.encode()).digest()
        if key not in _agreed:
            _agreed[key] = ask(exercise, cases, made), exercise  # which keeps its id from being given to another
        return _agreed[key][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "agreed", remembered)
        yield


def drawn(exercise_id, seed):
    """The check of hidden inputs as a learner meets it, without the cases far out.

    A case far out is only taken where all right answers agree on it, so one more draw of them would say nothing new;
    they are tried with ``SEEDS``. Nothing is kept, since nobody asks twice.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "extreme_cases", lambda exercise, cases: [])
        return compiling.hidden_check(exercises()[exercise_id], np.random.default_rng(seed))


def whole(check):
    """A hidden check with all that it would otherwise work out when the judge reads it."""
    with agreement_remembered():
        check = check.settled()
    asked = [{**entry, "changes": entry["changes"], "outcomes": list(entry["outcomes"])}
             for entry in check["misconceptions"]]  # fmt: skip
    return {**check, "misconceptions": asked}


@cache
def judged(exercise_id, answer, seed=None, seconds=5.0):
    """The verdict on an answer; several tests and the report ask for the same ones."""
    check = compiled(exercise_id, seed)
    return judge(check, LocalCall(answer, check["driver"], seconds=seconds, time_by=PROCESSOR))


def survives(exercise_id, answer):
    """Whether an answer passes with any inputs; each try is left at its first wrong case, an endless loop at once."""
    return passes_anywhere(exercise_id, lambda check: LocalCall(answer, check["driver"], seconds=1, time_by=PROCESSOR))


def passes_anywhere(exercise_id, calls):
    """As ``survives``, of an answer that is used by what ``calls(check)`` gives, made anew for each try."""
    for seed in SEEDS:
        check = compiled(exercise_id, seed)
        call = calls(check)
        for item, value in zip(check["cases"], check.expected, strict=True):
            outcome = call(item)
            if outcome.kind == "time-limit":
                return False
            if outcome.kind != "value" or difference(value, outcome.value, check["rtol"], check["atol"]) is not None:
                break
        else:
            if judge(check, calls(check)).passed:
                return True
    return False


def replayed(exercise_id, transform, seed=None):
    """The verdict on an answer that returns ``transform(expected value)`` in each case."""
    check = compiled(exercise_id, seed)
    values = {id(item["args"]): item["expected"] for item in check["cases"]}

    def call(item):
        return Outcome("value", tree(transform(decode(values[id(item["args"])]))))

    return judge(check, call)


def build_in(folder):
    """A copy of the grader's own chapter with its learner's tree built; returns its root."""
    root = folder / "course"
    shutil.copytree(OWN, root)
    write_tree(build_tree(root), root)
    return root
