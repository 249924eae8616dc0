"""Chapter 08: what feedback refers to exists, and what the prose says of numbers is what the results hold."""

import json
import re
import statistics
from pathlib import Path

import nbformat
import numpy as np
import pytest

from coursepkg.estimators import gradient_noise, linear_bytes
from coursepkg.grading.specification.chapters import load_chapter

ROOT = Path(__file__).resolve().parents[2]
NAME = "08_memory_efficient_backprop.ipynb"
EXERCISES = load_chapter(ROOT / "solutions" / "specs" / "ex_08")


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


def test_in_two_other_shapes_a_gaussian_sketch_is_faster_at_an_eighth(stored, prose):
    first, *others = [table["ratios"]["gaussian 0.125"] for table in stored["speed"]["weight_gradient"]]
    assert first > 1
    assert [ratio < 1 for ratio in others] == [True, True]
    assert "In two other shapes a Gaussian $S$ is faster at an eighth of the rows" in prose


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


# --- fine-tuning a real encoder


@pytest.fixture(scope="module")
def fine_tuned():
    return json.loads((ROOT / "benchmarks" / "results" / "fine_tuning.json").read_text(encoding="utf-8"))


def test_what_is_said_of_the_memory_of_fine_tuning(prose, fine_tuned):
    rows = {row["rate"]: row["measured"] for row in fine_tuned["memory"]["rows"] if row["texts"] == 32}
    inputs = (rows[0.9]["held"] - rows[0.1]["held"]) / 0.8
    assert f"The inputs of linear layers are {100 * inputs / rows[1.0]['held']:.0f} % of what is held" in prose
    fifth, tenth = (100 * (1 - rows[rate]["peak"] / rows[1.0]["peak"]) for rate in (0.2, 0.1))
    assert f"a fifth of the rows lowers the peak by {fifth:.0f} %, and a tenth by {tenth:.0f} %" in prose
    assert all(row["median"] < 1 for name, row in fine_tuned["time"]["variants"].items() if name.startswith("fold"))


def test_what_is_said_of_the_scores_of_fine_tuning(prose, fine_tuned):
    def scores(rate):
        runs = [run for run in fine_tuned["runs"] if (run["plan"], run["rate"]) == ("short", rate)]
        return [run["score"] for run in sorted(runs, key=lambda run: run["seed"])]

    assert f"a fifth of the rows does as well as all of them: {np.mean(scores(0.2)):.3f} and" in prose
    assert f"and {np.mean(scores(1.0)):.3f}. Over the three seeds" in prose
    ours = next(row["ours"] for row in fine_tuned["claims"] if "short at 20%" in row["ours"])
    assert "short at 20%: 0.0 (-0.9 to 0.9, 3 seeds)" in ours
    assert "short at 10%: 1.3 (-1.8 to 4.3, 3 seeds)" in ours
    assert "between −0.9 and +0.9 points are lost (90 % interval)" in prose
    assert "1.3 points are lost on average" in prose
    assert "the interval reaches from −1.8 to +4.3" in prose


def test_what_is_said_of_512_questions_was_stored(prose, fine_tuned):
    notebook = nbformat.read(ROOT / "notebooks" / NAME, as_version=4)
    (cell,) = [cell for cell in notebook.cells if "questions=512" in cell.source]
    exact, fifth = re.findall(r"rows: ([\d.]+)%", cell.outputs[0].text)
    assert f"a fifth of the rows is far behind: {fifth} % against {exact} % in the stored run" in prose
    rates = [float(re.search(r"lr=([\d.e-]+)", c.source)[1]) for c in notebook.cells if "def fine_tune(" in c.source]
    assert fine_tuned["settings"]["plans"]["short"]["lr"] == pytest.approx(2 * rates[0])
    assert "with 2,048 questions, twice the learning rate and three runs of each, the two are level" in prose


def test_what_is_said_of_the_noise_of_fine_tuning(prose, fine_tuned):
    layers = list(fine_tuned["noise"]["layers"].values())
    ratios = [layer["sentences_over_words"] for layer in layers]
    middle = {key: statistics.median(layer[key] for layer in layers) for key in layers[0]}
    assert f"in the middle one of the {len(layers)} layers, and of up to {max(ratios):.1f}" in prose
    assert f"by a factor of {middle['sentences_over_words']:.1f}" in prose
    assert f"{middle['sketch_over_batch']:.0f}" == "4"
    assert f"as noisy as {middle['equivalent_batch']:.0f} sentences in place of 32" in prose


def test_the_function_that_is_only_shown_fine_tunes(monkeypatch):
    """On an encoder of two small blocks and questions of our own."""
    from coursepkg import datasets, estimators, nn, optimizers
    from coursepkg.training import Trainer, accuracy

    notebook = nbformat.read(ROOT / "notebooks" / NAME, as_version=4)
    (source,) = [cell.source for cell in notebook.cells if cell.source.startswith("def fine_tune(")]
    rng = np.random.default_rng(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh"]
    small = nn.TextEncoder(12, length=24, width=8, heads=2, hidden=12, blocks=2, rng=rng, dtype=np.float32)
    monkeypatch.setattr(datasets, "minilm", lambda: type("Found", (), {"weights": 0, "vocabulary": words, "heads": 2}))
    monkeypatch.setattr(nn.TextEncoder, "from_bert", staticmethod(lambda weights, heads: small))
    kinds = rng.integers(0, 2, 120)
    texts = np.array([" ".join(rng.choice(list("abcd" if k else "efgh"), 5)) for k in kinds])
    monkeypatch.setattr(datasets, "text", lambda *_: datasets.Dataset("questions", texts, kinds))
    names = {"np": np, "datasets": datasets, "estimators": estimators, "nn": nn, "optimizers": optimizers}
    names |= {"Trainer": Trainer, "accuracy": accuracy}
    exec(source, names)
    assert 0.0 <= names["fine_tune"](1, questions=96) <= 1.0
    assert 0.0 <= names["fine_tune"](0.2, questions=96) <= 1.0
    assert isinstance(small.block0.linear1, estimators.RandomizedLinear)
