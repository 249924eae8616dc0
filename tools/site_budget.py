"""How heavy the pages of the site are, and how soon the first figure is there: `python -m tools.site_budget SITE`.

Served from this machine, read in a fresh browser, nothing compressed. Times are those of this computer, and of what it
does besides; the tests hold the weights.
"""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from pathlib import Path

from tools import lab
from tools.notebook_file import ROOT

SECONDS, BYTES = 2.0, 2e6
WATCH = """setInterval(() => {
    if (document.querySelector('coursepkg-figure')?.player) window.firstFigure ??= performance.now();
}, 5)"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def main() -> None:
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site")
    executable = lab.find_browser()
    if executable is None:
        sys.exit("There is no Chromium or Chrome here, so nothing can be measured.")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with lab.chromium(executable) as browser:
        for path in [site / "index.html", *sorted((site / "notebooks").glob("*.html"))]:
            name = path.relative_to(site).as_posix()
            sizes: list[int] = []
            page = browser.new_page()
            page.add_init_script(WATCH)
            page.on("response", lambda got, sizes=sizes: sizes.append(int(got.headers.get("content-length", 0))))
            page.goto(f"{address}/{name}", wait_until="load", timeout=lab.PATIENCE * 1000)
            page.wait_for_function("() => window.firstFigure", timeout=lab.PATIENCE * 1000)
            seconds, weight = page.evaluate("window.firstFigure") / 1000, sum(sizes)
            words = "" if seconds < SECONDS and weight < BYTES else "  over the budget"
            print(f"{name:50} {weight / 1e6:5.2f} MB   first figure after {seconds:5.2f} s{words}", flush=True)
            page.close()
    server.shutdown()


if __name__ == "__main__":
    main()
