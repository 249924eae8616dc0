"""Two workers share the tests by files, and the proof by chapters; what takes long comes first."""

import subprocess
import sys
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


def test_a_worker_that_is_lost_costs_one_test_and_the_others_are_run(tmp_path):
    """Each of three files is left by a worker with tests done and tests to come."""
    several = "import os\nimport pytest\n\n@pytest.mark.parametrize('n', range(6))\ndef test_it(n):\n    {}\n"
    for name in "abc":
        (tmp_path / f"test_{name}.py").write_text(several.format("pass"), encoding="utf-8")
    (tmp_path / "none.ini").write_text("[pytest]\n", encoding="utf-8")
    ends = "if n == 3:\n        os._exit(1)"
    (tmp_path / "test_z.py").write_text(several.format(ends), encoding="utf-8")
    options = ["-n", "2", "--dist", "loadfile", "-p", "tools.longest_first", "-p", "no:cacheprovider", "-q"]
    command = [sys.executable, "-m", "pytest", *options, "-c", tmp_path / "none.ini", "--rootdir", tmp_path, tmp_path]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "1 failed, 23 passed" in run.stdout, run.stdout + run.stderr
    assert "crashed while running" in run.stdout
    assert "test_z.py::test_it[3]" in run.stdout
