"""How quick are living figures? All figures of all chapters, as they are stored, in a real browser.

    python benchmarks/figures.py                   # a Markdown table
    python benchmarks/figures.py 03 11             # the figures of some chapters
    python benchmarks/figures.py --json FILE       # the same as data

Needs Chromium and Playwright. ``draw(t)`` is asked for 300 places spread over the story; "key to paint" runs from the
key event to the end of the first frame after it; "frames" are counted over three seconds of play; "held" are 20 key
events without a pause. Bytes are those of the story and of the module with it as they are stored, and of the fallback
picture. A busy machine makes everything slower, so the load is printed beside it.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools import lab as labs  # noqa: E402
from tools.notebook_file import code_cells, read  # noqa: E402

LIMITS = {"draw": 4.0, "key": 40.0, "frames": 60.0, "held": 20, "story": 150, "module": 90}
STORY = re.compile(r'<script type="application/x-story" data-kind="(\w+)"[^>]*>(.*?)</script>', re.S)
MODULE = re.compile(r'<script type="module">(.*?)</script>', re.S)


def stored_figures(chapters: list[str]) -> Iterator[tuple[str, str]]:
    """Name and HTML of each figure that is stored in a notebook; `chapters` are two digits each, none for all."""
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        if not chapters or path.name[:2] in chapters:
            for index, cell in code_cells(read(path)):
                for output in cell.outputs:
                    html = output.get("data", {}).get("text/html", "")
                    if story := STORY.search(html):
                        yield f"{path.name[:2]}, cell {index}: {story[1]}", html


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


def measure(page: Any, html: str) -> dict[str, float]:
    """All numbers of one figure."""
    page.set_content(f"<!doctype html><meta charset=utf-8><body style='background:#fff'>{html}")
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
    asked = min(20, page.evaluate("document.querySelector('coursepkg-figure').player.last"))
    for _ in range(asked):
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    page.wait_for_timeout(1200)
    arrived = page.evaluate("document.querySelector('coursepkg-figure').player.t")
    return {
        "draw": middle, "draw95": slow, "key": waits[len(waits) // 2], "key_max": waits[-1], "frames": frames,
        "held": arrived, "asked": asked, **sizes(html),
    }  # fmt: skip


def sizes(html: str) -> dict[str, float]:
    """Bytes of the story, of the module, and of what is left: the picture that stands for both."""
    story, module = (len(found[0].encode()) if (found := part.search(html)) else 0 for part in (STORY, MODULE))
    return {"story": story, "module": module, "picture": len(html.encode()) - story - module}


def table(found: dict[str, dict[str, float]]) -> str:
    """The numbers as Markdown, and below them which limits were missed."""
    lines = ["| figure | draw(t) median, 95 % (ms) | key to paint median, most (ms) | frames a second | held keys "]
    lines[0] += "| story, module, picture (kB) |"
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, n in found.items():
        sizes = ", ".join(f"{n[part] / 1000:.0f}" for part in ("story", "module", "picture"))
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
    parser.add_argument("chapters", nargs="*", help="two digits each; without them, all")
    parser.add_argument("--json", type=Path, help="write the numbers here as well")
    options = parser.parse_args()
    executable = labs.find_browser()
    if executable is None:
        print("no Chromium found: install one, or set COURSEPKG_CHROMIUM to its path", file=sys.stderr)
        return 1
    found = {}
    with labs.chromium(executable) as browser:
        for name, html in stored_figures(options.chapters):
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            found[name] = measure(page, html)
            page.close()
    print(table(found))
    if hasattr(os, "getloadavg"):
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}.")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
