"""A specification that cannot tell right from wrong is refused, with the reason; one that can becomes numbers."""

import dataclasses
import sys

import numpy as np
import pytest
from grading_chapters import whole

from coursepkg.grading import Exercise, Misconception, case
from coursepkg.grading.specification.chapters import Chapters, load_specs
from coursepkg.grading.specification.compiling import compile_check, hidden_check
from coursepkg.grading.specification.domain import Number
from coursepkg.grading.specification.exercise import SpecError


def product(a, b):
    return a * b


def wrong(number, answer=None):
    return Misconception(f"wrong-{number}", answer or (lambda a, b: a * b + number), "It looks off.", "Why.", "There.")


BASE = Exercise(
    id="07.1", title="A title", function="product", minutes=3, difficulty=1, points=1, see="a page", reference=product,
    visible=[case(1.5, 2.0), case(-0.5, 3.0), case(2.0, 0.7)],
    hidden=lambda rng: [case(rng.uniform(1, 2), rng.uniform(2, 3)) for _ in range(3)],
    accepted=[product] * 5, bank=[wrong(number) for number in range(1, 6)], hints=("one", "two", "three"),
)  # fmt: skip


def refused(match, **changes):
    with pytest.raises(SpecError, match=match):
        compile_check(dataclasses.replace(BASE, **changes))


def test_a_sound_specification_compiles():
    assert len(compile_check(BASE)["cases"]) == 3


@pytest.mark.parametrize(("match", "changes"), [
    ("no driver 'nothing'", {"driver": "nothing"}),
    ("5 accepted answers", {"accepted": [product] * 4}),
    ("5 misconceptions", {"bank": BASE.bank[:4]}),
    ("same id", {"bank": [*BASE.bank[:4], BASE.bank[0]]}),
    ("three hints", {"hints": ("one",)}),
    ("empty", {"hints": ("one", " ", "three")}),
    ("empty", {"title": ""}),
    ("more than one line", {"see": "one\ntwo"}),
    ("must be positive", {"difficulty": 4}),
    ("must be positive", {"minutes": 0}),
    ("too loose", {"rtol": 1e-2}),
    ("too loose", {"atol": 0.01}),
    ("3 cases", {"visible": BASE.visible[:2]}),
    ("3 cases are needed, not 0", {"visible": []}),
    ("the reference fails in case 2: error ZeroDivisionError", {"reference": lambda a, b: a / (a + 0.5)}),
    ("the reference fails in case 1: not-attempted", {"reference": lambda a, b: _raise(NotImplementedError())}),
    ("no plain data", {"reference": lambda a, b: product}),
    ("same value", {"reference": lambda a, b: 3.5}),
    ("near zero", {"reference": lambda a, b: 1e-7 * a * b}),
    ("near zero", {"reference": lambda a, b: 0.0 if a != 2 else 1.0}),
    ("ends in not-attempted", {"bank": [*BASE.bank[:4], wrong(9, lambda a, b: _raise(NotImplementedError()))]}),
    ("raises ValueError in every case", {"bank": [*BASE.bank[:4], wrong(9, lambda a, b: _raise(ValueError()))]}),
    ("wrong-9 returns something", {"bank": [*BASE.bank[:4], wrong(9, lambda a, b: product)]}),
    ("the reference and wrong-9 cannot", {"bank": [*BASE.bank[:4], wrong(9, lambda a, b: b * a)]}),
    ("the reference and wrong-9 cannot", {"bank": [*BASE.bank[:4], wrong(9, lambda a, b: a * b * 1.0001)]}),
    ("wrong-2 and wrong-9 cannot", {"bank": [*BASE.bank[:4], wrong(9, lambda a, b: a * b + 2)]}),
])  # fmt: skip
def test_an_unsound_specification_is_refused(match, changes):
    refused(match, **changes)


def _raise(error):
    raise error


def test_a_reference_that_keeps_state_or_changes_its_arguments_is_refused():
    calls = []
    refused("another value when it is called again", reference=lambda a, b: calls.append(1) or a * b + len(calls))
    lists = [case([2.0, 1.0]), case([0.5, 4.0]), case([3.0])]
    refused("changes its arguments", reference=lambda xs: xs.pop(), visible=lists)


def test_all_reasons_are_listed_at_once():
    with pytest.raises(SpecError) as caught:
        compile_check(dataclasses.replace(BASE, hints=(), accepted=[], points=0))
    assert str(caught.value).startswith("exercise 07.1 (product):")
    assert str(caught.value).count("\n  - ") == 3


