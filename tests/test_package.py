"""What is published: what a wheel and an sdist hold, and that the course works from them, away from the checkout."""

import email
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import nbformat
import pytest

import coursepkg
from tools.notebook_file import ROOT
from tools.package_metadata import for_an_index

COURSE = ("notebooks/*.ipynb", "exercises/*.ipynb", "exercises/.checks/*.json", "solutions/*.ipynb")
STORED = ("benchmarks/results/*.json", "docs/verdicts.md")
ANSWER = """from coursepkg.grading import check


def portions_per_coin(price, fee, conversions):
    rate = (1 - fee) / price
    for conversion in conversions:
        rate *= conversion
    return rate

check("01.1", portions_per_coin)"""


def build(folder, **environment):
    """Both files, made as an index would get them; returns their paths, that of the wheel first."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder],
        cwd=ROOT, env=os.environ | {"COURSEPKG_REPOSITORY": ""} | environment, check=True, capture_output=True,
    )  # fmt: skip
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("built"))


def in_wheel(built):
    with zipfile.ZipFile(built[0]) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def in_sdist(built):
    with tarfile.open(built[1]) as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive if member.isfile()}
        return {name: file.read() for name, file in files.items()}


def course_files():
    return {path.relative_to(ROOT).as_posix() for pattern in (*COURSE, *STORED) for path in ROOT.glob(pattern)}


# --- what they hold --------------------------------------------------------------------------------------------------


def test_a_wheel_holds_the_package_and_the_course_and_nothing_else(built):
    names = [name.split("/", 1) for name in in_wheel(built)]
    rest = {name.removeprefix("course/") for top, name in names if top == "coursepkg" and name.startswith("course/")}
    package = {name for top, name in names if top == "coursepkg" and not name.startswith("course/")}
    assert rest == course_files()
    assert {top for top, _ in names} == {"coursepkg", f"coursepkg-{coursepkg.__version__}.dist-info"}
    assert package >= {"__init__.py", "py.typed", "visualize/alive/alive.js", "grading/cli.py"}
    assert {Path(name).suffix for name in package} <= {".py", ".js", ".css", ".html", ".json", ".txt", ".typed"}


def test_an_sdist_holds_what_a_wheel_is_made_from(built):
    files = in_sdist(built)
    assert files.keys() >= {*course_files(), "coursepkg/py.typed", "pyproject.toml", "tools/package_metadata.py"}
    assert {name.split("/")[0] for name in files if "/" in name} == {
        "benchmarks", "coursepkg", "docs", "exercises", "notebooks", "solutions", "tools",
    }  # fmt: skip


@pytest.mark.parametrize("files", [in_wheel, in_sdist])
def test_nothing_private_is_published(built, files):
    for name, content in files(built).items():
        assert not re.search(r"specs/|\.ipynb_checkpoints|__pycache__|progress\.json", name)
        for private in (str(ROOT), str(Path.home()) + "/"):
            assert private.encode() not in content, name


def test_a_wheel_is_below_six_megabytes(built):
    assert built[0].stat().st_size < 6 << 20


# --- what an index shows ---------------------------------------------------------------------------------------------


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(f"coursepkg-{coursepkg.__version__}.dist-info/METADATA"))


def relative_links(page):
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", page) if "://" not in link]


def test_the_page_links_into_the_repository(tmp_path):
    shown = metadata(build(tmp_path, COURSEPKG_REPOSITORY="https://forge.example/course/")[0])
    page = shown.get_payload()
    assert relative_links(page) == []
    assert "https://forge.example/course/raw/main/.github/images/lab.png" in page
    assert "https://forge.example/course/blob/main/CONTRIBUTING.md" in page
    assert shown.get_all("Project-URL") == [
        "Repository, https://forge.example/course",
        "Issues, https://forge.example/course/issues",
        "Changelog, https://forge.example/course/blob/main/CHANGELOG.md",
    ]


def test_without_a_repository_no_link_leads_nowhere(built):
    shown = metadata(built[0])
    assert relative_links(shown.get_payload()) == []
    assert "](https://docs.astral.sh/uv/)" in shown.get_payload()
    assert shown.get_all("Project-URL") is None


def test_an_index_takes_both_files(built):
    pytest.importorskip("twine", reason="twine, which knows what an index takes, is not installed")
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *built], check=True, capture_output=True)


def test_a_release_tells_the_build_where_the_repository_is():
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    assert "COURSEPKG_REPOSITORY: ${{ github.server_url }}/${{ github.repository }}\n" in workflow


def test_other_links_stay_as_they_are():
    page = "[a](https://a.example/b) [b](#b) [c](mailto:c@d.example) ![d](d.png) [e](e/f.md)"
    assert for_an_index(page, "r") == page.replace("d.png", "r/raw/main/d.png").replace("e/f.md", "r/blob/main/e/f.md")
    assert for_an_index(page, "") == "[a](https://a.example/b) [b](#b) [c](mailto:c@d.example)  e"


def test_the_version_is_the_one_that_is_cited_and_in_the_changes():
    assert f"\nversion: {coursepkg.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {coursepkg.__version__} · " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# --- away from the checkout ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def away(built, tmp_path_factory):
    """A folder with an environment that has the wheel and, of this one, the libraries; and a way to run in it."""
    folder = tmp_path_factory.mktemp("away")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    if uv := shutil.which("uv"):
        install = [uv, "pip", "install", "--offline", "--python", python]
    else:
        install = [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--no-index",
            "--no-warn-script-location",
        ]
    subprocess.run([*install, "--no-deps", built[0]], check=True, capture_output=True, cwd=folder)
    hidden = ("COURSEPKG_", "JUPYTER", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}

    def run(program, *arguments, cwd=folder):
        return subprocess.run(
            [scripts / program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
        )

    here = run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip()
    # A folder named here is searched for libraries; the .pth files in it, that of the checkout too, are not read.
    (Path(here) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (folder / "empty").mkdir()
    return folder, run


@pytest.fixture(scope="module")
def laid_out(away):
    folder, run = away
    started = run("coursepkg", "start", "my-course")
    assert started.returncode == 0, started.stderr
    assert len(started.stdout.splitlines()) == 3
    return folder / "my-course"


def executed(run, notebook):
    done = run("python", "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", notebook, cwd=notebook.parent)
    assert done.returncode == 0, done.stderr[-3000:]
    return nbformat.read(notebook, as_version=4)


def test_the_package_that_runs_is_the_wheel(away):
    folder, run = away
    assert run("python", "-c", "import coursepkg; print(coursepkg.__file__)").stdout.startswith(str(folder))


def test_chapter_01_runs_from_a_laid_out_course(away, laid_out):
    notebook = executed(away[1], laid_out / "notebooks" / "01_cooking_analogy.ipynb")
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


def test_exercise_01_1_is_passed_and_grade_check_says_so(away, laid_out):
    path = laid_out / "exercises" / "01_cooking_analogy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code" and 'check("01.1"' in cell.source)
    cell.source = ANSWER
    nbformat.write(notebook, path)
    shown = next(cell.outputs for cell in executed(away[1], path).cells if cell.source == ANSWER)
    assert any("01.1 passed" in str(output) for output in shown)
    graded = away[1]("coursepkg", "grade", "check", "exercises/01_cooking_analogy.ipynb", cwd=laid_out)
    assert graded.returncode == 1, graded.stderr  # one is right, the others are not begun
    assert re.search(r"^01\.1 .* passed ", graded.stdout, flags=re.MULTILINE)
    assert re.search(r"^01\.2 .* not attempted ", graded.stdout, flags=re.MULTILINE)


def test_checks_and_stored_results_are_found_in_the_package(away):
    folder, run = away
    code = (
        "from coursepkg import stored; from coursepkg.grading import hint; hint('01.1'); print(*stored.load('mnist'))"
    )
    done = run("python", "-c", code, cwd=folder / "empty")
    assert "01.1 hint 1 of 3" in done.stdout
    assert "settings" in done.stdout.split()


def test_update_keeps_what_was_done(away, laid_out):
    done = away[1]("coursepkg", "update", cwd=laid_out)
    assert done.returncode == 0, done.stderr
    assert "nothing had to be written" in done.stdout
    assert json.loads((laid_out / ".coursepkg.json").read_text())["edition"] == coursepkg.__version__
