"""An answer finds the names around it as in Jupyter, and as they were when it was checked."""

import json
import textwrap

import pytest
from hostile_notebooks import PRODUCT, RIGHT, notebook_bytes

from coursepkg.grading.running.grader import Work

FIRST = "from coursepkg.grading import check\ncheck('91.1', squared_slope)"
SECOND = "from coursepkg.grading import check\ncheck('91.2', product)"
STUB = "def product(a, b):\n    raise NotImplementedError('91.2: write your answer here')"
OTHER = "what `product` uses means something else after its check; it is judged with what it meant then"


def graded(grader, *cells):
    """Points of both answers, and the flags of the second."""
    data = notebook_bytes([textwrap.dedent(cell) for cell in cells])
    [first, second] = grader.grade(Work("ann", "Ann", "91", "91_mine.ipynb", data)).results
    return first.points, second.points, second.flags


# --- the notebook is the module `__main__` ---------------------------------------------------------------------------

AS_IN_JUPYTER = {
    "a class variable": """
        from dataclasses import dataclass
        from typing import ClassVar
        @dataclass
        class Pair:
            a: float
            b: float
            made: ClassVar[list] = []
        def product(a, b):
            pair = Pair(a, b)
            return pair.a * pair.b""",
    "keywords alone, and what is only for the start": """
        from dataclasses import KW_ONLY, InitVar, dataclass
        @dataclass
        class Pair:
            a: float = 0.0
            _: KW_ONLY
            b: InitVar[float]
            def __post_init__(self, b):
                self.product = self.a * b
        def product(a, b):
            return Pair(a, b=b).product""",
    "annotations as texts, where the notebook asks for them": """
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import ClassVar, get_type_hints
        @dataclass
        class Pair:
            a: float
            other: Pair
            made: ClassVar[list] = []
        assert Pair.__annotations__["other"] == "Pair"
        def product(a, b):
            assert get_type_hints(Pair)["other"] is Pair
            return Pair(a, None).a * b""",
    "annotations as values, where it does not": """
        def times(a: 3, b: float):
            return a * b
        def product(a, b):
            return times(a, b) * times.__annotations__["a"] / 3""",
    "imported from the notebook": """
        def times(a, b):
            return a * b
        def product(a, b):
            from __main__ import times
            return times(a, b)""",
    "the notebook by its name": """
        import sys
        def times(a, b):
            return a * b
        def product(a, b):
            import __main__
            return __main__.times(sys.modules[__name__].times(a, b), 1.0)""",
}


@pytest.mark.parametrize("name", AS_IN_JUPYTER)
def test_the_notebook_is_a_module_as_in_jupyter(grader, name):
    assert graded(grader, RIGHT, FIRST, AS_IN_JUPYTER[name], SECOND) == (2, 1, ())


def test_an_import_from_the_future_holds_in_later_cells_too(grader):
    cells = ("from __future__ import annotations", "def product(a: unknown, b):\n    return a * b", SECOND)
    assert graded(grader, RIGHT, FIRST, *cells) == (2, 1, ())
    assert graded(grader, RIGHT, FIRST, *cells[1:])[1] == 0


def test_an_answer_reaches_nothing_of_the_process_by_its_main_module(grader):
    cells = (
        "before = set(globals())",
        """
        def product(a, b):
            import __main__
            assert vars(__main__) is globals()
            assert set(vars(__main__)) - before <= {"before", "product", "check", "squared_slope", "np"}
            return a * b""",
    )
    assert graded(grader, RIGHT, FIRST, *cells, SECOND) == (2, 1, ())


# --- as at its check -------------------------------------------------------------------------------------------------

LATER = {
    "a number": ("unit = 1.0\ndef product(a, b):\n    return a * b * unit", "unit = 7.0"),
    "a number that is deleted": ("unit = 1.0\ndef product(a, b):\n    return a * b * unit", "del unit"),
    "a module": ("import math\ndef product(a, b):\n    return math.fsum([a * b])", "math = 3"),
    "one of Python's own names": ("def product(a, b):\n    return sum([a * b])", "sum = 3"),
    "a helper": ("def f(a):\n    return a\ndef product(a, b):\n    return f(a) * b", "def f(a, b):\n    return 3"),
    "what a helper uses": ("u = 1.0\ndef f(a):\n    return a * u\ndef product(a, b):\n    return f(a) * b", "u = 2.0"),
    "what a class uses": ("u = 1.0\nclass F:\n    def a(self):\n        return u\n"
                          "def product(a, b):\n    return F().a() * a * b", "u = 2.0"),
}  # fmt: skip


