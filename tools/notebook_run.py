"""Running a notebook in a kernel that sees nothing of the user's own set-up, and what its outputs may never show."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from tools.notebook_file import IGNORE, RAISES, NotebookError, code_cells, shows_widget, tags, where

CELL_SECONDS = 60
NOTEBOOK_SECONDS = 60


class ThisPython(KernelSpecManager):
    """Every kernel name means this interpreter, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


def kernel_environment(folder: str | Path) -> dict[str, str]:
    """Environment of a kernel that depends on nothing in the user's account and repeats itself exactly.

    Parameters
    ----------
    folder : path
        An empty private folder, which stands in for the user's IPython, Jupyter and Matplotlib settings.
    """
    folder = Path(folder)
    (folder / "matplotlibrc").touch()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "IPYTHON", "MPL")) or name == "MPLCONFIGDIR"
    }
    one_thread = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    return environment | {
        **dict.fromkeys(one_thread, "1"),
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",  # progress bars are for people
        "COURSEPKG_PROGRESS": "off",  # and so is a record: outputs are the same with it and without
        "PYTHONWARNINGS": "error",
        "PYTHONUTF8": "1",
        "TZ": "UTC",
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_NO_CONFIG": "1",
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        # Python's own modules are frozen; the debugger inside the kernel says so on stderr.
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


@contextmanager
def private_kernel(manager: type[KernelManager]) -> Iterator[tuple[KernelManager, dict[str, str]]]:
    """A kernel manager with an address of its own, and the environment to start the kernel in.

    Kernels are told TCP ports before they bind them, so kernels that start together can take each other's. Where the
    system has Unix sockets, each kernel gets one in its own folder instead.
    """
    # The address of a socket has at most about 100 characters.
    short = None if len(tempfile.gettempdir()) < 70 else "/tmp"
    with tempfile.TemporaryDirectory(prefix="nb-", dir=short, ignore_cleanup_errors=True) as folder:
        address = {} if os.name == "nt" else {"transport": "ipc", "ip": str(Path(folder) / "k")}
        yield (
            manager(
                kernel_name="python3",
                kernel_spec_manager=ThisPython(),
                connection_file=str(Path(folder) / "kernel.json"),
                **address,
            ),
            kernel_environment(folder),
        )


@dataclass
class Run:
    """A notebook as it came out of its kernel."""

    notebook: NotebookNode
    seconds: float
    widgets: dict[str, dict] = field(default_factory=dict)


def execute(notebook: NotebookNode, folder: Path) -> Run:
    """Run every cell of a copy of `notebook` with `folder` as the working folder.

    Raises
    ------
    NotebookError
        A cell raises although it has no `raises-exception` tag, has the tag and does not raise, writes a warning, or
        takes too long; or the kernel dies.
    """
    copy = deepcopy(notebook)
    start = time.monotonic()
    with private_kernel(AsyncKernelManager) as (manager, environment):
        client = NotebookClient(
            copy,
            km=manager,
            kernel_name="python3",
            timeout=CELL_SECONDS,
            startup_timeout=60,
            record_timing=False,
            shutdown_kernel="immediate",
        )
        try:
            client.execute(cwd=str(folder), env=environment, cleanup_kc=True)
        except CellTimeoutError:
            raise NotebookError(f"a cell ran for more than {CELL_SECONDS} s") from None
        except DeadKernelError:
            raise NotebookError("the kernel died (out of memory, or a crash in a library)") from None
        except CellExecutionError as error:
            raise NotebookError(f"a cell raised:\n{error}") from None
    run = Run(copy, time.monotonic() - start, client.widget_state)
    problems = [problem for index, cell in code_cells(copy) for problem in run_problems(index, cell)]
    if run.seconds > NOTEBOOK_SECONDS:
        problems.append(f"took {run.seconds:.0f} s; a notebook has {NOTEBOOK_SECONDS} s")
    if problems:
        raise NotebookError("\n".join(problems))
    return run


def run_problems(index: int, cell: NotebookNode) -> Iterator[str]:
    """What the outputs of a cell may never show, whatever is stored."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if RAISES in tags(cell) and not errors:
        yield f"{where(index, cell)} is tagged {RAISES} and does not raise"
    if errors and RAISES not in tags(cell):
        yield f"{where(index, cell)} raises {errors[0].ename}: {errors[0].evalue}"
    stderr = "".join(o.text for o in cell.outputs if o.output_type == "stream" and o.name == "stderr")
    if stderr and (IGNORE not in tags(cell) or "Warning" in stderr):
        yield f"{where(index, cell)} writes to stderr: {stderr.strip()[:300]}"
    if IGNORE not in tags(cell) and shows_widget(cell):
        yield f"{where(index, cell)} shows a widget, which differs in each run; give it the tag {IGNORE}"
