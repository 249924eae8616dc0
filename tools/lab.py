"""JupyterLab in a real browser: start one that leaves no trace, open a notebook in Chromium, run it, look at it.

The browser tests use this, and so does anyone who wants to see a notebook as a learner sees it:

    python tools/lab.py NOTEBOOK FOLDER        screenshots of the whole notebook, page by page
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    # All cells are drawn at once, so that a screenshot or a search finds them wherever the page is scrolled to.
    "@jupyterlab/notebook-extension/tracker.jupyterlab-settings": {"windowingMode": "none"},
}


def find_browser() -> str | None:
    """Path of a Chromium: the environment variable COURSEPKG_CHROMIUM, or the first known name on the path."""
    chosen = os.environ.get("COURSEPKG_CHROMIUM")
    if chosen:
        if not Path(chosen).exists():
            raise FileNotFoundError(f"COURSEPKG_CHROMIUM is {chosen!r}; there is no such file")
        return chosen
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass
class Lab:
    """A running JupyterLab: where it is, its token, and the folder that it serves."""

    url: str
    token: str
    root: Path

    def address(self, notebook: Path) -> str:
        tree = urllib.parse.quote(notebook.resolve().relative_to(self.root.resolve()).as_posix())
        return f"{self.url}/lab/tree/{tree}?token={self.token}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def jupyterlab(root: Path, *, seconds: float = 60) -> Iterator[Lab]:
    """JupyterLab on loopback, serving `root`, with settings, home and workspaces of its own; stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as private:
        home = Path(private)
        for name, content in SETTINGS.items():
            file = home / "settings" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(content), encoding="utf-8")
        port, token = free_port(), secrets.token_hex(16)
        command = [
            *(sys.executable, "-m", "jupyterlab", "--no-browser"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
            *(f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}"),
            *(f"--LabApp.user_settings_dir={home / 'settings'}", f"--LabApp.workspaces_dir={home / 'workspaces'}"),
            *("--LabApp.news_url=None", "--ContentsManager.allow_hidden=True"),
        ]
        if os.name == "posix":
            command.append("--KernelManager.transport=ipc")
            if os.geteuid() == 0:
                command.append("--allow-root")
        log = home / "lab.log"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                command,
                cwd=root,
                env=lab_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            lab = Lab(f"http://127.0.0.1:{port}", token, Path(root))
            wait_until_up(lab, process, log, seconds)
            yield lab
        finally:
            stop(process)


def lab_environment(home: Path) -> dict[str, str]:
    hidden = ("JUPYTER", "IPYTHON", "XDG_", "MPLBACKEND")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(hidden)}
    return kept | {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        # Fonts are looked for once per home; a fresh home would make the first plot slow.
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR") or matplotlib_cache(),
    }


def matplotlib_cache() -> str:
    code = "import matplotlib, matplotlib.font_manager; print(matplotlib.get_cachedir())"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def wait_until_up(lab: Lab, process: subprocess.Popen, log: Path, seconds: float) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with direct.open(f"{lab.url}/api", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start. Its log:\n{log.read_text(errors='replace')[-3000:]}")


def stop(process: subprocess.Popen) -> None:
    """End the server's own process group: first politely, so that it stops its kernels, then for good."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait(10)


@contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """A headless Chromium that reaches nothing but this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS, chromium_sandbox=False)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class OpenNotebook:
    """A notebook open in JupyterLab, and what the page complained about or asked for so far."""

    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def run_all(self, *, seconds: float = 60) -> None:
        """Run all cells by the menu and wait until the last code cell has its number and the kernel is idle."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_function(
            """() => {
                const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent);
                const idle = /\\| Idle/.test(document.querySelector('#jp-bottom-panel')?.textContent ?? '');
                return idle && prompts.length > 0 && !prompts.some(p => p.includes('*')) && document.querySelectorAll(
                    '.jp-CodeCell.jp-mod-noOutputs .jp-InputPrompt, .jp-CodeCell .jp-InputPrompt').length > 0
                    && prompts.every(p => /\\[\\d+\\]/.test(p));
            }""",
            timeout=seconds * 1000,
        )
        self.page.wait_for_timeout(500)  # outputs are drawn after the prompt is

    def screenshots(self, folder: Path, name: str, *, page_height: int = 1400) -> list[Path]:
        """PNG files of the whole notebook from top to bottom, each one `page_height` high."""
        folder.mkdir(parents=True, exist_ok=True)
        panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer")
        size = self.page.viewport_size or {"width": 1200, "height": page_height}
        self.page.set_viewport_size({"width": size["width"], "height": page_height})
        panel.evaluate("panel => panel.scrollTo(0, 0)")
        step = panel.evaluate("panel => panel.clientHeight") - 60
        files: list[Path] = []
        while True:
            self.page.wait_for_timeout(200)
            files.append(folder / f"{name}-{len(files) + 1:02d}.png")
            panel.screenshot(path=files[-1])
            at_end = panel.evaluate("p => p.scrollTop + p.clientHeight >= p.scrollHeight - 2")
            if at_end or len(files) >= 60:
                return files
            panel.evaluate(f"panel => panel.scrollBy(0, {step})")


@contextmanager
def opened(
    browser: Browser, lab: Lab, notebook: Path, *, width: int = 1200, height: int = 900
) -> Iterator[OpenNotebook]:
    """Open `notebook` in a page of its own and wait until its kernel is idle."""
    context = browser.new_context(viewport={"width": width, "height": height})
    try:
        page = context.new_page()
        view = OpenNotebook(page)
        page.on("pageerror", lambda error: view.errors.append(f"page: {error}"))
        page.on("console", lambda message: view.errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: view.hosts.add(urllib.parse.urlsplit(request.url).hostname or ""))
        page.goto(lab.address(notebook))
        # The indicator in the toolbar says idle before the kernel is connected, and "Run All Cells" then does nothing.
        page.get_by_text("| Idle").wait_for(timeout=60_000)
        yield view
    finally:
        context.close()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="lab.py", description="Screenshots of a notebook as JupyterLab shows it.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("folder", type=Path, help="where the PNG files go")
    parser.add_argument("--width", type=int, default=1200, help="of the window, in pixels (default: 1200)")
    parser.add_argument("--as-stored", action="store_true", help="do not run the cells first")
    options = parser.parse_args(arguments)
    executable = find_browser()
    if executable is None:
        print("no Chromium found: install one, or set COURSEPKG_CHROMIUM to its path", file=sys.stderr)
        return 1
    notebook = options.notebook.resolve()
    with (
        jupyterlab(notebook.parent) as lab,
        chromium(executable) as browser,
        opened(browser, lab, notebook, width=options.width) as view,
    ):
        if not options.as_stored:
            view.run_all()
        for file in view.screenshots(options.folder, notebook.stem):
            print(file)
        for error in view.errors:
            print(f"error in the page: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
