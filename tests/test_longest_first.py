"""Two workers share the tests by files, and the proof by chapters; what takes long comes first."""

from pathlib import Path

import pytest

from tools.longest_first import LONG, PROOF, seconds, unit_of

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("test", "unit"),
    [
        ("tests/test_tables.py::test_a_table[03.2]", "tests/test_tables.py"),
        ("notebooks/03_gradient_descent.ipynb::Cell 5", "notebooks/03_gradient_descent.ipynb"),
        (f"{PROOF}::test_an_exercise_is_whole[11.10]", f"{PROOF} 11"),
        (f"{PROOF}::test_every_misconception_is_named[03.2-hidden1]", f"{PROOF} 03"),
        (f"{PROOF}::test_solution_notebook_passes[03]", f"{PROOF} 03"),
        (f"{PROOF}::test_every_specification_loads", f"{PROOF} "),
    ],
)
def test_a_file_stays_on_one_worker_and_so_does_a_chapter_of_the_proof(test, unit):
    assert unit_of(test) == unit


def test_what_takes_long_comes_before_what_has_many_tests():
    assert seconds(f"{PROOF} 03", 100) > seconds("tests/autodiff/test_table.py", 2000) > seconds("tests/a.py", 10)
    assert seconds("notebooks/03_gradient_descent.ipynb", 40) > seconds("tests/test_tables.py", 40)


def test_what_is_said_to_take_long_exists():
    assert [name for name in LONG if not (ROOT / name).exists()] == []