def test_hidden_draws_that_cannot_tell_are_drawn_again():
    def sometimes(rng):
        n = int(rng.integers(1, 3))  # with n = 1 the mean is the sum
        return [case(rng.normal(size=n)) for _ in range(3)]

    spec = dataclasses.replace(
        BASE,
        reference=lambda x: x.sum(),
        hidden=sometimes,
        bank=[wrong(0, lambda x: x.mean()), *(wrong(k, lambda x, k=k: x.sum() + k) for k in range(1, 5))],
    )
    checks = [compile_check(spec, np.random.default_rng(seed)) for seed in range(20)]
    assert checks == [compile_check(spec, np.random.default_rng(seed)) for seed in range(20)]
    assert checks == [whole(hidden_check(spec, np.random.default_rng(seed))) for seed in range(20)]
    for check in checks:
        assert any(len(item["args"][0]["data"]) == 2 for item in check["cases"])
    with pytest.raises(SpecError, match="after 20 draws"):
        compile_check(
            dataclasses.replace(spec, hidden=lambda rng: [case(rng.normal(size=1)) for _ in range(3)]),
            np.random.default_rng(1),
        )


def test_ideas_run_on_no_more_cases_than_tell_them_apart():
    ran = []

    def counted(number, answer):
        return wrong(number, lambda a, b: ran.append(number) or answer(a, b))

    late = counted(5, lambda a, b: a * b + (5 if b == 2.5 else 0))  # right in the first case, and wrong in the second
    raises = counted(6, lambda a, b: _raise(ValueError()) if b == 2.0 else 1.0)
    bank = [*(counted(k, lambda a, b, k=k: a * b + k) for k in range(1, 5)), late, raises]
    drawn = [case(1.5, 2.0), case(-0.5, 2.5), case(2.0, 0.7), case(0.4, 0.9)]
    check = hidden_check(dataclasses.replace(BASE, bank=bank, hidden=lambda rng: drawn), np.random.default_rng(0))
    assert sorted(ran) == [1, 2, 3, 4, 5, 5, 6, 6]  # a number is needed from each, an error is not enough
    assert [list(entry["outcomes"])[3]["value"] for entry in check["misconceptions"][:4]] == [1.36, 2.36, 3.36, 4.36]
    assert len(ran) == 8 + 4 * 3
    assert whole(check) == whole(check)


def test_an_idea_that_changes_its_arguments_is_told_from_the_reference_by_that():
    def changes(xs):
        xs.append(0.0)
        return sum(xs)

    def total(xs):
        return sum(xs)

    ideas = [wrong(9, changes), *(wrong(k, lambda xs, k=k: sum(xs) + k) for k in range(1, 5))]
    lists = [case([2.0, 1.0]), case([0.5, 4.0]), case([3.0])]
    spec = dataclasses.replace(BASE, reference=total, bank=ideas, visible=lists, hidden=lambda rng: lists)
    check = whole(hidden_check(spec, np.random.default_rng(0)))
    assert [entry["changes"] for entry in check["misconceptions"]] == [True, False, False, False, False]
    assert check["misconceptions"] == compile_check(spec)["misconceptions"]


def test_a_specification_edited_within_a_second_is_read_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for identity in ("07.1", "07.2", "07.3"):  # the same number of letters, as byte code is also looked up by size
        body = f"from types import SimpleNamespace as E\nEXERCISES = [E(id='{identity}', function='f')]"
        (tmp_path / "ex_07.py").write_text(body)
        assert load_specs(tmp_path)["07"][0].id == identity


def test_a_chapter_is_loaded_when_it_is_asked_for_and_once(tmp_path):
    (tmp_path / "ex_07.py").write_text("raise ImportError('not this one')")
    (tmp_path / "ex_08.py").write_text(
        "from types import SimpleNamespace as E\nEXERCISES = [E(id='08.1', function='f')]"
    )
    chapters = Chapters(tmp_path)
    assert list(chapters) == ["07", "08"]
    assert "07" in chapters
    assert "09" not in chapters
    assert chapters["08"] is chapters["08"]
    assert len(chapters["08"].sha256) == 64
    with pytest.raises(ImportError, match="not this one"):
        chapters["07"]
    with pytest.raises(KeyError):
        chapters["09"]


def test_specs_are_loaded_by_chapter(tmp_path):
    (tmp_path / "ex_07.py").write_text("EXERCISES = []")
    with pytest.raises(SpecError, match="defines no list"):
        load_specs(tmp_path)
    body = "from types import SimpleNamespace as E\nEXERCISES = [E(id={!r}, function='f'), E(id={!r}, function={!r})]"
    for first, second, function, match in (
        ("08.1", "07.2", "g", "begin with 07"),
        ("07.1", "07.1", "g", "unique"),
        ("07.1", "07.2", "f", "same name"),
    ):
        (tmp_path / "ex_07.py").write_text(body.format(first, second, function))
        with pytest.raises(SpecError, match=match):
            load_specs(tmp_path)


# --- a chapter is a folder -------------------------------------------------------------------------------------------

EXERCISE = (
    "from types import SimpleNamespace as E\nfrom .shared import name\nEXERCISE = E(id='{}', function=name('{}'))"
)