@pytest.mark.parametrize("name", LATER)
def test_a_name_that_means_something_else_later_costs_nothing_and_is_flagged(grader, name):
    answer, later = LATER[name]
    assert graded(grader, RIGHT, FIRST, answer, SECOND, later) == (2, 1, (OTHER,))


def test_what_comes_later_and_is_not_used_is_not_flagged(grader):
    cells = ("unit = 3\nclass A:\n    unit = 1.0", "def product(a, b):\n    return a * b * A.unit", SECOND, "unit = 4")
    assert graded(grader, RIGHT, FIRST, *cells) == (2, 1, ())


def test_what_is_defined_only_later_is_found_in_any_order(grader):
    helper, answer = "def times(a, b):\n    return a * b", "def product(a, b):\n    return times(a, b)"
    assert graded(grader, answer, SECOND, helper, RIGHT, FIRST) == (2, 1, ())


def test_a_helper_that_was_not_written_yet_at_the_check_is_taken_as_it_is_in_the_end(grader):
    stub = "def times(a, b):\n    raise NotImplementedError('91.1: write your answer here')"
    answer, helper = "def product(a, b):\n    return times(a, b)", "def times(a, b):\n    return a * b"
    assert graded(grader, stub, answer, SECOND, helper, RIGHT, FIRST)[:2] == (2, 1)


def test_another_exercises_answer_is_the_one_that_was_checked_last(grader):
    wrong, answer = (
        "def squared_slope(x, w):\n    return 7",
        "def product(a, b):\n    return squared_slope(1.0, a) * b / 2",
    )
    assert graded(grader, wrong, answer, SECOND, RIGHT, FIRST)[:2] == (2, 1)


def test_each_answer_has_names_of_its_own(grader):
    cells = ("f = 2", "def squared_slope(x, w):\n    return f * x**2 * w", FIRST,
             "f = 1", "def product(a, b):\n    return f * a * b", SECOND, "f = 5")  # fmt: skip
    assert graded(grader, *cells)[:2] == (2, 1)


def test_an_answer_that_is_found_by_its_name_has_the_names_of_the_end(grader):
    cells = ("f = 7", "def product(a, b):\n    return f * a * b", RIGHT, FIRST, "f = 1")
    assert graded(grader, *cells)[:2] == (2, 1)


# --- what is not written yet -----------------------------------------------------------------------------------------

LEFT = "\n    raise NotImplementedError('91.2: write your answer here')"
GIVEN = "def product(a, b):\n    first = a" + LEFT


@pytest.mark.parametrize("name", ["product", "mine"])
def test_a_line_that_was_left_and_is_never_reached_costs_nothing(grader, name):
    answer = f"def {name}(a, b):\n    if a is not None:\n        return a * b{LEFT}"
    assert graded(grader, RIGHT, FIRST, answer, f"{SECOND.rpartition(',')[0]}, {name})")[:2] == (2, 1)


@pytest.mark.parametrize("stub", [STUB, GIVEN])
@pytest.mark.parametrize("cells", [
    ("{stub}", SECOND, PRODUCT, SECOND), (PRODUCT, SECOND, "{stub}", SECOND), ("{stub}", SECOND, PRODUCT),
])  # fmt: skip
def test_what_is_not_begun_takes_the_place_of_no_answer(grader, stub, cells):
    assert graded(grader, RIGHT, FIRST, *(cell.format(stub=stub) for cell in cells))[:2] == (2, 1)


@pytest.mark.parametrize("stub", [STUB, GIVEN])
def test_what_is_not_begun_is_not_attempted(grader, stub):
    data = json.dumps(json.loads(notebook_bytes([RIGHT, FIRST, stub, SECOND]))).encode()
    [_, second] = grader.grade(Work("ann", "Ann", "91", "91_mine.ipynb", data)).results
    assert second.items[0].verdict == "not-attempted"
    assert second.flags == ()
