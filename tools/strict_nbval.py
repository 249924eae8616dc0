"""A pytest plug-in that closes the holes in nbval, so that one run of a notebook is enough.

nbval executes a notebook cell by cell and compares outputs as strings. This plug-in keeps that and adds, in the same
run, what `tools/notebooks.py` asks of a notebook: numbers compared within a tolerance, an error wherever one is
promised, nothing stripped, no warnings, nothing of the user's own set-up, and time limits that hold.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Empty

import pytest
from jupyter_client.manager import KernelManager
from nbval.kernel import RunningKernel
from nbval.plugin import IPyNbCell, IPyNbFile

from tools.notebook_comparison import cell_problems
from tools.notebook_file import ROOT, is_stripped, may_be_stripped
from tools.notebook_run import CELL_SECONDS, NOTEBOOK_SECONDS, private_kernel
from tools.notebooks import build_font_cache

NBVAL_CELL_SECONDS = 2000  # what nbval takes when no time limit is given


def pytest_configure(config: pytest.Config) -> None:
    options = config.option
    if not (options.nbval or options.nbval_lax):
        return
    if options.nbval_lax:
        raise pytest.UsageError("--nbval-lax compares nothing in most cells; use --nbval")
    if getattr(options, "numprocesses", None) and options.dist not in ("loadfile", "loadscope"):
        raise pytest.UsageError("the cells of a notebook belong together: use -n with --dist loadfile")
    options.nbval_current_env = True
    options.nbval_sanitize_with = options.nbval_sanitize_with or str(ROOT / "tests/notebooks/nbval_sanitize.cfg")
    if options.nbval_cell_timeout == NBVAL_CELL_SECONDS:
        options.nbval_cell_timeout = CELL_SECONDS
    if not hasattr(config, "workerinput"):
        build_font_cache()


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Iterator[None]:
    collected = yield
    return [Notebook.from_parent(parent, path=file_path) if isinstance(node, IPyNbFile) else node for node in collected]


class Kernel(RunningKernel):
    """nbval's kernel, but private, with history as in a real session, and missed at once when it dies."""

    def __init__(self, cwd: Path, startup_timeout: float) -> None:
        self.resources = ExitStack()
        self.km, environment = self.resources.enter_context(private_kernel(KernelManager))
        self.km.start_kernel(cwd=str(cwd), env=environment, stderr=subprocess.DEVNULL)
        self.kc = self.km.client()
        self.kc.start_channels()
        try:
            self.kc.wait_for_ready(timeout=startup_timeout)
            self._ensure_iopub_up()
        except RuntimeError:
            self.stop()
            raise

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        # Without history a trailing `;` silences nothing, and `_` and `Out` are not there.
        return self.kc.execute(cell_input, store_history=True, allow_stdin=allow_stdin, stop_on_error=False)

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        end = time.monotonic() + (CELL_SECONDS if timeout is None else timeout)
        while True:
            try:
                return super().await_reply(msg_id, timeout=min(1.0, max(0.0, end - time.monotonic())))
            except Empty:
                if not self.is_alive():
                    raise RuntimeError("The kernel died in this cell.") from None
                if time.monotonic() >= end:
                    raise

    def stop(self) -> None:
        super().stop()
        self.resources.close()


class Notebook(IPyNbFile):
    """A notebook whose cells run in order in a private kernel."""

    def setup(self) -> None:
        self.kernel = Kernel(self.path.parent, self.config.option.nbval_kernel_startup_timeout)
        self.setup_sanitize_files()
        self.executed = 0
        self.seconds = 0.0

    def teardown(self) -> None:
        if self.kernel is not None and self.kernel.is_alive():
            self.kernel.stop()

    def collect(self) -> Iterator[Cell]:
        cells = list(super().collect())
        self.sources = [cell.cell.source for cell in cells]
        self.stripped = is_stripped(self.nb) and may_be_stripped(self.path)
        for cell in cells:
            yield Cell.from_parent(self, name=cell.name, cell_num=cell.cell_num, cell=cell.cell, options=cell.options)


class Cell(IPyNbCell):
    """A cell that nbval runs and compares, and that must then also satisfy `tools/notebooks.py`."""

    def setup(self) -> None:
        if self.parent.timed_out:
            pytest.skip("an earlier cell of this notebook took too long")
        if self.parent.executed > self.cell_num:
            raise pytest.UsageError("cells run in the order of the notebook; switch random order off")
        # With -k, --lf or a node id, earlier cells are not selected; this one still needs what they define.
        for source in self.parent.sources[self.parent.executed : self.cell_num]:
            message = self.parent.kernel.execute_cell_input(source, allow_stdin=False)
            self.parent.kernel.await_reply(message, timeout=self.config.option.nbval_cell_timeout)
        self.parent.executed = self.cell_num

    def runtest(self) -> None:
        self.parent.executed = self.cell_num + 1
        start = time.monotonic()
        try:
            super().runtest()
        finally:
            self.parent.seconds += time.monotonic() - start
        problems = list(cell_problems(self.cell_num, self.cell, self.test_outputs, stripped=self.parent.stripped))
        if self.parent.seconds > NOTEBOOK_SECONDS:
            problems.append(f"the notebook has run for {self.parent.seconds:.0f} s; it has {NOTEBOOK_SECONDS} s")
        if problems:
            self.raise_cell_error("\n".join(problems))
