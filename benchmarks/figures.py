"""How quick are living figures? Each kind in a real browser: drawing, keys, frames a second, and bytes.

    python benchmarks/figures.py                   # a Markdown table
    python benchmarks/figures.py --json FILE       # the same as data

Needs Chromium and Playwright. ``draw(t)`` is asked for 300 places spread over the story; "key to paint" runs from the
key event to the end of the first frame after it; "frames" are counted over three seconds of play; "held" are 20 key
events without a pause. Bytes are those of the story as it is stored and
as JSON, of the module with it, and of the fallback picture. A busy
machine makes everything slower, so the load is printed beside it. The figures are those of a chapter's size.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from coursepkg.autodiff.scalar import Scalar  # noqa: E402
from coursepkg.datasets.generated import moons  # noqa: E402
from coursepkg.visualize import draw_graph, flip_through, tell_descent, tell_field, tell_graph  # noqa: E402
from coursepkg.visualize.alive.field import grid  # noqa: E402
from coursepkg.visualize.alive.story import Story, module_source  # noqa: E402
from coursepkg.visualize.landscape import Landscape  # noqa: E402
from tools import lab as labs  # noqa: E402

LIMITS = {"draw": 4.0, "key": 40.0, "frames": 60.0, "held": 20, "story": 150, "module": 90}


# --- figures of a chapter's size ---------------------------------------------------------------------


def small_graph() -> Story:
    x, y, z = Scalar(-2.0, label="x"), Scalar(5.0, label="y"), Scalar(-4.0, label="z")
    return tell_graph((x + y) * z + x * y, title="Forward, then backward")


def large_graph() -> Story:
    """A network 2-3-1, about as many nodes as are drawn whole."""
    rng = np.random.default_rng(0)
    inputs = [Scalar(0.5, label="x1"), Scalar(-1.2, label="x2")]
    out = Scalar(0.1, label="c")
    for k in range(3):
        z = Scalar(round(rng.normal(), 1), label=f"b{k + 1}")
        for i, each in enumerate(inputs):
            z = z + Scalar(round(rng.normal(), 1), label=f"w{k + 1}{i + 1}") * each
        out = out + Scalar(round(rng.normal(), 1), label=f"v{k + 1}") * z.tanh()
    return tell_graph(out, title="A small network")


def walk(rate: float, momentum: float, steps: int = 80) -> np.ndarray:
    place, velocity = np.array([10.0, 2.0]), np.zeros(2)
    path = [place]
    for _ in range(steps):
        velocity = momentum * velocity + place * [1.0, 25.0]
        place = place - rate * velocity
        path.append(place)
    return np.array(path)


def ravine() -> Story:
    valley = Landscape(
        lambda a, b: 0.5 * (a * a + 25 * b * b),
        x_range=(-3.2, 11.2), y_range=(-3, 3), levels=[0.5, 2, 10, 35, 80], minimum=(0, 0),
    )  # fmt: skip
    rates = [float(f"{rate:.2g}") for rate in np.geomspace(0.002, 0.16, 17)]
    momenta = [0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.99]
    paths = {"momentum": np.array([[walk(rate, momentum) for momentum in momenta] for rate in rates])}
    return tell_descent(valley, paths, [("learning rate", rates), ("momentum", momenta)], goal=0.1, first=(10, 7))


def two_moons(frames: int = 48, units: int = 8) -> Story:
    rng = np.random.default_rng(4)
    points, labels = moons(120, noise=0.2, rng=rng)
    weights = [rng.normal(0, 1, (2, units)), np.zeros(units), rng.normal(0, 0.5, units), np.zeros(())]
    speeds = [np.zeros_like(each) for each in weights]
    ranges: dict[str, Any] = {"x_range": (-1.7, 2.7), "y_range": (-1.4, 1.9)}
    seen: dict[str, list[Any]] = {"logits": [], "scores": [], "losses": [], "hidden": [], "votes": [], "steps": []}
    kept = sorted({int(step) for step in [0, *np.geomspace(1, 3000, 400).round()]})
    kept = [kept[k] for k in np.linspace(0, len(kept) - 1, frames).round().astype(int)]

    def layer(places: np.ndarray) -> np.ndarray:
        return np.tanh(places @ weights[0] + weights[1])

    for step in range(kept[-1] + 1):
        hidden = layer(points)
        scores = hidden @ weights[2] + weights[3]
        share = 1 / (1 + np.exp(-scores))
        if step in kept:
            seen["logits"].append(layer(grid(**ranges)) @ weights[2] + weights[3])
            seen["hidden"].append(layer(grid(**ranges, tiles=True)).T)
            seen["losses"].append(float(-np.mean(np.log(np.where(labels == 1, share, 1 - share) + 1e-12))))
            for name, value in (("scores", scores), ("votes", weights[2].copy()), ("steps", step)):
                seen[name].append(value)
        error = (share - labels) / len(labels)
        back = np.outer(error, weights[2]) * (1 - hidden**2)
        gradients = [points.T @ back, back.sum(0), hidden.T @ error, error.sum()]
        speeds = [0.9 * speed + gradient for speed, gradient in zip(speeds, gradients, strict=True)]
        weights[:] = [each - 0.08 * speed for each, speed in zip(weights, speeds, strict=True)]
    logits, scores = seen.pop("logits"), seen.pop("scores")
    return tell_field(logits, points, labels, scores, **ranges, **seen)


def pictures() -> Story:
    def graph(x: float) -> Any:
        start = Scalar(x, label="x")
        result = (start * start + 1.0).tanh() * start
        result.backward()
        return draw_graph(result)

    return flip_through(graph, x=[round(0.05 * k, 2) for k in range(40)])


FIGURES: dict[str, Callable[[], Story]] = {
    "graph, 7 nodes": small_graph,
    "graph, 36 nodes": large_graph,
    "descent": ravine,
    "field": two_moons,
    "flip, 40 pictures": pictures,
}

# --- in the browser ---------------------------------------------------------------------

DRAW = """() => {
    const player = document.querySelector('coursepkg-figure').player, times = [];
    for (let n = 0; n < 300; n++) {
        const start = performance.now();
        player.show((player.last * ((n * 37) % 300)) / 300);
        times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return [times[150], times[285]];
}"""
FRAMES = """async () => {
    const player = document.querySelector('coursepkg-figure').player, gaps = [];
    player.jump(0);
    player.play(true);
    let before = performance.now();
    const start = before;
    await new Promise(resolve => {
        const frame = now => {
            gaps.push(now - before);
            before = now;
            now - start < 3000 ? requestAnimationFrame(frame) : resolve();
        };
        requestAnimationFrame(frame);
    });
    player.go(0);
    gaps.shift();
    return 1000 * gaps.length / gaps.reduce((a, b) => a + b);
}"""
LISTEN = """() => {
    window.waits = [];
    addEventListener('keydown', event => {
        requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => waits.push(performance.now() - event.timeStamp);
            port2.postMessage(0);
        });
    }, true);
}"""


def measure(page: Any, story: Story) -> dict[str, float]:
    """All numbers of one figure."""
    page.set_content(f"<!doctype html><meta charset=utf-8><body style='background:#fff'>{story.html()}")
    page.wait_for_function("() => document.querySelector('coursepkg-figure').player")
    middle, slow = page.evaluate(DRAW)
    frames = page.evaluate(FRAMES)
    page.evaluate(LISTEN)
    page.locator("coursepkg-figure .scrub").focus()
    page.keyboard.press("Home")
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(80)
    page.wait_for_timeout(1200)
    waits = sorted(page.evaluate("waits"))
    page.keyboard.press("Home")
    asked = min(20, story.frames - 1)
    for _ in range(asked):
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    page.wait_for_timeout(1200)
    arrived = page.evaluate("document.querySelector('coursepkg-figure').player.t")
    sizes = {
        "story": packed_size(story),
        "json": len(story.as_json().encode()),
        "module": len(module_source(story.kind).encode()),
    }
    return {
        "draw": middle, "draw95": slow, "key": waits[len(waits) // 2], "key_max": waits[-1], "frames": frames,
        "held": arrived, "asked": asked, **sizes, "picture": len(story.fallback.html().encode()),
    }  # fmt: skip


def packed_size(story: Story) -> int:
    """Bytes of the story as it is stored."""
    return len(story.html(module="")) - len(story.fallback.html())


def table(found: dict[str, dict[str, float]]) -> str:
    """The numbers as Markdown, and below them which limits were missed."""
    lines = ["| figure | draw(t) median, 95 % (ms) | key to paint median, most (ms) | frames a second | held keys "]
    lines[0] += "| story, as JSON, module, picture (kB) |"
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, n in found.items():
        sizes = ", ".join(f"{n[part] / 1000:.0f}" for part in ("story", "json", "module", "picture"))
        lines.append(
            f"| {name} | {n['draw']:.2f}, {n['draw95']:.2f} | {n['key']:.0f}, {n['key_max']:.0f} | {n['frames']:.0f} "
            f"| {n['held']:g} of {n['asked']:g} | {sizes} |"
        )
    missed = [f"{name}: {what}" for name, n in found.items() for what in _missed(n)]
    return "\n".join([*lines, "", f"Missed: {'; '.join(missed) or 'nothing'}."])


def _missed(n: dict[str, float]) -> list[str]:
    return [
        what
        for what, bad in {
            f"draw(t) above {LIMITS['draw']} ms": n["draw"] > LIMITS["draw"],
            f"key to paint above {LIMITS['key']} ms": n["key"] > LIMITS["key"],
            f"below {LIMITS['frames']} frames a second": n["frames"] < LIMITS["frames"] - 1,
            "held keys lost": n["held"] < n["asked"],
            f"story above {LIMITS['story']} kB": n["story"] > 1000 * LIMITS["story"],
            f"module above {LIMITS['module']} kB": n["module"] > 1000 * LIMITS["module"],
        }.items()
        if bad
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    options = parser.parse_args()
    executable = labs.find_browser()
    if executable is None:
        print("no Chromium found: install one, or set COURSEPKG_CHROMIUM to its path", file=sys.stderr)
        return 1
    found = {}
    with labs.chromium(executable) as browser:
        for name, make in FIGURES.items():
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            found[name] = measure(page, make())
            page.close()
    print(table(found))
    if hasattr(os, "getloadavg"):
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
