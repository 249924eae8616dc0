"""NumPy and SymPy alone carry the engine and what is built on it; the rest says which extra brings what it needs."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A computer that has the standard library and the libraries that are named, and nothing else.
ONLY = """
import importlib, pkgutil, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in (*sys.stdlib_module_names, "coursepkg", *{there}) and not top.startswith("_"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""
LIGHT = ("numpy", "sympy", "mpmath")
# What mirrors SciPy, and what is made for scikit-learn, needs it.
BEYOND = {
    "scipy": ("autodiff.linalg", "autodiff.primitives.scipy_linalg", "autodiff.primitives.special"),
    "sklearn": ("neural_tree.estimators", "neural_tree.contest"),
    "jinja2": ("grading.reporting",),
    "tqdm": ("grading.running.batch",),
    "distributed": ("grading.running.cluster",),
}
EXTRA = {"scipy": "course", "sklearn": "course", "jinja2": "grading", "tqdm": "grading", "distributed": "cluster"}


def run(code, there=LIGHT, **options):
    code = ONLY.format(there=there) + code
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, **options)


def test_every_room_but_those_of_an_extra_imports():
    done = run(
        """
import coursepkg
for module in pkgutil.walk_packages(coursepkg.__path__, "coursepkg.", onerror=lambda name: None):
    if not module.name.endswith("__main__"):
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            print(module.name.removeprefix("coursepkg."), error.name.partition(".")[0])
"""
    )
    assert done.returncode == 0, done.stderr
    missing = [line.split() for line in done.stdout.splitlines()]
    assert {library for _, library in missing} == set(BEYOND)
    for module, library in missing:
        assert module.startswith(BEYOND[library]), f"{module} needs {library}"


def test_each_of_those_libraries_is_in_an_extra():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for library, extra in EXTRA.items():
        name = {"sklearn": "scikit-learn"}.get(library, library)
        assert any(requirement.split()[0] == name for requirement in extras[extra])


@pytest.mark.parametrize(
    "code",
    [
        "from coursepkg import gradients; print(gradients.grad(lambda w: w**2)(3.0))",
        "from coursepkg.nn import Linear; import numpy as np; print(Linear(2, 1, rng=np.random.default_rng(0)).weight)",
        "from coursepkg.grading import check; print(check('01.1', lambda price, fee, conversions: 0.0).status)",
    ],
)
def test_the_engine_and_the_checks_work(code, tmp_path):
    done = run(code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_start_needs_no_library_and_says_what_the_notebooks_need(tmp_path):
    code = "import sys; from coursepkg import start; sys.exit(start.main(['start', 'copy']))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 'pip install "coursepkg[course]"' in done.stdout
    assert (tmp_path / "copy" / "notebooks" / "00_start_here.ipynb").is_file()
