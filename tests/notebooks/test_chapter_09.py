"""Chapter 09: what feedback refers to exists, and what the page says of stored runs is what was stored."""

import json
import re
from pathlib import Path

import forward_gradient_claims as claims
import nbformat
import pytest

from coursepkg.grading.specification.chapters import load_chapter

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = load_chapter(ROOT / "solutions" / "specs" / "ex_09")
RESULTS = ROOT / "benchmarks" / "results"


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(ROOT / "notebooks" / "09_forward_gradient.ipynb", as_version=4)


def words(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def outputs(notebook):
    found = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(str(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in found)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_every_section_that_feedback_names_exists(exercise, notebook):
    sections = set(re.findall(r"^## (\d+) · ", words(notebook), re.MULTILINE))
    named = [exercise.see, *(entry.look_at for entry in exercise.bank)]
    for text in named:
        if text.startswith("notebook 09"):
            assert set(re.findall(r"\d+", text.split(":")[0].removeprefix("notebook 09"))) <= sections, text


def test_the_page_shows_every_claim_with_its_verdict(notebook):
    shown = outputs(notebook)
    for row in json.loads((RESULTS / "forward_gradient_claims.json").read_text(encoding="utf-8"))["rows"]:
        for key in ("claim", "ours", "verdict"):
            assert row[key] in shown, row["claim"]


def test_sentences_about_the_large_network_hold_in_the_stored_runs(notebook):
    learning = json.loads((RESULTS / "forward_gradient_learning.json").read_text(encoding="utf-8"))
    best = {run["method"]: run for run in learning["mlp"]["best"]}
    start, end = best["rank four"]["curve"][0][2], best["rank four"]["loss"]
    assert f"has come from a loss of {start:.2f} to {end:.2f}" in words(notebook)
    assert best["backprop"]["loss"] < 0.05
    cnn = {run["method"]: run for run in learning["cnn"]["best"]}
    assert f"only {cnn['Gaussian']['parameters']:,}" in words(notebook)
    assert cnn["Gaussian"]["loss"] > 2


def test_the_page_says_which_best_rates_lie_at_an_end_of_their_grid(notebook):
    learning = json.loads((RESULTS / "forward_gradient_learning.json").read_text(encoding="utf-8"))

    def at_the_end(runs, what, ends=(min, max)):
        grids = [(run, [float(rate) for rate in run["tried"]]) for run in runs]
        return {(run.get(what), run["method"]) for run, grid in grids if run["lr"] in {end(grid) for end in ends}}

    sizes = {650: "smallest", 4810: "middle", 26122: "largest"}
    found = {(sizes[size], way) for size, way in at_the_end(learning["digits"]["runs"], "parameters")}
    assert found == {
        ("smallest", "backprop"), ("smallest", "Gaussian, K = 16"), ("smallest", "activities"), ("middle", "backprop"),
    }  # fmt: skip
    assert "the largest that was tried, for every method but the single direction" in words(notebook)
    ways = {part: {way for _, way in at_the_end(learning[part]["best"], "")} for part in ("logistic", "mlp", "cnn")}
    both = {"backprop", "activities"}
    assert ways == {"logistic": both, "mlp": both, "cnn": both | {"Gaussian"}}
    assert "those of backpropagation and of activities, and that of a single direction on the CNN" in words(notebook)
    deep = [run for run in learning["local"]["runs"] if run["method"] == "activities" and run["hidden layers"] == 4]
    assert at_the_end(deep, "hidden layers", ends=(min,)) == {(4, "activities")}


def test_the_papers_estimator_is_as_slow_as_the_page_says(notebook):
    rows = json.loads((RESULTS / "forward_gradient_claims.json").read_text(encoding="utf-8"))["rows"]
    (ours,) = [row["ours"] for row in rows if row["claim"].startswith("training up to twice as fast")]
    low, high = re.search(r"logistic [^;]*to 1\.0 (\d+) to (\d+)", ours).groups()
    assert f"To a loss of 1.0 the forward gradient takes {low} to {high} times as long" in words(notebook)
    paper = json.loads((RESULTS / "forward_gradient_paper.json").read_text(encoding="utf-8"))
    ends = [run["loss"] for run in paper["runs"].values() if run["steps"] == 50_000]
    assert len(ends) == 3
    assert min(ends) > 0.5
    assert 0.45 < paper["drawing share"]["1024-1024"] < 0.6  # half of the time of a step


def test_on_the_larger_models_the_papers_estimator_hardly_gets_away_from_a_blind_guess(notebook):
    runs, text = claims.paper_runs(), words(notebook)

    def losses(model, method, step):
        return [next(loss for at, _, loss in run["curve"] if at >= step) for run in runs[model][method]]

    back, forward = (claims.spread(losses("1024-1024", method, 1000)) for method in (0, 1))
    assert f"After 1,000 steps the large network is at {forward}, and backpropagation at {back}." in text
    back, forward = claims.spread(losses("CNN", 0, 300)), claims.spread(losses("CNN", 1, 1500))
    assert f"After 1,500 steps the CNN is at {forward}, and backpropagation after 300 at {back}." in text
    for model in ("1024-1024", "CNN"):
        assert min(loss for run in runs[model][1] for _, _, loss in run["curve"]) > 2.0


def test_deeper_networks_gain_from_local_losses_and_backpropagation_stays_ahead():
    runs = json.loads((RESULTS / "forward_gradient_learning.json").read_text(encoding="utf-8"))["local"]["runs"]
    loss = {(run["hidden layers"], run["method"]): run["loss"] for run in runs}
    assert loss[1, "local losses"] == loss[1, "activities"]
    gains = [loss[depth, "activities"] / loss[depth, "local losses"] for depth in (1, 2, 4)]
    assert gains == sorted(gains)
    assert all(loss[depth, "backprop"] < 0.2 * loss[depth, "local losses"] for depth in (1, 2, 4))


def test_numbers_quoted_from_notes_carry_their_mark():
    rows = json.loads((RESULTS / "forward_gradient_claims.json").read_text(encoding="utf-8"))["rows"]
    quoted = [row["published"] for row in rows if re.search(r"R_[fb]", row["published"])]
    assert quoted
    assert all(text.endswith("*") for text in quoted)
