"""Every slide of every chapter in a real browser, light and dark, at 1280 by 720: `make slides-check`."""

import functools
import http.server
import itertools
import os
import threading

import pytest

from tools import lab, slides
from tools.notebook_file import ROOT

pytestmark = pytest.mark.browser
SIZE = {"width": 1280, "height": 720}
SMALLEST = 0.55  # letters of 26 pixels are 14 then; a slide that needs less has to be cut in two

WHAT_STANDS_THERE = """() => {
  const slide = deck.getCurrentSlide(), body = slide.querySelector(":scope > .fit > .body");
  const inside = (node) => node.closest("svg, mjx-container, aside");
  const out = [...slide.querySelectorAll(".fit *")].filter((node) => !inside(node)).filter((node) => {
    const box = node.getBoundingClientRect();
    return box.width && box.height && (box.left < -1 || box.right > 1281 || box.bottom > 721);
  });
  const figures = [...slide.querySelectorAll("coursepkg-figure")];
  return {
    at: deck.getIndices(), title: slide.querySelector("h1, h2").textContent, last: deck.isLastSlide(),
    zoom: Number(body.style.zoom), out: out.slice(0, 3).map((node) => node.outerHTML.slice(0, 120)),
    raw: /\\$[^$]+\\$/.test([...slide.querySelectorAll(".body > p, .body li")].map((p) => p.textContent).join(" ")),
    cut: figures.filter((figure) => [...(figure.shadowRoot ?? figure).querySelectorAll(".scroll")]
      .some((box) => box.scrollWidth > box.clientWidth + 1)).length,
    figures: figures.length, alive: figures.filter((figure) => figure.player).length,
    paper: getComputedStyle(document.body).backgroundColor,
  };
}"""
PLAYED = """async () => {
  const figure = deck.getCurrentSlide().querySelector("coursepkg-figure"), before = figure.player.t;
  const track = (figure.shadowRoot ?? figure).querySelector("input.scrub");
  track.focus();
  const end = Number(track.max) > before ? track.max : track.min;
  track.value = end;
  track.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => setTimeout(done, 300));
  return figure.player.t !== before;
}"""


@pytest.fixture(scope="module")
def site():
    if not os.environ.get("COURSEPKG_SLIDES"):
        pytest.skip("`make slides-check` opens every slide; COURSEPKG_SLIDES names no slides here")
    folder = (ROOT / os.environ["COURSEPKG_SLIDES"]).resolve()
    assert (folder / "index.html").is_file(), f"{folder} has no index.html; run `make slides` first"

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def chromium(site):
    executable = lab.find_browser()
    if executable is None:
        pytest.skip("no Chromium or Chrome here")
    with lab.chromium(executable) as browser:  # it reaches nothing but this machine
        yield browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", slides.chapters(), ids=lambda path: path.stem)
def test_every_slide_fits_and_its_figure_moves(site, chromium, path, scheme):
    context = chromium.new_context(viewport=SIZE, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(120_000)
    faults, asked = [], []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/{path.stem}.html")
    page.wait_for_selector("html[data-ready]", state="attached")
    found, shots = [], os.environ.get("COURSEPKG_SLIDES_SHOTS")
    for count in itertools.count():
        page.wait_for_timeout(80)
        slide = page.evaluate(WHAT_STANDS_THERE)
        name = f"{path.stem} {slide['at']['h']}.{slide['at']['v']} {slide['title']}"
        found += [f"{name}: {out} lies outside" for out in slide["out"]]
        found += [f"{name}: shrunk to {slide['zoom']}"] if slide["zoom"] < SMALLEST else []
        found += [f"{name}: a figure would have to be scrolled"] if slide["cut"] else []
        found += [f"{name}: a formula is not drawn"] if slide["raw"] else []
        found += [f"{name}: a figure does not live"] if slide["alive"] < slide["figures"] else []
        if slide["figures"] and not page.evaluate(PLAYED):
            found.append(f"{name}: its figure does not move")
        assert slide["paper"] == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 17, 17)"}[scheme]
        if shots:
            page.screenshot(path=f"{shots}/{path.name[:2]}-{scheme}-{count:03}.png")
        if slide["last"]:
            break
        page.evaluate("deck.next()")
    context.close()
    assert found == []
    assert faults == []
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []
