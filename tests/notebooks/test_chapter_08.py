"""Chapter 08: what feedback refers to exists, and what the prose says of numbers is what the results hold."""

import json
import re
import statistics
from pathlib import Path

import nbformat
import pytest

from coursepkg.estimators import gradient_noise, linear_bytes
from coursepkg.grading.specification.chapters import load_specs

ROOT = Path(__file__).resolve().parents[2]
NAME = "08_memory_efficient_backprop.ipynb"
EXERCISES = load_specs(ROOT / "solutions" / "specs")["08"]


@pytest.fixture(scope="module")
def prose():
    notebook = nbformat.read(ROOT / "notebooks" / NAME, as_version=4)
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.fixture(scope="module")
def stored():
    return json.loads((ROOT / "benchmarks" / "results" / "memory_efficient.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_sections_that_feedback_names_exist(exercise, prose):
    sections = set(re.findall(r"^## (\d+) · ", prose, re.M))
    places = [exercise.see, *(entry.look_at for entry in exercise.bank)]
    named = set(re.findall(r"\bsections? (\d+)", " ".join(places)))
    assert named
    assert named <= sections


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_the_page_states_the_minutes_and_points_of_the_specification(exercise):
    page = nbformat.read(ROOT / "solutions" / NAME, as_version=4)
    (cell,) = [cell for cell in page.cells if cell.source.startswith(f"## {exercise.id} ")]
    assert cell.source.splitlines()[0] == f"## {exercise.id} · {exercise.title}"
    points = f"{exercise.points} point" + "s" * (exercise.points != 1)
    assert f"*{exercise.minutes} minutes · difficulty {exercise.difficulty} of 3 · {points}*" in cell.source


def test_the_quoted_table_and_what_is_said_of_it(prose):
    def seconds(text):
        minutes, rest = text.split(":")
        return 60 * int(minutes) + int(rest)

    rows = re.findall(
        r"^\| (?:50|20|10) % \| [\d.]+, (\d+:\d\d) \| [\d.]+, (\d+:\d\d) \| [\d.]+, (\d+:\d\d) \|$", prose, re.M
    )
    assert len(rows) == 3
    whole = seconds(re.search(r"\| all \| 60\.90, (\d+:\d\d)", prose)[1])
    gaussian = [seconds(row[0]) / whole - 1 for row in rows]
    assert [f"{min(gaussian):.0%}", f"{max(gaussian):.0%}"] == ["15%", "21%"]
    assert "by 15 to 21 % for the Gaussian sketch" in prose
    assert max(seconds(row[2]) for row in rows) / whole == pytest.approx(2, abs=0.02)
    assert f"{1 - 9.20 / 11.30:.1%}" == "18.6%"


def test_numbers_of_the_prose(prose):
    assert linear_bytes(2048, 768) == 6 * 2**20
    factor = 1 + 2048 * (768 + 768) / (768 * 768)
    assert f"${factor:.1f}\\,\\rho$" in prose.replace("here $6.3", "$6.3")
    assert f"breaks even at $\\rho = {1 / factor:.2f}$" in prose
    found = gradient_noise([[1.1], [0.9]], [[0.9], [1.12]], 1, "gaussian")
    assert f"it is {found.published_ratio:.0f}, with a claimed bound of {found.published_bound:.0f}" in prose
    assert gradient_noise([[1.1], [0.9]], [[0.9], [1.1]], 1).sgd == pytest.approx(0, abs=1e-12)


def test_folding_and_dropping_are_faster_than_the_exact_product(stored):
    ratios = stored["speed"]["weight_gradient"][0]["ratios"]
    assert all(ratios[f"{kind} {rate}"] < 1 for kind in ("fold", "rows") for rate in (0.5, 0.25, 0.125))


def test_rows_are_best_and_rates_matter_more(stored):
    runs = stored["digits"]["digits"]["runs"]
    loss = {
        (kind, rate): statistics.mean(r["loss"] for r in runs if (r["sketch"], r["rate"]) == (kind, rate))
        for kind in ("fold", "rows", "gaussian")
        for rate in (0.5, 0.25, 0.1, 0.05)
    }
    for kind in ("fold", "rows", "gaussian"):
        assert loss[kind, 0.05] > loss[kind, 0.1] > loss[kind, 0.5]
    for rate in (0.5, 0.25, 0.1, 0.05):
        assert loss["rows", rate] == min(loss[kind, rate] for kind in ("fold", "rows", "gaussian"))
        assert rate < 0.1 or loss["fold", rate] < loss["gaussian", rate]
        assert loss["gaussian", rate] / loss["rows", rate] < loss["fold", 0.05] / loss["fold", 0.5]


def test_on_docstrings_a_tenth_of_the_rows_is_within_the_luck_of_seeds(stored):
    text = stored["text"]
    scores = {rate: [r["accuracy"] for r in text["runs"] if r["rate"] == rate] for rate in (1.0, 0.5, 0.2, 0.1)}
    everything = [score for rate in scores for score in scores[rate]]
    assert abs(statistics.mean(scores[1.0]) - statistics.mean(scores[0.1])) < max(everything) - min(everything)
    assert text["bag_of_words"] > max(scores[1.0])
