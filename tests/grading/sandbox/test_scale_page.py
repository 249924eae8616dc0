"""What the pages for instructors say of speed and size is counted from the stored run of the benchmark."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import machine
import pytest

from coursepkg.grading import cli

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("benchmark_grading", ROOT / "benchmarks" / "grading.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def report(script):
    return json.loads(script.RESULT.read_text(encoding="utf-8"))


def test_what_the_pages_say_is_what_the_stored_run_gives(script, report):
    _, table, _ = script.PAGE.read_text(encoding="utf-8").split(script.MARK)
    assert table.strip() == script.scale(report)
    assert len(table.strip().splitlines()) >= 15
    _, words, _ = script.COST_PAGE.read_text(encoding="utf-8").split(script.MARK)
    assert words.strip() == script.cost(report)


def test_ratios_are_those_of_the_rows(script, report):
    assert report["ratios"] == script.ratios(report["rows"])
    assert set(report["ratios"]) == set(script.BARS)
    assert all(row["cpu"] >= row["bar"] for row in report["ratios"].values())


def test_the_run_was_of_four_hundred_notebooks_of_ten_exercises_on_two_cores(report):
    mine = report["rows"][0]
    assert (mine["grader"], mine["notebooks"]) == ("coursepkg", 400)
    assert (report["settings"]["jobs"], report["settings"]["exercises"]) == (2, 10)
    assert {"nbgrader", "otter-grader", "python", "load", "date"} <= set(report["settings"])
    assert mine["cpu_seconds"] / mine["notebooks"] <= 0.3  # a thousand in five minutes, on one core already
    assert mine["check_cpu_seconds"] < 0.05


def test_what_a_grader_leaves_running_is_waited_for_and_nothing_else():
    """So its time counts, like that of any other process."""
    code = (
        "import subprocess, grading\nbefore = subprocess.Popen(['sleep', '60'])\n"
        "with grading.clock(): grading.called(['sh', '-c', '(sleep 0.3; exit 0) & exit 0'], grading.ROOT)\n"
        "print(grading.children() == {before.pid})\nbefore.kill()"
    )
    words = [sys.executable, "-c", code]
    ran = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT / "benchmarks")
    assert ran.stdout == "True\n"


def test_without_the_others_learners_get_the_same_notebook_without_hidden_tests(script, tmp_path):
    """Else a hostile answer would be called while its notebook is loaded, and would take all the others along."""
    exercises = script.load_chapter(script.SPECS / f"ex_{script.CHAPTER}")
    sources = [cell["source"] for cell in script.Course(tmp_path, exercises, None).released["cells"]]
    assert sum("assert check(" in source for source in sources) == len(exercises)
    assert not [source for source in sources if "HIDDEN" in source or "LocalCall" in source]


def test_all_parts_run_on_a_class_of_two(script, capsys):
    machine.require(machine.best_tier())
    assert script.main(["--size", "2", "--honest", "1", "--slow", "0", "--cluster", "0"]) == 0
    told = capsys.readouterr().out
    for words in ("| coursepkg | 2 |", f"| {script.HONEST} | 1 |", "alone | 1 |", "slowest check in a notebook"):
        assert words in told


def test_the_row_that_the_bars_are_about_comes_alone(script, capsys, monkeypatch):
    def graded(folder, learners, exercises, jobs, name):
        return {"grader": name, "notebooks": len(learners), "cpu_seconds": 4.0, "wall_seconds": 2.0, "peak_bytes": 5e7}

    monkeypatch.setattr(script, "ours", graded)
    assert script.main(["--size", "4", "--honest", "2", "--only-honest"]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| coursepkg")]
    assert rows == [f"| {script.HONEST} | 2 | 2.000 | 1.000 | 50 MB |"]


def test_a_learner_more_is_listed_and_takes_some_memory(script, tmp_path):
    found = script.listing(tmp_path, size=3)
    assert set(found) == {"listing_cpu_seconds", "listing_bytes"}
    assert found["listing_bytes"] > 0


def test_only_the_honest_are_not_stored(script):
    with pytest.raises(SystemExit):
        script.main(["--only-honest", "--store"])


def test_arithmetic_of_the_table(script):
    mine = {
        "grader": "coursepkg", "notebooks": 10, "cpu_seconds": 1.0, "peak_bytes": 50e6, "listing_bytes": 500.0,
        "listing_cpu_seconds": 1e-5, "bytes": 20_000, "files": 20, "disk_bytes": 80_000, "handed_in_bytes": 50_000,
    }  # fmt: skip
    dask = {"grader": "dask", "notebooks": 10, "scheduler_cpu_seconds": 0.02, "workers_cpu_seconds": 0.05}
    table = script.scale({"rows": [mine, dask]})
    for words in (
        "100 ms", "2.8 hours", "4 cores | 42 minutes", "256 cores | 39 seconds", "50 MB for the list", "5.0 GB",
        "2.0 GB in 2.0 million files, 8.0 GB on disk", "2.0 ms: enough for 50 cores", "5.0 ms beside grading",
    ):  # fmt: skip
        assert words in table, table
    assert script.span(7200) == "2.0 hours"


def test_the_page_on_scale_names_commands_that_there_are():
    page = (ROOT / "instructor" / "scale.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    grade (.+)$", page, re.MULTILINE)
    assert [cli._parser().parse_args(["grade", *command.split()]).scheduler for command in shown] == ["tcp://HOST:8786"]