def a_chapter(folder, **files):
    chapter = folder / "ex_07"
    chapter.mkdir(parents=True, exist_ok=True)
    for name, text in {"__init__": "", "shared": "def name(text):\n    return text + '!'", **files}.items():
        (chapter / f"{name}.py").write_text(text)
    return chapter


def test_the_exercises_of_a_folder_come_in_the_order_of_its_files(tmp_path):
    a_chapter(tmp_path, e02_b=EXERCISE.format("07.2", "b"), e10_c=EXERCISE.format("07.10", "c"))
    a_chapter(tmp_path, e01_a=EXERCISE.format("07.1", "a"))
    found = load_specs(tmp_path)["07"]
    assert [(exercise.id, exercise.function) for exercise in found] == [("07.1", "a!"), ("07.2", "b!"), ("07.10", "c!")]


def test_a_file_without_an_exercise_and_a_folder_without_files_are_named(tmp_path):
    a_chapter(tmp_path)
    with pytest.raises(SpecError, match="no files e01_name"):
        load_specs(tmp_path)
    a_chapter(tmp_path, e01_a=EXERCISE.format("07.1", "a"), e02_b="")
    with pytest.raises(SpecError, match="no EXERCISE is defined in e02_b"):
        load_specs(tmp_path)


def test_a_folder_is_read_anew_and_not_taken_for_another_of_its_name(tmp_path):
    for folder in (tmp_path / "one", tmp_path / "two"):
        a_chapter(folder, e01_a=EXERCISE.format("07.1", folder.name))
        assert load_specs(folder)["07"][0].function == f"{folder.name}!"
    a_chapter(tmp_path / "one", shared="def name(text):\n    return text + '?'")
    assert load_specs(tmp_path / "one")["07"][0].function == "one?"
    assert not list(tmp_path.rglob("__pycache__"))


def test_what_exercises_share_belongs_to_the_hash_of_their_chapter(tmp_path):
    a_chapter(tmp_path, e01_a=EXERCISE.format("07.1", "a"))
    before = Chapters(tmp_path)["07"].sha256
    a_chapter(tmp_path, shared="def name(text):\n    return text + '?'")
    assert Chapters(tmp_path)["07"].sha256 != before


# --- the domain ------------------------------------------------------------------------------------------------------

NUMBERS = {"a": Number(at_least=0), "b": Number(more_than=0)}
POSITIVE = [case(1.5, 2.0), case(0.5, 2.5), case(2.0, 0.7)]


def test_a_case_outside_the_domain_does_not_build():
    spec = dataclasses.replace(BASE, domain=NUMBERS, visible=[*POSITIVE, case(2.0, -0.5)])
    with pytest.raises(SpecError, match=r"case 4: b holds -0\.5, which the domain excludes"):
        compile_check(spec)


def test_a_boundary_that_no_case_tries_is_made_or_asked_for():
    check = compile_check(dataclasses.replace(BASE, domain=NUMBERS, visible=POSITIVE))
    at_scales = [[1.5e-6, 2.0], [1.5e6, 2.0], [1.5, 2e-6], [1.5, 2e6]]  # a product is linear in both
    assert [item["args"] for item in check["cases"]] == [[1.5, 2.0], [0.5, 2.5], [2.0, 0.7], [0, 2.0], *at_scales]
    assert check["cases"][3]["expected"] == 0
    spec = dataclasses.replace(BASE, domain=NUMBERS, visible=POSITIVE, meets={"a is b": lambda a, b: a == b})
    with pytest.raises(SpecError, match="the domain allows it, but no case tries it: a is b"):
        compile_check(spec)
    assert len(compile_check(dataclasses.replace(spec, visible=[*POSITIVE, case(3.0, 3.0)]))["cases"]) == 5 + 4


def test_hidden_inputs_reach_the_boundaries_too():
    spec = dataclasses.replace(BASE, domain=NUMBERS, hidden=lambda rng: [case(*rng.uniform(1, 2, 2)) for _ in range(3)])
    for seed in range(5):
        check = compile_check(spec, np.random.default_rng(seed))
        assert [item["args"][0] for item in check["cases"]].count(0) == 1


def test_options_that_may_be_left_out_are_tried_both_ways():
    def scaled(a, b=None):
        return 2 * a if b is None else a * b

    bank = [wrong(k, lambda a, b=None, k=k: scaled(a, b) + k) for k in range(1, 6)]
    domain = {"a": Number(zero=False, at_least=0.1), "b": Number(more_than=0, optional=True)}
    spec = dataclasses.replace(BASE, reference=scaled, bank=bank, domain=domain)
    check = compile_check(dataclasses.replace(spec, visible=[case(1.5, b=3.0), case(0.5, b=2.5), case(0.7, b=0.3)]))
    assert {"args": [1.5], "kwargs": {}, "expected": 3.0} in check["cases"]
