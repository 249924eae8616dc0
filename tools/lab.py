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

from playwright.sync_api import APIRequestContext, Browser, BrowserContext, Locator, Page, TimeoutError, sync_playwright

# Everything here waits for something to happen. This is only when to give up, on a machine that is busy elsewhere, too.
PATIENCE = 300  # seconds
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {"autosave": False},
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

    def place(self, notebook: Path) -> str:
        return notebook.resolve().relative_to(self.root.resolve()).as_posix()

    def address(self, notebook: Path) -> str:
        tree = urllib.parse.quote(self.place(notebook))
        # A workspace of its own for each page: otherwise JupyterLab opens the notebooks of the last page as well.
        return f"{self.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{tree}?token={self.token}"

    def stop_kernels(self, requests: APIRequestContext) -> None:
        headers = {"Authorization": f"token {self.token}"}
        for kernel in requests.get(f"{self.url}/api/kernels", headers=headers).json():
            requests.delete(f"{self.url}/api/kernels/{kernel['id']}", headers=headers)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def jupyterlab(root: Path, *, seconds: float = PATIENCE) -> Iterator[Lab]:
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
            "--LabApp.expose_app_in_browser=True",  # a notebook after another is opened by `jupyterapp`
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
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


ALL_CELLS_HAVE_RUN = """() => {
    const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')];
    return prompts.length > 0 && prompts.every(prompt => /\\[\\d+\\]/.test(prompt.textContent));
}"""
# After an error the cells that waited, [*], are given up.
AN_ERROR_STOPPED_IT = """() => {
    const shown = document.querySelector('.jp-Notebook [data-mime-type="application/vnd.jupyter.stderr"]');
    const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')];
    return shown !== null && prompts.every(prompt => !prompt.textContent.includes('*'));
}"""
FIRST_CELL_NOT_RUN = """() => {
    const cells = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')];
    const cell = cells.find(cell => !/\\[\\d+\\]/.test(cell.querySelector('.jp-InputPrompt').textContent));
    const error = document.querySelector('[data-mime-type="application/vnd.jupyter.stderr"]');
    return (cell?.querySelector('.cm-content')?.innerText ?? 'none found') + (error ? `\\n${error.innerText}` : '');
}"""
# JupyterLab draws tracebacks and the stream stderr alike.
ERRORS_SHOWN = """meant => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].flatMap((cell, index) =>
    [...cell.querySelectorAll('[data-mime-type="application/vnd.jupyter.stderr"]')]
        .filter(() => !meant.includes(index)).map(error => error.innerText)
)"""
# JupyterLab says "Image" where there is no alt text.
# The name of a control is what a screen reader says: its own label, or the description that stands beside it.
ACCESSIBILITY_PROBLEMS = """() => {
    const notebook = document.querySelector('.jp-Notebook');
    const name = control => [
        control.getAttribute('aria-label'),
        document.getElementById(control.getAttribute('aria-labelledby'))?.textContent,
        ...[...(control.labels ?? [])].map(label => label.textContent),
        control.closest('.widget-inline-hbox, .jupyter-widgets')?.querySelector('.widget-label')?.textContent,
        control.getAttribute('title'), control.getAttribute('placeholder'), control.textContent,
    ].find(text => text && text.trim());
    const images = [...notebook.querySelectorAll('img')].filter(image => ['', 'Image'].includes(image.alt.trim()));
    const controls = [...notebook.querySelectorAll(
        '.jp-OutputArea-output [role=slider], .jp-OutputArea-output input:not([type=hidden]), ' +
        '.jp-OutputArea-output select, .jp-OutputArea-output button')];
    return [
        ...images.map(image => `an image without alt text: ${image.outerHTML.slice(0, 80)}`),
        ...controls.filter(control => control.checkVisibility() && !name(control))
            .map(control => `a control without a name: ${control.outerHTML.slice(0, 80)}`),
    ];
}"""


# All that is folded now, opened at once: each one by itself would have the whole page laid out anew.
UNFOLD = """() => {
    const folded = [...document.querySelectorAll('.jp-Notebook .jp-showHiddenCellsButton')]
        .filter(button => button.checkVisibility());
    folded.forEach(button => button.click());
    return folded.length;
}"""


# What changed in it is not asked about.
CLOSE_ALL = "() => [...jupyterapp.shell.widgets('main')].forEach(widget => widget.dispose())"
OPEN_ANOTHER = """async place => {
    const { context } = await jupyterapp.commands.execute('docmanager:open', { path: place });
    await context.ready;
    await context.sessionContext.ready;
}"""


