"""The stored runs of fine-tuning carry the stored table and verdicts, and the script resumes and pairs by seed."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from coursepkg import datasets, nn, stored
from coursepkg.stored import fine_tuning as rows_of

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        yield importlib.import_module("fine_tuning")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def test_claims_follow_from_what_is_stored(script):
    whole = stored.load("fine_tuning")
    assert whole["claims"] == script.claims(whole)
    assert whole["published"] == script.published()
    keys = [(run["plan"], run["sketch"], run["rate"], run["seed"]) for run in whole.get("runs", [])]
    assert len(keys) == len(set(keys))
    assert all(plan in script.PLANS and (kind, rate) in script.VARIANTS for plan, kind, rate, _ in keys)


def test_one_slower_round_is_enough_against_quicker(script):
    whole = stored.load("fine_tuning")
    assert script.quicker(whole)["verdict"] == "holds in part"
    every = {name: r | {"most": min(r["most"], 0.99)} for name, r in whole["time"]["variants"].items()}
    assert script.quicker(whole | {"time": whole["time"] | {"variants": every}})["verdict"] == "holds"


def test_the_report_says_how_many_of_the_runs_there_are(script, capsys):
    whole = stored.load("fine_tuning")
    script.report(whole)
    assert f"{len(whole.get('runs', []))} of 60 runs" in capsys.readouterr().out
    assert rows_of.count() == len(whole.get("runs", []))
    assert len(script.PLANS) * len(script.SEEDS) * len(script.VARIANTS) == rows_of.PLANNED
    assert sum(row["runs"] for row in rows_of.scores()) == rows_of.count()


def test_tables_of_the_chapter_are_those_of_the_store():
    whole = stored.load("fine_tuning")
    assert [row["layers"] for row in rows_of.memory()] == [
        "exact", "fold at 90%", "fold at 50%", "fold at 20%", "fold at 10%",
    ]  # fmt: skip
    first = next(row for row in whole["memory"]["rows"] if row["rate"] == 1.0)
    assert rows_of.memory()[0]["peak, measured"] == f"{first['measured']['peak'] / 2**20:.1f}"
    assert rows_of.memory_curves()["held, predicted"][1][0] == first["predicted"]["held"] / 2**20
    assert list(rows_of.times()) == ["exact", "fold at 90%", "fold at 50%", "fold at 20%", "fold at 10%"]
    assert rows_of.times()["fold at 20%"] == round(whole["time"]["variants"]["fold 0.2"]["median"], 2)
    assert rows_of.published()[0] == {"layers": "exact", "score": "60.90", "minutes": "8.7"}
    assert [row["verdict"] for row in rows_of.claims()] == [row["verdict"] for row in whole["claims"]]


def runs(**scores):
    return [
        {"plan": "trec", "sketch": "exact" if rate == 1 else "fold", "rate": rate, "seed": seed, "score": score,
         "cpu_seconds": 1.0}
        for rate, list_ in ((1.0, scores["exact"]), (0.2, scores["fifth"]))
        for seed, score in enumerate(list_)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fifth", "expected"),
    [
        ([0.950, 0.952, 0.951], "holds"),
        ([0.915, 0.914, 0.916], "does not hold here"),
        ([0.980, 0.920, 0.940], "holds in part"),
    ],
)
def test_verdicts_are_reached_by_pairs_and_a_margin_of_a_point(script, fifth, expected):
    whole = {"runs": runs(exact=[0.951, 0.953, 0.952], fifth=fifth)}
    assert script.quality(whole)["verdict"] == expected
    lost = script.losses_by_seed(whole["runs"], "trec", 0.2)
    np.testing.assert_allclose(lost, np.array([0.951, 0.953, 0.952]) - fifth, rtol=1e-12)


def test_one_pair_is_no_verdict(script):
    whole = {"runs": runs(exact=[0.95, 0.96], fifth=[0.94])}
    assert script.quality(whole) is None
    assert script.table(whole)[1]["lost"] == pytest.approx(0.01)
    assert script.claims(whole) == []


def test_batches_hold_every_sentence_once_and_are_drawn_anew(script):
    lengths = np.random.default_rng(0).integers(3, 40, 700)
    first, second = (list(script.order_of(lengths, 32, np.random.default_rng(seed))) for seed in (1, 2))
    assert sorted(np.concatenate(first).tolist()) == list(range(700))
    assert max(map(len, first)) == 32
    assert any(set(a) != set(b) for a, b in zip(first, second, strict=True))
    spread = np.mean([np.ptp(lengths[chosen]) for chosen in first])
    assert spread < np.ptp(lengths) / 3  # little is padded


def tiny(monkeypatch, script, tmp_path):
    """An encoder of two small blocks and eighty sentences in place of the real ones."""
    rng = np.random.default_rng(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh"]
    small = nn.TextEncoder(12, length=64, width=8, heads=2, hidden=12, blocks=2, rng=rng, dtype=np.float32)
    monkeypatch.setattr(
        script.datasets, "minilm", lambda: type("M", (), {"vocabulary": words, "weights": 0, "heads": 2})
    )
    copies = lambda weights, heads: _copy(small)  # noqa: E731
    monkeypatch.setattr(script.nn.TextEncoder, "from_bert", staticmethod(copies))
    labels = rng.integers(0, 2, 80)
    texts = np.array([" ".join(rng.choice(list("abcd" if y else "efgh"), 5)) for y in labels])

    def text(name, part):
        return datasets.Dataset(name, texts, labels.astype(np.int64), target_names=("no", "yes"))

    monkeypatch.setattr(script.datasets, "text", text)
    monkeypatch.setattr(script, "PLANS", {"cola": script.Plan("cola", 64, 4, 3e-2)})
    monkeypatch.setattr(script, "SEEDS", (0,))
    monkeypatch.setattr(script, "RESULT", tmp_path / "found.json")


def _copy(small):
    made = nn.TextEncoder(
        12, length=64, width=8, heads=2, hidden=12, blocks=2, rng=np.random.default_rng(0), dtype=np.float32
    )
    made.load_state_dict(small.state_dict())
    return made


def test_runs_are_stored_one_by_one_and_a_stopped_script_goes_on(monkeypatch, script, tmp_path):
    tiny(monkeypatch, script, tmp_path)
    script.run_missing(["cola"])
    whole = json.loads(script.RESULT.read_text())
    assert [(r["sketch"], r["rate"]) for r in whole["runs"]] == script.VARIANTS
    assert all(r["score"] > 0.8 and r["steps"] == 8 for r in whole["runs"])
    kept = whole["runs"][:2]
    script.RESULT.write_text(json.dumps(whole | {"runs": kept}))
    called = []
    real = script.train
    monkeypatch.setattr(script, "train", lambda *key: called.append(key) or real(*key))
    script.run_missing(["cola"])
    again = json.loads(script.RESULT.read_text())["runs"]
    assert called == [("cola", kind, rate, 0) for kind, rate in script.VARIANTS[2:]]
    assert again[:2] == kept
    without = [{k: v for k, v in r.items() if k != "cpu_seconds"} for r in again]
    assert without == [{k: v for k, v in r.items() if k != "cpu_seconds"} for r in whole["runs"]]  # a seed decides all


def test_variants_of_a_seed_begin_alike(monkeypatch, script, tmp_path):
    tiny(monkeypatch, script, tmp_path)
    exact, sketched, other = (
        script.classifier(2, *variant).state_dict()
        for variant in (("exact", 1.0, 0), ("fold", 0.2, 0), ("exact", 1.0, 1))
    )
    assert all(np.array_equal(exact[name], sketched[name]) for name in exact)
    assert not np.array_equal(exact["head.weight"], other["head.weight"])


def test_scores_without_fine_tuning(monkeypatch, script, tmp_path):
    tiny(monkeypatch, script, tmp_path)
    found = script.baselines("cola")
    assert found.keys() == {"largest class", "bag of words", "frozen encoder"}
    assert found["largest class"] == 0.0  # Matthews correlation of who always says the same
    assert found["bag of words"] > 0.9
    whole = stored.load("fine_tuning")
    assert rows_of.baselines().keys() == {rows_of.TASKS[plan] for plan in whole.get("baselines", {})}
