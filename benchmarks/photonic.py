"""Meshes of interferometers: how fast ours are, beside every other simulator that still installs.

    python benchmarks/photonic.py                        # all sizes, a few minutes
    python benchmarks/photonic.py --sizes 64             # one size; results of other sizes are kept
    python benchmarks/photonic_claims.py                 # the paper's claims, recomputed

A batch of 100 fields goes forward through a rectangular mesh of 8 to 256 waveguides, and, second task, the gradient of
all phases is computed with it. Everybody's numbers are checked before anything is timed (``photonic_peers.py``). The
clock is CPU time of the process, on one thread; all take turns in one process, in a new random order each round, and a
ratio is the median of the ratios within the rounds. Ratios above 1 say how many times longer a peer takes than ours.

The result is written to ``benchmarks/results/photonic.json`` and, as tables, ``photonic.md``.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from photonic_peers import Contender, contenders, decompositions, task
from threadpoolctl import threadpool_limits

from coursepkg.photonics import AdjointPass, BatchFreePass

RESULT = Path(__file__).parent / "results" / "photonic.json"
SIZES = (8, 16, 32, 64, 128, 256)
BATCH, LARGE_BATCH = 100, 600
BROKEN = ("photontorch", "simphox")
LEAST = 0.02  # seconds that one measurement should take, by repeating what is quick

# Smallest ratio (theirs / ours) that the course promises at 64 ports.
BARS = {
    ("forward", "neuroptica"): 5.0,
    ("gradient", "neuroptica"): 4.0,
    ("gradient", "torch, loop over columns"): 2.0,
}
BATCH_FREE_BAR = 4.0  # plain / batch-free, 64 ports, batch 600
CLEMENTS_BAR = 1.0  # seconds, 256 ports


def measure(jobs: dict[str, Callable[[], Any]], rounds: int, rng: random.Random) -> dict[str, list[float]]:
    """CPU seconds per call, one number per round, for each job."""
    repeats = {}
    for name, job in jobs.items():
        job()
        start = time.process_time()
        job()
        repeats[name] = max(1, min(200, round(LEAST / max(1e-6, time.process_time() - start))))
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name in rng.sample(list(jobs), len(jobs)):
            gc.collect()
            start = time.process_time()
            for _ in range(repeats[name]):
                jobs[name]()
            times[name].append((time.process_time() - start) / repeats[name])
    return times


def table(times: dict[str, list[float]], reference: str) -> dict[str, dict[str, float]]:
    """Milliseconds, and how many times longer than the reference."""
    found = {}
    for name, runs in times.items():
        ratios = [a / b for a, b in zip(runs, times[reference], strict=True)]
        found[name] = {"ms": round(1e3 * statistics.median(runs), 4), "times_ours": round(statistics.median(ratios), 3)}
    return found


def one_size(n: int, rounds: int, rng: random.Random) -> dict[str, Any]:
    """Everything about one number of ports."""
    found, absent = contenders(task(n, BATCH))

    def jobs(part: str) -> dict[str, Callable[[], Any]]:
        picked = {name: getattr(contender, part) for name, contender in found.items()}
        return {name: job for name, job in picked.items() if job is not None}

    result: dict[str, Any] = {"rounds": rounds, "absent": absent}
    for part in Contender._fields:
        result[part] = table(measure(jobs(part), rounds, rng), "ours")
    large = task(n, LARGE_BATCH)
    passes = {"plain": AdjointPass(large.mesh), "batch-free": BatchFreePass(large.mesh)}

    def by(layer: Any) -> Callable[[], Any]:
        return lambda: layer.backward((layer.forward(large.x) - large.target).conj())[0]

    both = {name: by(layer) for name, layer in passes.items()}
    np.testing.assert_allclose(both["plain"](), both["batch-free"](), rtol=1e-9, atol=1e-9)
    result["batch 600"] = table(measure(both, rounds, rng), "batch-free")
    if n >= 64:
        ways, missing = decompositions(large.mesh.matrix())
        result["decomposition"] = table(measure(ways, min(rounds, 5), rng), "ours, rectangle")
        result["decomposition absent"] = missing
    return result


def promises(sizes: dict[str, Any]) -> list[dict[str, Any]]:
    """Each promise with what was found."""
    kept = []
    if "64" in sizes:
        here = sizes["64"]
        for (part, peer), bar in BARS.items():
            if peer in here[part]:
                name = f"{part}: {peer} takes at least {bar:g} times as long, 64 ports, batch {BATCH}"
                found = here[part][peer]["times_ours"]
                kept.append({"promise": name, "found": found, "kept": found >= bar})
        found = here["batch 600"]["plain"]["times_ours"]
        name = (
            f"gradient: the plain one takes at least {BATCH_FREE_BAR:g} times as long as the batch-free, 64 ports, 600"
        )
        kept.append({"promise": name, "found": found, "kept": found >= BATCH_FREE_BAR})
    if "256" in sizes:
        found = sizes["256"]["decomposition"]["ours, rectangle"]["ms"] / 1e3
        name = f"Clements decomposition at 256 ports within {CLEMENTS_BAR:g} s"
        kept.append({"promise": name, "found": round(found, 3), "kept": found <= CLEMENTS_BAR})
    return kept


def as_markdown(report: dict[str, Any]) -> str:
    """The tables, with everybody who is ahead of us in bold."""
    sizes = report["sizes"]
    lines = [
        "# Photonic meshes: speed",
        "",
        f"`{report['what']}`, {report['date']}, Python {report['python']}, NumPy {report['numpy']}, one thread,",
        f"CPU time, batch {BATCH}, double precision where not said otherwise.",
        "Milliseconds, and in brackets how many times longer than ours. **Bold**: ahead of us.",
    ]
    titles = {
        "forward": "Forward",
        "gradient": "Forward and gradient of all phases",
        "batch 600": f"Gradient at batch {LARGE_BATCH} (in brackets: times the batch-free)",
        "decomposition": "From a unitary matrix to phases",
    }
    for part, title in titles.items():
        columns = [n for n in sizes if part in sizes[n]]
        if not columns:
            continue
        names = list(dict.fromkeys(name for n in columns for name in sizes[n][part]))
        lines += ["", f"## {title}", "", "| |" + "".join(f" {n} |" for n in columns), "|---|" + "---|" * len(columns)]
        for name in names:
            cells = []
            for n in columns:
                entry = sizes[n][part].get(name)
                text = "" if entry is None else f"{entry['ms']:.3g} ({entry['times_ours']:.2f})"
                cells.append(f" **{text}** |" if entry and entry["times_ours"] < 1 else f" {text} |")
            lines.append(f"| {name} |" + "".join(cells))
    reasons = {name: why for n in sizes for name, why in sizes[n]["absent"].items()}
    reasons |= {name: why for n in sizes for name, why in sizes[n].get("decomposition absent", {}).items()}
    lines += [
        "",
        "## Not in a table, or not in all columns",
        "",
        *(f"- {name}: {why}" for name, why in reasons.items()),
    ]
    lines += ["", "## Promises", "", "| promise | found | kept |", "|---|---|---|"]
    lines += [f"| {p['promise']} | {p['found']} | {'yes' if p['kept'] else 'NO'} |" for p in report["promises"]]
    lines += ["", "Versions: " + ", ".join(f"{name} {number}" for name, number in report["versions"].items()) + "."]
    return "\n".join(lines) + "\n"


def versions() -> dict[str, str]:
    """Of everything that took part and says so."""
    found = {"meshes": "git checkout"} if find_spec("meshes") else {}
    for name in ("torch", "jax", "neuroptica", "neurophox", "tensorflow-cpu", "numba", "interferometer", *BROKEN):
        try:
            place = getattr(find_spec(name.split("-")[0]), "origin", None) or ""
            found[name] = version(name) if "site-packages" in place else "git checkout"
        except PackageNotFoundError:
            continue
    return found


def main() -> int:
    """Run the sizes that were asked for, and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of ports")
    parser.add_argument("--rounds", type=int, default=11, help="rounds up to 64 ports; half of it above")
    arguments = parser.parse_args()
    held = json.loads(RESULT.read_text(encoding="utf-8"))["sizes"] if RESULT.exists() else {}
    rng = random.Random(0)
    with threadpool_limits(limits=1):
        for n in arguments.sizes:
            rounds = arguments.rounds if n <= 64 else (arguments.rounds + 1) // 2
            held[str(n)] = {"date": datetime.date.today().isoformat(), **one_size(n, rounds, rng)}
            print(f"{n} ports done", flush=True)
    sizes = {n: held[n] for n in sorted(held, key=int)}
    report = {
        "what": "python benchmarks/photonic.py",
        "date": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "kernels": os.environ.get("OPENBLAS_CORETYPE", "native"),
        "threads": 1,
        "batch": BATCH,
        "versions": versions(),
        "promises": promises(sizes),
        "sizes": sizes,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    text = as_markdown(report)
    RESULT.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(promise["kept"] for promise in report["promises"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
