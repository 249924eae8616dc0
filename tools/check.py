"""Check what you are changing, in under a minute: lint, format, types, and the fast tests of what changed.

What changed is what git says: against the commit at which your branch left `main`, in the working tree, and new files.
A test belongs to a module that it imports or has the name of, and to any other file that its text names. Tests that
take long are left to `make test`, and so is what has not begun when the time is over; both are named.

As a pytest plug-in, this module holds the tests to their time.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from tools.longest_first import LONG

ROOT = Path(__file__).resolve().parent.parent
TEST_SECONDS = 40.0
SLOW = tuple(name for name, known in LONG.items() if known >= 20)
LEFT = "left to `make test`: the time of `make check` is over"

_begun = time.monotonic()


def pytest_runtest_setup() -> None:
    if time.monotonic() - _begun > TEST_SECONDS:
        pytest.skip(LEFT)


# --- what changed ----------------------------------------------------------------------------------------------------


def changed(root: Path) -> list[str]:
    """Files that differ from the commit at which the branch left `main`, and new ones; without those that are gone."""
    base = _git(root, "merge-base", "HEAD", "main") or ["HEAD"]  # a checkout of one commit has no main
    found = {*_git(root, "diff", "--name-only", base[0]), *_git(root, "ls-files", "--others", "--exclude-standard")}
    return sorted(name for name in found if (root / name).is_file())


def _git(root: Path, *words: str) -> list[str]:
    command = ["git", "-c", "core.quotePath=false", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.splitlines()


# --- its tests -------------------------------------------------------------------------------------------------------


def tests_of(root: Path, files: Iterable[str]) -> tuple[list[str], list[str]]:
    """The test files that belong to some files: the fast ones, and those that take long.

    Parameters
    ----------
    root : pathlib.Path
        The repository.
    files : iterable of str
        Paths in it, with "/".

    Returns
    -------
    fast, slow : list of str
        Changed tests come first.
    """
    files = list(files)
    tests = {path.relative_to(root).as_posix(): path for path in sorted((root / "tests").rglob("test_*.py"))}
    found = [name for name in files if name in tests]
    for name in files:
        found += [test for test, path in tests.items() if name not in tests and _belongs(test, path, name)]
    found = list(dict.fromkeys(found))
    return [test for test in found if not test.startswith(SLOW)], [test for test in found if test.startswith(SLOW)]


def _belongs(test: str, path: Path, name: str) -> bool:
    file = PurePosixPath(name)
    if file.suffix != ".py":
        return file.name in path.read_text(encoding="utf-8")
    module = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    if file.parts[0] == "tests":  # a module beside the tests, imported by its bare name
        beside = PurePosixPath(test).parent.is_relative_to(file.parent)
        return beside and (file.stem == "conftest" or file.stem in _imported(path))
    return PurePosixPath(test).stem == f"test_{file.stem}" or module in _imported(path)


@cache
def _imported(path: Path) -> frozenset[str]:
    """The modules and names that a test imports, with dots."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


# --- the steps -------------------------------------------------------------------------------------------------------


def steps(files: list[str], tests: list[str]) -> list[tuple[str, list[str]]]:
    """What is run, by name; nothing is run for what did not change."""
    python = [sys.executable, "-m"]
    read = [name for name in files if name.endswith((".py", ".ipynb")) and not name.startswith("exercises/")]
    found = [("lint", [*python, "ruff", "check", *read]), ("format", [*python, "ruff", "format", "--check", *read])]
    found = found if read else []
    if any(name.startswith("coursepkg/") for name in read):
        found.append(("types", [*python, "mypy"]))
    if any(name.startswith(("notebooks/", "solutions/")) for name in read):
        found.append(("notebooks", [sys.executable, "tools/notebooks.py", "lint"]))
    if tests:
        found.append(("tests", [*python, "pytest", "-q", "-p", "tools.check", *tests]))
    return found


def main() -> int:
    """Run the steps; 1 if one failed."""
    files = changed(ROOT)
    fast, slow = tests_of(ROOT, files)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    failed = []
    for name, command in steps(files, fast):
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            failed.append(name)
    for test in slow:
        print(f"Left to `make test`, since it takes long: {test}")
    print(f"FAILED: {', '.join(failed)}" if failed else f"Checked what belongs to {len(files)} changed files.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
