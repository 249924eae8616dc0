"""`make check` takes the fast tests of what changed, and says what it leaves to `make test`."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import check

ROOT = Path(__file__).parents[1]
FILES = {
    "coursepkg/nn/attention.py": "",
    "coursepkg/nn/layers.py": "",
    "coursepkg/clinic.py": "",
    "README.md": "",
    "tests/nn/test_attention.py": "from coursepkg import nn\n",
    "tests/nn/test_routes.py": "from coursepkg.nn import layers\nfrom shapes import SHAPES\n",
    "tests/nn/shapes.py": "SHAPES = []\n",
    "tests/shapes.py": "",
    "tests/test_readme.py": "PAGE = 'README.md'\n",
    "tests/test_all.py": "import coursepkg.nn.attention\nimport shapes\n",
    "tests/browser/test_lab.py": "from coursepkg.nn.attention import attend\n",
}


@pytest.fixture
def project(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "fast"),
    [
        ("coursepkg/nn/attention.py", ["tests/nn/test_attention.py", "tests/test_all.py"]),
        ("coursepkg/nn/layers.py", ["tests/nn/test_routes.py"]),
        ("coursepkg/nn/__init__.py", ["tests/nn/test_attention.py", "tests/nn/test_routes.py"]),
        ("coursepkg/clinic.py", []),
        ("README.md", ["tests/test_readme.py"]),
        ("tests/nn/test_routes.py", ["tests/nn/test_routes.py"]),
        ("tests/nn/shapes.py", ["tests/nn/test_routes.py"]),
        ("tests/nn/conftest.py", ["tests/nn/test_attention.py", "tests/nn/test_routes.py"]),
    ],
)
def test_a_change_brings_its_tests(project, name, fast):
    assert check.tests_of(project, [name])[0] == fast


def test_tests_that_take_long_are_named_and_not_run(project):
    fast, slow = check.tests_of(project, ["coursepkg/nn/attention.py", "tests/browser/test_lab.py"])
    assert slow == ["tests/browser/test_lab.py"]
    assert not set(fast) & set(slow)


def test_a_changed_test_comes_first_and_once(project):
    fast, _ = check.tests_of(project, ["coursepkg/nn/attention.py", "tests/test_all.py"])
    assert fast == ["tests/test_all.py", "tests/nn/test_attention.py"]


def git(folder, *words):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def test_changed_is_what_differs_from_main_in_commits_in_the_tree_and_new(project):
    git(project, "init", "-b", "main")
    git(project, "add", ".")
    git(project, "commit", "-m", "all")
    assert check.changed(project) == []
    git(project, "switch", "-c", "work")
    (project / "README.md").write_text("committed", encoding="utf-8")
    git(project, "commit", "-a", "-m", "on the branch")
    git(project, "switch", "main")
    (project / "coursepkg/clinic.py").write_text("x = 1", encoding="utf-8")
    git(project, "commit", "-a", "-m", "meanwhile on main")
    git(project, "switch", "work")
    (project / "coursepkg/nn/layers.py").write_text("x = 1", encoding="utf-8")
    (project / "tests/nn/test_routes.py").unlink()
    (project / "tests/ünew.py").write_text("", encoding="utf-8")
    assert check.changed(project) == ["README.md", "coursepkg/nn/layers.py", "tests/ünew.py"]


def test_each_step_has_something_to_look_at():
    def names(*files):
        return [name for name, _ in check.steps(list(files), [])]

    assert names() == names("README.md") == names("exercises/01_cooking_analogy.ipynb") == []
    assert names("tools/lab.py") == ["lint", "format"]
    assert names("coursepkg/clinic.py") == ["lint", "format", "types"]
    assert names("notebooks/03_gradient_descent.ipynb") == ["lint", "format", "notebooks"]
    assert [name for name, _ in check.steps(["README.md"], ["tests/test_readme.py"])] == ["tests"]


def test_what_has_not_begun_when_time_is_over_is_left_and_said(tmp_path):
    over = "from tools import check\n\ndef test_first():\n    check.TEST_SECONDS = -1.0\n"
    (tmp_path / "test_it.py").write_text(f"{over}\ndef test_second():\n    assert 0\n", encoding="utf-8")
    (tmp_path / "none.ini").write_text("[pytest]\n", encoding="utf-8")
    options = ["-p", "tools.check", "-p", "no:cacheprovider", "-q", "-rs", "-c", tmp_path / "none.ini"]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", tmp_path, tmp_path]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "1 passed, 1 skipped" in run.stdout, run.stdout + run.stderr
    assert check.LEFT in run.stdout