@dataclass
class OpenNotebook:
    """A notebook open in JupyterLab, and what the page complained about or asked for so far."""

    page: Page
    meant_to_fail: list[int] = field(default_factory=list)  # places among the code cells
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def turn_to(self, lab: Lab, notebook: Path) -> None:
        """Open another notebook in the same page, in place of this one, and wait until its kernel is idle.

        JupyterLab itself is not loaded again, which takes as long as showing a chapter.
        """
        self.page.evaluate(CLOSE_ALL)  # first, so that nothing in it misses its kernel and complains
        lab.stop_kernels(self.page.context.request)
        self.errors.clear()
        self.hosts.clear()
        self.meant_to_fail = cells_that_fail(notebook)
        self.page.evaluate(OPEN_ANOTHER, lab.place(notebook))
        self.wait_until_idle()

    def menu(self, *names: str) -> None:
        for name in names:
            self.page.get_by_role("menuitem", name=name, exact=True).click()

    def unfold(self) -> int:
        """Open all outputs and all sections for the second reading; returns how many sections were folded."""
        self.menu("View", "Expand All Outputs")
        count = self.page.locator(".jp-showHiddenCellsButton:visible").count()
        while self.page.evaluate(UNFOLD):
            pass
        return count

    def wait_until_idle(self) -> None:
        """Wait until the status bar says that the kernel is idle."""
        # In the whole page, this text would be looked for in each line of code and each formula, again and again.
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()

    def run_all(self, *, seconds: float = PATIENCE) -> None:
        """Clear stored outputs, run all cells by the menu, and wait until each has its number and the kernel is idle.

        Raises
        ------
        RuntimeError
            A cell was not reached, in time or because of an error before it: it is named, with the error if there is
            one.
        """
        self.menu("Edit", "Clear Outputs of All Cells")
        self.menu("Run", "Run All Cells")
        over = f"() => ({ALL_CELLS_HAVE_RUN})() || ({AN_ERROR_STOPPED_IT})()"
        with suppress(TimeoutError):
            self.page.wait_for_function(over, timeout=seconds * 1000)
        if not self.page.evaluate(ALL_CELLS_HAVE_RUN):
            raise RuntimeError(f"not all cells ran: {self.page.evaluate(FIRST_CELL_NOT_RUN)}")
        self.wait_until_idle()
        self.page.wait_for_timeout(500)  # outputs are drawn after the prompt is

    def slider(self, description: str) -> Locator:
        """The handle of the first slider with this description; it takes arrow keys and the mouse."""
        label = self.page.locator(".widget-label").get_by_text(description, exact=True)
        return self.page.locator(".widget-slider").filter(has=label).locator(".noUi-handle").first

    def pictures_beside(self, handle: Locator) -> list[str]:
        """Sources and alt texts of the images in the output that `handle` is part of."""
        return handle.evaluate(
            "h => [...h.closest('.jp-OutputArea').querySelectorAll('img')].map(i => `${i.alt} ${i.src}`)"
        )

    def wait_for_other_pictures(
        self, handle: Locator, before: list[str], *, seconds: float = PATIENCE, idle: bool = True
    ) -> list[str]:
        """Wait until the pictures are others, and with `idle` until the kernel rests as well; returns them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.pictures_beside(handle) != before:
                if idle:
                    self.wait_until_idle()
                return self.pictures_beside(handle)
            self.page.wait_for_timeout(50)
        raise RuntimeError(f"the slider moved and the picture did not change within {seconds} s")

    def drag(self, handle: Locator, fraction: float) -> None:
        """Drag a slider's handle with the mouse to `fraction` of its track."""
        handle.scroll_into_view_if_needed()
        box, track = (
            handle.bounding_box(),
            handle.locator("xpath=ancestor::*[contains(@class,'noUi-base')]").bounding_box(),
        )
        assert box is not None
        assert track is not None
        mouse, middle = self.page.mouse, box["y"] + box["height"] / 2
        mouse.move(box["x"] + box["width"] / 2, middle)
        mouse.down()
        mouse.move(track["x"] + fraction * track["width"], middle, steps=8)
        mouse.up()

    def failed_cells(self) -> list[str]:
        """The errors and warnings shown in cells that are not tagged `raises-exception`."""
        return self.page.evaluate(ERRORS_SHOWN, self.meant_to_fail)

    def accessibility_problems(self) -> list[str]:
        """Images without alt text, and controls without a name, in the notebook as it is now."""
        return self.page.evaluate(ACCESSIBILITY_PROBLEMS)

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


def cells_that_fail(notebook: Path) -> list[int]:
    """Places among the code cells of those that are meant to fail."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    tags = [cell["metadata"].get("tags", []) for cell in cells if cell["cell_type"] == "code"]
    return [place for place, found in enumerate(tags) if "raises-exception" in found]


@contextmanager
def opened(
    browser: Browser | BrowserContext, lab: Lab, notebook: Path, *, width: int = 1200, height: int = 900
) -> Iterator[OpenNotebook]:
    """Open `notebook` in a page of its own and wait until its kernel is idle.

    In a browser, the page shares nothing with others. In a context it shares what the context has loaded: JupyterLab's
    own scripts are then read and compiled once for all pages.
    """
    shared = isinstance(browser, BrowserContext)
    context = browser if isinstance(browser, BrowserContext) else browser.new_context()
    page = context.new_page()
    try:
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(PATIENCE * 1000)
        view = OpenNotebook(page, cells_that_fail(notebook))
        page.on("pageerror", lambda error: view.errors.append(f"page: {error}"))
        page.on("console", lambda message: view.errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: view.hosts.add(urllib.parse.urlsplit(request.url).hostname or ""))
        page.goto(lab.address(notebook))
        # The indicator in the toolbar says idle before the kernel is connected, and "Run All Cells" then does nothing.
        view.wait_until_idle()
        yield view
    finally:
        lab.stop_kernels(context.request)
        page.close()
        if not shared:
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
