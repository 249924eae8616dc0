"""The environment is described in four places; these tests keep them saying the same."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.lock", "requirements-test.lock"]

# conda-forge's name for a package where it differs from PyPI's
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
EXTRAS = ["course", "grading"]  # what `make lab` and `make test` install; a cluster is for those who have one


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def split_requirement(text):
    name, bounds = re.fullmatch(r"([A-Za-z0-9_.-]+)\s*(.*)", text.strip()).groups()
    return normalized(name), bounds.replace(" ", "")


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def declared(*groups):
    """Requirements in pyproject.toml: those of the package and its extras, and those of the named groups."""
    found = list(project()["project"]["dependencies"])
    for extra in EXTRAS:
        found += project()["project"]["optional-dependencies"][extra]
    for group in groups:
        found += project()["dependency-groups"][group]
    return dict(map(split_requirement, found))


def pins(lock):
    """Package name -> set of pinned versions (the universal lock may hold one per Python version)."""
    found = {}
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)==([^\s;\\]+)", line)
        if match:
            found.setdefault(normalized(match[1]), set()).add(match[2])
    return found


def as_numbers(version):
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_host_and_hashes_everything(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^--(index|extra-index|find-links|trusted)", text, flags=re.MULTILINE)
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 100
    unhashed = [block.split()[0] for block in blocks if "--hash=sha256:" not in block]
    assert not unhashed


@pytest.mark.parametrize(
    ("lock", "groups"), [("requirements.lock", ["build"]), ("requirements-test.lock", ["build", "test"])]
)
def test_lock_holds_what_the_project_declares(lock, groups):
    pinned = pins(lock)
    for name, bounds in declared(*groups).items():
        assert name in pinned, f"{lock} lacks {name}: run `make lock`"
        lower = re.search(r">=([\d.]+)", bounds)[1]
        for version in pinned[name]:
            assert as_numbers(version) >= as_numbers(lower), f"{lock} has {name} {version}, older than {bounds}"


def test_learners_and_testers_get_the_same_versions():
    learner, tester = pins("requirements.lock"), pins("requirements-test.lock")
    assert {name: versions for name, versions in learner.items() if tester.get(name) != versions} == {}


def test_conda_environment_asks_for_the_same_packages():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    entries = re.findall(r"^  - ([^:\n]+)$", text, flags=re.MULTILINE)
    conda = dict(split_requirement(entry) for entry in entries if entry not in ("conda-forge", "pip"))
    expected = {CONDA_NAMES.get(name, name): bounds for name, bounds in declared("build", "test").items()}
    expected["python"] = project()["project"]["requires-python"]
    assert conda == expected


def test_what_builds_the_package_is_in_the_group_that_the_locks_hold():
    assert project()["build-system"]["requires"] == project()["dependency-groups"]["build"]


def test_make_lock_resolves_these_extras():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"^\t\$\(uv_lock\).*", makefile, flags=re.MULTILINE)
    assert [re.findall(r"--extra (\S+)", recipe) for recipe in recipes] == [EXTRAS, EXTRAS]


def test_a_cluster_takes_what_the_grader_and_its_tests_take():
    grading, distributed = project()["project"]["optional-dependencies"]["cluster"]
    assert grading == "coursepkg[grading]"
    peers = (ROOT / "requirements-peers.txt").read_text(encoding="utf-8").splitlines()
    assert split_requirement(distributed) in [split_requirement(line) for line in peers if not line.startswith("#")]


def test_peers_stay_out_of_the_locks():
    peers = (ROOT / "requirements-peers.txt").read_text(encoding="utf-8")
    names = {split_requirement(line)[0] for line in peers.splitlines() if line and not line.startswith("#")}
    assert "torch" in names
    for lock in LOCKS:
        assert not names & set(pins(lock))


def test_every_python_that_the_package_names_is_in_each_matrix_and_no_other():
    classifiers = re.findall(r":: Python :: (3\.\d+)$", "\n".join(project()["project"]["classifiers"]), re.MULTILINE)
    assert f">={classifiers[0]}" == project()["project"]["requires-python"]
    assert [as_numbers(version) for version in classifiers] == [(3, 11 + k) for k in range(len(classifiers))]
    workflows = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    matrices = re.findall(r"^ +python: \[(.*)\]$", workflows["test"], flags=re.MULTILINE)
    assert [re.findall(r'"([\d.]+)"', matrix) for matrix in matrices] == [classifiers] * 2
    for name in ("test", "release"):  # what runs once runs on the newest
        once = re.findall(r'^ +python-version: "([\d.]+)"$', workflows[name], flags=re.MULTILINE)
        assert once
        assert set(once) == {classifiers[-1]}
